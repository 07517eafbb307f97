import type { UserId } from '../storage/stores.js';

/**
 * Carries a PIN to a phone. Implementations live in src/app (log, command, webhook); this is all that the
 * registrar knows of them.
 */
export interface SmsGateway {
  /** Named in the log and on the operator's page. */
  readonly name: string;
  /**
   * Hands the PIN over and calls back once: null when the gateway took it, the reason when it did not. Must not
   * throw and must not keep the PIN longer than the hand-over takes, unless that is its purpose (development).
   */
  send(user: UserId, pin: string, expiresMs: number, done: (failure: string | null) => void): void;
}
