import type Database from 'better-sqlite3';

/**
 * Counters of the whole file. `reserved`: no seq above was ever given out. `last`: the last seq at the last
 * clean close. `opens`, `epoch`: see epoch-file.ts.
 */
export type MetaKey = 'epoch' | 'opens' | 'reserved' | 'last';

export class MetaTable {
  readonly #select: Database.Statement;
  readonly #update: Database.Statement;

  constructor(db: Database.Database) {
    this.#select = db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
    this.#update = db.prepare('UPDATE meta SET value = ? WHERE key = ?');
  }

  get(key: MetaKey): number {
    return (this.#select.get(key) as number | undefined) ?? 0;
  }

  set(key: MetaKey, value: number): void {
    this.#update.run(value, key);
  }
}
