import type { EventStream, PersistedEvent, PersistedSnapshot, PersistenceEngine } from 'nact';
import { type JournalEvent, JournalFailure } from '../storage/journal/journal.js';
import { JournalError } from '../storage/journal/journal-error.js';
import type { JournalPort } from '../storage/journal/journal-port.js';
import { asEventStream, JournalEventStream } from './event-stream.js';
import { jsonText } from './json-text.js';
import { persistence } from './nact-internals.js';

/**
 * nact's persistence engine over a journal: for `configurePersistence`, in the place of nact-persistence-postgres.
 *
 * - `persist` and `takeSnapshot` resolve when what they store is on disk, and reject with a {@link JournalError} whose
 *   `reason` says why it is not. What `persist` refused is not there later.
 * - Events of a key are numbered upwards and read in that order. A second actor under the same key is refused
 *   (`sequence`) and not interleaved; so is a `persist` that was under way behind one that failed (`behind`).
 * - `events` takes those behind `offset`, at most `limit`, that have all of `tags`; deleted ones are among them, with
 *   `isDeleted` set, and without data and tags if they were deleted here.
 * - `latestSnapshot` has the highest sequence number, and is undefined if there is none.
 * - Data is JSON. What JSON cannot say is refused (`argument`): give the actor an encoder. More arguments of
 *   `ctx.persist` than the tags are ignored, as in nact-persistence-postgres.
 *
 * Await `ctx.persist`: a rejection that nobody looks at ends the program, as any of Node's does.
 */
export class JournalPersistenceEngine implements PersistenceEngine {
  readonly #port: JournalPort;

  constructor(port: JournalPort) {
    this.#port = port;
  }

  events(
    persistenceKey: string,
    offset: number | null = 0,
    limit?: number | null,
    tags?: readonly string[] | null,
  ): EventStream {
    const key = checkedKey(persistenceKey);
    const after = checkedNumber('offset', offset ?? 0, 0);
    const countMax = checkedNumber('limit', limit ?? Number.MAX_SAFE_INTEGER, 0);
    return asEventStream(new JournalEventStream(this.#port, key, after, countMax, checkedTags(tags ?? [])));
  }

  async latestSnapshot(persistenceKey: string): Promise<PersistedSnapshot> {
    const snapshot = await this.#port.latestSnapshot(checkedKey(persistenceKey));
    // nact's type leaves out that there may be none.
    if (snapshot === null) return undefined as unknown as PersistedSnapshot;
    const { data, sequence, key, createdAt } = snapshot;
    return new persistence.PersistedSnapshot(JSON.parse(data), sequence, key, createdAt);
  }

  async takeSnapshot(snapshot: PersistedSnapshot): Promise<void> {
    const key = checkedKey(snapshot.key);
    const what = `the snapshot of ${key}`;
    await this.#port.takeSnapshot({
      key,
      sequence: checkedNumber(`${what}: sequenceNumber`, snapshot.sequenceNumber, 0),
      createdAt: checkedNumber(`${what}: createdAt`, snapshot.createdAt, 0),
      data: jsonText(snapshot.data, what),
    });
  }

  async persist(event: PersistedEvent): Promise<void> {
    const key = checkedKey(event.key);
    let checked: JournalEvent;
    try {
      checked = checkedEvent(event, key);
    } catch (error) {
      this.#port.noteRefused(key);
      throw error;
    }
    await this.#port.persist(checked);
  }

  /**
   * Wipes the data and tags of the events from `from` up to `upTo` (the last, if not given), and resolves with how many
   * that were. Where nothing living stands before them they go altogether, but for the key's last event, so that its
   * numbers are not used again. Actors that need deleted events for their state need a snapshot behind them.
   */
  async deleteEvents(persistenceKey: string, upTo = Number.MAX_SAFE_INTEGER, from = 1): Promise<number> {
    const key = checkedKey(persistenceKey);
    return this.#port.deleteEvents(key, checkedNumber('from', from, 1), checkedNumber('upTo', upTo, 0));
  }

  /** Deletes the snapshots up to a sequence number (all, if not given); resolves with how many there were. */
  async deleteSnapshots(persistenceKey: string, upTo = Number.MAX_SAFE_INTEGER): Promise<number> {
    return this.#port.deleteSnapshots(checkedKey(persistenceKey), checkedNumber('upTo', upTo, 0));
  }
}

function checkedEvent(event: PersistedEvent, key: string): JournalEvent {
  const sequence = checkedNumber(`an event of ${key}: sequenceNumber`, event.sequenceNumber, 1);
  const what = `event ${sequence} of ${key}`;
  return {
    key,
    sequence,
    createdAt: checkedNumber(`${what}: createdAt`, event.createdAt, 0),
    isDeleted: event.isDeleted === true,
    tags: checkedTags(event.tags),
    data: jsonText(event.data, what),
  };
}

function checkedKey(key: unknown): string {
  if (typeof key !== 'string' || key === '')
    throw refusal('a persistence key', key, 'a string with something in it');
  // Two keys with lone surrogates would become one in UTF-8.
  if (LONE_SURROGATE.test(key))
    throw refusal('a persistence key', JSON.stringify(key), 'well-formed Unicode');
  return key;
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function checkedNumber(what: string, value: unknown, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw refusal(what, value, `an integer from ${least} on`);
  }
  return value;
}

function checkedTags(tags: unknown): readonly string[] {
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) {
    throw refusal('tags', tags, 'an array of strings');
  }
  return tags;
}

function refusal(what: string, value: unknown, wanted: string): JournalError {
  return new JournalError(JournalFailure.argument, `${what} must be ${wanted}, not ${String(value)}`);
}
