/**
 * Lets one tab of a browser at a time use a profile: two connections of one device would cut each other off
 * (`connectionReplaced`), again and again.
 *
 * The lock is a Web Lock, which the browser gives back when a tab is closed or crashes. The other tabs queue for
 * it. One that wants it now asks over a BroadcastChannel: the holder closes its client and lets go, and the
 * others in the queue step behind the one that asked. Where a browser has no Web Locks (before 2022, or over
 * plain http from another machine), every tab is let through, and the server's `connectionReplaced`, which is not
 * retried, is the last resort.
 */
export class SingleTab {
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  readonly #onYield: () => Promise<void>;
  #release: (() => void) | null = null;
  #queueing: AbortController | null = null;

  /** @param onYield another tab wants the profile, and gets it when the promise is fulfilled */
  constructor(profile: string, onYield: () => Promise<void>) {
    this.#name = `rookery-${profile}`;
    this.#onYield = onYield;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => {
      if (data !== 'yield') return;
      // A tab that only waits requests anew, and so stands behind the one that asked.
      this.#queueing?.abort();
      const release = this.#release;
      if (release === null) return;
      this.#release = null;
      void this.#onYield().finally(release);
    };
  }

  /** True: this tab has the profile now. False: another one has it. */
  tryHold(): Promise<boolean> {
    return this.#request({ ifAvailable: true });
  }

  /** Resolves when this tab has the profile, because the others are closed or have yielded. */
  async hold(): Promise<void> {
    for (;;) {
      this.#queueing = new AbortController();
      try {
        await this.#request({ signal: this.#queueing.signal });
        return;
      } catch (error) {
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      } finally {
        this.#queueing = null;
      }
    }
  }

  /** Asks the tab that has the profile to let go; `hold` then comes true. */
  ask(): void {
    this.#channel.postMessage('yield');
  }

  #request(options: LockOptions): Promise<boolean> {
    const { locks } = navigator as { readonly locks?: LockManager };
    if (locks === undefined) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      locks
        .request(this.#name, options, (lock) => {
          if (lock === null) {
            resolve(false);
            return undefined;
          }
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
