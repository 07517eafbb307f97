import type Database from 'better-sqlite3';

export interface EventRow {
  readonly sequence: number;
  readonly createdAt: number;
  readonly deleted: number;
  readonly tags: string;
  readonly data: string;
}

export interface SnapshotRow {
  readonly sequence: number;
  readonly createdAt: number;
  readonly data: string;
}

const EVENT = 'SELECT sequence, created_at AS createdAt, deleted, tags, data FROM events';

/** Everything that a journal asks of its database. */
export class JournalStatements {
  readonly begin: Database.Statement<[]>;
  readonly commit: Database.Statement<[]>;
  readonly key: Database.Statement<[string], { readonly id: number; readonly last: number | null }>;
  readonly addKey: Database.Statement<[string]>;
  /** key, sequence, created_at, deleted, tags, data */
  readonly insertEvent: Database.Statement<[number, number, number, number, string, string]>;
  readonly event: Database.Statement<[number, number], EventRow>;
  /** key, after, up to */
  readonly events: Database.Statement<[number, number, number], EventRow>;
  /** key, from, up to, how many of them to pass over: an event that is not deleted */
  readonly livingEvent: Database.Statement<[number, number, number, number], { readonly sequence: number }>;
  /** key, from, up to */
  readonly wipeEvents: Database.Statement<[number, number, number]>;
  /** key, all before */
  readonly removeEvents: Database.Statement<[number, number]>;
  readonly putSnapshot: Database.Statement<[number, number, number, string]>;
  /** key, key, how many older ones than the latest stay */
  readonly pruneSnapshots: Database.Statement<[number, number, number]>;
  readonly latestSnapshot: Database.Statement<[number], SnapshotRow>;
  /** key, up to */
  readonly deleteSnapshots: Database.Statement<[number, number]>;

  constructor(db: Database.Database) {
    this.begin = db.prepare('BEGIN IMMEDIATE');
    this.commit = db.prepare('COMMIT');
    this.key = db.prepare(
      'SELECT id, (SELECT max(sequence) FROM events WHERE events.key = keys.id) AS last FROM keys WHERE key = ?',
    );
    this.addKey = db.prepare('INSERT INTO keys (key) VALUES (?)');
    this.insertEvent = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)');
    this.event = db.prepare(`${EVENT} WHERE key = ? AND sequence = ?`);
    this.events = db.prepare(`${EVENT} WHERE key = ? AND sequence > ? AND sequence <= ? ORDER BY sequence`);
    this.livingEvent = db.prepare(
      `SELECT sequence FROM events WHERE key = ? AND sequence >= ? AND sequence <= ? AND deleted = 0
       ORDER BY sequence LIMIT 1 OFFSET ?`,
    );
    this.wipeEvents = db.prepare(
      `UPDATE events SET deleted = 1, tags = '[]', data = 'null'
       WHERE key = ? AND sequence >= ? AND sequence <= ? AND (deleted = 0 OR data <> 'null' OR tags <> '[]')`,
    );
    this.removeEvents = db.prepare('DELETE FROM events WHERE key = ? AND sequence < ?');
    this.putSnapshot = db.prepare(
      `INSERT INTO snapshots VALUES (?, ?, ?, ?)
       ON CONFLICT (key, sequence) DO UPDATE SET created_at = excluded.created_at, data = excluded.data`,
    );
    this.pruneSnapshots = db.prepare(
      `DELETE FROM snapshots WHERE key = ? AND sequence <
         (SELECT sequence FROM snapshots WHERE key = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?)`,
    );
    this.latestSnapshot = db.prepare(
      `SELECT sequence, created_at AS createdAt, data FROM snapshots WHERE key = ?
       ORDER BY sequence DESC LIMIT 1`,
    );
    this.deleteSnapshots = db.prepare('DELETE FROM snapshots WHERE key = ? AND sequence <= ?');
  }
}
