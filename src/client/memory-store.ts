import {
  applyChange,
  type ClientStore,
  EMPTY_STATE,
  type StoreChange,
  type StoredState,
} from './client-store.js';

/**
 * A store that lives as long as its process: for bots that may register anew, tests and simulations (where it
 * is the disk that outlives a simulated client). Answers before it returns.
 */
export class MemoryClientStore implements ClientStore {
  #state: StoredState;

  constructor(state: StoredState = EMPTY_STATE) {
    this.#state = state;
  }

  /** What a client that starts now would find. */
  get state(): StoredState {
    return this.#state;
  }

  load(done: (error: Error | null, state: StoredState) => void): void {
    done(null, this.#state);
  }

  save(change: StoreChange, done: (error: Error | null) => void): void {
    this.#state = applyChange(this.#state, change);
    done(null);
  }

  close(): void {}
}
