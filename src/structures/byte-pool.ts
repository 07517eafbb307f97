/** The engine keeps typed arrays up to this size on its heap: they are quickly made. */
const ON_HEAP_BYTES_MAX = 64;
/** Somewhat longer ones get a piece of a common ArrayBuffer of this size, which lives as long as any of them. */
const POOLED_BYTES_MAX = 1024;
const POOL_BYTES = 8192;
/** Below this a loop beats the call into the engine's memory copy. */
const COPY_LOOP_BYTES_MAX = 128;

/**
 * Makes copies of bytes as cheap as they can be. Short ones share their ArrayBuffers, as small Buffers do: one of its own
 * costs the collector more than the bytes.
 */
export class BytePool {
  #pool = new ArrayBuffer(0);
  #used = POOL_BYTES;

  /** A copy of `source[start, end)`. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    const copy = this.#room(length);
    if (length <= COPY_LOOP_BYTES_MAX)
      for (let index = 0; index < length; index++) copy[index] = source[start + index]!;
    else copy.set(source.subarray(start, end));
    return copy;
  }

  #room(length: number): Uint8Array {
    if (length <= ON_HEAP_BYTES_MAX || length > POOLED_BYTES_MAX) return new Uint8Array(length);
    if (this.#used + length > POOL_BYTES) {
      this.#pool = new ArrayBuffer(POOL_BYTES);
      this.#used = 0;
    }
    const room = new Uint8Array(this.#pool, this.#used, length);
    this.#used += (length + 7) & ~7;
    return room;
  }
}
