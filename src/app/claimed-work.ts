const WAITS = 0;
const GIVEN_UP = 1;
const BEGUN = 2;

/**
 * Something that one thread has another one do, and may give up waiting for: then it is not done later, when nobody expects it
 * any more. Only one of both has its way.
 */
export class ClaimedWork {
  /** To be sent to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;

  constructor(memory = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#state = new Int32Array(memory);
  }

  /** For whoever is to do it: false if it is not wanted any more. */
  begin(): boolean {
    return Atomics.compareExchange(this.#state, 0, WAITS, BEGUN) === WAITS;
  }

  /** For whoever wanted it: false if it has begun, and may be done. */
  giveUp(): boolean {
    return Atomics.compareExchange(this.#state, 0, WAITS, GIVEN_UP) === WAITS;
  }
}
