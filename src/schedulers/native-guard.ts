import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { words } from '../actors/cut.js';
import { GuardMark, type SliceGuard, type StackSample } from '../actors/slice-guard.js';
import type { Clock } from '../structures/clock.js';
import { DoorbellButton } from '../structures/doorbell.js';

/** What a watchdog may ask of a guarded thread. `native/slice-guard.cc` has the same numbers. */
export const GuardRequest = {
  /** To say that it still runs JavaScript: {@link GuardMark.answered} counts. */
  probe: 1,
  /** To note the stack of the work. */
  sample: 2,
  /** To cut the work off. */
  cut: 3,
  /** To run the function that was given for its end, whatever else it is doing. */
  end: 4,
} as const;
export type GuardRequest = (typeof GuardRequest)[keyof typeof GuardRequest];

/** For {@link GuardHandle}: a sample of whatever runs, also outside of guarded calls. */
export const ANY_LEVEL = 0xffffff;

/** A guarded thread, for others: what it takes to watch it. Can be sent in a message. */
export interface GuardHandle {
  readonly id: number;
  /** See {@link GuardMark}. In shared memory, like the words. */
  readonly marks: Int32Array;
  /** See {@link Word.giveWay}; the others are not for other threads. */
  readonly words: Int32Array;
}

export interface AttachOptions {
  /**
   * Beginnings of script names, in whose functions nothing is cut off: where that would leave something half done that
   * others need. Added to Node's own and those of this package's {@link UNCUTTABLE} folders.
   */
  readonly uncuttable?: readonly string[];
  /** Called within whatever runs when a watchdog gives the thread up. It should end the thread, and need not return. */
  readonly onEnd?: (stack: readonly string[]) => void;
}

/** The native guard is not there: it was not built for this Node, or cannot be loaded. The message says why. */
export class GuardMissing extends Error {
  override readonly name = 'GuardMissing';
}

/** Of {@link GuardMark.bell} within the marks. */
export const BELL_OFFSET = GuardMark.bell * Int32Array.BYTES_PER_ELEMENT;

/** What native/slice-guard.cc exports. */
interface Addon {
  readonly version: number;
  attach(
    marks: Int32Array,
    words: Int32Array,
    core: string,
    uncuttable: readonly string[],
    end: ((stack: readonly string[]) => void) | undefined,
  ): Attached;
  interrupt(id: number, request: number, level: number, work: number, ranMs: number): boolean;
  stackOf(id: number): readonly string[] | null;
  /** Built before there was such a thing, it has neither. */
  deferCollections?(on: boolean): boolean;
  beginCollection?(): void;
}
interface Attached {
  readonly id: number;
  run<A, B, C>(body: (a: A, b: B, c: C) => void, a: A, b: B, c: C): boolean;
  takeCut(): readonly [ranMs: number, stack: readonly string[]];
  takeSample(level: number): readonly [ranMs: number, stack: readonly string[]] | null;
  detach(): void;
}

const VERSION = 2;
const sources = new URL('../', import.meta.url);
const folder = (name: string): string => new URL(`${name}/`, sources).href;
/** The core: what calls it may be cut off there, since it looks at {@link Word.cutting} before it does anything. */
const CORE = folder('actors');
/** Where something could be left half done that others need. */
const UNCUTTABLE = [
  'node:',
  ...[
    'actors',
    'supervisors',
    'registry',
    'structures',
    'schedulers',
    'storage',
    'transport',
    'hot-code',
  ].map(folder),
];

let loaded: Addon | null = null;

/** @throws GuardMissing */
function load(): Addon {
  if (loaded !== null) return loaded;
  if (process.env['ROOKERY_NO_NATIVE'] === '1') throw new GuardMissing('ROOKERY_NO_NATIVE is set');
  const { platform, arch, versions } = process;
  const path = fileURLToPath(
    new URL(`../../native/bin/${platform}-${arch}-${versions.modules}/slice-guard.node`, sources),
  );
  if (!existsSync(path)) {
    throw new GuardMissing(`it was not built for Node ${versions.node} (node native/install.js says why)`);
  }
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new GuardMissing(`it cannot be loaded: ${(error as Error).message}`);
  }
  if (addon.version !== VERSION) {
    throw new GuardMissing(
      `it was built from other sources (version ${addon.version}): node native/install.js`,
    );
  }
  loaded = addon;
  return addon;
}

