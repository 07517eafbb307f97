import type { Process } from './process.js';
import type { QueueAge } from './queue-age.js';

/** Time constants of the decaying rates, in seconds. */
export const DECAY_SECONDS = [1, 10, 100] as const;

/** Events for each second, decaying over {@link DECAY_SECONDS}: what was τ seconds ago counts 1/e of what is now. */
export interface DecayingRates {
  readonly per1: number;
  readonly per10: number;
  readonly per100: number;
}

/** A process with waiting messages that has handled nothing for so long does not go on. */
const STALLED_MS = 1000;

const TERMS = DECAY_SECONDS.length;
const IN = 0;
const OUT = TERMS;
const SENT = 2 * TERMS;

/**
 * What is known of a process beyond its counters: rates, and how long its oldest message has waited. Only those that have
 * a backlog, or were seen to be busy, have one.
 *
 * Nothing is counted here: {@link touch} takes the differences of the process's own counters, at whatever times it is
 * called, and the rates decay by the time that has really passed.
 */
export class Activity {
  /** @internal Its places in the tables of the `MailboxMonitor`; −1: it is not there. */
  index = -1;
  /** @internal */
  backlogIndex = -1;
  /** How old its messages are; null while it has no backlog. */
  age: QueueAge | null = null;
  /** When it was touched last, on the runtime's clock, and when it was last seen to have handled something. */
  at = 0;
  #handledAt = 0;
  #began = 0;
  /** Counters of the process at the last touch; `#received` has not wrapped since the record began. */
  #received = 0;
  #receivedCount = 0;
  #handledCount = 0;
  #sentCount = 0;
  /** For in, out, sent: as if everything before the record began had been 0. */
  readonly #rates = new Float64Array(3 * TERMS);

  constructor(
    public process: Process<never>,
    now: number,
  ) {
    this.reset(process, now);
  }

  /** @internal It is that of another process from now on. */
  reset(process: Process<never>, now: number): void {
    this.process = process;
    this.age = null;
    this.at = now;
    this.#handledAt = now;
    this.#began = now;
    this.#receivedCount = process.received;
    this.#received = this.#receivedCount;
    this.#handledCount = process.handled;
    this.#sentCount = process.sent;
    this.#rates.fill(0);
  }

  /** Brings it up to date. */
  touch(now: number): void {
    const { process } = this;
    const { received, handled, sent } = process;
    const seconds = (now - this.at) / 1000;
    if (seconds > 0) {
      // They wrap at 2^32, and a message that is put back has not been handled after all: less than before is a little less.
      const came = (received - this.#receivedCount) | 0;
      const ins = Math.max(0, came);
      const outs = Math.max(0, (handled - this.#handledCount) | 0);
      const sends = Math.max(0, (sent - this.#sentCount) | 0);
      this.#received += came;
      this.#receivedCount = received;
      this.#handledCount = handled;
      this.#sentCount = sent;
      this.at = now;
      if (outs !== 0 || process.messageQueueLength === 0) this.#handledAt = now;
      const rates = this.#rates;
      for (let term = 0; term < TERMS; term++) {
        const alpha = 1 - Math.exp(-seconds / DECAY_SECONDS[term]!);
        rates[IN + term]! += alpha * (ins / seconds - rates[IN + term]!);
        rates[OUT + term]! += alpha * (outs / seconds - rates[OUT + term]!);
        rates[SENT + term]! += alpha * (sends / seconds - rates[SENT + term]!);
      }
    }
    this.age?.note(this.#received, now);
  }

  /** Messages that came, that were handled, and that it sent, as of the last touch. */
  get in(): DecayingRates {
    return this.#decaying(IN);
  }

  get out(): DecayingRates {
    return this.#decaying(OUT);
  }

  get sent(): DecayingRates {
    return this.#decaying(SENT);
  }

  /** @internal Handled for each second over ten of them: how busy it is. */
  get pace(): number {
    return this.#rate(OUT, 1);
  }

  /**
   * For how long nothing has been handled although something waits, as of the last touch, in ms. 0: it goes on; or it has no
   * backlog, and what waits is handled in this turn or the next: nobody has noted when that came.
   */
  get stalledMs(): number {
    if (this.age === null) return 0;
    const ms = this.at - this.#handledAt;
    return ms >= STALLED_MS ? ms : 0;
  }

  /** How long the oldest message has waited, as of the last touch, in ms. Without a backlog 0. */
  get oldestMs(): number {
    const length = this.process.messageQueueLength;
    if (length === 0 || this.age === null) return 0;
    return this.age.oldestMs(this.#received - length, this.#received, this.at);
  }

  /**
   * How long a message that comes now will wait if it goes on as lately; Infinity while nothing is handled. Without a backlog 0:
   * what it handles is what comes, and says nothing of what it could.
   */
  get delayMs(): number {
    const length = this.process.messageQueueLength;
    if (length === 0 || this.age === null) return 0;
    const { outs } = lately(this.in, this.out);
    return this.stalledMs === 0 && outs > 0 ? (length * 1000) / outs : Number.POSITIVE_INFINITY;
  }

  /** In how many ms it will be empty if it goes on as lately; Infinity if it does not get shorter. */
  get drainMs(): number {
    const length = this.process.messageQueueLength;
    if (length === 0 || this.age === null) return 0;
    const { ins, outs } = lately(this.in, this.out);
    return this.stalledMs === 0 && outs > ins ? (length * 1000) / (outs - ins) : Number.POSITIVE_INFINITY;
  }

  #decaying(first: number): DecayingRates {
    return {
      per1: this.#rate(first, 0),
      per10: this.#rate(first, 1),
      per100: this.#rate(first, 2),
    };
  }

  /** The weights of what was before the record began are taken out: it is an average over the time that it has seen. */
  #rate(first: number, term: number): number {
    const seconds = (this.at - this.#began) / 1000;
    return seconds > 0 ? this.#rates[first + term]! / (1 - Math.exp(-seconds / DECAY_SECONDS[term]!)) : 0;
  }
}

/** Two rates that differ by less than this share of the larger are the same. */
const NOISE = 0.25;

/**
 * The rates by which to say what comes. Lately are ten seconds; but one second if that is something else altogether:
 * somebody has begun to send, or to handle, or has stopped.
 */
export function lately(
  ins: DecayingRates,
  outs: DecayingRates,
): { readonly ins: number; readonly outs: number } {
  const changed = (rates: DecayingRates) =>
    Math.abs(rates.per1 - rates.per10) > NOISE * Math.max(rates.per1, rates.per10);
  return changed(ins) || changed(outs)
    ? { ins: ins.per1, outs: outs.per1 }
    : { ins: ins.per10, outs: outs.per10 };
}
