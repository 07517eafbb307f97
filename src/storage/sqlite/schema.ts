import type Database from 'better-sqlite3';

/** In the file's header: says that it is ours. "Rook". */
export const APPLICATION_ID = 0x526f_6f6b;
/** In the file's header: the version of the tables below and of the records in the log. */
export const SCHEMA_VERSION = 1;

/**
 *     meta    counters of the whole file
 *     log     the young generation: one row of records for each commit (young-log.ts)
 *     old     the old generation: entries that stayed, clustered by inbox
 *     users   what the log's removed rows amount to, for each user; `folded`: up to which seq
 *     blocks  who blocks whom
 *     pins    PINs of numbers, registered or not
 */
const TABLES = `
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE log (
  first   INTEGER PRIMARY KEY,
  records BLOB NOT NULL
) STRICT;
CREATE TABLE old (
  inbox  INTEGER NOT NULL,
  seq    INTEGER NOT NULL,
  time   INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  sender INTEGER NOT NULL,
  ref    INTEGER NOT NULL,
  body   BLOB NOT NULL,
  PRIMARY KEY (inbox, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE users (
  user             INTEGER PRIMARY KEY,
  device           INTEGER NOT NULL,
  key_salt         BLOB NOT NULL,
  key_hash         BLOB NOT NULL,
  name             TEXT NOT NULL,
  last_seen        INTEGER NOT NULL,
  first_message_id INTEGER NOT NULL,
  highest          INTEGER NOT NULL,
  window           BLOB NOT NULL,
  head             INTEGER NOT NULL,
  acked            INTEGER NOT NULL,
  floor            INTEGER NOT NULL,
  truncated        INTEGER NOT NULL,
  blocked_count    INTEGER NOT NULL,
  old_count        INTEGER NOT NULL,
  old_bytes        INTEGER NOT NULL,
  old_head         INTEGER NOT NULL,
  folded           INTEGER NOT NULL
) STRICT;
CREATE TABLE blocks (
  user INTEGER NOT NULL,
  peer INTEGER NOT NULL,
  PRIMARY KEY (user, peer)
) STRICT, WITHOUT ROWID;
CREATE TABLE pins (
  user      INTEGER PRIMARY KEY,
  hash      BLOB NOT NULL,
  made_at   INTEGER NOT NULL,
  tries     INTEGER NOT NULL,
  day_start INTEGER NOT NULL,
  day_count INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES ('epoch', 0), ('opens', 0), ('reserved', 0), ('last', 0);
`;

/** Makes the tables of an empty file, in one transaction. */
export function createTables(db: Database.Database): void {
  db.transaction(() => {
    db.exec(TABLES);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
}
