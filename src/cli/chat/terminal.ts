import { type KeyEvent, KeyReader } from './key-reader.js';
import type { Picture } from './screen-model.js';

/** A lone Escape is one when nothing follows it for so long. */
const ESCAPE_MS = 40;

/**
 * A terminal as a screen: alternate buffer (what was there comes back), raw keys, and only those rows written
 * that changed. `restore` puts everything back and may be called at any time, also twice.
 */
export class Terminal {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #keys = new KeyReader();
  #shown: string[] = [];
  #isRestored = true;
  #escapeTimer: NodeJS.Timeout | null = null;
  #onKey: (event: KeyEvent) => void = () => {};
  readonly #onData = (data: Buffer): void => {
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#escapeTimer = null;
    for (const event of this.#keys.read(this.#decoder.decode(data, { stream: true }))) this.#onKey(event);
    if (this.#keys.isPending) {
      this.#escapeTimer = setTimeout(() => {
        for (const event of this.#keys.flush()) this.#onKey(event);
      }, ESCAPE_MS);
    }
  };
  readonly #decoder = new TextDecoder();

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  get columns(): number {
    return Math.max(20, this.#output.columns ?? 80);
  }

  get rows(): number {
    return Math.max(8, this.#output.rows ?? 24);
  }

  start(onKey: (event: KeyEvent) => void, onResize: () => void): void {
    this.#onKey = onKey;
    this.#isRestored = false;
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#input.on('data', this.#onData);
    this.#output.on('resize', () => {
      this.#shown = [];
      if (!this.#isRestored) onResize();
    });
    // Alternate screen, bracketed paste, focus events.
    this.#output.write('\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[2J');
  }

  /** The next `draw` writes every row. */
  forget(): void {
    this.#shown = [];
    this.#output.write('\x1b[2J');
  }

  draw({ rows, cursor }: Picture): void {
    if (this.#isRestored) return;
    // One synchronized update where the terminal knows it; the cursor is hidden while it jumps about.
    let bytes = '\x1b[?2026h\x1b[?25l';
    const height = this.rows;
    for (let row = 0; row < height; row++) {
      const text = rows[row] ?? '';
      if (this.#shown[row] === text) continue;
      bytes += `\x1b[${row + 1};1H\x1b[0m\x1b[2K${text}`;
      this.#shown[row] = text;
    }
    bytes += `\x1b[0m\x1b[${cursor.row + 1};${cursor.column + 1}H\x1b[?25h\x1b[?2026l`;
    this.#output.write(bytes);
  }

  bell(): void {
    if (!this.#isRestored) this.#output.write('\x07');
  }

  restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#input.off('data', this.#onData);
    this.#input.setRawMode(false);
    this.#input.pause();
    this.#output.write('\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l');
  }
}
