import type Database from 'better-sqlite3';
import { restoreWindow, windowWords } from '../dedupe-window.js';
import type { Seq, UserId } from '../stores.js';
import { UserState, WINDOW_WORDS } from '../user-state.js';

type UserRow = [
  device: number,
  keySalt: Uint8Array,
  keyHash: Uint8Array,
  name: string,
  lastSeen: number,
  firstMessageId: number,
  highest: number,
  window: Uint8Array,
  head: number,
  acked: number,
  floor: number,
  truncated: number,
  blockedCount: number,
  oldCount: number,
  oldBytes: number,
  oldHead: number,
  folded: number,
];

/** A de-duplication window between row and state. */
const rowWindow = new Int32Array(WINDOW_WORDS);
const rowWindowBytes = new Uint8Array(rowWindow.buffer);

const COLUMNS = [
  'device',
  'key_salt',
  'key_hash',
  'name',
  'last_seen',
  'first_message_id',
  'highest',
  'window',
  'head',
  'acked',
  'floor',
  'truncated',
  'blocked_count',
  'old_count',
  'old_bytes',
  'old_head',
  'folded',
];

/** The `users` and `blocks` tables: states in, states out. What is held in memory is the cache's business. */
export class UserTable {
  readonly #select: Database.Statement;
  readonly #upsert: Database.Statement;
  readonly #selectBlocked: Database.Statement;
  readonly #insertBlock: Database.Statement;
  readonly #deleteBlock: Database.Statement;

  constructor(db: Database.Database) {
    this.#select = db.prepare(`SELECT ${COLUMNS.join(', ')} FROM users WHERE user = ?`).raw();
    this.#upsert = db.prepare(
      `INSERT INTO users (user, ${COLUMNS.join(', ')}) VALUES (?${', ?'.repeat(COLUMNS.length)})
       ON CONFLICT (user) DO UPDATE SET ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    );
    this.#selectBlocked = db.prepare('SELECT peer FROM blocks WHERE user = ?').pluck();
    this.#insertBlock = db.prepare('INSERT OR IGNORE INTO blocks (user, peer) VALUES (?, ?)');
    this.#deleteBlock = db.prepare('DELETE FROM blocks WHERE user = ? AND peer = ?');
  }

  /** The state as of its row; null when there is none. */
  load(user: UserId): UserState | null {
    const row = this.#select.get(user) as UserRow | undefined;
    if (row === undefined) return null;
    const state = new UserState(user);
    const window = row[7];
    state.device = row[0];
    state.setKey(row[1], row[2]);
    state.name = row[3];
    state.lastSeen = row[4];
    state.firstMessageId = row[5];
    state.highest = row[6];
    rowWindowBytes.set(window);
    restoreWindow(state, rowWindow);
    state.head = row[8];
    state.acked = row[9];
    state.floor = row[10];
    state.truncated = row[11];
    state.blockedCount = row[12];
    state.oldCount = row[13];
    state.oldBytes = row[14];
    state.oldHead = row[15];
    state.folded = row[16];
    state.pendingCount = state.oldCount;
    state.pendingBytes = state.oldBytes;
    return state;
  }

  /** Writes the row; `folded`: the last seq whose effects it holds. */
  save(state: UserState, folded: Seq): void {
    state.folded = folded;
    rowWindow.set(windowWords(state));
    this.#upsert.run(
      state.user,
      state.device,
      state.keySalt,
      state.keyHash,
      state.name,
      state.lastSeen,
      state.firstMessageId,
      state.highest,
      rowWindowBytes,
      state.head,
      state.acked,
      state.floor,
      state.truncated,
      state.blockedCount,
      state.oldCount,
      state.oldBytes,
      state.oldHead,
      folded,
    );
  }

  blocked(user: UserId): UserId[] {
    return this.#selectBlocked.all(user) as UserId[];
  }

  saveBlock(user: UserId, peer: UserId, on: boolean): void {
    (on ? this.#insertBlock : this.#deleteBlock).run(user, peer);
  }
}
