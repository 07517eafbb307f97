import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** More than most of the kernel's files have; those of many CPUs make it grow. */
const BUFFER_BYTES = 16 * 1024;

/**
 * The kernel's files, under a root that tests replace. They are in memory, so they are read at once; what is not there (another system,
 * an older kernel, a container that hides it) is null and never an error.
 */
export class ProcFiles {
  readonly #root: string;
  /** Files stay open: reading one again is a call of the system instead of four. */
  readonly #open = new Map<string, number>();
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);

  constructor(root = '/') {
    this.#root = root;
  }

  /** @param path such as `proc/stat`. */
  text(path: string): string | null {
    try {
      let file = this.#open.get(path);
      if (file === undefined) {
        file = openSync(join(this.#root, path), 'r');
        this.#open.set(path, file);
      }
      return this.#textOf(file);
    } catch {
      return null;
    }
  }

  /** Lets go of what is open. */
  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #textOf(file: number): string {
    // The buffer may be another one after it has been filled.
    const filled = this.#fill(file);
    return this.#buffer.toString('latin1', 0, filled);
  }

  #fill(file: number): number {
    for (let filled = 0; ; ) {
      const read = readSync(file, this.#buffer, filled, this.#buffer.length - filled, filled);
      filled += read;
      if (read === 0) return filled;
      if (filled === this.#buffer.length) {
        this.#buffer = Buffer.concat([this.#buffer], this.#buffer.length * 2);
      }
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
