import type { SmsGateway } from '../chat/sms-gateway.js';
import type { UserId } from '../storage/stores.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { FromScheduler } from './thread-messages.js';

/** PINs that may wait for the main thread's answer; more are refused. */
const WAITING_MAX = 4096;
/** Longer than any gateway may take. */
const TIMEOUT_MS = 20_000;

/** The SMS gateway as a scheduler thread sees it: it lives on the main thread, where I/O may take its time. */
export class PortSmsGateway implements SmsGateway {
  readonly name = 'main thread';
  readonly #post: (message: FromScheduler) => void;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { done: (failure: string | null) => void; timer: ClockTimer }>();
  #lastId = 0;

  constructor(post: (message: FromScheduler) => void, clock: Clock) {
    this.#post = post;
    this.#clock = clock;
  }

  send(user: UserId, pin: string, expiresMs: number, done: (failure: string | null) => void): void {
    if (this.#waiting.size >= WAITING_MAX) {
      done(`${WAITING_MAX} PINs are waiting for the gateway already`);
      return;
    }
    const id = ++this.#lastId;
    const timer = this.#clock.setTimer(
      () => this.answered(id, 'the gateway did not answer in time'),
      TIMEOUT_MS,
    );
    this.#waiting.set(id, { done, timer });
    this.#post({ type: 'sms', id, user, pin, expiresMs });
  }

  /** The main thread's answer to the request with this id; a late one is ignored. */
  answered(id: number, failure: string | null): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#clock.clearTimer(waiting.timer);
    waiting.done(failure);
  }
}
