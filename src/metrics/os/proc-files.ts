import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The kernel's files, under a root that tests replace. They are in memory, so they are read at once; what is not there (another system,
 * an older kernel, a container that hides it) is null and never an error.
 */
export class ProcFiles {
  readonly #root: string;

  constructor(root = '/') {
    this.#root = root;
  }

  /** @param path such as `proc/stat`. */
  text(path: string): string | null {
    try {
      return readFileSync(join(this.#root, path), 'latin1');
    } catch {
      return null;
    }
  }

  /** Size as the file system says it. */
  size(path: string): number | null {
    try {
      return statSync(join(this.#root, path)).size;
    } catch {
      return null;
    }
  }

  exists(path: string): boolean {
    return this.size(path) !== null;
  }

  async entries(path: string): Promise<readonly string[] | null> {
    try {
      return await readdir(join(this.#root, path));
    } catch {
      return null;
    }
  }
}
