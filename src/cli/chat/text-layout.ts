import stringWidth from 'string-width';

/** Text in columns of a terminal. Lengths are in columns; styles (SGR sequences) take none. */

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function width(text: string): number {
  return stringWidth(text);
}

/** Cuts plain text to `columns`, with an ellipsis where something was cut. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (stringWidth(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = stringWidth(segment);
    if (used + next > columns - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

/** Cuts styled text; the styles behind the cut still apply, so that none is left open. */
export function clipStyled(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let left = columns;
  return text
    .split(STYLE)
    .map((part) => {
      if (part.startsWith('\x1b')) return part;
      const kept = left <= 0 ? '' : clip(part, left);
      // A part that just fits still leaves no room for the ellipsis that says what is missing behind it.
      left = kept === part ? left - stringWidth(part) : 0;
      return kept;
    })
    .join('');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: styles begin with one
const STYLE = /(\x1b\[[0-9;]*m)/;

/** Fills with spaces on the right up to `columns`; styled text is allowed, longer text is left alone. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}

/** Breaks plain text at spaces into lines of at most `columns`; words that are longer are broken anywhere. */
export function wrap(text: string, columns: number): string[] {
  const limit = Math.max(1, columns);
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    let used = 0;
    for (const word of paragraph.match(/\s+|\S+/g) ?? []) {
      const wide = stringWidth(word);
      if (used + wide <= limit) {
        line += word;
        used += wide;
        continue;
      }
      if (/^\s/.test(word)) {
        lines.push(line);
        line = '';
        used = 0;
        continue;
      }
      if (used > 0) {
        lines.push(line.trimEnd());
        line = '';
        used = 0;
      }
      for (const { segment } of graphemes.segment(word)) {
        const next = stringWidth(segment);
        if (used + next > limit && line !== '') {
          lines.push(line);
          line = '';
          used = 0;
        }
        line += segment;
        used += next;
      }
    }
    lines.push(line);
  }
  return lines;
}

/** The characters of a text as people count them. */
export function characters(text: string): string[] {
  return [...graphemes.segment(text)].map(({ segment }) => segment);
}
