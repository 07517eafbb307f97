import type { Figure } from '../reading.js';
import { behindLineStart, behindSpaces, wholeNumberAt, wholeNumbers, wordEnd } from './kernel-text.js';

/** Lines of `Name: 123 kB` (`/proc/meminfo`, `/proc/self/status`), by these names; what is in kB comes as bytes. */
export function parseColons(text: string, names: readonly string[]): readonly Figure[] {
  return names.map((name) => {
    const at = behindLineStart(text, `${name}:`);
    const value = at < 0 ? null : wholeNumberAt(text, at);
    if (value === null) return null;
    const unit = behindSpaces(text, wordEnd(text, behindSpaces(text, at)));
    return text.startsWith('kB', unit) ? value * 1024 : value;
  });
}

/** Lines of `name 123` (`/proc/vmstat`, `/proc/stat`), by these names. Of a line with more numbers the first. */
export function parseWords(text: string, names: readonly string[]): readonly Figure[] {
  return names.map((name) => {
    const at = behindLineStart(text, `${name} `);
    return at < 0 ? null : wholeNumberAt(text, at);
  });
}

/**
 * A pair of lines, one with names and one with values, each led by the table's name (`/proc/net/snmp`, `/proc/net/netstat`): the
 * values under these names. Kernels differ in which names there are and in their order.
 */
export function parsePairs(text: string, table: string, names: readonly string[]): readonly Figure[] {
  const found: Figure[] = names.map(() => null);
  const start = `${table}:`;
  let name = behindLineStart(text, start);
  const end = name < 0 ? -1 : text.indexOf('\n', name);
  if (end < 0 || !text.startsWith(start, end + 1)) return found;
  let value = end + 1 + start.length;
  for (let left = names.length; left > 0; ) {
    name = behindSpaces(text, name);
    value = behindSpaces(text, value);
    if (name >= end) break;
    const nameEnd = nextSpace(text, name, end);
    for (let index = 0; index < names.length; index++) {
      const wanted = names[index]!;
      if (wanted.length !== nameEnd - name || !text.startsWith(wanted, name)) continue;
      // Tcp.MaxConn is −1.
      found[index] = wholeNumberAt(text, value);
      left--;
    }
    name = nameEnd;
    value = nextSpace(text, value, text.length);
  }
  return found;
}

/** Looked for by the engine and not word by word: these lines have more than a hundred. */
function nextSpace(text: string, from: number, end: number): number {
  const at = text.indexOf(' ', from);
  return at < 0 || at > end ? end : at;
}

/** `/proc/net/sockstat`: a line of names and numbers by turns, `TCP: inuse 4 orphan 0 …`, by these names. */
export function parseSockets(text: string, table: string, names: readonly string[]): readonly Figure[] {
  const at = behindLineStart(text, `${table}:`);
  const end = at < 0 ? -1 : text.indexOf('\n', at);
  const line = at < 0 ? '' : text.slice(at, end < 0 ? text.length : end);
  return names.map((name) => {
    const word = line.indexOf(` ${name} `);
    return word < 0 ? null : wholeNumberAt(line, word + name.length + 2);
  });
}

/** `/proc/loadavg`: means over 1, 5 and 15 minutes. */
export function parseLoad(text: string): readonly Figure[] {
  const words = text.trim().split(' ');
  return [0, 1, 2].map((index) => (/^\d+(\.\d+)?$/.test(words[index] ?? '') ? Number(words[index]) : null));
}

/** `/proc/pressure/cpu`, `…/memory`, `…/io`: µs in which some task had to wait. null: the kernel does not say. */
export function parsePressure(text: string): Figure {
  const some = behindLineStart(text, 'some ');
  const total = some < 0 ? -1 : text.indexOf(' total=', some);
  return total < 0 ? null : wholeNumberAt(text, total + 7);
}

export interface SoftnetCounts {
  readonly processed: number;
  readonly dropped: number;
  /** Rounds cut short because the budget or the time was used up. */
  readonly squeezed: number;
}

/** Of each of the first words of a line, with the space behind it. */
const SOFTNET_CHARS = 9;

/** `/proc/net/softnet_stat`: one line of hexadecimal words for each CPU; the sums. null for a text that has none. */
export function parseSoftnet(text: string): SoftnetCounts | null {
  let processed = 0;
  let dropped = 0;
  let squeezed = 0;
  let cpus = 0;
  for (let at = 0; at < text.length; ) {
    const word = (index: number) => {
      const start = at + index * SOFTNET_CHARS;
      const end = start + SOFTNET_CHARS - 1;
      return wordEnd(text, start) === end ? Number.parseInt(text.slice(start, end), 16) : Number.NaN;
    };
    const counts = [word(0), word(1), word(2)] as const;
    if (!counts.some(Number.isNaN)) {
      cpus++;
      processed += counts[0];
      dropped += counts[1];
      squeezed += counts[2];
    }
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end + 1;
  }
  return cpus === 0 ? null : { processed, dropped, squeezed };
}

export interface InterfaceCounts {
  readonly name: string;
  /** In the order of `/proc/net/dev`: bytes, packets, errors, drops, … received; bytes, packets, errors, drops, … sent. */
  readonly received: readonly number[];
  readonly sent: readonly number[];
}

/** `/proc/net/dev`. */
export function parseInterfaces(text: string): readonly InterfaceCounts[] {
  const found: InterfaceCounts[] = [];
  for (const line of text.split('\n')) {
    // The last one: an alias has one in its name. An old kernel leaves no space behind it.
    const colon = line.lastIndexOf(':');
    if (colon < 0) continue;
    const figures = wholeNumbers(line, colon + 1);
    if (figures.length < 16) continue;
    const name = line.slice(0, colon).trim();
    found.push({ name, received: figures.slice(0, 8), sent: figures.slice(8) });
  }
  return found;
}

/** One line of `/proc/self/limits`: the soft limit; Infinity for `unlimited`, null for a line that is not there. */
export function parseLimit(text: string, name: string): Figure {
  const at = behindLineStart(text, name);
  if (at < 0) return null;
  const soft = behindSpaces(text, at);
  return text.startsWith('unlimited', soft) ? Number.POSITIVE_INFINITY : wholeNumberAt(text, soft);
}

/** `/proc/sys/fs/file-nr`: open, free (always 0 since 2.6), limit. */
export function parseFileNumbers(text: string): { readonly open: Figure; readonly limit: Figure } {
  const [allocated = null, free = null, limit = null] = wholeNumbers(text, 0);
  return { open: allocated === null || free === null ? null : allocated - free, limit };
}
