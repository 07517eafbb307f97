import type { Clock } from '../structures/clock.js';

/** The first pause after a failure, doubled with each further one. */
const PAUSE_MS_MIN = 2_000;
const PAUSE_MS_MAX = 3_600_000;
/** Ports of one server that failed: it has no more schedulers than this. */
const FAILED_MAX = 64;

interface Failed {
  pauseMs: number;
  /** Clock time before which it is not tried again. */
  until: number;
}

/** Where the user's inbox lives, as the server said last, and which of such ports could not be reached. */
export class HomePorts {
  readonly #clock: Clock;
  readonly #failed = new Map<string, Failed>();
  /** URL of the home port; null: the common port is right. */
  url: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long until this port may be tried. */
  waitMs(url: string): number {
    return Math.max(0, (this.#failed.get(url)?.until ?? 0) - this.#clock.now());
  }

  /** The port to connect to, if there is one that may be tried now. */
  usable(): string | null {
    return this.url !== null && this.waitMs(this.url) === 0 ? this.url : null;
  }

  failed(url: string): void {
    const before = this.#failed.get(url);
    const pauseMs = before === undefined ? PAUSE_MS_MIN : Math.min(PAUSE_MS_MAX, before.pauseMs * 2);
    this.#failed.delete(url);
    this.#failed.set(url, { pauseMs, until: this.#clock.now() + pauseMs });
    if (this.#failed.size <= FAILED_MAX) return;
    for (const oldest of this.#failed.keys()) {
      this.#failed.delete(oldest);
      break;
    }
  }

  reached(url: string): void {
    this.#failed.delete(url);
  }
}