/** Why this thread can have no guard; null if it can. */
export function guardMissing(): GuardMissing | null {
  try {
    load();
    return null;
  } catch (error) {
    if (error instanceof GuardMissing) return error;
    throw error;
  }
}

/**
 * The guard of this thread: for `RuntimeOptions.guard`, and, as {@link handle}, for the watchdog of another thread.
 * The only doorway to the native add-on. See native/README.md for how it works and what it cannot do.
 */
export class NativeGuard implements SliceGuard {
  readonly marks: Int32Array;
  readonly id: number;
  /** The add-on's own function: called for each guarded call, so without a wrapper. */
  readonly run: SliceGuard['run'];
  readonly #attached: Attached;
  readonly #watchdog: DoorbellButton;

  private constructor(marks: Int32Array, attached: Attached) {
    this.marks = marks;
    this.id = attached.id;
    this.run = attached.run;
    this.#attached = attached;
    this.#watchdog = new DoorbellButton(marks.buffer as SharedArrayBuffer, marks.byteOffset + BELL_OFFSET);
  }

  /**
   * Makes this thread one that can be cut off.
   *
   * @throws GuardMissing
   * @throws Error if the thread has a guard already
   */
  static attach(options: AttachOptions = {}): NativeGuard {
    const addon = load();
    const marks = new Int32Array(new SharedArrayBuffer(GuardMark.count * Int32Array.BYTES_PER_ELEMENT));
    const uncuttable = [...UNCUTTABLE, ...(options.uncuttable ?? [])];
    return new NativeGuard(marks, addon.attach(marks, words, CORE, uncuttable, options.onEnd));
  }

  get handle(): GuardHandle {
    return { id: this.id, marks: this.marks, words };
  }

  begins(): void {
    this.#watchdog.ring();
  }

  takeCut(): StackSample {
    const [ranMs, stack] = this.#attached.takeCut();
    return { ranMs, stack };
  }

  takeSample(level: number): StackSample | null {
    const sample = this.#attached.takeSample(level);
    return sample === null ? null : { ranMs: sample[0], stack: sample[1] };
  }

  /** Lets go of the thread. Not from within a guarded call. */
  detach(): void {
    this.#attached.detach();
  }
}

/**
 * Asks a guarded thread for something; it is done at its next stack check, if the work of that level is still the same.
 * A later request replaces one that has not been seen yet. Returns false if the thread is gone.
 *
 * @throws GuardMissing
 */
export function interrupt(
  guard: GuardHandle,
  request: GuardRequest,
  level: number,
  work: number,
  ranMs: number,
): boolean {
  return load().interrupt(guard.id, request, level, work, ranMs);
}

/** The stack that the last sample on {@link ANY_LEVEL} found, once; null if none has been answered. */
export function stackOf(guard: GuardHandle): readonly string[] | null {
  return load().stackOf(guard.id);
}

/** How long a thread may take to come to a stack check. */
const SAMPLE_MS = 200;
const SAMPLE_LOOK_MS = 10;

/** Where a guarded thread is now: topmost frame first. Empty: it runs no JavaScript, or is gone. */
export async function sampleStack(guard: GuardHandle, clock: Clock): Promise<readonly string[]> {
  // One that was taken before, and never fetched, is of another time.
  stackOf(guard);
  if (!interrupt(guard, GuardRequest.sample, ANY_LEVEL, 0, 0)) return [];
  for (let waited = 0; waited < SAMPLE_MS; waited += SAMPLE_LOOK_MS) {
    await new Promise<void>((resolve) => clock.setTimer(resolve, SAMPLE_LOOK_MS));
    const stack = stackOf(guard);
    if (stack !== null) return stack;
  }
  return [];
}

/** What the native add-on can do about the collections of the thread that calls. */
export interface NativeCollector {
  /**
   * Has V8 begin no full collection: for 7 s at most, and not when the heap has grown far beyond what V8 wanted. Called
   * with false and true again, the 7 s begin anew.
   */
  defer(on: boolean): void;
  /** Has a full collection begin, which marks in small steps and beside the thread's work. */
  begin(): void;
}

/** Null: there is no add-on, or this V8 cannot. */
export function nativeCollector(): NativeCollector | null {
  if (guardMissing() !== null) return null;
  const { deferCollections, beginCollection } = load();
  if (deferCollections === undefined || beginCollection === undefined || !deferCollections(false))
    return null;
  return { defer: (on) => void deferCollections(on), begin: () => beginCollection() };
}
