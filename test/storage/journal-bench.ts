import { MessageChannel } from 'node:worker_threads';
import type { Journal, JournalEvent, JournalSnapshot } from '../../src/storage/journal/journal.js';
import { JournalPort, type JournalPortOptions } from '../../src/storage/journal/journal-port.js';
import { JournalWriter, type JournalWriterOptions } from '../../src/storage/journal/journal-writer.js';
import { SystemClock } from '../../src/structures/system-clock.js';

/** A journal, its writer and a port, all in this thread. */
export class JournalBench {
  readonly port: JournalPort;
  writer: JournalWriter;
  readonly #options: Partial<JournalWriterOptions>;

  constructor(
    journal: Journal,
    portOptions: JournalPortOptions = {},
    writerOptions: Partial<JournalWriterOptions> = {},
  ) {
    this.port = new JournalPort(portOptions);
    this.#options = writerOptions;
    this.writer = this.serve(journal);
  }

  /** A new writer in the place of the present one, as after a death: what that one had begun is not answered. */
  serve(journal: Journal): JournalWriter {
    const { port1, port2 } = new MessageChannel();
    this.writer = new JournalWriter({ journal, clock: new SystemClock(), ...this.#options });
    this.writer.attach(port2);
    this.port.attach(port1);
    return this.writer;
  }

  async close(): Promise<void> {
    await this.port.settled();
    this.port.close();
    this.writer.close();
  }
}

export const event = (
  key: string,
  sequence: number,
  data: unknown = sequence,
  tags: string[] = [],
): JournalEvent => ({
  key,
  sequence,
  createdAt: 1_700_000_000_000 + sequence,
  isDeleted: false,
  tags,
  data: JSON.stringify(data),
});

export const snapshot = (key: string, sequence: number, data: unknown = sequence): JournalSnapshot => ({
  key,
  sequence,
  createdAt: 1_700_000_000_000 + sequence,
  data: JSON.stringify(data),
});

export const ALL = { after: 0, upTo: Number.MAX_SAFE_INTEGER, countMax: Number.MAX_SAFE_INTEGER, tags: [] };

/** Sequence and data of all events of a key, deleted ones as null. */
export async function contentOf(port: JournalPort, key: string): Promise<[number, unknown][]> {
  const content: [number, unknown][] = [];
  for (let after = 0, done = false; !done; ) {
    const page = await port.read(key, { ...ALL, after });
    for (const { sequence, isDeleted, data } of page.events) {
      content.push([sequence, isDeleted ? null : JSON.parse(data)]);
    }
    ({ next: after, done } = page);
  }
  return content;
}
