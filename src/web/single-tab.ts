/**
 * Lets one tab of a browser at a time use a profile: two connections of one device would cut each other off
 * (`connectionReplaced`), again and again.
 *
 * The lock is a Web Lock, which the browser gives back when a tab is closed or crashes. A tab that wants it
 * asks over a BroadcastChannel; the holder closes its client and lets go. Where a browser has no Web Locks
 * (before 2022, or over plain http from another machine), every tab is let through, and the server's
 * `connectionReplaced` is the last resort: it is not retried.
 */
export class SingleTab {
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  #release: (() => void) | null = null;
  #onYield: (() => Promise<void>) | null = null;

  constructor(profile: string) {
    this.#name = `rookery-${profile}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => {
      if (data === 'yield' && this.#release !== null) {
        const release = this.#release;
        this.#release = null;
        void this.#onYield?.().finally(release);
      }
    };
  }

  /** True: this tab has the profile now. `onYield` is called when another tab wants it, which gets it when the promise is fulfilled. */
  tryHold(onYield: () => Promise<void>): Promise<boolean> {
    return this.#request({ ifAvailable: true }, onYield);
  }

  /** Asks the holder to let go, and waits until it does or is closed. */
  takeOver(onYield: () => Promise<void>): Promise<boolean> {
    this.#channel.postMessage('yield');
    return this.#request({}, onYield);
  }

  #request(options: LockOptions, onYield: () => Promise<void>): Promise<boolean> {
    const { locks } = navigator as { readonly locks?: LockManager };
    if (locks === undefined) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      locks
        .request(this.#name, options, (lock) => {
          if (lock === null) {
            resolve(false);
            return undefined;
          }
          this.#onYield = onYield;
          resolve(true);
          // The lock is held until this promise is fulfilled.
          return new Promise<void>((release) => {
            this.#release = release;
          });
        })
        .catch(reject);
    });
  }
}
