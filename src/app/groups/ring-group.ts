import { counter, gauge } from '../../metrics/columns.js';
import type { GroupSource, Row } from '../../metrics/reading.js';
import { placeOf, type RingReport } from '../../schedulers/index.js';
import type { StoreRings } from '../../storage/store-rings.js';
import { ringCounters } from '../../structures/spsc-ring.js';

export interface RingGroupParts {
  /** Between the schedulers. */
  readonly reports: () => readonly RingReport[];
  /** Between the schedulers and the writer. */
  readonly stores: () => readonly { readonly scheduler: number; readonly rings: StoreRings }[];
  readonly writer: string;
}

/** The rings between threads: `scheduler-1>scheduler-2`, `scheduler-1>writer-1`. */
export function ringGroup({ reports, stores, writer }: RingGroupParts): GroupSource {
  return {
    description: {
      name: 'ring',
      version: 1,
      title: 'Rings between threads',
      instance: 'ring',
      columns: [
        counter('publishes', '{publish}', 'Times that records were shown to the other end.'),
        counter('full', '{record}', 'Records that found the ring full.'),
        gauge('depth_bytes', 'By', 'Bytes that wait in the ring.'),
        gauge('deepest_bytes', 'By', 'The most bytes that ever waited in it.'),
        counter('records', '{record}', 'Messages and signals sent.'),
        counter('bytes', 'By', 'Bytes sent.'),
        counter('wakes', '{wake}', 'Times that the other end had to be woken.'),
        gauge('overflow_bytes', 'By', 'Bytes that wait behind the ring because it is full.'),
        gauge('overflow_bytes_max', 'By', 'The most bytes that ever waited behind it.'),
        counter('stalled_ms', 'ms', 'Time in which something waited behind it.'),
        counter('dropped', '{record}', 'Messages dropped because as much waited behind it as may.'),
      ],
    },
    read: () => [...reports().map(between), ...stores().flatMap((store) => toWriter(store, writer))],
  };
}

function between({ from, to, ring, stats }: RingReport): Row {
  return {
    instance: `${nameOf(from)}>${nameOf(to)}`,
    figures: [
      ring.publishes,
      ring.full,
      ring.depthBytes,
      ring.depthBytesMax,
      stats.records,
      stats.bytes,
      stats.rings,
      stats.overflowBytes,
      stats.overflowBytesMax,
      stats.stalledMs,
      stats.dropped,
    ],
  };
}

/** Nobody counts more of these than the rings themselves do. */
function toWriter(
  { scheduler, rings }: { readonly scheduler: number; readonly rings: StoreRings },
  writer: string,
): Row[] {
  const row = (instance: string, memory: SharedArrayBuffer): Row => {
    const ring = ringCounters(memory);
    const figures = [ring.publishes, ring.full, ring.depthBytes, ring.depthBytesMax];
    return { instance, figures: [...figures, null, null, null, null, null, null, null] };
  };
  const name = `scheduler-${scheduler}`;
  return [row(`${name}>${writer}`, rings.commands), row(`${writer}>${name}`, rings.events)];
}

function nameOf(scheduler: number): string {
  const place = placeOf(scheduler);
  return place === 0 ? 'main' : `scheduler-${place}`;
}
