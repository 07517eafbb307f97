import type { HandlerTime } from '../metrics/profiles/handler-times.js';
import type { Asker } from './action.js';

/** What one request for a profile may ask for. */
export const PROFILE_LIMITS = {
  msMin: 10,
  msMax: 120_000,
  intervalUsMin: 100,
  intervalUsMax: 1_000_000,
  /** Time over interval: about what a thread has in memory when it ends. */
  samplesMax: 250_000,
} as const;

/** `cpu`: every stack of one thread, as a .cpuprofile; `handlers`: time by handler, of all schedulers together. */
export type ProfileKind = 'cpu' | 'handlers';

export interface ProfileRequest {
  readonly kind: ProfileKind;
  /** Null: all schedulers. */
  readonly thread: string | null;
  readonly ms: number;
  /** Between two samples. */
  readonly intervalUs: number;
}

export interface ProfileStarted {
  readonly id: number;
  readonly threads: readonly string[];
  readonly ms: number;
  readonly intervalUs: number;
}

export type ProfileState =
  | { readonly state: 'running'; readonly leftMs: number }
  | { readonly state: 'done'; readonly kind: 'cpu'; readonly chars: number }
  | { readonly state: 'done'; readonly kind: 'handlers'; readonly table: HandlerTable };

/** Of one answer. */
export const CHUNK_CHARS_MAX = 1024 * 1024;

export interface ProfileChunk {
  readonly text: string;
  /** Where to go on; null: that was all. */
  readonly next: number | null;
}

/** Where the time of all schedulers went. */
export interface HandlerTable {
  readonly threads: readonly {
    readonly thread: string;
    readonly ms: number;
    readonly idleMs: number;
    /** What beginning the profile took of it, beside `ms`. */
    readonly ownMs: number;
    readonly samples: number;
  }[];
  /** Of all threads together, the busiest first. */
  readonly rows: readonly HandlerTime[];
}

/** The memory of one thread. All sizes in bytes. */
export interface HeapReport {
  readonly thread: string;
  /** Of V8's heap: what lives there, or is not collected yet; what was taken from the system; what it may grow to. */
  readonly usedBytes: number;
  readonly committedBytes: number;
  readonly limitBytes: number;
  readonly availableBytes: number;
  /** V8's own, beside the heap. */
  readonly mallocedBytes: number;
  readonly mallocedBytesMax: number;
  /** Held by objects of the heap outside of it; the part of it that is ArrayBuffers. */
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
  readonly handlesBytes: number;
  readonly contexts: number;
  readonly detachedContexts: number;
  readonly spaces: readonly HeapSpace[];
}

export interface HeapSpace {
  readonly name: string;
  readonly usedBytes: number;
  readonly committedBytes: number;
  readonly availableBytes: number;
}

export interface SnapshotReport {
  readonly thread: string;
  /** On the server's machine. */
  readonly path: string;
  readonly bytes: number;
  /** How long the thread stood still. */
  readonly ms: number;
}

/** Implemented by the composition root. Whatever is refused is an `ActionRefused`. */
export interface Profiles {
  /** One at a time for each thread. It ends by itself. */
  start(request: ProfileRequest, asker: Asker): ProfileStarted;
  /** Answers when it is done, or after so many ms. */
  wait(id: number, ms: number): Promise<ProfileState>;
  /** Ends it before its time: what was found so far is its result. */
  end(id: number): Promise<void>;
  /** A part of the .cpuprofile that has come of it, of at most {@link CHUNK_CHARS_MAX}. It is kept for some minutes. */
  chunk(id: number, offset: number): ProfileChunk;
  heap(thread: string): Promise<HeapReport>;
  /** Writes a heap snapshot into the profiles folder of the data folder. */
  snapshot(thread: string, file: string): Promise<SnapshotReport>;
}
