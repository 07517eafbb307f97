import { encodeReadReceipt, encodeSend, FrameWriter, WelcomeState } from '../../src/protocol/index.js';
import { type Credentials, type Cursor, ProtocolClient } from './protocol-client.js';
import type { EntryFrame, ServerFrame } from './server-frame.js';
import type { TestServer } from './test-server.js';

/** A message that a peer has accepted. */
export interface Accepted {
  readonly seq: number;
  readonly from: number;
  readonly id: number;
  readonly body: string;
}

interface Outgoing {
  readonly id: number;
  readonly to: number;
  /** A message's text; null: a read receipt for `ranges`. */
  readonly body: string | null;
  readonly ranges: readonly number[];
}

export interface PeerOptions {
  /** At most so many sends without an answer. The protocol allows 256 ids from the oldest to the newest. */
  readonly inFlightMax?: number;
  /** Accepted entries between two ACKs. */
  readonly ackEvery?: number;
  /** Whether messages are answered with read receipts. */
  readonly readReceipts?: boolean;
}

/**
 * A client that keeps everything the protocol asks a client to keep (cursor, unanswered sends with their ids), comes
 * back after every loss of the connection, and writes down what it saw. Whatever a server may not do is a violation.
 *
 * It is written against docs/wire-protocol.md and shares nothing with the client library but the codec.
 */
export class ReliablePeer {
  readonly credentials: Credentials;
  readonly accepted: Accepted[] = [];
  /** All messages ever sent, in the order of their ids. */
  readonly messages: { readonly id: number; readonly to: number; readonly body: string }[] = [];
  /** Ids of this peer's messages, per recipient, that receipts named. */
  readonly delivered = new Map<number, Set<number>>();
  readonly read = new Map<number, Set<number>>();
  /** What a server must never do. */
  readonly violations: string[] = [];
  /** Closes and errors in the order they came, for the report of a failure. */
  readonly history: string[] = [];
  duplicates = 0;
  connects = 0;
  welcomes: WelcomeState[] = [];
  /** Called when an error comes. */
  onRefused: () => void = () => {};
  /** Called after the acknowledgement of each message. */
  onAcknowledged: () => void = () => {};
  readonly #server: TestServer;
  readonly #options: Required<PeerOptions>;
  #cursor: Cursor = { epoch: 0, seq: 0 };
  #nextId: number;
  /** Sent and not answered, or not sent yet, in the order of their ids. */
  readonly #outbox: Outgoing[] = [];
  readonly #acknowledgedIds = new Set<number>();
  readonly #texts = new Map<number, string>();
  /** Places from which was pulled without an answer yet. */
  readonly #openPulls: number[] = [];
  readonly #refusals = new Map<number, number>();
  /** How many from the front of the outbox are on their way on this connection. */
  #inFlight = 0;
  #client: ProtocolClient | null = null;
  #welcomed = false;
  #unacked = 0;
  #unread = new Map<number, number[]>();
  #stopped = false;
  #running: Promise<void> | null = null;

  constructor(server: TestServer, credentials: Credentials, options: PeerOptions = {}) {
    this.#server = server;
    this.credentials = credentials;
    this.#nextId = credentials.firstMessageId;
    this.#options = { inFlightMax: 32, ackEvery: 8, readReceipts: true, ...options };
  }

  get user(): number {
    return this.credentials.user;
  }

  /** Sends and read receipts without an answer. */
  get pending(): number {
    return this.#outbox.length;
  }

  get epoch(): number {
    return this.#cursor.epoch;
  }

  get isOnline(): boolean {
    return this.#welcomed;
  }

  get client(): ProtocolClient | null {
    return this.#client;
  }

  /** Connects, and again whenever the connection is lost, until {@link stop}. */
  run(): void {
    this.#stopped = false;
    this.#running ??= this.#keepConnected();
  }

  /** Ends the connection without a word; what was not answered stays in the outbox. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#client?.terminate();
    await this.#running;
    this.#running = null;
  }

  /** Cuts the connection; the peer comes back by itself. */
  cut(): void {
    this.#client?.terminate();
  }

  /** Queues a message; returns its id. */
  send(to: number, body: string): number {
    const id = this.#nextId++;
    this.messages.push({ id, to, body });
    this.#texts.set(id, body);
    this.#outbox.push({ id, to, body, ranges: [] });
    this.#flush();
    return id;
  }

  textOf(id: number): string | undefined {
    return this.#texts.get(id);
  }

  isAcknowledged(id: number): boolean {
    return this.#acknowledgedIds.has(id);
  }

  /** How often an error with this code came. */
  refusals(code: number): number {
    return this.#refusals.get(code) ?? 0;
  }

  get sendsReadReceipts(): boolean {
    return this.#options.readReceipts;
  }

