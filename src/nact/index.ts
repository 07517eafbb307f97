/** nact beside Rookery: `rookery/nact`. */
export { JournalFailure } from '../storage/journal/journal.js';
export { JournalError } from '../storage/journal/journal-error.js';
export { JournalPort, type JournalPortOptions } from '../storage/journal/journal-port.js';
export type { SqliteJournalOptions } from '../storage/sqlite/sqlite-journal.js';
export { StoreOpenError, StoreOpenReason } from '../storage/store-open-error.js';
export { JournalPersistenceEngine } from './journal-persistence-engine.js';
export { OpenedPersistenceEngine, openPersistenceEngine } from './open-persistence-engine.js';
