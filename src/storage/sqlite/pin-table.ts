import type Database from 'better-sqlite3';
import { isPinForgotten, type PinState } from '../pin-rules.js';
import type { StoreLimits, UserId } from '../stores.js';

type PinRow = [hash: Uint8Array, madeAt: number, tries: number, dayStart: number, dayCount: number];

/** Rows looked at in one step of forgetting. */
const STEP_ROWS = 256;

/** The `pins` table. */
export class PinTable {
  readonly #select: Database.Statement;
  readonly #upsert: Database.Statement;
  readonly #behind: Database.Statement;
  readonly #delete: Database.Statement;
  #hand: UserId = -1;

  constructor(db: Database.Database) {
    this.#select = db
      .prepare('SELECT hash, made_at, tries, day_start, day_count FROM pins WHERE user = ?')
      .raw();
    this.#upsert = db.prepare('INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?, ?)');
    this.#behind = db
      .prepare(
        `SELECT user, hash, made_at, tries, day_start, day_count FROM pins WHERE user > ?
         ORDER BY user LIMIT ${STEP_ROWS}`,
      )
      .raw();
    this.#delete = db.prepare('DELETE FROM pins WHERE user = ?');
  }

  load(user: UserId): PinState | null {
    const row = this.#select.get(user) as PinRow | undefined;
    return row === undefined ? null : stateOf(row);
  }

  save(user: UserId, pin: PinState): void {
    this.#upsert.run(user, pin.hash, pin.madeAt, pin.tries, pin.dayStart, pin.dayCount);
  }

  /** Goes through the next rows and deletes those that do not matter any more. */
  forget(now: number, limits: StoreLimits): void {
    const rows = this.#behind.all(this.#hand) as [number, ...PinRow][];
    for (const [user, ...row] of rows) {
      if (isPinForgotten(stateOf(row), now, limits)) this.#delete.run(user);
    }
    this.#hand = rows.length < STEP_ROWS ? -1 : rows[rows.length - 1]![0];
  }
}

function stateOf(row: PinRow): PinState {
  return { hash: row[0], madeAt: row[1], tries: row[2], dayStart: row[3], dayCount: row[4] };
}
