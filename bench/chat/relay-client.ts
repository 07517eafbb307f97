import { LoadClient, type LoadShared } from './load-client.js';
import { arena } from './out-arena.js';
import { LINK_HEADER_BYTES_MAX, type LinkOwner, WebSocketLink } from './web-socket-link.js';

/**
 * Talks through the raw relay: a message is its body and nothing else, and its life ends when the partner has
 * it.
 *
 * `batched`: all messages of one turn go in one WebSocket message, back to back, as Rookery's clients do it;
 * otherwise each message is a WebSocket message of its own.
 */
export class RelayClient extends LoadClient implements LinkOwner {
  readonly #batched: boolean;
  readonly #localAddress: string;
  #link: WebSocketLink | null = null;
  /** Numbers of this turn's messages: a run that ends with the newest. */
  #first = 0;
  #count = 0;

  constructor(shared: LoadShared, index: number, batched: boolean, localAddress: string) {
    super(shared, index);
    this.#batched = batched;
    this.#localAddress = localAddress;
  }

  protected override connect(port: number): void {
    const path = `/relay/${this.index}`;
    this.#link = new WebSocketLink({ port, path, subprotocol: '', localAddress: this.#localAddress }, this);
  }

  override close(): void {
    this.ready = false;
    this.#link?.destroy();
  }

  override packets(): { in: number; out: number } {
    return { in: this.#link?.messagesIn ?? 0, out: this.#link?.messagesOut ?? 0 };
  }

  protected override put(n: number): void {
    if (this.#count++ === 0) this.#first = n;
  }

  protected override write(): void {
    const link = this.#link;
    const count = this.#count;
    if (count === 0 || link === null) return;
    this.#count = 0;
    const { bodyBytes } = this.shared;
    arena.reserve(count * (bodyBytes + LINK_HEADER_BYTES_MAX));
    const start = arena.at;
    if (this.#batched) link.beginMessage(count * bodyBytes);
    for (let i = 0; i < count; i++) {
      if (!this.#batched) link.beginMessage(bodyBytes);
      arena.chunk.writeUInt32BE(this.#first + i, arena.at);
      arena.at += bodyBytes;
    }
    link.write(start);
  }

  opened(): void {
    this.becameReady();
  }

  message(bytes: Uint8Array, start: number, end: number): void {
    const now = performance.now();
    const { bodyBytes } = this.shared;
    if ((end - start) % bodyBytes !== 0) this.fault(`${end - start} bytes are no messages of ${bodyBytes}`);
    let count = 0;
    for (let at = start; at < end; at += bodyBytes) {
      const n = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
      this.arrived(n, now);
      count++;
    }
    this.partner.finish(count);
  }

  closed(why: string): void {
    this.fault(why);
  }
}
