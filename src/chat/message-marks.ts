import type { Clock } from '../structures/clock.js';

/** What has happened to a message. */
export const MarkKind = {
  /** A session took it from its client, and the store has been asked to keep it. */
  received: 1,
  /** It is on disk, and its sender's session has acknowledged it. */
  stored: 2,
  /** It has come to the partition of its recipient. */
  routed: 3,
  /** It was written to the socket of its recipient. */
  delivered: 4,
} as const;
export type MarkKind = (typeof MarkKind)[keyof typeof MarkKind];

/** Doubles of one mark: kind, time, sender, message id, and what the kind has to say. */
export const MARK_DOUBLES = 8;

/** Marks of one scheduler that wait to be fetched; more are counted and dropped. */
const MARKS_MAX = 4096;

/** Threshold for all messages: every hash is below it. */
const ALL = 2 ** 32;

/**
 * Notes when sampled messages pass the stations of their way on this scheduler. A message is sampled or not by a hash of its
 * sender and its id, so all schedulers agree without telling each other, and nothing travels with the message.
 *
 * While it is off, which is the rule, a station costs the comparison of {@link MessageMarks.threshold} with 0.
 */
export class MessageMarks {
  /** Messages whose hash is below it are sampled. 0: off. */
  threshold = 0;
  /** Marks that were not kept because as many waited as may. */
  dropped = 0;
  readonly #clock: Clock;
  readonly #timeOffsetMs: number;
  #marks: Float64Array | null = null;
  #length = 0;

  /** @param timeOffsetMs added to the clock, so that all threads tell the same time */
  constructor(clock: Clock, timeOffsetMs = 0) {
    this.#clock = clock;
    this.#timeOffsetMs = timeOffsetMs;
  }

  /** @param ratio from 0 to 1: the share of messages that are sampled */
  sample(ratio: number): void {
    if (!(ratio >= 0 && ratio <= 1)) throw new RangeError(`a share from 0 to 1 is wanted, not ${ratio}`);
    this.threshold = Math.round(ratio * ALL);
    if (this.threshold === 0) this.#marks = null;
    this.#length = this.threshold === 0 ? 0 : this.#length;
  }

  /** `received`: recipient, bytes of the body. `stored`: partition, seq. `routed` and `delivered`: recipient, seq, partition. */
  mark(kind: MarkKind, sender: number, id: number, a: number, b: number, c = 0): void {
    if (messageHash(sender, id) >= this.threshold) return;
    if (this.#length === MARKS_MAX) {
      this.dropped++;
      return;
    }
    this.#marks ??= new Float64Array(MARKS_MAX * MARK_DOUBLES);
    const marks = this.#marks;
    const at = this.#length++ * MARK_DOUBLES;
    marks[at] = kind;
    marks[at + 1] = this.#clock.now() + this.#timeOffsetMs;
    marks[at + 2] = sender;
    marks[at + 3] = id;
    marks[at + 4] = a;
    marks[at + 5] = b;
    marks[at + 6] = c;
  }

  /** Takes what has gathered: {@link MARK_DOUBLES} for each mark. */
  take(): Float64Array {
    const taken =
      this.#marks === null ? new Float64Array(0) : this.#marks.slice(0, this.#length * MARK_DOUBLES);
    this.#length = 0;
    return taken;
  }
}

/** 32 bits of a sender and a message id, evenly spread (the finalizer of MurmurHash3 over both halves of both). */
export function messageHash(sender: number, id: number): number {
  let hash = mixed(0x9e3779b9, sender >>> 0);
  hash = mixed(hash, (sender / ALL) >>> 0);
  hash = mixed(hash, id >>> 0);
  hash = mixed(hash, (id / ALL) >>> 0);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixed(hash: number, part: number): number {
  const turned = Math.imul(part, 0xcc9e2d51);
  const mix = hash ^ Math.imul((turned << 15) | (turned >>> 17), 0x1b873593);
  return (Math.imul((mix << 13) | (mix >>> 19), 5) + 0xe6546b64) | 0;
}