  async #keepConnected(): Promise<void> {
    while (!this.#stopped) {
      try {
        const client = await ProtocolClient.connect(this.#server.url, {
          onFrame: (frame) => this.#frame(frame),
        });
        this.#client = client;
        this.connects++;
        if (this.#stopped) client.terminate();
        else client.hello(this.credentials, this.#cursor);
        const { code, reason } = await client.closed;
        this.history.push(`closed ${code} ${reason}`);
        if (code >= 4400 || code === 1002 || code === 1007 || code === 1009) {
          this.violations.push(`closed with ${code} "${reason}"`);
          this.#stopped = true;
        }
      } catch (error) {
        this.history.push(`not connected: ${(error as Error).message}`);
      }
      // A server that is not there, or whose disk is full, refuses at once: some rest between two tries.
      if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, 20));
      this.#client = null;
      this.#welcomed = false;
      this.#inFlight = 0;
      this.#openPulls.length = 0;
    }
  }

  #frame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.welcomes.push(frame.state);
        this.history.push(
          `welcome ${frame.state}: cursor ${this.#cursor.seq}, head ${frame.head}, ${frame.pendingCount} pending`,
        );
        if (frame.state === WelcomeState.anonymous) this.violations.push('an anonymous welcome');
        if (frame.state === WelcomeState.reset) this.#cursor = { epoch: frame.epoch, seq: 0 };
        else this.#cursor = { epoch: frame.epoch, seq: this.#cursor.seq };
        this.#welcomed = true;
        this.#flush();
        break;
      case 'sendAck':
        this.#answered(frame.id, frame.duplicate);
        break;
      case 'error':
        this.history.push(`error ${frame.code} ${frame.message} (ref ${frame.ref})`);
        this.#refusals.set(frame.code, (this.#refusals.get(frame.code) ?? 0) + 1);
        this.onRefused();
        if (frame.retryable) {
          // Tried again with the next connection: order is kept by sending nothing behind it.
          this.#client?.terminate();
        } else this.violations.push(`error ${frame.code} ${frame.message}`);
        break;
      case 'deliver':
      case 'receipt':
        this.#accept(frame);
        if (++this.#unacked >= this.#options.ackEvery) {
          this.#unacked = 0;
          this.#client?.ack(this.#cursor.seq);
          this.#sendReadReceipts();
        }
        break;
      case 'more':
        this.#pull();
        break;
      case 'batch':
        this.#batch(frame.items);
        this.#unacked = 0;
        if (frame.hasMore) this.#pull();
        else this.#client?.ack(this.#cursor.seq);
        this.#sendReadReceipts();
        break;
      case 'goAway':
        this.history.push(`go away ${frame.reason} in ${frame.delayMs} ms`);
        break;
      default:
        break;
    }
  }

  #pull(): void {
    this.#openPulls.push(this.#cursor.seq);
    this.#client?.pull(this.#cursor.seq);
  }

  /**
   * A second MORE (after trouble inside the server) makes a client PULL again, and the first PULL may be answered all
   * the same: what two answers have in common comes twice.
   */
  #batch(items: readonly EntryFrame[]): void {
    const from = this.#openPulls.shift() ?? this.#cursor.seq;
    for (const item of items) {
      if (item.seq <= from || item.seq > this.#cursor.seq) this.#accept(item);
    }
  }

  /** Acknowledges what lies between two regular ACKs. */
  acknowledgeAll(): void {
    if (!this.#welcomed) return;
    this.#unacked = 0;
    if (this.#cursor.seq > 0) this.#client?.ack(this.#cursor.seq);
    this.#sendReadReceipts();
  }

  #accept(entry: EntryFrame): void {
    if (entry.seq <= this.#cursor.seq) {
      this.violations.push(`${entry.type} with seq ${entry.seq} behind the cursor ${this.#cursor.seq}`);
      return;
    }
    this.#cursor = { epoch: this.#cursor.epoch, seq: entry.seq };
    if (entry.type === 'deliver') {
      const { seq, from, id } = entry;
      this.accepted.push({ seq, from, id, body: Buffer.from(entry.body).toString() });
      if (!this.#options.readReceipts) return;
      const unread = this.#unread.get(from);
      if (unread === undefined) this.#unread.set(from, [id, id]);
      else if (unread[unread.length - 1] === id - 1) unread[unread.length - 1] = id;
      else unread.push(id, id);
      if ((unread?.length ?? 0) >= 100) this.#sendReadReceipts();
      return;
    }
    const seen = entry.read ? this.read : this.delivered;
    const ids = seen.get(entry.from) ?? new Set<number>();
    seen.set(entry.from, ids);
    for (let i = 0; i < entry.ranges.length; i += 2) {
      for (let id = entry.ranges[i]!; id <= entry.ranges[i + 1]!; id++) {
        if (ids.has(id)) this.violations.push(`a second receipt (read: ${entry.read}) for message ${id}`);
        ids.add(id);
      }
    }
  }

  #sendReadReceipts(): void {
    for (const [from, ranges] of this.#unread) {
      this.#outbox.push({ id: this.#nextId++, to: from, body: null, ranges });
    }
    this.#unread.clear();
    this.#flush();
  }

  #answered(id: number, duplicate: boolean): void {
    if (this.#acknowledgedIds.has(id)) this.violations.push(`${id} was acknowledged twice`);
    const at = this.#outbox.findIndex((outgoing) => outgoing.id === id);
    if (at < 0) {
      this.violations.push(`${id} was acknowledged and never sent`);
      return;
    }
    if (at >= this.#inFlight) this.violations.push(`${id} was acknowledged before it was sent`);
    if (duplicate) this.duplicates++;
    this.#acknowledgedIds.add(id);
    const outgoing = this.#outbox.splice(at, 1)[0];
    this.#inFlight--;
    if (outgoing?.body !== null) this.onAcknowledged();
    this.#flush();
  }

  #flush(): void {
    const client = this.#client;
    if (client === null || !this.#welcomed || !client.isOpen) return;
    const writer = new FrameWriter(1024 * 1024, 256);
    const { inFlightMax } = this.#options;
    while (this.#inFlight < this.#outbox.length && this.#inFlight < inFlightMax) {
      const { id, to, body, ranges } = this.#outbox[this.#inFlight]!;
      // The window of ids, counted from the oldest unanswered one.
      if (id - this.#outbox[0]!.id >= 200) break;
      if (body === null) encodeReadReceipt(writer, id, to, ranges);
      else encodeSend(writer, id, to, Buffer.from(body));
      this.#inFlight++;
    }
    if (writer.length > 0) client.sendRaw(writer.copy());
  }
}
