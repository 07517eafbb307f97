/**
 * Connections that were lost with a scheduler, and when they were back. Times are milliseconds after the first
 * loss, on the clock of the process that has all the clients.
 */
export class Returns {
  /** The common port: where everybody comes back. */
  readonly port: number;
  lost = 0;
  /** When each was welcome again, ascending. */
  readonly welcome: number[] = [];
  /** When each had sent a message to its partner and the receipt was back, ascending. */
  readonly served: number[] = [];
  /** Attempts to connect that came to nothing. */
  refused = 0;
  #startedAt = Number.NaN;
  #changed: () => void = () => {};

  constructor(port: number) {
    this.port = port;
  }

  wasLost(): void {
    if (this.lost++ === 0) this.#startedAt = performance.now();
  }

  wasRefused(): void {
    this.refused++;
  }

  isWelcome(): void {
    this.welcome.push(performance.now() - this.#startedAt);
  }

  isServed(): void {
    this.served.push(performance.now() - this.#startedAt);
    this.#changed();
  }

  /** Resolves when at least `count` were lost and all who were are served again. */
  complete(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        if (this.lost >= count && this.served.length === this.lost) resolve();
      };
      this.#changed();
    });
  }
}
