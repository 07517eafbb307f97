import type Database from 'better-sqlite3';
import type { DatabaseKind } from './database.js';

/** "RkJl". */
const APPLICATION_ID = 0x526b_4a6c;
const SCHEMA_VERSION = 1;

/**
 *     keys       a number for each key
 *     events     clustered by (key, sequence): an actor's events are read together. The last one of a key is never
 *                removed, so its numbering needs no row of its own
 *     snapshots  rows of their own, for they may be long
 */
const TABLES = `
CREATE TABLE keys (
  id  INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE events (
  key        INTEGER NOT NULL,
  sequence   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  deleted    INTEGER NOT NULL,
  tags       TEXT NOT NULL,
  data       TEXT NOT NULL,
  PRIMARY KEY (key, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE snapshots (
  key        INTEGER NOT NULL,
  sequence   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  data       TEXT NOT NULL,
  UNIQUE (key, sequence)
) STRICT;
`;

function createTables(db: Database.Database): void {
  db.transaction(() => {
    db.exec(TABLES);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
}

/** A journal's file. */
export const JOURNAL: DatabaseKind = {
  applicationId: APPLICATION_ID,
  schemaVersion: SCHEMA_VERSION,
  createTables,
  cacheKib: 8 * 1024,
  checkpointPages: 512,
  lockedAdvice:
    'somebody else has this journal open; a journal belongs to one process, and there to one thread',
};
