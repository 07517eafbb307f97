import { Word } from '../actors/cut.js';
import { GuardMark } from '../actors/slice-guard.js';
import { Doorbell } from '../structures/doorbell.js';
import { BELL_OFFSET, type GuardHandle } from './native-guard.js';

/** The work on one level, as far as it was seen. */
export interface SeenWork {
  number: number;
  /** For how long it has been seen. */
  seenMs: number;
  /** How much of that the thread demonstrably ran JavaScript. */
  ranMs: number;
  sampled: boolean;
}

const LEVELS_MAX = GuardMark.count - GuardMark.levels;

/** What a watchdog knows of one thread: for how long each piece of work on its stack has been there. */
export class WatchedThread {
  /** From the bottom of the stack up. */
  readonly levels: SeenWork[] = [];
  /** How long nothing has begun nor waited outside of guarded calls, and how much of it JavaScript ran. */
  outsideMs = 0;
  outsideRanMs = 0;
  /** An interrupt was asked for at the last look. */
  asked = false;
  /** It was told that this one is stuck, or blocked. */
  toldStuck = false;
  toldBlocked = false;
  givenUp = false;
  /** At the last look nothing ran, and since the one before nothing had begun, and the thread had waited nearly all the time. */
  isQuiet = false;
  /** Rung when guarded work begins, while it is asked for. */
  readonly bell: Doorbell;
  #answered = 0;
  #begun = 0;
  #idleMs = 0;

  constructor(
    readonly name: string,
    readonly guard: GuardHandle,
    readonly idleMs: (() => number) | null,
    onBegin: () => void,
  ) {
    const { marks } = guard;
    this.bell = new Doorbell(marks.buffer as SharedArrayBuffer, marks.byteOffset + BELL_OFFSET, onBegin);
  }

  /** Guarded work runs, or has begun since the last look. */
  get hasBegun(): boolean {
    const { marks } = this.guard;
    return (
      Atomics.load(marks, GuardMark.depth) !== 0 || Atomics.load(marks, GuardMark.levels) !== this.#begun
    );
  }

  /**
   * Looks at the marks; `stepMs` have passed since the last look.
   *
   * @param busyMs a thread that has not waited for so long meanwhile is not quiet, whatever it did
   */
  look(stepMs: number, busyMs: number): void {
    const { marks } = this.guard;
    const depth = Math.min(Atomics.load(marks, GuardMark.depth), LEVELS_MAX);
    const answers = Atomics.load(marks, GuardMark.answered);
    const ranMs = this.asked && answers !== this.#answered ? stepMs : 0;
    this.#answered = answers;
    const begun = Atomics.load(marks, GuardMark.levels);
    this.isQuiet = depth === 0 && begun === this.#begun;
    if (depth === 0) this.#lookOutside(stepMs, ranMs, begun, busyMs);
    else this.outsideMs = this.outsideRanMs = 0;
    this.#begun = begun;
    let same = true;
    for (let level = 0; level < depth; level++) {
      const number = Atomics.load(marks, GuardMark.levels + level);
      const seen = this.levels[level];
      // What lies on something new is new, whatever its number.
      if (same && seen !== undefined && seen.number === number) {
        seen.seenMs += stepMs;
        seen.ranMs += ranMs;
        continue;
      }
      same = false;
      this.levels[level] = { number, seenMs: 0, ranMs: 0, sampled: false };
      if (level === 0) this.toldBlocked = false;
    }
    this.levels.length = depth;
  }

  /** Tells a slice that has been there for so long to end behind its message: perhaps none of them is long. */
  giveWay(seenMs: number): void {
    const bottom = this.levels[0];
    if (bottom !== undefined && bottom.seenMs >= seenMs) {
      Atomics.store(this.guard.words, Word.giveWay, bottom.number);
    }
  }

  /** The topmost level whose work has been there for so long; −1 if there is none. */
  deepest(seenMs: number): number {
    return this.levels.findLastIndex((work) => work.seenMs >= seenMs);
  }

  /** The topmost level whose work has run for so long, after it had become long; −1 if there is none. */
  deepestRun(ranMs: number): number {
    return this.levels.findLastIndex((work) => work.sampled && work.ranMs >= ranMs);
  }

  #lookOutside(stepMs: number, ranMs: number, begun: number, busyMs: number): void {
    if (this.idleMs === null) return;
    const idleMs = this.idleMs();
    if (stepMs - (idleMs - this.#idleMs) >= busyMs) this.isQuiet = false;
    if (idleMs === this.#idleMs && begun === this.#begun) {
      this.outsideMs += stepMs;
      this.outsideRanMs += ranMs;
      return;
    }
    this.#idleMs = idleMs;
    this.outsideMs = this.outsideRanMs = 0;
    this.toldStuck = this.toldBlocked = false;
  }
}
