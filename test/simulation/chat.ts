import type { UserId } from '../../src/storage/stores.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import type { Ledger } from './ledger.js';
import type { ScopedClock } from './scoped-clock.js';
import type { Trace } from './trace.js';

/** How a device came to an end: another one took the number, or the server never heard of it. */
export type Ended = 'replaced' | 'unknown';

/** One device with its client program, whatever that is made of. */
export interface Chat {
  readonly user: UserId;
  /** Unique in the history. */
  readonly instance: number;
  readonly isRegistered: boolean;
  readonly isOnline: boolean;
  /** Replaced or thrown away: it does nothing any more. */
  readonly isGone: boolean;
  /** Online, and with nothing left to do. */
  readonly isSettled: boolean;
  readonly describe: string;
  /** Connects, registers if need be, and comes back by itself from then on. */
  connect(): void;
  /** A second connection beside the first one. */
  connectAgain(): void;
  disconnect(): void;
  /** False: it cannot now. */
  send(to: UserId, body: Uint8Array): boolean;
  /** Marks something as read; false: there is nothing, or it cannot now. */
  markRead(): boolean;
  watch(peer: UserId, on: boolean): void;
  typing(peer: UserId): void;
  setActive(active: boolean): void;
  block(peer: UserId, on: boolean): void;
  /** Some request. */
  ask(): void;
  flood(frames: number): void;
  /** The program dies; what it had not written down is forgotten. `connect` starts it again. */
  crash(): void;
  loseCursor(): void;
  retire(): void;
}

/** What a chat client needs of the history that it is in. */
export interface ChatWorld {
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly ledger: Ledger;
  /** A clock for one life of a program. */
  machineClock(): ScopedClock;
  /** How long until what changed is written down; 0: at once. */
  noteDelayMs(): number;
  /** How long an acknowledgement waits. */
  ackDelayMs(): number;
  /** The last PIN that the gateway sent to this number. */
  pinOf(user: UserId): string | undefined;
  /** Somebody tries to take the number, which may succeed whatever the answer. */
  verifying(user: UserId): void;
  registered(chat: Chat, device: number): void;
  online(chat: Chat): void;
  /** Whether the server may say that this device is not the number's any more. */
  mayLoseDevice(chat: Chat, ended: Ended): boolean;
  lostDevice(chat: Chat): void;
  /** A connection ended, the current one or an earlier one. */
  closed(chat: Chat, code: number, reason: string): void;
}
