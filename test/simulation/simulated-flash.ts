import {
  applyChange,
  type ClientStore,
  EMPTY_STATE,
  type StoreChange,
  type StoredState,
} from '../../src/client/client-store.js';
import type { Clock } from '../../src/structures/clock.js';

/** What a device keeps: a change survives once it is written, which may take a while, and a crash forgets the rest. */
export class SimulatedFlash {
  readonly #delayMs: () => number;
  readonly #written: (change: StoreChange, before: StoredState) => void;
  #state: StoredState = EMPTY_STATE;

  /** `written` hears of each change that is safe, with what was there before it. */
  constructor(delayMs: () => number, written: (change: StoreChange, before: StoredState) => void) {
    this.#delayMs = delayMs;
    this.#written = written;
  }

  get state(): StoredState {
    return this.#state;
  }

  /** From outside of the program: a backup of its keys without the rest. */
  edit(state: StoredState): void {
    this.#state = state;
  }

  /** The store of one life of the program, whose clock ends with it. */
  mount(clock: Clock): ClientStore {
    return {
      load: (done) => done(null, this.#state),
      save: (asked, done) => {
        // What is written is what was there when it was asked for.
        const put = asked.put.map((record) => ({ ...record, body: record.body.slice() }));
        const change = { ...asked, put, remove: [...asked.remove] };
        const delay = this.#delayMs();
        if (delay === 0) {
          this.#write(change);
          done(null);
        } else {
          clock.setTimer(() => {
            this.#write(change);
            done(null);
          }, delay);
        }
      },
      close() {},
    };
  }

  #write(change: StoreChange): void {
    const before = this.#state;
    this.#state = applyChange(before, change);
    this.#written(change, before);
  }
}
