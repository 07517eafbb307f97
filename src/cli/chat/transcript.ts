import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MessageStatus } from '../../client/index.js';

/** A message as the terminal client keeps it. */
export interface ChatLine {
  readonly peer: number;
  readonly isOutgoing: boolean;
  /** The sender's id of it. */
  readonly id: number;
  /** The server's id; null until it is known. */
  readonly messageId: string | null;
  readonly time: number;
  readonly text: string;
  readonly status: MessageStatus;
  readonly failure: string | null;
}

type Record =
  | { readonly line: ChatLine }
  | { readonly peer: number; readonly id: number; readonly status: MessageStatus; readonly failure?: string }
  | { readonly contact: number; readonly name: string };

/** Lines of earlier runs that are kept in memory. */
const LINES_MAX = 5_000;

/**
 * What was said, in one file of JSON lines that only grows: a message is on the disk before it is acknowledged
 * to the server, which then forgets it. Later steps of a message are lines of their own.
 */
export class Transcript {
  readonly #file: number;
  readonly lines: ChatLine[] = [];
  /** Names of contacts, in the order in which they were met. */
  readonly names = new Map<number, string>();
  readonly #known = new Set<string>();

  /** Throws what the file system throws. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const text = readText(path);
    for (const record of recordsOf(text)) this.#apply(record);
    this.lines.splice(0, this.lines.length - LINES_MAX);
    this.#file = openSync(path, 'a', 0o600);
    // A line that a killed run left half-written must not swallow the next one.
    if (text !== '' && !text.endsWith('\n')) writeSync(this.#file, '\n');
  }

  /** False: it is there already (delivered again after a crash). */
  add(line: ChatLine): boolean {
    if (line.messageId !== null && !line.isOutgoing && this.#known.has(line.messageId)) return false;
    this.#append({ line });
    if (this.lines.length > LINES_MAX * 2) this.lines.splice(0, LINES_MAX);
    return true;
  }

  advance(peer: number, id: number, status: MessageStatus, failure: string | null): void {
    this.#append({ peer, id, status, ...(failure === null ? {} : { failure }) });
  }

  name(contact: number, name: string): void {
    if (this.names.get(contact) !== name) this.#append({ contact, name });
  }

  close(): void {
    closeSync(this.#file);
  }

  #append(record: Record): void {
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
    fdatasyncSync(this.#file);
    this.#apply(record);
  }

  #apply(record: Record): void {
    if ('line' in record) {
      this.lines.push(record.line);
      if (record.line.messageId !== null) this.#known.add(record.line.messageId);
      if (!this.names.has(record.line.peer)) this.names.set(record.line.peer, '');
    } else if ('contact' in record) {
      this.names.set(record.contact, record.name);
    } else {
      const at = this.lines.findLastIndex(
        (line) => line.isOutgoing && line.id === record.id && line.peer === record.peer,
      );
      const line = this.lines[at];
      if (line === undefined) return;
      this.lines[at] = { ...line, status: record.status, failure: record.failure ?? line.failure };
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function recordsOf(text: string): Record[] {
  const records: Record[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      records.push(JSON.parse(line) as Record);
    } catch {
      // The last line of a run that was killed while it wrote: that message was not acknowledged.
    }
  }
  return records;
}
