import { PARTITIONS, type UserId } from './stores.js';

/**
 * The partition of a user: MurmurHash3's 32-bit finalizer over both halves of the number, so that the
 * consecutive numbers of one country's block spread evenly. Part of the data format: never change it.
 */
export function partitionOf(user: UserId): number {
  let h = ((user % 0x1_0000_0000) | 0) ^ Math.imul((user / 0x1_0000_0000) | 0, 0x9e37_79b1);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  h ^= h >>> 16;
  return (h >>> 0) % PARTITIONS;
}
