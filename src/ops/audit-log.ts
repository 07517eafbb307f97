import { appendFileSync, chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Asker } from './action.js';

/** The file in the data folder. Older ones have a number: `operator-audit.1.jsonl` is the one before. */
export const AUDIT_FILE = 'operator-audit.jsonl';

const FILE_BYTES_MAX = 8 * 1024 * 1024;
const OLDER_FILES_MAX = 4;
/** Of one text within the parameters. */
const TEXT_CHARS_MAX = 200;
const PARAMS_CHARS_MAX = 4096;

/** How an action ended. `refused`: it was not done, and the operator was told why; `failed`: it threw. */
export type AuditOutcome = 'done' | 'refused' | 'failed';

export interface AuditEntry {
  /** Wall-clock ms at which it was asked for. */
  readonly at: number;
  readonly action: string;
  readonly asker: Asker;
  readonly params: Readonly<Record<string, unknown>>;
  readonly outcome: AuditOutcome;
  /** In words, unless it was done. */
  readonly error?: string;
  readonly tookMs: number;
}

export interface AuditLogOptions {
  readonly folder: string;
  /** A line could not be written, of an action that is done all the same: an operator is needed most when the disk is full. */
  readonly onError: (error: Error) => void;
  /** Size of one file. Default 8 MiB. */
  readonly fileBytesMax?: number;
  /** Files that are kept beside the one that is written. Default 4. */
  readonly olderFilesMax?: number;
}

/**
 * Who changed what: one line of JSON for each action that changes something, at the end of a file in the data folder that
 * only the owner can read. Bounded: a full file is put aside under a number, and the oldest goes.
 *
 *     {"time":"2026-01-31T03:04:05.678Z","action":"kill","author":"ada","from":"127.0.0.1","params":{"pid":"<1.2.0>"},"outcome":"done","tookMs":1.2}
 */
export class AuditLog {
  readonly path: string;
  readonly #options: AuditLogOptions;
  #bytes: number;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.path = join(options.folder, AUDIT_FILE);
    this.#bytes = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(entry: AuditEntry): void {
    const line = `${JSON.stringify(lineOf(entry))}\n`;
    const bytes = Buffer.byteLength(line);
    try {
      if (this.#bytes > 0 && this.#bytes + bytes > (this.#options.fileBytesMax ?? FILE_BYTES_MAX)) {
        this.#rotate();
      }
      appendFileSync(this.path, line, { mode: 0o600 });
      // A copy that was put back may have been open to others.
      if (this.#bytes === 0) chmodSync(this.path, 0o600);
      this.#bytes += bytes;
    } catch (error) {
      this.#options.onError(error as Error);
    }
  }

  #rotate(): void {
    const { folder, olderFilesMax = OLDER_FILES_MAX } = this.#options;
    const older = (number: number) => join(folder, AUDIT_FILE.replace('.', `.${number}.`));
    rmSync(older(olderFilesMax), { force: true });
    for (let number = olderFilesMax - 1; number >= 1; number--) {
      if (statSync(older(number), { throwIfNoEntry: false }) !== undefined)
        renameSync(older(number), older(number + 1));
    }
    if (olderFilesMax > 0) renameSync(this.path, older(1));
    else rmSync(this.path, { force: true });
    this.#bytes = 0;
  }
}

function lineOf({ at, action, asker, params, outcome, error, tookMs }: AuditEntry): object {
  return {
    time: new Date(at).toISOString(),
    action,
    author: asker.author,
    from: asker.address,
    params: bounded(params),
    outcome,
    ...(error === undefined ? {} : { error: cut(error) }),
    tookMs: Math.round(tookMs * 10) / 10,
  };
}

/** Parameters as they are written down: without what is secret, and long texts cut. */
export function withoutSecrets(
  params: Readonly<Record<string, unknown>>,
  secret: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, secret.includes(name) ? sizeOf(value) : value]),
  );
}

function sizeOf(value: unknown): string {
  return `(${(JSON.stringify(value) ?? '').length} characters)`;
}

function bounded(params: Readonly<Record<string, unknown>>): unknown {
  const text = JSON.stringify(params, (_key, value: unknown) =>
    typeof value === 'string' ? cut(value) : value,
  );
  return text.length > PARAMS_CHARS_MAX ? sizeOf(params) : (JSON.parse(text) as unknown);
}

function cut(text: string): string {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX - 1)}…` : text;
}
