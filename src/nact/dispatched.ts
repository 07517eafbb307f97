import type { Reference } from './nact-internals.js';

/** A message that came by nact's dispatch, with its sender. */
export class Dispatched {
  constructor(
    readonly message: unknown,
    readonly sender: Reference,
  ) {}
}
