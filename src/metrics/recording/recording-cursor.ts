import type { GroupDescription } from '../reading.js';
import { ByteSource } from './byte-source.js';
import { BLOCK } from './format.js';
import { FrameDecoder } from './frame-decoder.js';
import { RecordingError } from './recording-error.js';
import type { Cut, RecordingFile } from './recording-file.js';
import type { Sample } from './sample.js';

/** What comes next in a file. */
export type Next =
  /** Its tables are written over by the next one. */
  | { readonly type: 'sample'; readonly sample: Sample }
  /** These bytes are damaged, and so many samples behind them cannot be read without them. */
  | { readonly type: 'cut'; readonly cut: Cut }
  | { readonly type: 'lost'; readonly samples: number }
  /** So far. `rest`: bytes that are no whole block: cut off, or being written. `isEnded`: nothing will ever follow. */
  | { readonly type: 'end'; readonly rest: number; readonly isEnded: boolean };

/** Reads the samples of a file one after the other. At the end it can be asked again: the file may have grown. */
export class RecordingCursor {
  readonly #file: RecordingFile;
  readonly #decoder: FrameDecoder;
  #offset: number;
  #lost = 0;
  /** What was found while the samples that are lost had to be said first. */
  #held: Next | null = null;

  /** @param wanted names of groups; null: all. */
  constructor(file: RecordingFile, wanted: ReadonlySet<string> | null = null) {
    this.#file = file;
    this.#decoder = new FrameDecoder(wanted);
    this.#offset = file.start;
  }

  /** Of the samples that came last. */
  get descriptions(): readonly GroupDescription[] {
    return this.#decoder.descriptions;
  }

  /** Where it goes on reading. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Goes to the last key frame at or before this wall-clock time: at most a minute before it. A clock that was set back passes it
   * several times: this is the first; or, if that cannot be told from key frames, the last one before it was set back.
   */
  seek(at: number): void {
    const { keys, descriptions } = this.#file.index();
    const key = keys.find((one, index) => {
      const next = keys[index + 1];
      return next === undefined || next.at > at || next.at < one.at;
    });
    if (key === undefined) return;
    const offset = descriptions.findLast((one) => one < key.offset);
    const found = offset === undefined ? null : this.#file.blockAt(offset);
    // Without its descriptions a key frame says nothing: then from the beginning.
    if (found?.type !== 'block' || found.block.type !== BLOCK.descriptions) return;
    this.#decoder.describe(new ByteSource(found.block.payload));
    this.#offset = key.offset;
  }

  next(): Next {
    if (this.#held !== null) {
      const held = this.#held;
      this.#held = null;
      return held;
    }
    for (;;) {
      const found = this.#file.blockAt(this.#offset);
      if (found.type === 'end') return this.#afterLost(found);
      if (found.type === 'cut') {
        this.#offset += found.cut.bytes;
        this.#decoder.forget();
        return this.#afterLost(found);
      }
      const { block } = found;
      this.#offset = block.end;
      const source = new ByteSource(block.payload);
      try {
        if (block.type === BLOCK.descriptions) this.#decoder.describe(source);
        if (block.type !== BLOCK.key && block.type !== BLOCK.delta) continue;
        const sample = this.#decoder.frame(source, block.type === BLOCK.key);
        if (sample === null) this.#lost++;
        else return this.#afterLost({ type: 'sample', sample });
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
        // As it was written, and all the same not to be understood.
        this.#decoder.forget();
        const cut = { offset: block.offset, bytes: block.end - block.offset };
        return this.#afterLost({ type: 'cut', cut });
      }
    }
  }

  #afterLost(next: Next): Next {
    if (this.#lost === 0) return next;
    const samples = this.#lost;
    this.#lost = 0;
    this.#held = next;
    return { type: 'lost', samples };
  }
}
