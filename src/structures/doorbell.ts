/**
 * Wakes a thread that sleeps in its event loop, from another thread, over one int32 in shared memory.
 *
 *     sleeper                                        ringer
 *     ───────                                        ──────
 *     cell = asleep                                  put the work where the sleeper looks
 *     look for work once more                        cell: asleep → awake, and if it was asleep: notify
 *       found: cell = awake, go on
 *       none:  Atomics.waitAsync(cell, asleep)
 *
 * Either the sleeper sees the work when it looks once more, or the ringer sees that it is asleep: both write
 * before they read, sequentially consistent, so no wake-up is lost. A ring costs one load while the sleeper is
 * awake, which it is under load.
 *
 * `Atomics.waitAsync` does not keep the event loop alive: the sleeping thread needs a port or a timer that does.
 */
const AWAKE = 0;
const ASLEEP = 1;

/** Bytes of a cell: its own cache line. */
export const DOORBELL_BYTES = 64;

/** lib.es2024's Atomics.waitAsync, as far as it is used here. */
interface AsyncAtomics {
  waitAsync(
    cells: Int32Array,
    index: number,
    value: number,
  ):
    | { readonly async: false; readonly value: 'not-equal' | 'timed-out' }
    | { readonly async: true; readonly value: Promise<'ok' | 'timed-out'> };
}

/** The ringer's end. Any number of threads may ring. */
export class DoorbellButton {
  readonly #cells: Int32Array;
  /** Times that somebody had to be woken. */
  rings = 0;

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#cells = new Int32Array(memory, byteOffset, 1);
  }

  /** Call after the work is visible. */
  ring(): void {
    if (Atomics.load(this.#cells, 0) === AWAKE) return;
    if (Atomics.exchange(this.#cells, 0, AWAKE) === AWAKE) return;
    this.rings++;
    Atomics.notify(this.#cells, 0);
  }
}

/** The sleeper's end. One thread at a time. */
export class Doorbell {
  readonly #cells: Int32Array;
  readonly #onRing: () => void;
  readonly #rung: () => void;
  #waiting = false;
  #asleep = false;
  #closed = false;

  /** `onRing` is called in a turn of its own after each sleep that somebody ended. */
  constructor(memory: SharedArrayBuffer, byteOffset: number, onRing: () => void) {
    this.#cells = new Int32Array(memory, byteOffset, 1);
    this.#onRing = onRing;
    this.#rung = () => {
      this.#waiting = false;
      this.#wake();
    };
    Atomics.store(this.#cells, 0, AWAKE);
  }

  /** Step one of going to sleep. Then look for work once more, and call {@link wait} or {@link stayAwake}. */
  prepare(): void {
    Atomics.store(this.#cells, 0, ASLEEP);
  }

  /** There was work after all. */
  stayAwake(): void {
    this.#asleep = false;
    Atomics.store(this.#cells, 0, AWAKE);
  }

  /** Sleeps until somebody rings. */
  wait(): void {
    if (this.#closed) return;
    this.#asleep = true;
    // A wait that is still open from an earlier sleep serves this one, too: it compares only when it begins.
    if (this.#waiting) return;
    const outcome = (Atomics as unknown as AsyncAtomics).waitAsync(this.#cells, 0, ASLEEP);
    this.#waiting = true;
    if (outcome.async) void outcome.value.then(this.#rung);
    else void Promise.resolve().then(this.#rung);
  }

  /** Never calls `onRing` again. */
  close(): void {
    this.#closed = true;
    this.stayAwake();
    // Lets go of a wait that is still open, or it would hold on to this object.
    Atomics.notify(this.#cells, 0);
  }

  #wake(): void {
    if (this.#closed) return;
    if (!this.#asleep) return;
    this.#asleep = false;
    Atomics.store(this.#cells, 0, AWAKE);
    this.#onRing();
  }
}
