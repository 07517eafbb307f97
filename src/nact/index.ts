/**
 * nact beside Rookery (`rookery/nact`): nact's actors as processes, and a durable persistence engine for them. The manual
 * is docs/nact.md.
 */
export { JournalFailure } from '../storage/journal/journal.js';
export { JournalError } from '../storage/journal/journal-error.js';
export { JournalPort, type JournalPortOptions } from '../storage/journal/journal-port.js';
export type { SqliteJournalOptions } from '../storage/sqlite/sqlite-journal.js';
export { StoreOpenError, StoreOpenReason } from '../storage/store-open-error.js';
export { JournalPersistenceEngine } from './journal-persistence-engine.js';
export { type NactActorOptions, nactActor } from './nact-actor.js';
export { joinSystem, type NactSystemOptions, nactSystem, type SystemStart } from './nact-system.js';
export { OpenedPersistenceEngine, openPersistenceEngine } from './open-persistence-engine.js';
export { type PersistenceThreadOptions, persistenceThread } from './persistence-thread.js';
export { actorCounts, pidOf, refOf, selfOf } from './pid-of.js';
export { type ProcessRefOptions, processRef } from './process-ref.js';
