import type { Clock, ClockTimer } from '../structures/clock.js';

/**
 * Notices silence. When nothing was said, or nothing heard, for the interval, it pings; when a ping finds no
 * answer of any kind, the peer is dead, whatever the operating system believes (TCP alone may need a quarter
 * of an hour). One timer, re-armed when it fires and not at every message.
 */
export interface HeartbeatOwner {
  ping(token: number): void;
  dead(silentMs: number): void;
}

/** How long an answer to a ping may take. */
const ANSWER_MS_MAX = 10_000;

export class Heartbeat {
  readonly #clock: Clock;
  readonly #owner: HeartbeatOwner;
  #intervalMs = 0;
  #heardAt = 0;
  #saidAt = 0;
  /** When the ping was sent that nothing was heard since. Negative: none. */
  #askedAt = -1;
  #token = 0;
  #timer: ClockTimer | null = null;

  constructor(clock: Clock, owner: HeartbeatOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** 0: no heartbeat. */
  start(intervalMs: number): void {
    this.stop();
    this.#intervalMs = intervalMs;
    this.#heardAt = this.#saidAt = this.#clock.now();
    this.#askedAt = -1;
    if (intervalMs > 0) this.#arm(intervalMs);
  }

  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#intervalMs = 0;
  }

  heard(): void {
    if (this.#intervalMs === 0) return;
    this.#heardAt = this.#clock.now();
    this.#askedAt = -1;
  }

  said(): void {
    if (this.#intervalMs === 0) return;
    this.#saidAt = this.#clock.now();
  }

  /** Asks now, and believes the silence sooner. */
  probe(): void {
    if (this.#intervalMs === 0 || this.#askedAt >= 0) return;
    this.#ask();
    this.#rearm();
  }

  #ask(): void {
    this.#token += 1;
    this.#askedAt = this.#clock.now();
    this.#owner.ping(this.#token);
  }

  #answerMs(): number {
    return Math.min(ANSWER_MS_MAX, this.#intervalMs);
  }

  #rearm(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    if (this.#intervalMs === 0) return;
    const due =
      this.#askedAt >= 0
        ? this.#askedAt + this.#answerMs()
        : Math.min(this.#heardAt, this.#saidAt) + this.#intervalMs;
    this.#arm(Math.max(1, due - this.#clock.now()));
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = null;
      const now = this.#clock.now();
      if (this.#askedAt >= 0) {
        if (now - this.#askedAt >= this.#answerMs()) {
          this.#owner.dead(now - this.#heardAt);
          return;
        }
      } else if (now - Math.min(this.#heardAt, this.#saidAt) >= this.#intervalMs) {
        this.#ask();
      }
      this.#rearm();
    }, delayMs);
  }
}
