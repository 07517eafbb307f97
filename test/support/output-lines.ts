import type { Readable } from 'node:stream';

/** One line of a process's output; `fields` when it was a JSON object. */
export interface OutputLine {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The message of a log line, else the text. */
  readonly message: string;
}

/** The lines of a process, kept and waited for. */
export class OutputLines {
  readonly all: OutputLine[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  /** Follows another stream too: the lines of a restarted process are appended. */
  follow(stream: Readable): void {
    this.#ended = false;
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') this.all.push(parse(line));
      this.#wake();
    });
    stream.on('close', () => {
      if (rest !== '') this.all.push(parse(rest));
      rest = '';
      this.#ended = true;
      this.#wake();
    });
  }

  /** The first line from `from` on that fits, now or later. Rejects when the output ends without it. */
  find(fits: RegExp | ((line: OutputLine) => boolean), from = 0): Promise<OutputLine> {
    const matches =
      fits instanceof RegExp ? (line: OutputLine) => fits.test(line.message) || fits.test(line.text) : fits;
    return new Promise((resolve, reject) => {
      let at = from;
      const look = () => {
        for (; at < this.all.length; at++) {
          const line = this.all[at]!;
          if (!matches(line)) continue;
          this.#waiting.delete(look);
          resolve(line);
          return;
        }
        if (!this.#ended) return;
        this.#waiting.delete(look);
        reject(new Error(`the output ended without ${String(fits)}:\n${this.tail()}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  text(from = 0): string {
    return this.all
      .slice(from)
      .map((line) => line.text)
      .join('\n');
  }

  tail(lines = 30): string {
    return this.text(Math.max(0, this.all.length - lines));
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}

function parse(text: string): OutputLine {
  if (text.startsWith('{')) {
    try {
      const fields = JSON.parse(text) as Record<string, unknown>;
      return { text, fields, message: String(fields['msg'] ?? text) };
    } catch {
      // An ordinary line that happens to begin with a brace.
    }
  }
  return { text, fields: {}, message: text };
}
