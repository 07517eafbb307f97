/**
 * What one session has sent and its client has not yet accepted: the flow control of the wire protocol as pure
 * state. Push mode until the unaccepted bytes would exceed the window, then pull mode until the client has
 * pulled everything there is.
 *
 * Holds two short arrays only while something is unaccepted, so that an idle session costs nothing.
 */
export class DeliveryWindow {
  /** The highest seq sent on this connection. */
  sent = 0;
  /** The highest seq the client has accepted. */
  accepted = 0;
  /** Bytes sent and not accepted. */
  unacceptedBytes = 0;
  pulling = false;
  #seqs: number[] | null = null;
  #sizes: number[] | null = null;
  #first = 0;

  /** Another one that stands where this one does. */
  copy(): DeliveryWindow {
    const copy = new DeliveryWindow();
    const { sent, accepted, unacceptedBytes, pulling } = this;
    Object.assign(copy, { sent, accepted, unacceptedBytes, pulling });
    copy.#seqs = this.#seqs?.slice() ?? null;
    copy.#sizes = this.#sizes?.slice() ?? null;
    copy.#first = this.#first;
    return copy;
  }

  /** Notes that an entry of `size` bytes went out. */
  push(seq: number, size: number): void {
    this.sent = seq;
    this.unacceptedBytes += size;
    if (this.#seqs === null || this.#sizes === null) {
      this.#seqs = [seq];
      this.#sizes = [size];
      this.#first = 0;
      return;
    }
    this.#seqs.push(seq);
    this.#sizes.push(size);
  }

  /** Whether an entry of `size` bytes still fits. One always fits into an empty window. */
  fits(size: number, windowBytes: number): boolean {
    return this.unacceptedBytes === 0 || this.unacceptedBytes + size <= windowBytes;
  }

  /**
   * The client has accepted everything up to `seq`. Returns false, and changes nothing, when that is beyond
   * what was sent.
   */
  accept(seq: number): boolean {
    if (seq > this.sent) return false;
    if (seq <= this.accepted) return true;
    this.accepted = seq;
    const seqs = this.#seqs;
    const sizes = this.#sizes;
    if (seqs === null || sizes === null) return true;
    let first = this.#first;
    while (first < seqs.length && (seqs[first] as number) <= seq) {
      this.unacceptedBytes -= sizes[first] as number;
      first++;
    }
    if (first === seqs.length) {
      this.#seqs = null;
      this.#sizes = null;
      first = 0;
    } else if (first >= 256) {
      // The array stays as short as the window is, however long the connection lives.
      seqs.splice(0, first);
      sizes.splice(0, first);
      first = 0;
    }
    this.#first = first;
    return true;
  }
}
