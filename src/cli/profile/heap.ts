import { Command } from 'commander';
import type { HeapReport, SnapshotReport } from '../../ops/profiles.js';
import { safeLine } from '../chat/safe-text.js';
import { askAction, type OperatorFlags, toldPlainly } from '../operator-client.js';
import { textTable } from '../text-table.js';

interface HeapFlags extends OperatorFlags {
  readonly snapshot?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** A heap of some gigabytes is written for minutes. */
const SNAPSHOT_MS_MAX = 250_000;

/** `rookery profile heap`: the memory of one thread. */
export function heapCommand(): Command {
  const command = new Command('heap')
    .summary('the memory of one thread')
    .description(
      'Shows what the heap of one thread holds, by its spaces, and what it holds outside of it. With --snapshot it writes everything that lives there to a file in the folder profiles of the data folder, on the server: the thread stands still meanwhile, for seconds, its clients with it; so that wants --yes. The file holds what people have written. Chrome (DevTools, Memory, Load) opens it.',
    )
    .argument('<thread>', 'main, writer-1, scheduler-1, …')
    .option('--snapshot <name>', 'write a heap snapshot under this name')
    .option('--yes', 'I know that the thread stands still for it')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  rookery profile heap scheduler-1
  rookery profile heap scheduler-1 --snapshot leak-1.heapsnapshot --yes`,
    )
    .action((thread: string) =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<HeapFlags>();
        const { snapshot, yes = false } = flags;
        if (snapshot === undefined) {
          const report = await askAction<HeapReport>(flags, 'profile-heap', { thread });
          print(flags.json === true ? JSON.stringify(report) : heapText(report));
          return;
        }
        const params = { thread, file: snapshot, yes };
        const written = await askAction<SnapshotReport>(flags, 'profile-snapshot', params, SNAPSHOT_MS_MAX);
        print(
          flags.json === true
            ? JSON.stringify(written)
            : `${safeLine(written.path)}: ${mebibytes(written.bytes)} MiB; ${thread} stood still for ${written.ms.toFixed(0)} ms`,
        );
      }),
    );
  return command;
}

/** For people. */
export function heapText(report: HeapReport): string {
  const lines: [string, string][] = [
    [
      'heap',
      `${mebibytes(report.usedBytes)} of ${mebibytes(report.committedBytes)} MiB, may be ${mebibytes(report.limitBytes)} MiB`,
    ],
    [
      'outside',
      `${mebibytes(report.externalBytes)} MiB held by objects, ${mebibytes(report.arrayBufferBytes)} MiB of it ArrayBuffers`,
    ],
    [
      'V8 itself',
      `${mebibytes(report.mallocedBytes)} MiB, at most ${mebibytes(report.mallocedBytesMax)} MiB; handles ${mebibytes(report.handlesBytes)} MiB`,
    ],
    ['contexts', `${report.contexts}, detached ${report.detachedContexts}`],
  ];
  const spaces = textTable(
    [
      { title: 'space' },
      { title: 'used MiB', align: 'right' },
      { title: 'taken MiB', align: 'right' },
      { title: 'free MiB', align: 'right' },
    ],
    report.spaces
      .filter(({ committedBytes }) => committedBytes > 0)
      .map((space) => [
        safeLine(space.name),
        mebibytes(space.usedBytes),
        mebibytes(space.committedBytes),
        mebibytes(space.availableBytes),
      ]),
  );
  return `${lines.map(([title, text]) => `${title.padEnd(12)}${text}`).join('\n')}\n\n${spaces}`;
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
