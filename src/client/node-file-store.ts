import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../structures/replace-file.js';
import {
  applyChange,
  type ClientStore,
  EMPTY_STATE,
  type OutboxKind,
  type StoreChange,
  type StoredState,
} from './client-store.js';

/**
 * The client's memory in one JSON file, for Node: written beside it, flushed, renamed over it, and the folder
 * flushed (so a crash leaves the old state or the new one, never half of it). Synchronous: the file is as
 * large as the outbox, which is nearly always empty.
 *
 * The file holds the device key, so only its owner may read it (mode 600). A lock file with the process id
 * beside it keeps a second process away: two clients of one device would cut off each other's connection.
 */
export class NodeFileStore implements ClientStore {
  readonly #path: string;
  readonly #lockPath: string;
  #state: StoredState = EMPTY_STATE;
  #locked = false;

  constructor(path: string) {
    this.#path = path;
    this.#lockPath = `${path}.lock`;
  }

  load(done: (error: Error | null, state: StoredState) => void): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      this.#lock();
      this.#state = read(this.#path);
    } catch (error) {
      this.close();
      done(asError(error), EMPTY_STATE);
      return;
    }
    done(null, this.#state);
  }

  save(change: StoreChange, done: (error: Error | null) => void): void {
    const next = applyChange(this.#state, change);
    try {
      replaceFile(this.#path, JSON.stringify(toFile(next)));
    } catch (error) {
      done(asError(error));
      return;
    }
    this.#state = next;
    done(null);
  }

  close(): void {
    if (!this.#locked) return;
    this.#locked = false;
    locked.delete(this.#lockPath);
    rmSync(this.#lockPath, { force: true });
  }

  #lock(): void {
    if (locked.has(this.#lockPath)) throw new Error(`${this.#path} is in use by this process`);
    for (let tries = 0; ; tries++) {
      try {
        writeFileSync(this.#lockPath, String(process.pid), { flag: 'wx', mode: 0o600 });
        this.#locked = true;
        locked.add(this.#lockPath);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 0) throw error;
        const owner = Number(readFileSync(this.#lockPath, 'utf8'));
        if (isAlive(owner)) {
          throw new Error(`${this.#path} is in use by process ${owner}`);
        }
        // Left by a process that was killed.
        rmSync(this.#lockPath, { force: true });
      }
    }
  }
}

/** Lock files of this process: its own id in one that is not here was left by a process before it. */
const locked = new Set<string>();

interface StateFile {
  readonly version: 1;
  readonly credentials: { readonly user: number; readonly device: number; readonly key: string } | null;
  readonly cursor: { readonly epoch: number; readonly seq: number };
  readonly nextMessageId: number;
  readonly outbox: readonly {
    readonly id: number;
    readonly kind: OutboxKind;
    readonly to: number;
    readonly body: string;
  }[];
}

function toFile(state: StoredState): StateFile {
  const { credentials } = state;
  return {
    version: 1,
    credentials:
      credentials === null ? null : { ...credentials, key: Buffer.from(credentials.key).toString('base64') },
    cursor: state.cursor,
    nextMessageId: state.nextMessageId,
    outbox: state.outbox.map(({ id, kind, to, body }) => ({
      id,
      kind,
      to,
      body: Buffer.from(body).toString('base64'),
    })),
  };
}

function read(path: string): StoredState {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY_STATE;
    throw error;
  }
  let file: StateFile;
  try {
    file = JSON.parse(text) as StateFile;
  } catch (error) {
    throw new Error(`${path} is damaged: ${asError(error).message}`);
  }
  if (file.version !== 1) throw new Error(`${path} has format ${file.version}, this program knows 1`);
  const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
  return {
    credentials: file.credentials === null ? null : { ...file.credentials, key: bytes(file.credentials.key) },
    cursor: file.cursor,
    nextMessageId: file.nextMessageId,
    outbox: file.outbox.map((record) => ({ ...record, body: bytes(record.body) })),
  };
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
