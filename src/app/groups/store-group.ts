import { stat } from 'node:fs/promises';
import { counter, gauge, peak } from '../../metrics/columns.js';
import { LastingCounters } from '../../metrics/lasting-counters.js';
import type { GroupSource, Row } from '../../metrics/reading.js';
import { StatsBlock, type StatsMemory } from '../../schedulers/index.js';
import { walFileOf } from '../../storage/sqlite/database-file.js';
import type { StoreRings } from '../../storage/store-rings.js';
import { StoreWriterCell, type StoreWriterStat } from '../../storage/store-writer-stats.js';
import type { Clock } from '../../structures/clock.js';
import { ringCounters } from '../../structures/spsc-ring.js';

/** How often the size of the log is looked at while nothing is committed. */
const WAL_MS = 5000;

export interface StoreGroupParts {
  readonly clock: Clock;
  /** What the writer counts, and the number of its present incarnation. */
  readonly writer: () => { readonly stats: StatsMemory<StoreWriterStat>; readonly incarnation: number };
  readonly rings: () => readonly { readonly rings: StoreRings }[];
  readonly dataFolder: string;
}

/** The store and its writer. Of one that hangs, too: nothing is asked of it. */
export function storeGroup({ clock, writer, rings, dataFolder }: StoreGroupParts): GroupSource {
  const lasting = new LastingCounters();
  const walFile = walFileOf(dataFolder);
  /** Its size, and how far the store was then. */
  let wal: { readonly moved: number; readonly at: number; readonly bytes: number | null } | null = null;
  const rowsOf = (walBytes: number | null): readonly Row[] => {
    const { stats, incarnation } = writer();
    const block = StatsBlock.of(stats);
    const now = block.snapshot();
    lasting.heard('writer', incarnation, now);
    const arePeaksNew = now.peaksOf === now.peaksRead;
    // From here on the writer begins them anew.
    block.values[StoreWriterCell.peaksRead]! += 1;
    const queues = rings().map((one) => ringCounters(one.rings.commands));
    return [
      {
        instance: '',
        figures: [
          lasting.sum('commits'),
          lasting.sum('commands'),
          lasting.sum('failures'),
          arePeaksNew ? now.batchMax : 0,
          arePeaksNew ? now.batchMsMax : 0,
          walBytes,
          now.youngBytes,
          queues.reduce((total, { depthBytes }) => total + depthBytes, 0),
          Math.max(0, ...queues.map(({ depthBytesMax }) => depthBytesMax)),
          lasting.sum('batchMs'),
          lasting.sum('commitMs'),
          lasting.sum('stalls'),
          lasting.sum('oldInserted'),
          lasting.sum('oldDeleted'),
          now.youngCount,
          now.oldCount,
          lasting.sum('pauses'),
          lasting.sum('pauseMs'),
        ],
      },
    ];
  };
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
        counter('batch_ms', 'ms', 'Time from the first command of a batch to its events.'),
        counter('commit_ms', 'ms', 'Of it, in the commit itself.'),
        counter(
          'stalls',
          '{stall}',
          'Times that nothing was applied because a scheduler did not take its events.',
        ),
        counter(
          'old_inserted',
          '{message}',
          'Messages moved to the old generation: their users did not fetch them soon.',
        ),
        counter('old_deleted', '{message}', 'Messages removed from it: fetched, or too old.'),
        gauge('young_messages', '{message}', 'Messages and receipts that wait in the young generation.'),
        gauge('old_messages', '{message}', 'Messages and receipts that wait in the old generation.'),
        counter('pauses', '{pause}', 'Pauses before a small batch, for more to come together in it.'),
        counter('pause_ms', 'ms', 'Time in them.'),
      ],
    },
    read() {
      const { stats } = writer();
      const moved = StatsBlock.of(stats).read('commits') + StatsBlock.of(stats).read('failures');
      const now = clock.now();
      if (wal !== null && wal.moved === moved && now - wal.at < WAL_MS) return rowsOf(wal.bytes);
      return sizeOf(walFile).then((bytes) => {
        wal = { moved, at: now, bytes };
        return rowsOf(bytes);
      });
    },
  };
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch {
    return null;
  }
}
