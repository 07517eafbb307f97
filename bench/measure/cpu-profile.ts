import type { CpuProfile } from '../../src/metrics/profiles/cpu-profile.js';

/** A function, and the part of the thread's busy time that was spent in it alone. */
export interface SelfTime {
  readonly name: string;
  /** src/…/file.js:line, of the compiled file. */
  readonly place: string;
  readonly ms: number;
  readonly share: number;
}

export interface ProfileSummary {
  readonly totalMs: number;
  readonly idleMs: number;
  /** Shares are of the time that was not idle. */
  readonly top: readonly SelfTime[];
}

/** Adds up the samples by function; the busiest first. */
export function summarize(profile: CpuProfile, count: number): ProfileSummary {
  const times = new Map<number, number>();
  for (let i = 0; i < profile.samples.length; i++) {
    const id = profile.samples[i]!;
    times.set(id, (times.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0));
  }
  const functions = new Map<string, { name: string; place: string; us: number }>();
  let totalUs = 0;
  let idleUs = 0;
  for (const node of profile.nodes) {
    const us = times.get(node.id) ?? 0;
    const { functionName, url, lineNumber } = node.callFrame;
    totalUs += us;
    if (functionName === '(idle)') {
      idleUs += us;
      continue;
    }
    const name = functionName === '' ? '(anonymous)' : functionName;
    const place = url === '' ? '' : `${shortened(url)}:${lineNumber + 1}`;
    const key = `${name} ${place}`;
    const entry = functions.get(key) ?? { name, place, us: 0 };
    entry.us += us;
    functions.set(key, entry);
  }
  const busyUs = Math.max(1, totalUs - idleUs);
  const top = [...functions.values()]
    .sort((a, b) => b.us - a.us)
    .slice(0, count)
    .map(({ name, place, us }) => ({ name, place, ms: us / 1000, share: us / busyUs }));
  return { totalMs: totalUs / 1000, idleMs: idleUs / 1000, top };
}

function shortened(url: string): string {
  const dist = url.lastIndexOf('/dist/');
  if (dist >= 0 && !url.includes('node_modules')) return url.slice(dist + '/dist/'.length);
  const modules = url.lastIndexOf('/node_modules/');
  return modules >= 0 ? url.slice(modules + '/node_modules/'.length) : url;
}
