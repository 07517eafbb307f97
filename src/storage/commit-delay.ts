import type { Clock } from '../structures/clock.js';
import { pauseThread } from '../structures/pause-thread.js';

export interface CommitDelayOptions {
  readonly clock: Clock;
  /** Longest pause in ms; 0: none. */
  readonly delayMs: number;
  /** Stops the thread for so many ms. */
  readonly pause?: (ms: number) => void;
}

/** Where commands come from: one scheduler. */
export interface CommandSource {
  /** Its ring. */
  readonly commands: { readonly waitingBytes: number };
  /** When its last commands were applied, by the clock; −∞: never. */
  readonly appliedAt: number;
}

/**
 * With this much to do the next batch is worth its commit. About eight messages: a commit that costs a hundred
 * microseconds then costs each of them little, and whoever waits for an answer before going on should not wait longer.
 */
const WORTH_BYTES = 1024;
/** A scheduler that has sent something in this time is likely to send more. */
const ACTIVE_MS = 10;
/** From this credit on pauses are taken; the most that can be saved up. */
const CREDIT_ENOUGH = 4;
const CREDIT_MAX = 8;

/**
 * Decides between two batches whether the writer takes a short pause, so that more comes together in the next one:
 * PostgreSQL's `commit_delay` and `commit_siblings`. Each scheduler shows the writer what one turn of its event loop brought;
 * with several of them the same load comes in as many smaller portions, and each commit has a price of its own (pages, a
 * sync, threads to be woken).
 *
 *     commit ─ nothing there ─────────────────────────▶ sleep       who is alone never waits
 *            ─ much there ────────────────────────────▶ next batch
 *            ─ little there, of several schedulers ─ pause ─▶ next batch, with what came meanwhile
 *
 * It learns whether that pays, as an adaptive mutex learns whether to spin. What comes while a commit runs shows for nothing
 * that senders do not wait for it: four such commits in a row are credit enough for pauses. One in which something came
 * adds to it, one in which nothing came halves it. So a client that sends, waits for its answer and sends again never waits
 * longer. The pause is taken before the bells are set, so nobody has to ring for what comes in it: it saves a wake-up, too.
 */
export class CommitDelay {
  /** It may be changed at any time. */
  delayMs: number;
  readonly #clock: Clock;
  readonly #pause: (ms: number) => void;
  #credit = 0;
  #pauses = 0;
  #pauseMs = 0;

  constructor({ clock, delayMs, pause }: CommitDelayOptions) {
    this.#clock = clock;
    this.delayMs = delayMs;
    this.#pause = pause ?? pauseThread;
  }

  /** Pauses taken since the start. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Milliseconds in them. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** A batch has been committed, and the next one is about to begin: returns when it shall. */
  betweenBatches(sources: readonly CommandSource[]): void {
    if (this.delayMs <= 0 || sources.length < 2) return;
    const now = this.#clock.now();
    let active = 0;
    for (const { appliedAt } of sources) if (now - appliedAt < ACTIVE_MS) active++;
    if (active < 2) {
      this.#credit = 0;
      return;
    }
    const bytes = waitingBytes(sources);
    if (bytes >= WORTH_BYTES) return;
    if (this.#credit < CREDIT_ENOUGH) {
      // Those who wait for each other's answers overlap now and then, too.
      this.#credit = bytes > 0 ? this.#credit + 1 : 0;
      return;
    }
    this.#pause(this.delayMs);
    this.#pauses++;
    this.#pauseMs += this.#clock.now() - now;
    this.#credit = waitingBytes(sources) > bytes ? Math.min(CREDIT_MAX, this.#credit + 1) : this.#credit >> 1;
  }
}

function waitingBytes(sources: readonly CommandSource[]): number {
  let bytes = 0;
  for (const { commands } of sources) bytes += commands.waitingBytes;
  return bytes;
}
