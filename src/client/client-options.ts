import type { Clock } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import type { ClientSocketFactory } from './client-socket.js';
import type { ClientStore } from './client-store.js';
import type { Connectivity } from './connectivity.js';
import type { IncomingMessage, IncomingReceipt } from './incoming.js';

export interface ClientOptions {
  /** `ws://` or `wss://`, with the path: `wss://chat.example/ws`. */
  readonly url: string;
  readonly store: ClientStore;
  /**
   * Called with one message after another, in the order of each sender. The server keeps a message until this
   * returned, or until the promise that it returned was fulfilled: store the message first. When it throws or
   * rejects, the same message comes again after a while, and nothing behind it before.
   *
   * A message comes again also when the process ended between this handler's success and the client's note
   * of it. Who stores messages under their `messageId` stores each exactly once.
   */
  readonly onMessage: (message: IncomingMessage) => void | PromiseLike<void>;
  /** The same for receipts, in one order with the messages. Without it receipts are only events. */
  readonly onReceipt?: (receipt: IncomingReceipt) => void | PromiseLike<void>;
  /** Name and version of the program, for the server's operator. At most 64 bytes. */
  readonly agent?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly sockets: ClientSocketFactory;
  readonly connectivity?: Connectivity;
  /** Move to the port where the user's inbox lives, when the server names one. Default true. */
  readonly followHomePort?: boolean;
  readonly limits?: Partial<ClientLimits>;
}

/** Bounds and times of a client. Times in ms. */
export interface ClientLimits {
  /** Messages and receipts that wait to be acknowledged; `send` throws `outboxFull` above. */
  readonly outboxCountMax: number;
  /** Bytes of their bodies. */
  readonly outboxBytesMax: number;
  /** What got no answer for so long on a live connection is sent again. */
  readonly ackTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly requestsMax: number;
  /** From the first try to connect until WELCOME. */
  readonly openTimeoutMs: number;
  readonly reconnectInitialMs: number;
  readonly reconnectMaxMs: number;
  /** A connection that held for so long resets the back-off. */
  readonly stableMs: number;
  /** Messages of this run whose checkmarks are followed; the oldest are let go above. */
  readonly handlesMax: number;
  /** Presences that are followed; above, the oldest subscription is dropped. */
  readonly presencesMax: number;
  /** Bytes that came in and wait for the handler. Above the server's window and one batch, else it never works. */
  readonly intakeBytesMax: number;
  /** Refusals because the recipient's inbox is full, until the message fails. */
  readonly inboxFullTriesMax: number;
}

export const DEFAULT_LIMITS: ClientLimits = {
  outboxCountMax: 1024,
  outboxBytesMax: 4 * 1024 * 1024,
  ackTimeoutMs: 15_000,
  requestTimeoutMs: 15_000,
  requestsMax: 64,
  openTimeoutMs: 10_000,
  reconnectInitialMs: 250,
  reconnectMaxMs: 30_000,
  stableMs: 10_000,
  handlesMax: 1024,
  presencesMax: 512,
  intakeBytesMax: 2 * 1024 * 1024,
  inboxFullTriesMax: 5,
};
