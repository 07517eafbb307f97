import { createHash, createHmac } from 'node:crypto';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { Receiver } from '../actors/receiver.js';
import type { SystemMessage } from '../actors/system-message.js';
import type { Control, UserId } from '../storage/stores.js';
import type { Random } from '../structures/random.js';
import type { ChatNode } from './chat-node.js';
import type { AskPin, Controlled, RegistrarMessage, SessionMessage, VerifyPin } from './messages.js';
import type { RegistrationLimits } from './registration-limits.js';
import { Requester } from './requesters.js';
import type { SmsGateway } from './sms-gateway.js';

export interface RegistrarOptions {
  readonly random: Random;
  readonly gateway: SmsGateway;
  /** 32 bytes that never leave the server: PINs are kept as HMACs under it. */
  readonly secret: Uint8Array;
  readonly pinDigits: number;
  readonly pinLifeMs: number;
  readonly limits: RegistrationLimits;
  /** Registrations that wait for the store, at most 4,000; more are told to come back. */
  readonly pendingMax: number;
}

/**
 * Registers phones: makes PINs, hands them to the SMS gateway, and turns a right one into a device key.
 *
 * Three limiters stand before the comparison: the number's own (in the store: tries, life, PINs a day; a restart
 * does not forget them), the address's, and the whole server's SMS budget. A wrong PIN, an expired one and a
 * number that never asked get the same answer. The key goes to the device once; the store keeps its salted hash.
 */
export class Registrar implements Receiver<RegistrarMessage> {
  readonly #node: ChatNode;
  readonly #self: Process<RegistrarMessage>;
  readonly #options: RegistrarOptions;
  /** What the store is working on, by the number that it was asked under. */
  readonly #pending = new Map<number, Pending>();

  constructor(node: ChatNode, self: Process<RegistrarMessage>, options: RegistrarOptions) {
    this.#node = node;
    this.#self = self;
    this.#options = options;
    self.label = 'registrar';
  }

  summary(): Readonly<Record<string, unknown>> {
    return { registrationsUnderWay: this.#pending.size, pendingMax: this.#options.pendingMax };
  }

  receive(message: RegistrarMessage | SystemMessage): void {
    switch (message.type) {
      case 'ask-pin':
        this.#ask(message);
        break;
      case 'verify-pin':
        this.#verify(message);
        break;
      case 'controlled':
        this.#answer(message);
        break;
      case 'store-failed': {
        const pending = this.#take(message.requester);
        if (pending !== undefined) this.#refuse(pending.session, pending.ref, 'store', 1000);
        break;
      }
      case 'resync':
        // Answers may have been lost. Most still come; who waits then waits in vain.
        this.#self.startTimer(LOST_MS, [...this.#pending.keys()]);
        break;
      case 'timeout':
        for (const requester of message.message as readonly number[]) {
          const pending = this.#take(requester);
          if (pending !== undefined) this.#refuse(pending.session, pending.ref, 'store', 1000);
        }
        break;
      default:
        break;
    }
  }

  #ask({ session, ref, user, address }: AskPin): void {
    if (this.#pending.size >= this.#options.pendingMax) {
      this.#refuse(session, ref, 'store', 1000);
      return;
    }
    const taken = this.#options.limits.takePin(address);
    if (taken <= 0) {
      this.#refuse(session, ref, 'limited', -taken);
      return;
    }
    const pin = makePin(this.#options.random, this.#options.pinDigits);
    this.#request(
      { kind: 'ask', session, ref, user, pin },
      {
        op: 'pin-request',
        user,
        pinHash: this.#pinHash(user, pin),
        now: this.#node.clock.wall(),
      },
    );
  }

