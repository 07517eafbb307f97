import type { Figure } from '../reading.js';

/**
 * Finding numbers in the kernel's texts without taking them apart: they are read every second, most of what is in them is
 * of no interest, and what a reading leaves behind for the collector is most of what it costs.
 */

const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ZERO = 0x30;
const NINE = 0x39;

/** Where the text goes on behind the beginning of the first line that begins so; −1: there is none. */
export function behindLineStart(text: string, start: string): number {
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1)) {
    if (at === 0 || text.charCodeAt(at - 1) === NEWLINE) return at + start.length;
  }
  return -1;
}

/** The whole number that comes next in this line, behind spaces; null for a word that is none, or no word. */
export function wholeNumberAt(text: string, from: number): Figure {
  let at = behindSpaces(text, from);
  const start = at;
  let value = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > NINE - ZERO) break;
    value = value * 10 + digit;
  }
  return at === start || !isWordEnd(text, at) ? null : value;
}

/** Where the next word of this line begins, behind spaces: at the line's end there is none. */
export function behindSpaces(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== SPACE && code !== TAB) break;
  }
  return at;
}

/** Where the word that is here ends. */
export function wordEnd(text: string, from: number): number {
  let at = from;
  while (!isWordEnd(text, at)) at++;
  return at;
}

function isWordEnd(text: string, at: number): boolean {
  if (at >= text.length) return true;
  const code = text.charCodeAt(at);
  return code === SPACE || code === TAB || code === NEWLINE || code === CARRIAGE_RETURN;
}

/** All whole numbers of this line from here on, up to the first word that is none. */
export function wholeNumbers(text: string, from: number): readonly number[] {
  const numbers: number[] = [];
  for (let at = from; ; ) {
    at = behindSpaces(text, at);
    const number = wholeNumberAt(text, at);
    if (number === null) return numbers;
    numbers.push(number);
    at = wordEnd(text, at);
  }
}
