/** What sessions and partitions are allowed and held to; derived once from the configuration. */
export interface ChatLimits {
  /** Silence after which a client sends PING, announced in the welcome. */
  readonly heartbeatMs: number;
  /** From open to authenticated. */
  readonly authDeadlineMs: number;
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
  readonly opsPerSecond: number;
  readonly opsBurst: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
  /** Presence subscriptions of one session. */
  readonly watchesMax: number;
  /** Requests of one session that wait for the store. */
  readonly requestsMax: number;
  /** Clients whose presence waits for a full socket, for each session. */
  readonly ephemeralsMax: number;
  /** How long an attach or pull may wait for the store. */
  readonly storeTimeoutMs: number;
  /** Attaches that wait for the store, for each partition. */
  readonly attachesMax: number;
}
