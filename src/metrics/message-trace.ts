/** Where and when a message passed. */
export interface Station {
  /** Ms on the clock that all threads share. */
  readonly at: number;
  readonly thread: string;
}

/** The way of one message through the server. Null: it has not come there, or not in time. */
export interface MessageTrace {
  readonly sender: number;
  readonly id: number;
  readonly recipient: number;
  readonly bodyBytes: number;
  /** Its sender's session took it. */
  readonly received: Station;
  /** It was on disk, and its sender was told so. */
  readonly stored: Station | null;
  /** It came to the partition of its recipient. */
  readonly routed: Station | null;
  /** It was written to the socket of its recipient. */
  readonly delivered: Station | null;
  readonly partition: number | null;
  readonly seq: number | null;
}

export type StationName = 'received' | 'stored' | 'routed' | 'delivered';

/** One station of one message, as its thread tells it. What the station does not know is null. */
export interface StationMark extends Station {
  readonly station: StationName;
  readonly sender: number;
  readonly id: number;
  readonly recipient: number | null;
  readonly bodyBytes: number | null;
  readonly partition: number | null;
  readonly seq: number | null;
}

interface Open extends Record<StationName, Station | null> {
  readonly sender: number;
  readonly id: number;
  /** On the clock of whoever calls. */
  readonly since: number;
  recipient: number;
  bodyBytes: number;
  partition: number | null;
  seq: number | null;
}

export interface MessageTracesOptions {
  /** After so long a message is told of as far as it has come: its recipient is away, or it was refused. */
  readonly lingerMs: number;
  /** Messages that are on their way at a time; of more the oldest are told of early. */
  readonly openMax: number;
  readonly onTrace: (trace: MessageTrace) => void;
}

/**
 * Puts together what the threads tell of sampled messages. Their marks come in any order. A message whose beginning nobody
 * has told is none: it was received before the sampling began, or waited for its recipient for long.
 */
export class MessageTraces {
  readonly #options: MessageTracesOptions;
  /** In the order in which they were heard of first. */
  readonly #open = new Map<string, Open>();

  constructor(options: MessageTracesOptions) {
    this.#options = options;
  }

  /** Messages that are not complete. */
  get size(): number {
    return this.#open.size;
  }

  add(mark: StationMark, now: number): void {
    const key = `${mark.sender} ${mark.id}`;
    let open = this.#open.get(key);
    if (open === undefined) {
      if (this.#open.size >= this.#options.openMax) this.#close(this.#open.keys().next().value!);
      open = {
        sender: mark.sender,
        id: mark.id,
        since: now,
        recipient: 0,
        bodyBytes: 0,
        partition: null,
        seq: null,
        received: null,
        stored: null,
        routed: null,
        delivered: null,
      };
      this.#open.set(key, open);
    }
    // A client that got no answer sends again: the first time counts.
    open[mark.station] ??= { at: mark.at, thread: mark.thread };
    open.recipient = mark.recipient ?? open.recipient;
    open.bodyBytes = mark.bodyBytes ?? open.bodyBytes;
    open.partition = mark.partition ?? open.partition;
    open.seq = mark.seq ?? open.seq;
    const { received, stored, routed, delivered } = open;
    if (received !== null && stored !== null && routed !== null && delivered !== null) this.#close(key);
  }

  /** Tells of those that have lingered for long enough. */
  expire(now: number): void {
    for (const [key, { since }] of this.#open) {
      if (now - since < this.#options.lingerMs) return;
      this.#close(key);
    }
  }

  /** Tells of all, complete or not. */
  flush(): void {
    for (const key of [...this.#open.keys()]) this.#close(key);
  }

  #close(key: string): void {
    const { since: _, received, ...open } = this.#open.get(key)!;
    this.#open.delete(key);
    if (received !== null) this.#options.onTrace({ ...open, received });
  }
}
