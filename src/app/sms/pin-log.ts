import type { SmsGateway } from '../../chat/sms-gateway.js';
import { formatPhone } from '../../protocol/index.js';
import type { UserId } from '../../storage/stores.js';
import type { Clock } from '../../structures/clock.js';
import type { Log } from '../log.js';

/** A PIN as the operator's page shows it in development. */
export interface LoggedPin {
  readonly user: UserId;
  readonly pin: string;
  /** Wall-clock ms. */
  readonly sentAt: number;
  readonly expiresAt: number;
}

/**
 * The gateway of a development server: prints the PIN in the log and keeps the latest ones for the operator's
 * page. Whoever reads the log can register any number, so this is not for production.
 */
export class PinLog implements SmsGateway {
  readonly name = 'log';
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pins = new Map<UserId, LoggedPin>();

  /** PINs kept for the page; the oldest goes first. */
  static readonly pinsMax = 256;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  send(user: UserId, pin: string, expiresMs: number, done: (failure: string | null) => void): void {
    const sentAt = this.#clock.wall();
    this.#pins.delete(user);
    this.#pins.set(user, { user, pin, sentAt, expiresAt: sentAt + expiresMs });
    if (this.#pins.size > PinLog.pinsMax) {
      const oldest = this.#pins.keys().next();
      if (!oldest.done) this.#pins.delete(oldest.value);
    }
    this.#log.info({ phone: formatPhone(user), pin }, `PIN for ${formatPhone(user)} is ${pin}`);
    done(null);
  }

  /** The PINs that have not expired, newest first. */
  pins(): LoggedPin[] {
    const now = this.#clock.wall();
    return [...this.#pins.values()].filter((pin) => pin.expiresAt > now).reverse();
  }
}
