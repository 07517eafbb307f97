import { GuardMark } from '../../src/actors/slice-guard.js';

/** What an asking thread should do, in shared memory. */
export class Wanted {
  static readonly nothing = 0;
  static readonly cut = 1;
  static readonly end = 2;

  constructor(readonly words: Int32Array = new Int32Array(new SharedArrayBuffer(12))) {}

  /** Called on the guarded thread: whatever runs on top now is to be cut off. */
  cut(marks: Int32Array): void {
    const level = marks[GuardMark.depth]! - 1;
    this.words[1] = level;
    this.words[2] = marks[GuardMark.levels + level]!;
    this.#say(Wanted.cut);
  }

  nothing(): void {
    this.#say(Wanted.nothing);
  }

  end(): void {
    this.#say(Wanted.end);
  }

  #say(what: number): void {
    Atomics.store(this.words, 0, what);
    Atomics.notify(this.words, 0);
  }
}
