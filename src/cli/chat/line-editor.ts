import { characters, width } from './text-layout.js';

/** What a line of input is: characters as people count them, and a place between them. Immutable. */
export interface EditedLine {
  readonly text: readonly string[];
  readonly cursor: number;
}

export const EMPTY_LINE: EditedLine = { text: [], cursor: 0 };

export function lineText(line: EditedLine): string {
  return line.text.join('');
}

export function lineOf(text: string): EditedLine {
  const parts = characters(text);
  return { text: parts, cursor: parts.length };
}

/** What a key does to the line; the same line when it means nothing here. */
export function edit(line: EditedLine, key: string): EditedLine {
  const { text, cursor } = line;
  switch (key) {
    case 'left':
    case 'ctrl-b':
      return { text, cursor: Math.max(0, cursor - 1) };
    case 'right':
    case 'ctrl-f':
      return { text, cursor: Math.min(text.length, cursor + 1) };
    case 'home':
    case 'ctrl-a':
      return { text, cursor: 0 };
    case 'end':
    case 'ctrl-e':
      return { text, cursor: text.length };
    case 'word-left':
      return { text, cursor: wordStart(text, cursor) };
    case 'word-right':
      return { text, cursor: wordEnd(text, cursor) };
    case 'backspace':
    case 'ctrl-h':
      return cursor === 0 ? line : { text: text.toSpliced(cursor - 1, 1), cursor: cursor - 1 };
    case 'delete':
    case 'ctrl-d':
      return { text: text.toSpliced(cursor, 1), cursor };
    case 'ctrl-u':
      return { text: text.slice(cursor), cursor: 0 };
    case 'ctrl-k':
      return { text: text.slice(0, cursor), cursor };
    case 'ctrl-w': {
      const start = wordStart(text, cursor);
      return { text: text.toSpliced(start, cursor - start), cursor: start };
    }
    default:
      return line;
  }
}

export function insert(line: EditedLine, added: string): EditedLine {
  // Joined first: what is typed may belong to the character before it (an accent, a skin colour).
  const before = line.text.slice(0, line.cursor).join('') + added;
  const parts = characters(before);
  return { text: [...parts, ...line.text.slice(line.cursor)], cursor: parts.length };
}

/** The part of the line that is seen in `columns`, and the column of the cursor in it. */
export function viewOf(
  line: EditedLine,
  columns: number,
): { readonly text: string; readonly column: number } {
  const shown = line.text.map((part) => (part === '\n' ? '⏎' : part));
  let start = 0;
  let column = width(shown.slice(0, line.cursor).join(''));
  while (column >= columns && start < line.cursor) {
    column -= width(shown[start]!);
    start += 1;
  }
  let text = '';
  let used = 0;
  for (const part of shown.slice(start)) {
    const wide = width(part);
    if (used + wide > columns) break;
    text += part;
    used += wide;
  }
  return { text, column };
}

function wordStart(text: readonly string[], from: number): number {
  let at = from;
  while (at > 0 && /\s/.test(text[at - 1]!)) at -= 1;
  while (at > 0 && !/\s/.test(text[at - 1]!)) at -= 1;
  return at;
}

function wordEnd(text: readonly string[], from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at]!)) at += 1;
  while (at < text.length && !/\s/.test(text[at]!)) at += 1;
  return at;
}
