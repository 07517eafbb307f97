import type { UserId } from './stores.js';

/** Most ranges in one receipt; what is left goes into the next one. */
export const RANGES_PER_RECEIPT_MAX = 64;

const VARINT_MAX_BYTES = 8;

/**
 * Gathers, while an inbox is wiped, whose messages were accepted, and writes for each sender the receipt's
 * body: the message ids as ranges, in the wire's own encoding so that nobody has to translate it.
 *
 *     body  = count varint (1–64) · range × count
 *     range = first varint (later ones: gap from the previous range's last id, ≥ 1) · length−1 varint
 *
 * One instance serves one state machine; the arrays are kept.
 */
export class ReceiptRanges {
  /** The encoded body of the receipt handed to the visitor; valid during the call. */
  readonly bytes = new Uint8Array((1 + 2 * RANGES_PER_RECEIPT_MAX) * VARINT_MAX_BYTES);
  #senders: UserId[] = [];
  #ids: number[] = [];
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(sender: UserId, messageId: number): void {
    this.#senders[this.#count] = sender;
    this.#ids[this.#count] = messageId;
    this.#count++;
  }

  /**
   * Calls `visit(sender, length)` for each receipt to be made, senders in the order in which they first
   * came, with `length` bytes of {@link bytes} filled; then forgets everything.
   */
  drain(visit: (sender: UserId, length: number) => void): void {
    const count = this.#count;
    this.#count = 0;
    if (count === 1) {
      this.bytes[0] = 1;
      const end = writeVarint(this.bytes, 1, this.#ids[0]!);
      this.bytes[end] = 0;
      visit(this.#senders[0]!, end + 1);
      return;
    }
    const bySender = new Map<UserId, number[]>();
    for (let i = 0; i < count; i++) {
      const ids = bySender.get(this.#senders[i]!);
      if (ids === undefined) bySender.set(this.#senders[i]!, [this.#ids[i]!]);
      else ids.push(this.#ids[i]!);
    }
    if (count > 4096) {
      this.#senders = [];
      this.#ids = [];
    }
    for (const [sender, ids] of bySender) this.#encode(sender, ids, visit);
  }

  #encode(sender: UserId, ids: number[], visit: (sender: UserId, length: number) => void): void {
    ids.sort((a, b) => a - b);
    const firsts: number[] = [];
    const lasts: number[] = [];
    for (const id of ids) {
      const last = lasts.length - 1;
      if (last >= 0 && id <= lasts[last]! + 1) lasts[last] = id;
      else {
        firsts.push(id);
        lasts.push(id);
      }
    }
    for (let start = 0; start < firsts.length; start += RANGES_PER_RECEIPT_MAX) {
      const end = Math.min(start + RANGES_PER_RECEIPT_MAX, firsts.length);
      let at = writeVarint(this.bytes, 0, end - start);
      for (let i = start; i < end; i++) {
        at = writeVarint(this.bytes, at, i === start ? firsts[i]! : firsts[i]! - lasts[i - 1]!);
        at = writeVarint(this.bytes, at, lasts[i]! - firsts[i]!);
      }
      visit(sender, at);
    }
  }
}

/** LEB128 of a safe integer; returns the offset behind it. */
function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    bytes[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[end++] = rest;
  return end;
}
