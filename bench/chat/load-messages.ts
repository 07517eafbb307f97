/** How the clients of a generator talk. */
export type Dialect =
  /** One WebSocket message for each message. */
  | 'rookery'
  /** All of a turn in one WebSocket message. */
  | 'rookery-batched'
  /** As rookery, but everybody stays on the common port: half the users are not on the scheduler of their inbox. */
  | 'rookery-away'
  /** One WebSocket message for each message, through the raw relay. */
  | 'relay'
  /** All of a turn in one WebSocket message, through the raw relay. */
  | 'relay-batched'
  | 'xmpp';

export interface GeneratorOptions {
  readonly dialect: Dialect;
  readonly bodyBytes: number;
  /** Clients share this many source addresses 127.0.0.1, 127.0.0.2, …: each has its own source ports. */
  readonly sourceAddresses: number;
  /** The phone number of client 0; the others follow it. */
  readonly firstPhone: number;
  /** The numbers are those of `storeAccounts`: nobody registers. Default false. */
  readonly areStored?: boolean;
  /** How long messages in flight may take to arrive when the sending has stopped. */
  readonly settleMsMax: number;
}

/** What a round is to do, after all clients are open. */
export interface RoundOptions {
  /** Messages that each client keeps in flight (closed loop); 0: the rate decides. */
  readonly window: number;
  /** Messages a second of all clients together (open loop); 0: as many as the window lets through. */
  readonly rate: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export interface RoundResult {
  readonly seconds: number;
  readonly delivered: number;
  readonly messagesPerSecond: number;
  readonly acked: number;
  readonly receipted: number;
  /** From send (open loop: from the time that it was due) to delivery. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** WebSocket messages that the server received and sent for each message delivered. */
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** CPU of the generator, and how much of the time its event loop had work (1: it is the bottleneck). */
  readonly generatorCpuSeconds: number;
  readonly generatorBusy: number;
}

/** Clients that lost their connection, and how long after the first loss they were back: ms, ascending. */
export interface ReturnResult {
  readonly lost: number;
  /** Attempts to connect that came to nothing. */
  readonly refused: number;
  readonly welcomeMs: readonly number[];
  /** A message to the partner has been delivered and receipted. */
  readonly servedMs: readonly number[];
}

export type ToGenerator =
  | { readonly type: 'setup'; readonly options: GeneratorOptions }
  /** Opens clients until there are so many. `parallel` at a time. */
  | { readonly type: 'open'; readonly port: number; readonly count: number; readonly parallel: number }
  | { readonly type: 'pin'; readonly phone: number; readonly pin: string }
  | { readonly type: 'run'; readonly round: RoundOptions }
  /** Who is lost from now on comes back, to this port. */
  | { readonly type: 'expect-losses'; readonly port: number }
  /** Waits for all who were lost, `count` at least. */
  | { readonly type: 'await-returns'; readonly count: number; readonly msMax: number }
  /** Drops all connections; who has credentials keeps them for the next `open`. */
  | { readonly type: 'close' };

export type FromGenerator =
  | { readonly type: 'ready' }
  | { readonly type: 'done' }
  | { readonly type: 'pin-wanted'; readonly phone: number }
  /** Warm-up is over, the interval begins; and it has ended. The parent reads the server's CPU now. */
  | { readonly type: 'measuring' }
  | { readonly type: 'measured' }
  | { readonly type: 'result'; readonly result: RoundResult }
  | { readonly type: 'returned'; readonly result: ReturnResult }
  | { readonly type: 'failed'; readonly error: string };
