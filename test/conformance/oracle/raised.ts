import type { Term } from './term.js';

/** An op that raised, as the result of an op. */
export class Raised {
  constructor(
    readonly errorClass: string,
    readonly reason: Term,
  ) {}
}
