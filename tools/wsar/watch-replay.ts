import { setTimeout as sleep } from 'node:timers/promises';
import type { View } from './columns.js';
import { Intervals } from './intervals.js';
import type { Output } from './output.js';
import type { Range, Replay } from './replay.js';
import { untilAskedToEnd, type Watched } from './watch.js';
import { WsarError } from './wsar-error.js';

/** How often a recording that is followed is looked at again. */
const LOOK_MS = 250;

/**
 * Reports from a recording. For people each group is shown from beginning to end before the next one, as sar does it; programs
 * get everything at once, and so does who follows.
 *
 * @throws WsarError
 */
export async function replay(
  recording: Replay,
  range: Range,
  watched: Watched & { readonly intervalMs: number },
  isFollowing: boolean,
): Promise<void> {
  const views = watched.viewsOf(recording.groups(range));
  const passes = watched.isText && !isFollowing ? views.map((view) => [view]) : [views];
  const noted = new Set<string>();
  const note = (text: string) => {
    if (noted.has(text)) return;
    noted.add(text);
    watched.note(text);
  };
  let samples = 0;
  await untilAskedToEnd(async (signal) => {
    for (const [index, pass] of passes.entries()) {
      if (signal.aborted) return;
      const output = watched.outputOf(pass);
      if (index === 0) output.begin(recording.origin(), Math.max(range.from, recording.span().from));
      samples += await replayViews(recording, range, { ...watched, note }, pass, output, isFollowing, signal);
    }
    if (samples > 0 || isFollowing || signal.aborted) return;
    const { from, to } = recording.span();
    throw new WsarError(
      `there is nothing of that time: the recording goes from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
    );
  });
}

async function replayViews(
  recording: Replay,
  range: Range,
  { intervalMs, count, note }: Watched & { readonly intervalMs: number },
  views: readonly View[],
  output: Output,
  isFollowing: boolean,
  signal: AbortSignal,
): Promise<number> {
  const intervals = new Intervals(intervalMs, intervalMs > 0 ? range.from : Number.NaN);
  const total = new Intervals(Number.POSITIVE_INFINITY);
  const names = new Set(views.map(({ group }) => group.name));
  let reports = 0;
  let samples = 0;
  for (const seen of recording.samples(range, names, isFollowing)) {
    if (signal.aborted) break;
    switch (seen.type) {
      case 'note':
        note(seen.text);
        break;
      case 'pause':
        await sleep(LOOK_MS, null, { signal }).catch(() => {});
        break;
      case 'restart': {
        const rest = intervals.restart();
        if (rest !== null) output.interval(rest);
        // Of several runs there is no average that means anything but of the last.
        total.restart();
        output.restart(seen.at, seen.program);
        break;
      }
      case 'sample': {
        total.add(seen.sample);
        samples++;
        const interval = intervals.add(seen.sample);
        if (interval !== null) {
          output.interval(interval);
          reports++;
        }
        break;
      }
    }
    if (reports >= (count ?? Number.POSITIVE_INFINITY)) break;
  }
  const rest = reports < (count ?? Number.POSITIVE_INFINITY) ? intervals.end() : null;
  if (rest !== null) output.interval(rest);
  const average = total.end();
  if (average !== null) output.average(average);
  return samples;
}
