import { Command } from 'commander';
import { askOperator, type OperatorFlags, operatorOptions, toldPlainly } from './operator-client.js';

interface FaultFlags extends OperatorFlags {
  readonly partition?: string;
  readonly rate?: string;
  readonly user?: string;
  readonly thread?: string;
}

/** `rookery fault`: makes something fail in a development server, to see what becomes of it. */
export function faultCommand(): Command {
  const command = new Command('fault')
    .summary('make something fail in a development server')
    .description(
      `Makes something fail in a server in development mode, to see what becomes of it:
  stall-partition --partition 17 --rate 500   it handles 500 messages a second; 0: it stands still
  cure-partition --partition 17               it is as it was
  crash-partition, loop-partition --partition 17
  crash-session, loop-session --user 15550001
  crash-thread, loop-thread --thread scheduler-1
  crash-commit --thread writer-1`,
    )
    .argument('<kind>', 'what is to happen')
    .option('--partition <number>', 'to this partition')
    .option('--rate <number>', 'messages a second')
    .option('--user <number>', 'to the session of this user')
    .option('--thread <name>', 'to this thread')
    .action((kind: string, flags: FaultFlags) =>
      toldPlainly(async () => {
        const query = new URLSearchParams({ kind });
        for (const name of ['partition', 'rate', 'user', 'thread'] as const) {
          const value = flags[name];
          if (value !== undefined) query.set(name, value);
        }
        await askOperator(flags, `/api/fault?${query}`, 'POST');
        process.stdout.write(`${kind} is on its way\n`);
      }),
    );
  for (const option of operatorOptions()) command.addOption(option);
  return command;
}
