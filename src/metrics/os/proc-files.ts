import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** More than most of the kernel's files have; those of many CPUs make it grow. */
const BUFFER_BYTES = 16 * 1024;

/** A piece that is smaller is the last one: the kernel fills pages of at least 4 KiB, and a line is shorter than the half of one. */
const LAST_BYTES_MAX = 2048;

/** A file that is open, and what was made of its text. */
interface OpenFile {
  readonly descriptor: number;
  /** What was in it when it was parsed. */
  bytes: Buffer | null;
  parse: ((text: string) => unknown) | null;
  parsed: unknown;
}

/**
 * The kernel's files, under a root that tests replace. They are in memory, so they are read at once; what is not there (another system,
 * an older kernel, a container that hides it) is null and never an error.
 */
export class ProcFiles {
  readonly #root: string;
  /** Files stay open: reading one again is a call of the system instead of four. */
  readonly #open = new Map<string, OpenFile>();
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);

  constructor(root = '/') {
    this.#root = root;
  }

  /**
   * What is in a file now, parsed: anew only if the file has changed since the same function has parsed it.
   *
   * @param path such as `proc/stat`
   * @param parse makes something of the text that nobody changes
   */
  parsed<T>(path: string, parse: (text: string) => T): T | null {
    const file = this.#file(path);
    const length = file === null ? -1 : this.#fill(file.descriptor);
    if (file === null || length < 0) return null;
    const { bytes } = file;
    if (
      file.parse === parse &&
      bytes !== null &&
      this.#buffer.compare(bytes, 0, bytes.length, 0, length) === 0
    ) {
      return file.parsed as T;
    }
    const parsed = parse(this.#buffer.toString('latin1', 0, length));
    file.parsed = parsed;
    file.parse = parse;
    if (bytes?.length === length) this.#buffer.copy(bytes, 0, 0, length);
    else file.bytes = Buffer.from(this.#buffer.subarray(0, length));
    return parsed;
  }

  /** Lets go of what is open. */
  close(): void {
    for (const { descriptor } of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #file(path: string): OpenFile | null {
    let file = this.#open.get(path);
    if (file !== undefined) return file;
    try {
      const descriptor = openSync(join(this.#root, path), 'r');
      file = { descriptor, bytes: null, parse: null, parsed: null };
      this.#open.set(path, file);
      return file;
    } catch {
      return null;
    }
  }

  /** Returns how many bytes of the buffer, which may be another one then, are of the file; −1: it cannot be read. */
  #fill(descriptor: number): number {
    try {
      for (let filled = 0; ; ) {
        const read = readSync(descriptor, this.#buffer, filled, this.#buffer.length - filled, filled);
        filled += read;
        if (read === 0) return filled;
        if (filled === this.#buffer.length) {
          this.#buffer = Buffer.concat([this.#buffer], this.#buffer.length * 2);
        } else if (read < LAST_BYTES_MAX) return filled;
      }
    } catch {
      return -1;
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

  async entries(path: string): Promise<readonly string[] | null> {
    try {
      return await readdir(join(this.#root, path));
    } catch {
      return null;
    }
  }
}
