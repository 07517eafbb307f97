import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupDescription } from '../../src/metrics/reading.js';
import { glanceOf } from './backlog.js';
import type { View } from './columns.js';
import { Intervals } from './intervals.js';
import { type Beat, type Live, observe, systemBeat } from './live.js';
import type { Output } from './output.js';

/** What is wanted of what is looked at, live or recorded. */
export interface Watched {
  /** null: nobody said. */
  readonly intervalMs: number | null;
  /** Reports; null: no end. */
  readonly count: number | null;
  readonly isBacklog: boolean;
  /** For people. */
  readonly isText: boolean;
  /** Says something beside the figures. */
  readonly note: (text: string) => void;
  /** @throws WsarError */
  readonly viewsOf: (groups: readonly GroupDescription[]) => readonly View[];
  readonly outputOf: (views: readonly View[]) => Output;
}

const INTERVAL_MS = 1000;

/** The longest that a timer can wait. */
const EVER_MS = 2 ** 31 - 1;

/** Calls back; the process stays for it, and may be asked to end in order meanwhile. */
export async function untilAskedToEnd(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // The timers of whoever reads keep nobody awake: without this a plug-in that never answers would end the process.
  const staying = new AbortController();
  sleep(EVER_MS, null, { signal: staying.signal }).catch(() => {});
  try {
    await action(ending.signal);
  } finally {
    staying.abort();
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}

/** Reports live, until there have been as many as were wanted, or Ctrl-C; then the averages. @throws WsarError */
export function watch(live: Live, watched: Watched): Promise<void> {
  return untilAskedToEnd((signal) => watchUntil(live, watched, signal));
}

export async function watchUntil(
  live: Live,
  watched: Watched,
  signal: AbortSignal,
  beat: Beat = systemBeat,
): Promise<void> {
  const { isBacklog, note } = watched;
  const views = watched.viewsOf(await live.describe());
  const names = new Set(views.map(({ group }) => group.name));
  const output = watched.outputOf(views);
  output.begin(live.origin, Date.now());
  const intervals = new Intervals(0);
  const total = new Intervals(Number.POSITIVE_INFINITY);
  // A backlog is reported as it is, at once, and once unless an interval was said.
  const count = watched.count ?? (isBacklog && watched.intervalMs === null ? 1 : Number.POSITIVE_INFINITY);
  let reports = 0;
  const wants = ({ name }: GroupDescription) => names.has(name);
  for await (const seen of observe(live, wants, watched.intervalMs ?? INTERVAL_MS, signal, beat)) {
    if (seen.type === 'note') note(seen.text);
    if (seen.type === 'restart') {
      intervals.restart();
      total.restart();
      output.restart(seen.at, seen.program);
    }
    if (seen.type !== 'sample') continue;
    total.add(seen.sample);
    const interval = isBacklog ? glanceOf(seen.sample) : intervals.add(seen.sample);
    if (interval === null) continue;
    output.interval(interval);
    if (++reports >= count) break;
  }
  const average = reports > 0 ? total.end() : null;
  if (average !== null) output.average(average);
}
