import type { TokenRate } from '../structures/token-bucket.js';

/** What sessions and partitions are allowed and held to; derived once from the configuration. */
export interface ChatLimits {
  /** Silence after which a client sends PING, announced in the welcome. */
  readonly heartbeatMs: number;
  /** From open to authenticated. */
  readonly authDeadlineMs: number;
  /** From an anonymous welcome to authenticated: time to receive a PIN and to type it. */
  readonly registrationDeadlineMs: number;
  /** Unaccepted bytes at which a session goes to pull mode. */
  readonly deliverWindowBytes: number;
  /** Socket bytes not taken by the kernel at which a session goes to pull mode and drops ephemerals. */
  readonly bufferedBytesHigh: number;
  /** Unaccepted entries without any progress for this long end the connection: a ghost. */
  readonly ackTimeoutMs: number;
  readonly bodyBytesMax: number;
  readonly batchBytesMax: number;
  readonly batchCountMax: number;
  /** WebSocket message size before authentication. */
  readonly anonymousBytesMax: number;
  /** Frames, and bytes of messages, of one connection. */
  readonly opsRate: TokenRate;
  readonly bytesRate: TokenRate;
  /** Bytes of messages that wait for a session which is busy or held; above, the connection is closed. */
  readonly waitingBytesMax: number;
  /** Frames above the rate, less those within it since, at which the connection is closed. */
  readonly refusedSurplusMax: number;
  /** Presence subscriptions of one session. */
  readonly watchesMax: number;
  /** Requests of one session that wait for the store. */
  readonly requestsMax: number;
  /** Clients whose presence waits for a full socket, for each session. */
  readonly ephemeralsMax: number;
  /** Clients whose inbox has moved are told to follow after a random time up to this, not all at once. */
  readonly homeJitterMs: number;
  /** Attaches that wait for the store, for each partition. */
  readonly attachesMax: number;
}
