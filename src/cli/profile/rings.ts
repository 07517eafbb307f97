import { Command } from 'commander';
import { type RingContention, ringContention } from '../../metrics/profiles/ring-contention.js';
import type { Figure, GroupDescription, Reading } from '../../metrics/reading.js';
import { safeLine } from '../chat/safe-text.js';
import { askOperator, type OperatorFlags, OperatorRefused, toldPlainly } from '../operator-client.js';
import { textTable } from '../text-table.js';
import { forOption } from './times.js';
import { forSoLong } from './wait-for-profile.js';

/** `rookery profile rings`: which rings between threads hold up. */
export function ringsCommand(): Command {
  const command = new Command('rings')
    .summary('which rings between threads hold up')
    .description(
      'Reads the counters of all rings twice, and shows what has happened in between, those first behind which messages waited longest. It costs the server nothing. Ctrl-C ends it before its time.',
    )
    .addOption(forOption())
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
stalled  ms in which something waited because the ring was full
full     records that found it full, and wait behind it; dropped: those for which there was no room there either
wakes    times that the reader slept and had to be woken
deepest  the most bytes that ever were in it, since it was made

Examples:
  rookery profile rings
  rookery profile rings --for 1m --json | jq '.rings[] | select(.full > 0)'`,
    )
    .action(() =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<OperatorFlags & { for: number; json?: boolean }>();
        const { groups } = await askOperator<{ readonly groups: readonly GroupDescription[] }>(
          flags,
          '/api/groups',
        );
        const ring = groups.find(({ name }) => name === 'ring');
        if (ring === undefined) throw new OperatorRefused('this server has no figures of rings');
        const read = () => askOperator<Reading>(flags, '/api/reading?groups=ring');
        const before = await read();
        await forSoLong(flags.for);
        const after = await read();
        for (const { groups } of [before, after])
          if (groups['ring'] === undefined) throw new OperatorRefused('the rings did not answer in time');
        const rings = ringContention(ring, before, after);
        const ms = after.uptimeMs - before.uptimeMs;
        process.stdout.write(
          flags.json === true ? `${JSON.stringify({ ms, rings })}\n` : `${ringsText(rings, ms)}\n`,
        );
      }),
    );
  return command;
}

/** For people. */
export function ringsText(rings: readonly RingContention[], ms: number): string {
  const figure = (value: Figure) => (value === null ? 'n/a' : Math.round(value).toLocaleString('en-US'));
  const right = (title: string) => ({ title, align: 'right' as const });
  const table = textTable(
    [
      { title: 'ring' },
      ...['stalled ms', 'full', 'dropped', 'publishes', 'records', 'bytes', 'wakes', 'now', 'deepest'].map(
        right,
      ),
    ],
    rings.map((ring) => [
      safeLine(ring.ring),
      ...[
        ring.stalledMs,
        ring.full,
        ring.dropped,
        ring.publishes,
        ring.records,
        ring.bytes,
        ring.wakes,
        ring.depthBytes,
        ring.deepestBytes,
      ].map(figure),
    ]),
  );
  return `${table}\n\nover ${(ms / 1000).toFixed(1)} s`;
}
