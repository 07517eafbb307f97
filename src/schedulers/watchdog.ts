import { BadArgument } from '../actors/bad-argument.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import { ANY_LEVEL, type GuardHandle, GuardRequest, interrupt, stackOf } from './native-guard.js';
import { WatchedThread } from './watched-thread.js';

/** What a watchdog tells of a thread that it watches. What it cuts off tells for itself: see the runtime's events. */
export type WatchdogEvent =
  /** It runs JavaScript outside of all processes (promises, a callback of Node's) and does not come back to its loop. */
  | {
      readonly type: 'stuck';
      readonly name: string;
      readonly ranMs: number;
      /** Where it was, topmost frame first. */
      readonly stack: readonly string[];
    }
  /** It neither runs JavaScript nor waits: a system call, a collection of garbage, or too little processor time. */
  | { readonly type: 'blocked'; readonly name: string; readonly ms: number }
  /** It was asked to end, again and again from here on. */
  | { readonly type: 'given_up'; readonly name: string; readonly ranMs: number };

export interface WatchLimits {
  /** Work that runs for so long is sampled, for the event `long_schedule`. Default 100. */
  readonly longMs?: number;
  /** Work that runs for so long is cut off. Default 1000. Infinity: never. */
  readonly killMs?: number;
  /** A thread that could not be helped within this time is ended. Default 10 times `killMs`; 10 s if that is infinite. */
  readonly lostMs?: number;
}

export interface WatchdogOptions extends WatchLimits {
  readonly clock: Clock;
  /** Milliseconds between two looks. Default 50. */
  readonly pollMs?: number;
  /**
   * The same while nobody does anything: a look wakes the thread. It is looked at once when guarded work begins, so this is about
   * what runs outside of processes. Default 10 times `pollMs`.
   */
  readonly idlePollMs?: number;
  readonly onEvent?: (event: WatchdogEvent) => void;
  /** For tests. Default: those of the native guard. */
  readonly ask?: typeof interrupt;
  readonly stackOf?: typeof stackOf;
}

/** While something is to be cut off, which may be refused at any one moment. */
const CUT_POLL_MS = 2;

/**
 * Watches guarded threads from another thread: finds work that does not end, by the marks that stand still, and has it cut
 * off. A look at a thread costs a few loads; a clock is read once for all of them.
 *
 * Time counts as run only while the thread answers that it runs JavaScript: a long collection of garbage, a machine that
 * was suspended or too busy kill nobody.
 */
export class Watchdog {
  readonly #clock: Clock;
  #pollMs = 50;
  #idlePollMs = 500;
  #longMs = 0;
  #killMs = 0;
  #lostMs = 0;
  readonly #onEvent: (event: WatchdogEvent) => void;
  readonly #ask: typeof interrupt;
  readonly #stackOf: typeof stackOf;
  readonly #threads = new Set<WatchedThread>();
  readonly #tick = () => this.#looked();
  #timer: ClockTimer | null = null;
  #lookedAt = 0;
  /** Until the next look. */
  #waitMs = 0;
  /** Bells are hung out: the next look comes when one is rung, or after a longer time. */
  #resting = false;
  readonly #begun = () => this.#awake();

  /** Throws a {@link BadArgument} for a bad `pollMs`, `idlePollMs`, or bad limits. */
  constructor(options: WatchdogOptions) {
    const { clock, pollMs = 50, idlePollMs } = options;
    this.#clock = clock;
    this.setPoll(pollMs, idlePollMs);
    this.setLimits(options);
    this.#onEvent = options.onEvent ?? (() => {});
    this.#ask = options.ask ?? interrupt;
    this.#stackOf = options.stackOf ?? stackOf;
  }

  /** From the next look on. Throws a {@link BadArgument}. */
  setPoll(pollMs: number, idlePollMs: number = 10 * pollMs): void {
    if (!(pollMs > 0 && pollMs <= idlePollMs))
      throw new BadArgument(`bad pollMs and idlePollMs of a watchdog: ${pollMs}, ${idlePollMs}`);
    this.#pollMs = pollMs;
    this.#idlePollMs = idlePollMs;
  }

  /**
   * From the next look on. Throws a {@link BadArgument} unless 0 < longMs ≤ killMs ≤ lostMs (which an infinite killMs may
   * exceed).
   */
  setLimits(limits: WatchLimits): void {
    const { longMs = 100, killMs = 1000 } = limits;
    const { lostMs = killMs === Number.POSITIVE_INFINITY ? 10_000 : 10 * killMs } = limits;
    const mayLose = lostMs >= longMs && (killMs <= lostMs || killMs === Number.POSITIVE_INFINITY);
    if (!(longMs > 0 && longMs <= killMs && mayLose))
      throw new BadArgument(`bad limits of a watchdog: ${longMs}, ${killMs}, ${lostMs}`);
    this.#longMs = longMs;
    this.#killMs = killMs;
    this.#lostMs = lostMs;
  }

