/** Randomness, injected, so that one seed replays one history. */
export interface Random {
  /** A number in [0, 1). Not for secrets. */
  next(): number;
  /** `length` bytes fit for keys and PINs (over a simulated source: reproducible, and so no secret). */
  bytes(length: number): Uint8Array;
}
