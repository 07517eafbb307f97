/** What a person does at the keyboard: a named key, or text (typed or pasted). */
export type KeyEvent = { readonly key: string } | { readonly text: string };

const NAMED: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  '[H': 'home',
  '[F': 'end',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[4~': 'end',
  '[7~': 'home',
  '[8~': 'end',
  '[3~': 'delete',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[Z': 'back-tab',
  '[1;5C': 'word-right',
  '[1;5D': 'word-left',
  '[1;3C': 'word-right',
  '[1;3D': 'word-left',
  '[1;3A': 'alt-up',
  '[1;3B': 'alt-down',
  '[1;5A': 'alt-up',
  '[1;5B': 'alt-down',
  '[I': 'focus',
  '[O': 'blur',
  f: 'word-right',
  b: 'word-left',
  '\r': 'alt-enter',
  '\x7f': 'ctrl-w',
};

const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/**
 * Makes key events of what a terminal sends (ECMA-48 control sequences as xterm uses them, bracketed paste).
 * Keeps the beginning of a sequence until the rest arrives; a lone Escape is told by `flush`, which the caller
 * calls after a pause.
 */
export class KeyReader {
  #rest = '';
  #pasted: string | null = null;

  read(input: string): KeyEvent[] {
    const events: KeyEvent[] = [];
    let rest = this.#rest + input;
    this.#rest = '';
    while (rest !== '') {
      if (this.#pasted !== null) {
        const end = rest.indexOf(PASTE_END);
        if (end < 0) {
          // The end mark may be cut in two.
          const keep = Math.max(0, rest.length - PASTE_END.length + 1);
          this.#pasted += rest.slice(0, keep);
          this.#rest = rest.slice(keep);
          break;
        }
        events.push({ text: (this.#pasted + rest.slice(0, end)).replace(/\r\n?/g, '\n') });
        this.#pasted = null;
        rest = rest.slice(end + PASTE_END.length);
        continue;
      }
      if (rest.startsWith(PASTE_BEGIN)) {
        this.#pasted = '';
        rest = rest.slice(PASTE_BEGIN.length);
        continue;
      }
      if (rest[0] === '\x1b') {
        const sequence = SEQUENCE.exec(rest)?.[1];
        if (sequence === undefined) {
          this.#rest = rest;
          break;
        }
        const key = NAMED[sequence];
        if (key !== undefined) events.push({ key });
        rest = rest.slice(sequence.length + 1);
        continue;
      }
      const code = rest.charCodeAt(0);
      if (code < 0x20 || code === 0x7f) {
        events.push({ key: controlName(code) });
        rest = rest.slice(1);
        continue;
      }
      const text = PLAIN.exec(rest)![0];
      events.push({ text });
      rest = rest.slice(text.length);
    }
    return events;
  }

  /** Whether something waits for its rest. */
  get isPending(): boolean {
    return this.#rest !== '' && this.#pasted === null;
  }

  /** Nothing more came: an Escape on its own was a key. */
  flush(): KeyEvent[] {
    if (!this.isPending) return [];
    const isEscape = this.#rest === '\x1b';
    this.#rest = '';
    return isEscape ? [{ key: 'escape' }] : [];
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SEQUENCE = /^\x1b(\[[0-?]*[ -/]*[@-~]|O[A-Za-z]|[^[O])/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: everything else is text
const PLAIN = /^[^\x00-\x1f\x7f]+/;

function controlName(code: number): string {
  if (code === 13) return 'enter';
  if (code === 10) return 'alt-enter';
  if (code === 9) return 'tab';
  if (code === 127) return 'backspace';
  return `ctrl-${String.fromCharCode(code + 96)}`;
}
