import { counter, gauge, peak } from '../../metrics/columns.js';
import type { GroupSource } from '../../metrics/reading.js';
import type { FiguresOfThreads } from '../server-figures.js';
import { sumOf } from './sum-of.js';

/** The store and its writer. */
export function storeGroup(threads: FiguresOfThreads): GroupSource {
  return {
    description: {
      name: 'store',
      version: 1,
      title: 'Store',
      instance: null,
      columns: [
        counter('commits', '{commit}', 'Batches committed.'),
        counter('commands', '{command}', 'Commands in them: their ratio is the size of a batch.'),
        counter('failures', '{commit}', 'Batches that could not be committed.'),
        peak('batch_max', '{command}', 'The largest batch.'),
        peak('batch_ms_max', 'ms', 'The longest batch, from its first command to its events.'),
        gauge('wal_bytes', 'By', "Size of SQLite's write-ahead log."),
        gauge(
          'young_bytes',
          'By',
          'Bytes of the young generation: what came lately and waits for its users.',
        ),
        gauge('queued_bytes', 'By', 'Bytes of commands on their way to the writer.'),
        gauge(
          'queued_bytes_max',
          'By',
          'The most bytes that ever waited in the ring of one scheduler to the writer.',
        ),
      ],
    },
    async read() {
      const { schedulers, writer } = await threads.read();
      return [
        {
          instance: '',
          figures: [
            writer?.commits ?? null,
            writer?.commands ?? null,
            writer?.failures ?? null,
            writer?.batchMax ?? null,
            writer?.batchMsMax ?? null,
            writer?.walBytes ?? null,
            writer?.youngBytes ?? null,
            sumOf(schedulers, (stats) => stats.queuedBytes),
            schedulers.length === 0 ? null : Math.max(...schedulers.map((stats) => stats.queuedBytesMax)),
          ],
        },
      ];
    },
  };
}