  #verify({ session, ref, user, pin, name, address }: VerifyPin): void {
    const taken = this.#options.limits.takeTry(address);
    if (taken <= 0) {
      this.#refuse(session, ref, 'limited', -taken);
      return;
    }
    if (this.#pending.size >= this.#options.pendingMax) {
      this.#refuse(session, ref, 'store', 1000);
      return;
    }
    const key = this.#options.random.bytes(32);
    const keySalt = this.#options.random.bytes(16);
    this.#request(
      { kind: 'verify', session, ref, user, key, name },
      {
        op: 'pin-verify',
        user,
        pinHash: this.#pinHash(user, pin),
        keySalt,
        keyHash: createHash('sha256').update(keySalt).update(key).digest(),
        now: this.#node.clock.wall(),
      },
    );
  }

  #request(pending: Pending, control: Control): void {
    const requester = this.#node.requests.ofRegistrar();
    if (this.#node.store.control(requester, 0, control)) this.#pending.set(requester, pending);
    else this.#refuse(pending.session, pending.ref, 'store', 1000);
  }

  #take(requester: number): Pending | undefined {
    const pending = this.#pending.get(requester);
    this.#pending.delete(requester);
    return pending;
  }

  #answer({ requester, result }: Controlled): void {
    const pending = this.#take(requester);
    if (pending === undefined) return;
    if (result.op === 'pin-request' && pending.kind === 'ask') {
      if (result.ok) this.#sendPin(pending, result.expiresMs, result.resendAfterMs);
      else {
        this.#options.limits.giveBackSms();
        this.#refuse(pending.session, pending.ref, 'limited', result.retryAfterMs);
      }
    } else if (result.op === 'pin-verify' && pending.kind === 'verify') {
      if (!result.ok) {
        this.#refuse(pending.session, pending.ref, 'wrong-pin', result.retryAfterMs, result.triesLeft);
        return;
      }
      this.#node.stats.registrations++;
      if (pending.name !== '') {
        this.#node.store.control(Requester.nobody, 0, {
          op: 'set-name',
          user: pending.user,
          name: pending.name,
        });
      }
      this.#self.send(pending.session, {
        type: 'registered',
        ref: pending.ref,
        user: pending.user,
        device: result.device,
        key: pending.key,
        firstMessageId: result.firstMessageId,
      });
    } else {
      throw new Error(`the store answered ${result.op} to a registration that waits for ${pending.kind}`);
    }
  }

  #sendPin(pending: Asked, expiresMs: number, resendAfterMs: number): void {
    const { session, ref, user, pin } = pending;
    const self = this.#self;
    const { stats } = this.#node;
    this.#options.gateway.send(user, pin, expiresMs, (failure) => {
      if (failure !== null) {
        this.#refuse(session, ref, 'gateway', resendAfterMs);
        return;
      }
      stats.pinsSent++;
      self.send(session, {
        type: 'pin-sent',
        ref,
        digits: this.#options.pinDigits,
        expiresMs,
        resendAfterMs,
      });
    });
  }

  #refuse(
    session: Pid<SessionMessage>,
    ref: number,
    reason: 'limited' | 'wrong-pin' | 'gateway' | 'store',
    retryAfterMs: number,
    triesLeft = 0,
  ): void {
    this.#node.stats.pinsRefused++;
    this.#self.send(session, {
      type: 'registration-refused',
      ref,
      reason,
      retryAfterMs: Math.min(Math.ceil(retryAfterMs), 86_400_000),
      triesLeft,
    });
  }

  /** Never the PIN itself: whoever reads the database cannot use it without the server's secret. */
  #pinHash(user: UserId, pin: string): Uint8Array {
    return createHmac('sha256', this.#options.secret).update(`${user}:${pin}`).digest();
  }
}

/** An answer that has not come so long after the store began anew was lost. */
const LOST_MS = 5000;

interface Asked {
  readonly kind: 'ask';
  readonly session: Pid<SessionMessage>;
  readonly ref: number;
  readonly user: UserId;
  readonly pin: string;
}
interface Verifying {
  readonly kind: 'verify';
  readonly session: Pid<SessionMessage>;
  readonly ref: number;
  readonly user: UserId;
  readonly key: Uint8Array;
  readonly name: string;
}
type Pending = Asked | Verifying;

/** Uniform over all PINs of so many digits, leading zeros included: rejection instead of a modulo's bias. */
export function makePin(random: Random, digits: number): string {
  const range = 10 ** digits;
  const limit = Math.floor(2 ** 32 / range) * range;
  for (;;) {
    const bytes = random.bytes(4);
    const value =
      (bytes[0] as number) * 2 ** 24 +
      (((bytes[1] as number) << 16) | ((bytes[2] as number) << 8) | (bytes[3] as number));
    if (value < limit) return String(value % range).padStart(digits, '0');
  }
}
