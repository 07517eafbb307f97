import { chmodSync, closeSync, openSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { getHeapSpaceStatistics, getHeapStatistics, writeHeapSnapshot } from 'node:v8';
import { CpuSampler } from '../metrics/profiles/cpu-sampler.js';
import { type HandlerTimes, handlerTimes } from '../metrics/profiles/handler-times.js';
import type { HeapReport } from '../ops/profiles.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { Answers } from './answers.js';
import { ProcessRefused } from './process-answers.js';

/** Characters of a profile: beyond that it is not handed over. */
const PROFILE_CHARS_MAX = 48 * 1024 * 1024;
/** A heap snapshot takes up to about so many times the heap, and some more. */
const SNAPSHOT_SIZE = 3;
const SNAPSHOT_EXTRA_BYTES = 64 * 1024 * 1024;

/** URL of the compiled src. */
const sources = new URL('../', import.meta.url).href;

/** What the topic `profile` is asked with. Answered when the time is over, or `profile-end` came for this id. */
export interface ProfileQuestion {
  readonly id: number;
  /** `cpu`: a {@link CpuProfile} as JSON; `handlers`: {@link HandlerTimes}. */
  readonly kind: 'cpu' | 'handlers';
  readonly ms: number;
  readonly intervalUs: number;
}

export interface SnapshotWritten {
  readonly bytes: number;
  readonly ms: number;
}

/** What a thread tells of where its time and its memory go. One profile at a time: a second is refused. */
export function registerProfiles(answers: Answers, thread: string, clock: Clock): void {
  let underWay: { readonly id: number; readonly end: () => void } | null = null;
  answers
    .on('profile', ({ id, kind, ms, intervalUs }: ProfileQuestion): Promise<string | HandlerTimes> => {
      if (underWay !== null) throw new ProcessRefused(409, `${thread} is being profiled already`);
      const sampler = new CpuSampler(intervalUs);
      return new Promise((resolve, reject) => {
        let timer: ClockTimer = null;
        const end = () => {
          clock.clearTimer(timer);
          underWay = null;
          try {
            const profile = sampler.end();
            resolve(kind === 'cpu' ? inJson(JSON.stringify(profile)) : handlerTimes(profile, sources));
          } catch (error) {
            reject(error as Error);
          }
        };
        timer = clock.setTimer(end, ms);
        underWay = { id, end };
      });
    })
    .on('profile-end', ({ id }: { readonly id: number }): boolean => {
      if (underWay?.id !== id) return false;
      underWay.end();
      return true;
    })
    .on('heap', (): HeapReport => heapReport(thread))
    .on('heap-snapshot', ({ path }: { readonly path: string }) => writeSnapshot(path, clock));
}

function inJson(text: string): string {
  if (text.length <= PROFILE_CHARS_MAX) return text;
  const megabytes = Math.round(text.length / 1024 / 1024);
  throw new ProcessRefused(
    409,
    `the profile has become ${megabytes} MiB, more than the ${PROFILE_CHARS_MAX / 1024 / 1024} MiB that are handed over: take a longer interval or a shorter time`,
  );
}

function heapReport(thread: string): HeapReport {
  const heap = getHeapStatistics();
  // Of this thread, but for rss.
  const { external, arrayBuffers } = process.memoryUsage();
  return {
    thread,
    usedBytes: heap.used_heap_size,
    committedBytes: heap.total_heap_size,
    limitBytes: heap.heap_size_limit,
    availableBytes: heap.total_available_size,
    mallocedBytes: heap.malloced_memory,
    mallocedBytesMax: heap.peak_malloced_memory,
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    handlesBytes: heap.used_global_handles_size,
    contexts: heap.number_of_native_contexts,
    detachedContexts: heap.number_of_detached_contexts,
    spaces: getHeapSpaceStatistics().map((space) => ({
      name: space.space_name,
      usedBytes: space.space_used_size,
      committedBytes: space.space_size,
      availableBytes: space.space_available_size,
    })),
  };
}

/** The thread stands still while it does. What people have written is in it: nobody else may read the file. */
function writeSnapshot(path: string, clock: Clock): SnapshotWritten {
  const wanted = getHeapStatistics().used_heap_size * SNAPSHOT_SIZE + SNAPSHOT_EXTRA_BYTES;
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize < wanted) {
    throw new ProcessRefused(
      409,
      `${dirname(path)} has room for ${mebibytes(bavail * bsize)} MiB, and the snapshot may take ${mebibytes(wanted)} MiB`,
    );
  }
  try {
    // Not one that is there already, and private from its first byte on.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new ProcessRefused(409, `there is a file ${path} already`);
  }
  const begun = clock.now();
  try {
    writeHeapSnapshot(path);
    chmodSync(path, 0o600);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return { bytes: statSync(path).size, ms: clock.now() - begun };
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
