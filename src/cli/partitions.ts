import { Command } from 'commander';
import type { MoveOutcome, PartitionsReport } from '../app/partition-moves.js';
import { askOperator, type OperatorFlags, operatorOptions, toldPlainly } from './operator-client.js';

/** `rookery partitions`: where the partitions of a running server are; `rookery partitions move` puts them elsewhere. */
export function partitionsCommand(): Command {
  const command = new Command('partitions')
    .summary('show and move the partitions of a running server')
    .description(
      'Shows which scheduler runs which partition of a running server, and for how many users. A partition owns the inboxes of 1/64 of the users.',
    )
    .option('--json', 'as JSON')
    .action((flags: OperatorFlags & { json?: boolean }) =>
      toldPlainly(async () => {
        const report = await askOperator<PartitionsReport>(flags, '/api/partitions');
        print(flags.json === true ? JSON.stringify(report) : table(report));
      }),
    );
  const move = new Command('move')
    .summary('move partitions to another scheduler')
    .description(
      'Moves partitions to another scheduler while messages flow: nothing is lost, and their users notice nothing. They stay there until a scheduler comes or goes.',
    )
    .argument('[partition...]', 'numbers of partitions')
    .requiredOption('--to <scheduler>', 'where to: 2, or scheduler-2')
    .option('--from <scheduler>', 'all partitions of this scheduler, instead of numbers')
    .action((partitions: string[]) =>
      toldPlainly(async () => {
        const flags = move.optsWithGlobals<OperatorFlags & { to: string; from?: string }>();
        const query = new URLSearchParams({ to: flags.to });
        if (flags.from !== undefined) query.set('from', flags.from);
        if (partitions.length > 0) query.set('partitions', partitions.join(','));
        const outcome = await askOperator<MoveOutcome>(flags, `/api/partitions/move?${query}`, 'POST');
        print(inWords(outcome));
        if (outcome.late.length > 0) process.exitCode = 1;
      }),
    );
  for (const option of operatorOptions()) command.addOption(option);
  return command.addCommand(move);
}

function inWords({ to, moved, late }: MoveOutcome): string {
  const lines = [
    moved.length === 0
      ? `none had to move: they are on ${to} already`
      : `${moved.length} partitions are on ${to} now`,
  ];
  if (late.length > 0) lines.push(`still on their way: ${late.join(', ')}`);
  return lines.join('\n');
}

/** For people. */
export function table({ partitions, schedulers }: PartitionsReport): string {
  const rows = [
    ['partition', 'scheduler', 'users', 'at home'],
    ...partitions.map(({ partition, scheduler, moving, users, atHome }) => [
      String(partition),
      `${scheduler ?? 'none'}${moving ? ' (moving)' : ''}`,
      String(users),
      String(atHome),
    ]),
    [],
    ['scheduler', 'state', 'partitions', 'connections', 'home port'],
    ...schedulers.map(({ scheduler, state, partitions: count, connections, homePort }) => [
      scheduler,
      state,
      String(count),
      String(connections),
      homePort === 0 ? '–' : String(homePort),
    ]),
  ];
  return rows
    .map((row) =>
      row
        .map((cell) => cell.padEnd(14))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
