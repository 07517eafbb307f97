import type { Groups } from './groups.js';
import type { GroupDescription, Reading } from './reading.js';

/** Somebody who reads groups again and again: peaks are the most since his own reading before, whoever else reads. */
export class GroupReader {
  readonly #groups: Pick<Groups, 'describe' | 'read'>;
  #readAt: number | undefined;

  constructor(groups: Pick<Groups, 'describe' | 'read'>) {
    this.#groups = groups;
  }

  describe(): readonly GroupDescription[] {
    return this.#groups.describe();
  }

  /** @throws UnknownGroup */
  async read(names?: Iterable<string>): Promise<Reading> {
    const reading = await this.#groups.read(names, this.#readAt);
    this.#readAt = reading.uptimeMs;
    return reading;
  }
}
