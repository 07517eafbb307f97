/** Why a store cannot be opened. */
export const StoreOpenReason = {
  /** The folder does not exist. */
  missing: 'missing',
  /** The folder or a file in it cannot be written. */
  notWritable: 'not-writable',
  /** Another server holds it. */
  locked: 'locked',
  /** A file in it is not what it should be. */
  corrupt: 'corrupt',
  /** Written by a newer version. */
  tooNew: 'too-new',
  /** The engine on this machine would not keep the promise (too old, or not durable). */
  engine: 'engine',
  /** No room. */
  diskFull: 'disk-full',
  io: 'io',
} as const;
export type StoreOpenReason = (typeof StoreOpenReason)[keyof typeof StoreOpenReason];

/** The store cannot be opened; the message names the path and says what to do. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
  readonly reason: StoreOpenReason;
  readonly path: string;
  /** The message without the path. */
  readonly advice: string;

  constructor(reason: StoreOpenReason, path: string, advice: string, cause?: unknown) {
    super(`${path}: ${advice}`, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.path = path;
    this.advice = advice;
  }
}
