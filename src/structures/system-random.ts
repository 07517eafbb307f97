import { randomFillSync } from 'node:crypto';
import type { Random } from './random.js';

/** The operating system's randomness. The only file that may call it. */
export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  bytes(length: number): Uint8Array {
    return randomFillSync(new Uint8Array(length));
  }
}
