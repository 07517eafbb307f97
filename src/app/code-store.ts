import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf } from '../hot-code/bundle.js';
import type { CodeText } from '../hot-code/index.js';
import { replaceFile } from '../structures/replace-file.js';

/** What the ledger keeps of a text: everything but the text. */
export type CodeNote = Omit<CodeText, 'text'>;

export function noteOf({ text: _, ...note }: CodeText): CodeNote {
  return note;
}

/** The texts that were loaded, in `code/` of the data folder, each under the hash of what it holds. */
export class CodeStore {
  readonly #folder: string;

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'code');
  }

  /** On disk when it returns. */
  save(texts: readonly CodeText[]): void {
    if (texts.length === 0) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const { hash, text } of texts) replaceFile(this.#path(hash), text);
  }

  /** @throws Error if the text is gone, or is not what it was. */
  read(note: CodeNote): CodeText {
    const text = readFileSync(this.#path(note.hash), 'utf8');
    const hash = hashOf(text);
    if (hash !== note.hash) throw new Error(`${this.#path(note.hash)} has the hash ${hash} now`);
    return { ...note, text };
  }

  /** Removes what nobody will ask for again. */
  keep(hashes: ReadonlySet<string>): void {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return;
    }
    for (const name of names) {
      if (!hashes.has(name.replace(/\.cjs$/, ''))) rmSync(join(this.#folder, name), { force: true });
    }
  }

  #path(hash: string): string {
    return join(this.#folder, `${hash}.cjs`);
  }
}