  /**
   * Watches a thread from now on.
   *
   * @param idleMs how long its event loop has waited since its start: tells a thread that waits from one that runs outside
   *   of processes. Without it only what runs in processes is watched.
   * @returns stops watching it. To be called when the thread ends, at the latest.
   */
  watch(name: string, guard: GuardHandle, idleMs: (() => number) | null = null): () => void {
    const thread = new WatchedThread(name, guard, idleMs, this.#begun);
    this.#threads.add(thread);
    if (this.#timer === null) {
      this.#lookedAt = this.#clock.now();
      this.#wait(this.#pollMs);
    } else this.#awake();
    return () => {
      this.#forget(thread);
      if (this.#threads.size === 0) this.close();
    };
  }

  /** Watches nobody any more. */
  close(): void {
    for (const thread of this.#threads) this.#forget(thread);
    this.#resting = false;
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #looked(): void {
    const now = this.#clock.now();
    // Of a time in which this thread did not run itself nothing is known.
    const stepMs = Math.min(now - this.#lookedAt, 2 * this.#waitMs);
    this.#lookedAt = now;
    let cutting = false;
    let idle = true;
    for (const thread of this.#threads) {
      if (this.#look(thread, stepMs)) cutting = true;
      if (!thread.isQuiet || thread.outsideMs > 0) idle = false;
    }
    if (idle && this.#rest()) this.#wait(this.#idlePollMs);
    else {
      this.#getUp();
      this.#wait(cutting ? Math.min(CUT_POLL_MS, this.#pollMs) : this.#pollMs);
    }
  }

  /** Asks to be told when guarded work begins. False: it has begun just now. */
  #rest(): boolean {
    this.#resting = true;
    for (const { bell } of this.#threads) bell.prepare();
    // What begins from here on rings; but a thread that found the bell not hung out yet may be seen only by the next look.
    for (const thread of this.#threads) if (thread.hasBegun) return false;
    for (const { bell } of this.#threads) bell.wait();
    return true;
  }

  #getUp(): void {
    if (!this.#resting) return;
    this.#resting = false;
    for (const { bell } of this.#threads) bell.stayAwake();
  }

  /** Somebody does something: looks now, and often. */
  #awake(): void {
    if (!this.#resting || this.#timer === null) return;
    this.#clock.clearTimer(this.#timer);
    this.#looked();
  }

  #forget(thread: WatchedThread): void {
    this.#threads.delete(thread);
    thread.bell.close();
  }

  #wait(ms: number): void {
    this.#waitMs = ms;
    this.#timer = this.#clock.setTimer(this.#tick, ms);
  }

  /** Returns whether something is to be cut off. */
  #look(thread: WatchedThread, stepMs: number): boolean {
    thread.look(stepMs, this.#pollMs / 2);
    thread.giveWay(this.#longMs / 2);
    const longest = thread.deepest(this.#longMs);
    if (longest < 0) {
      thread.asked = false;
      if (thread.outsideMs >= this.#longMs) this.#outside(thread);
      return false;
    }
    const bottom = thread.levels[0]!;
    if (bottom.ranMs >= this.#lostMs) {
      this.#giveUp(thread, bottom.ranMs);
      return true;
    }
    if (bottom.ranMs === 0 && bottom.seenMs >= this.#tellMs) this.#blocked(thread, bottom.seenMs);
    const culprit = thread.deepestRun(this.#killMs - this.#longMs);
    const work = thread.levels[culprit < 0 ? longest : culprit]!;
    const sample = culprit < 0 && !work.sampled;
    if (sample) work.sampled = true;
    const request = culprit >= 0 ? GuardRequest.cut : sample ? GuardRequest.sample : GuardRequest.probe;
    // That of the sample has only been seen; of the rest it is known that it ran.
    const ranMs = sample ? work.seenMs : this.#longMs + work.ranMs;
    this.#request(thread, request, culprit < 0 ? longest : culprit, work.number, ranMs);
    return culprit >= 0;
  }

  #outside(thread: WatchedThread): void {
    if (thread.outsideRanMs >= this.#lostMs) {
      this.#giveUp(thread, thread.outsideRanMs);
      return;
    }
    if (thread.outsideRanMs >= this.#tellMs - this.#longMs && !thread.toldStuck) {
      thread.toldStuck = true;
      const stack = this.#stackOf(thread.guard) ?? [];
      this.#onEvent({
        type: 'stuck',
        name: thread.name,
        ranMs: this.#longMs + thread.outsideRanMs,
        stack,
      });
    } else if (thread.outsideRanMs === 0 && thread.outsideMs >= this.#tellMs) {
      this.#blocked(thread, thread.outsideMs);
    }
    this.#request(thread, GuardRequest.sample, ANY_LEVEL, 0, 0);
  }

  /** After which time it is told that a thread hangs. */
  get #tellMs(): number {
    return Math.min(this.#killMs, this.#lostMs);
  }

  #blocked(thread: WatchedThread, ms: number): void {
    if (thread.toldBlocked) return;
    thread.toldBlocked = true;
    this.#onEvent({ type: 'blocked', name: thread.name, ms });
  }

  #giveUp(thread: WatchedThread, ranMs: number): void {
    if (!thread.givenUp) {
      thread.givenUp = true;
      this.#onEvent({ type: 'given_up', name: thread.name, ranMs });
    }
    this.#request(thread, GuardRequest.end, 0, 0, ranMs);
  }

  #request(thread: WatchedThread, request: GuardRequest, level: number, work: number, ranMs: number): void {
    thread.asked = true;
    // Gone meanwhile: nobody has told us yet.
    if (!this.#ask(thread.guard, request, level, work, ranMs)) this.#forget(thread);
  }
}
