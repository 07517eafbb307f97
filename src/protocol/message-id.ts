/**
 * The id of a stored message: 64 bits, derived from its entry and so the same wherever it is computed.
 *
 *      63                      22 21      16 15            0
 *     │ time, ms since 1970 (42) │ partition │ seq mod 65536 │
 *
 * Ids of one partition increase with time; as 16 hexadecimal digits they sort like the numbers. The time
 * lasts until the year 2109. JavaScript has no 64-bit number, so an id is two unsigned halves.
 */
export interface MessageId {
  readonly high: number;
  readonly low: number;
}

/** Upper 32 bits of the id of an entry accepted at `time`. */
export function messageIdHigh(time: number): number {
  return Math.floor(time / 1024) >>> 0;
}

/** Lower 32 bits. */
export function messageIdLow(time: number, partition: number, seq: number): number {
  // Only the lowest bits of each are wanted, so that cutting them to 32-bit integers does no harm.
  return ((time << 22) | ((partition & 0x3f) << 16) | (seq & 0xffff)) >>> 0;
}

export function messageIdOf(time: number, partition: number, seq: number): MessageId {
  return { high: messageIdHigh(time), low: messageIdLow(time, partition, seq) };
}

/** Wall-clock ms at which the server accepted the message. */
export function messageIdTime(high: number, low: number): number {
  return high * 1024 + (low >>> 22);
}

/** The partition (0–63) that the message went to. */
export function messageIdPartition(low: number): number {
  return (low >>> 16) & 0x3f;
}

/** 16 lower-case hexadecimal digits. */
export function formatMessageId(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** The reverse of {@link formatMessageId}; null for anything else. */
export function parseMessageId(text: string): MessageId | null {
  if (!/^[0-9a-f]{16}$/.test(text)) return null;
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8), 16) };
}

/** Negative, 0 or positive, as a sort wants it. */
export function compareMessageIds(a: MessageId, b: MessageId): number {
  return a.high === b.high ? a.low - b.low : a.high - b.high;
}
