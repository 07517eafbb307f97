import { rm } from 'node:fs/promises';
import type { Dialect } from '../chat/load-messages.js';
import { LoadProcess } from '../chat/load-process.js';
import { startRelay } from '../chat/relay-server.js';
import { startRookery, temporaryDataFolder } from '../chat/rookery-server.js';
import type { ServerUnderTest } from '../chat/server-under-test.js';
import { Inspector } from '../measure/inspector.js';
import { fixed, markdownTable, whole } from '../measure/markdown-table.js';
import { processUsage } from '../measure/process-usage.js';
import { slope } from '../measure/statistics.js';

export interface MemoryOptions {
  /** How many sessions are open at each reading, ascending and even. */
  readonly steps: readonly number[];
  /** How long the server is left alone before a reading. */
  readonly settleMs: number;
}

/** One reading. */
export interface MemoryReading {
  readonly sessions: number;
  /** As it is, garbage included. */
  readonly residentBytes: number;
  /** After a full collection in every thread. */
  readonly collectedResidentBytes: number;
  readonly heapUsedBytes: number;
}

export interface MemoryLine {
  readonly label: string;
  readonly readings: readonly MemoryReading[];
  /** Bytes for each session: slopes over the readings. */
  readonly resident: number;
  readonly collectedResident: number;
  readonly heapUsed: number;
}

export interface MemoryReport {
  readonly options: MemoryOptions;
  readonly lines: readonly MemoryLine[];
}

/** One is enough: source ports are taken for each destination, and there are 28,000 or so. */
const SOURCE_ADDRESSES = 1;
/** Connections that are being opened at the same time. */
const PARALLEL = 256;

/**
 * Resident bytes for each idle authenticated session, from the slope over several numbers of sessions, beside a
 * bare uWebSockets.js server with as many idle sockets. The users are registered before, in another run of the
 * server: registering leaves garbage. What a session makes the server load of its account counts.
 */
export async function benchMemory(
  options: MemoryOptions,
  say: (text: string) => void,
): Promise<MemoryReport> {
  const dataFolder = await temporaryDataFolder();
  const subjects: Subject[] = [];
  try {
    const most = options.steps.at(-1) ?? 0;
    const first = await startRookery({ dataFolder });
    const load = await loadOf('rookery', first);
    say(`registering ${whole(most)} users`);
    await load.open(first.port, most, PARALLEL);
    // Not in order: the last goodbyes would be found in the log, and all users in memory at the next start.
    await first.kill?.();
    await load.close();
    subjects.push(await Subject.of('Rookery', await startRookery({ dataFolder, inspected: true }), load));
    const relay = await startRelay(true);
    subjects.push(await Subject.of('bare uWebSockets.js', relay, await loadOf('relay', relay)));
    for (const sessions of options.steps) {
      for (const subject of subjects) {
        const reading = await subject.read(sessions, options.settleMs);
        say(
          `${subject.label}: ${whole(sessions)} sessions: ${fixed(reading.residentBytes / 2 ** 20)} MiB resident, ` +
            `${fixed(reading.collectedResidentBytes / 2 ** 20)} MiB after a collection, ` +
            `heap ${fixed(reading.heapUsedBytes / 2 ** 20)} MiB`,
        );
      }
    }
    return { options, lines: subjects.map((subject) => subject.line()) };
  } finally {
    for (const subject of subjects) await subject.end();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

function loadOf(dialect: Dialect, server: ServerUnderTest): Promise<LoadProcess> {
  return LoadProcess.start(
    {
      dialect,
      bodyBytes: 120,
      sourceAddresses: SOURCE_ADDRESSES,
      firstPhone: 49_100_000_000,
      settleMsMax: 0,
    },
    server.pins,
  );
}

class Subject {
  readonly label: string;
  readonly #server: ServerUnderTest;
  readonly #load: LoadProcess;
  readonly #inspector: Inspector;
  readonly #readings: MemoryReading[] = [];

  private constructor(label: string, server: ServerUnderTest, load: LoadProcess, inspector: Inspector) {
    this.label = label;
    this.#server = server;
    this.#load = load;
    this.#inspector = inspector;
  }

  static async of(label: string, server: ServerUnderTest, load: LoadProcess): Promise<Subject> {
    return new Subject(label, server, load, await Inspector.connect(server.inspectorPort));
  }

  async read(sessions: number, settleMs: number): Promise<MemoryReading> {
    const { pid, port } = this.#server;
    await this.#load.open(port, sessions, PARALLEL);
    await wait(settleMs);
    const { residentBytes } = processUsage(pid);
    await this.#inspector.collectGarbage();
    const heaps = await this.#inspector.heaps();
    await wait(200);
    const reading = {
      sessions,
      residentBytes,
      collectedResidentBytes: processUsage(pid).residentBytes,
      heapUsedBytes: heaps.reduce((sum, heap) => sum + heap.usedBytes, 0),
    };
    this.#readings.push(reading);
    return reading;
  }

  line(): MemoryLine {
    const readings = this.#readings;
    const over = (value: (reading: MemoryReading) => number) =>
      slope(readings.map((reading) => [reading.sessions, value(reading)] as const));
    return {
      label: this.label,
      readings,
      resident: over((reading) => reading.residentBytes),
      collectedResident: over((reading) => reading.collectedResidentBytes),
      heapUsed: over((reading) => reading.heapUsedBytes),
    };
  }

  async end(): Promise<void> {
    this.#inspector.close();
    this.#load.stop();
    await this.#server.stop();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function memoryMarkdown(report: MemoryReport): string {
  const { steps } = report.options;
  const table = markdownTable(
    [
      'memory',
      'bytes for each idle session',
      'of it JavaScript heap',
      'without a collection',
      ...steps.map((sessions) => `MiB at ${whole(sessions)}`),
    ],
    report.lines.map((line) => [
      line.label,
      whole(line.collectedResident),
      whole(line.heapUsed),
      whole(line.resident),
      ...line.readings.map((reading) => fixed(reading.collectedResidentBytes / 2 ** 20)),
    ]),
  );
  return (
    `${table}\n\nSlopes of the resident memory of the server process between ` +
    `${whole(steps[0] ?? 0)} and ${whole(steps.at(-1) ?? 0)} open sessions, authenticated and idle; the kernel’s ` +
    'buffers are not in it. Before each reading a full collection was forced in every thread, as time would do ' +
    'it; the last slope is that of readings before, in which garbage that lies about hides the growth.\n'
  );
}
