import type { Figure } from '../reading.js';
import { wholeNumber } from './parse-stat.js';

/** Lines of `Name: 123 kB` (`/proc/meminfo`, `/proc/self/status`); what is in kB comes as bytes. */
export function parseColons(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([^:]+):\s+(\d+)(?:\s+(kB))?\s*$/.exec(line);
    if (match !== null) values.set(match[1]!, Number(match[2]) * (match[3] === 'kB' ? 1024 : 1));
  }
  return values;
}

/** Lines of `name 123` (`/proc/vmstat`). */
export function parseWords(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    const value = space < 0 ? null : wholeNumber(line.slice(space + 1).trim());
    if (value !== null) values.set(line.slice(0, space), value);
  }
  return values;
}

/**
 * Pairs of lines, one with names and one with values, each led by the table's name (`/proc/net/snmp`, `/proc/net/netstat`):
 * `Tcp.RetransSegs` and the like. Kernels differ in which names there are and in their order.
 */
export function parsePairs(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  const lines = text.split('\n');
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const names = lines[index]!.trim().split(/ +/);
    const figures = lines[index + 1]!.trim().split(/ +/);
    const table = names[0]!;
    if (!table.endsWith(':') || figures[0] !== table) continue;
    for (let at = 1; at < names.length; at++) {
      // Tcp.MaxConn is −1.
      const value = wholeNumber(figures[at]);
      if (value !== null) values.set(`${table.slice(0, -1)}.${names[at]}`, value);
    }
  }
  return values;
}

/** `/proc/net/sockstat`: `TCP: inuse 4 orphan 0 …` as `TCP.inuse`. */
export function parseSockets(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [table = '', ...words] = line.trim().split(/\s+/);
    if (!table.endsWith(':')) continue;
    for (let at = 0; at + 1 < words.length; at += 2) {
      const value = wholeNumber(words[at + 1]);
      if (value !== null) values.set(`${table.slice(0, -1)}.${words[at]}`, value);
    }
  }
  return values;
}

/** `/proc/loadavg`: means over 1, 5 and 15 minutes. */
export function parseLoad(text: string): readonly Figure[] {
  const words = text.trim().split(' ');
  return [0, 1, 2].map((index) => (/^\d+(\.\d+)?$/.test(words[index] ?? '') ? Number(words[index]) : null));
}

/** `/proc/pressure/cpu`, `…/memory`, `…/io`: µs in which some task had to wait. null: the kernel does not say. */
export function parsePressure(text: string): Figure {
  const total = /^some .*\btotal=(\d+)/m.exec(text)?.[1];
  return total === undefined ? null : Number(total);
}

export interface SoftnetCounts {
  readonly processed: number;
  readonly dropped: number;
  /** Rounds cut short because the budget or the time was used up. */
  readonly squeezed: number;
}

/** `/proc/net/softnet_stat`: one line of hexadecimal words for each CPU; the sums. null for a text that has none. */
export function parseSoftnet(text: string): SoftnetCounts | null {
  let processed = 0;
  let dropped = 0;
  let squeezed = 0;
  let cpus = 0;
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})/.exec(line);
    if (match === null) continue;
    cpus++;
    processed += Number.parseInt(match[1]!, 16);
    dropped += Number.parseInt(match[2]!, 16);
    squeezed += Number.parseInt(match[3]!, 16);
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
    // An old kernel leaves no space behind the colon.
    const match = /^\s*([^\s|:]+(?::\d+)?):\s*(\d[\d\s]*)$/.exec(line);
    const figures = match === null ? [] : match[2]!.trim().split(/\s+/).map(Number);
    if (figures.length < 16) continue;
    found.push({ name: match![1]!, received: figures.slice(0, 8), sent: figures.slice(8) });
  }
  return found;
}

/** One line of `/proc/self/limits`: the soft limit; Infinity for `unlimited`, null for a line that is not there. */
export function parseLimit(text: string, name: string): Figure {
  const line = text.split('\n').find((line) => line.startsWith(name));
  const soft = line?.slice(name.length).trim().split(/\s+/)[0];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : wholeNumber(soft);
}

/** `/proc/sys/fs/file-nr`: open, free (always 0 since 2.6), limit. */
export function parseFileNumbers(text: string): { readonly open: Figure; readonly limit: Figure } {
  const words = text.trim().split(/\s+/);
  const [allocated, free] = [wholeNumber(words[0]), wholeNumber(words[1])];
  return {
    open: allocated === null || free === null ? null : allocated - free,
    limit: wholeNumber(words[2]),
  };
}
