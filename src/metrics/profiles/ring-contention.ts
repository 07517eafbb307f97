import type { Figure, GroupDescription, Reading } from '../reading.js';

/** What went on in one ring between two readings. Null: nobody counts it there. */
export interface RingContention {
  /** `scheduler-1>scheduler-2`: who writes, and who reads. */
  readonly ring: string;
  /** Time in which something waited behind the ring. */
  readonly stalledMs: Figure;
  /** Records that found it full; messages dropped because as much waited behind it as may. */
  readonly full: Figure;
  readonly dropped: Figure;
  readonly publishes: Figure;
  readonly records: Figure;
  readonly bytes: Figure;
  /** Times that its reader slept and had to be woken. */
  readonly wakes: Figure;
  /** Bytes in it at the end, and the most since it was made; the same of what waits behind it. */
  readonly depthBytes: Figure;
  readonly deepestBytes: Figure;
  readonly overflowBytesMax: Figure;
}

/**
 * The difference of two readings of the group `ring`: those that held up most come first. A ring that was made anew in
 * between counts from its beginning.
 *
 * @throws RangeError if the group is missing from one of them
 */
export function ringContention(
  description: GroupDescription,
  before: Reading,
  after: Reading,
): RingContention[] {
  const rowsOf = ({ groups }: Reading) => {
    const rows = groups[description.name];
    if (rows === undefined) throw new RangeError(`the reading has no group ${description.name}`);
    return rows;
  };
  const isSameServer = after.uptimeMs >= before.uptimeMs;
  const earlier = new Map(
    isSameServer ? rowsOf(before).map(({ instance, figures }) => [instance, figures]) : [],
  );
  const columns = new Map(description.columns.map(({ name }, index) => [name, index]));
  const contended = rowsOf(after).map(({ instance, figures }): RingContention => {
    const figure = (name: string): Figure => figures[columns.get(name) ?? -1] ?? null;
    const since = earlier.get(instance);
    // Made anew: then each of its counters may be smaller, and is taken whole.
    const isSame = since !== undefined && !isAnew(since, figures, description);
    const grown = (name: string): Figure => {
      const now = figure(name);
      if (now === null || !isSame) return now;
      return now - (since[columns.get(name)!] ?? 0);
    };
    return {
      ring: instance,
      stalledMs: grown('stalled_ms'),
      full: grown('full'),
      dropped: grown('dropped'),
      publishes: grown('publishes'),
      records: grown('records'),
      bytes: grown('bytes'),
      wakes: grown('wakes'),
      depthBytes: figure('depth_bytes'),
      deepestBytes: figure('deepest_bytes'),
      overflowBytesMax: figure('overflow_bytes_max'),
    };
  });
  const order = ['stalledMs', 'full', 'deepestBytes', 'publishes'] as const;
  return contended.sort((a, b) => {
    for (const column of order) {
      const difference = (b[column] ?? 0) - (a[column] ?? 0);
      if (difference !== 0) return difference;
    }
    return a.ring < b.ring ? -1 : 1;
  });
}

function isAnew(before: readonly Figure[], after: readonly Figure[], { columns }: GroupDescription): boolean {
  return columns.some(({ kind }, index) => kind === 'counter' && (after[index] ?? 0) < (before[index] ?? 0));
}
