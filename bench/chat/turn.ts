/** Something that writes at the end of a turn. */
export interface Dirty {
  /** Set while it is in the list. */
  dirty: boolean;
  flush(): void;
}

/**
 * One turn of the event loop: whoever received something, or may send again, is flushed once after all sockets
 * that were readable have been read, so each socket gets at most one write a turn.
 */
export class Turn {
  #dirty: Dirty[] = [];
  #spare: Dirty[] = [];
  readonly #flush = () => this.flush();

  mark(client: Dirty): void {
    if (client.dirty) return;
    client.dirty = true;
    if (this.#dirty.push(client) === 1) setImmediate(this.#flush);
  }

  flush(): void {
    const flushing = this.#dirty;
    this.#dirty = this.#spare;
    for (const client of flushing) {
      client.dirty = false;
      client.flush();
    }
    flushing.length = 0;
    this.#spare = flushing;
  }
}
