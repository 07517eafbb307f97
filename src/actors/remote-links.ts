import type { Process } from './process.js';

/**
 * Which processes have links with which other scheduler, so that the loss of one need not look at all processes. A
 * process stays in it until it ends, also when it has unlinked itself: whoever asks looks at its links.
 */
export class RemoteLinks {
  readonly #linked = new Map<number, Set<Process<never>>>();

  add(process: Process<never>, scheduler: number): void {
    let linked = this.#linked.get(scheduler);
    if (linked === undefined) {
      linked = new Set();
      this.#linked.set(scheduler, linked);
    }
    linked.add(process);
  }

  forget(process: Process<never>): void {
    if (this.#linked.size === 0) return;
    for (const linked of this.#linked.values()) linked.delete(process);
  }

  /** Those of a scheduler, which is forgotten. */
  take(scheduler: number): Iterable<Process<never>> {
    const linked = this.#linked.get(scheduler);
    this.#linked.delete(scheduler);
    return linked ?? [];
  }
}
