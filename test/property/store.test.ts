import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.js';
import { MemoryStore } from '../../src/storage/memory/memory-store.js';
import { DATABASE_FILE } from '../../src/storage/sqlite/database-file.js';
import { SqliteStore, type SqliteStoreOptions } from '../../src/storage/sqlite/sqlite-store.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { HISTORY_LIMITS, HistoryPlayer, history, type MortalStore } from './store-history.js';

/** Crashes as a process does: what it wrote is in the files, in the middle of whatever it did. */
class MortalSqlite implements MortalStore {
  #folder = mkdtempSync(join(tmpdir(), 'rookery-property-'));
  readonly #options: Partial<SqliteStoreOptions>;
  opened: SqliteStore | null = null;

  constructor(options: Partial<SqliteStoreOptions>) {
    this.#options = options;
  }

  open(events: SqliteStoreOptions['events']): SqliteStore {
    this.opened = SqliteStore.open({
      folder: this.#folder,
      limits: HISTORY_LIMITS,
      events,
      now: 1_700_000_000_000,
      ...this.#options,
    });
    return this.opened;
  }

  crash(store: SqliteStore): void {
    const copy = mkdtempSync(join(tmpdir(), 'rookery-property-'));
    for (const name of readdirSync(this.#folder)) copyFileSync(join(this.#folder, name), join(copy, name));
    store.close();
    rmSync(this.#folder, { recursive: true });
    this.#folder = copy;
  }

  count({ figures }: SqliteStore): number {
    return figures.youngCount + figures.oldCount;
  }

  /** Of a store that is closed: the rows of its old generation. */
  oldRows(): number {
    const db = new Database(join(this.#folder, DATABASE_FILE));
    try {
      return db.prepare('SELECT count(*) FROM old').pluck().get() as number;
    } finally {
      db.close();
    }
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function checkSqlite(options: Partial<SqliteStoreOptions>, numRuns: number): void {
  fc.assert(
    fc.property(history, (steps) => {
      const under = new MortalSqlite(options);
      try {
        const player = new HistoryPlayer(under);
        try {
          player.play(steps);
        } finally {
          player.close();
        }
        assert.equal(under.opened?.figures.oldCount, under.oldRows());
      } finally {
        under.dispose();
      }
    }),
    { numRuns },
  );
}

/** Times as many histories as a quick run plays: the slow suite sets it. */
const FACTOR = Number(process.env['ROOKERY_PROPERTY_FACTOR'] ?? 1);

describe('random histories', () => {
  it('of the memory store equal the model, crashes of the machine included', () => {
    fc.assert(
      fc.property(history, fc.integer(), (steps, seed) => {
        const disk = new MemoryDisk();
        const random = new SeededRandom(seed);
        const player = new HistoryPlayer({
          open: (events) => new MemoryStore({ disk, limits: HISTORY_LIMITS, events, now: 1_000_000 }),
          crash: () => disk.crash(random),
        });
        player.play(steps);
      }),
      { numRuns: 200 * FACTOR },
    );
  });

  it('of the SQLite store equal the model, crashes of the process included', () =>
    checkSqlite({}, 5 * FACTOR));

  it('also when every batch dissolves the log', () =>
    checkSqlite({ youngBytesMax: 0, usersMax: 1 }, 5 * FACTOR));

  it('also when inboxes are long from three entries, and the log is short', () =>
    checkSqlite({ inboxYoungMax: 3, youngBytesMax: 1024, usersMax: 2, youngAgeMsMax: 1000 }, 8 * FACTOR));
});
