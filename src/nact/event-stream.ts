import type { EventStream, PersistedEvent } from 'nact';
import type { EventPage, JournalEvent } from '../storage/journal/journal.js';
import type { JournalPort } from '../storage/journal/journal-port.js';
import { persistence } from './nact-internals.js';

/**
 * The events of one key, in order: a promise of all of them, or `reduce`, which has a page of them in memory at a time and
 * waits for what the reducer returned before it reads the next. It has what was asked to be persisted before, and ends with
 * the event that was the last when it began.
 */
export class JournalEventStream {
  readonly #port: JournalPort;
  readonly #key: string;
  readonly #countMax: number;
  readonly #tags: readonly string[];
  readonly #first: Promise<EventPage>;

  constructor(port: JournalPort, key: string, after: number, countMax: number, tags: readonly string[]) {
    this.#port = port;
    this.#key = key;
    this.#countMax = countMax;
    this.#tags = tags;
    this.#first = this.#read(after, Number.MAX_SAFE_INTEGER, 0);
    // If nobody uses the stream nobody minds.
    this.#first.catch(() => {});
  }

  // biome-ignore lint/suspicious/noThenProperty: nact's interface wants a promise that can be reduced
  then<A = PersistedEvent[], B = never>(
    fulfilled?: ((events: PersistedEvent[]) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.reduce<PersistedEvent[]>((events, event) => {
      events.push(event);
      return events;
    }, []).then(fulfilled, rejected);
  }

  /** As Array.prototype.reduce. Rejects with a {@link JournalError}, or with what the reducer throws or rejects with. */
  async reduce<U>(
    reducer: (previous: U, event: PersistedEvent, index: number) => U,
    initial: U,
  ): Promise<Awaited<U>> {
    let result = initial;
    let index = 0;
    for (let page = await this.#first; ; page = await this.#read(page.next, page.last, index)) {
      for (const event of page.events) result = reducer(result, persistedEvent(event), index++);
      // A reducer that is async has only just begun: the next page is not read into memory before it has done this one.
      const settled = await result;
      if (page.done) return settled;
    }
  }

  #read(after: number, upTo: number, count: number): Promise<EventPage> {
    return this.#port.read(this.#key, { after, upTo, countMax: this.#countMax - count, tags: this.#tags });
  }
}

/** nact's types say that it is a promise of DOM events, which it is not. */
export function asEventStream(stream: JournalEventStream): EventStream {
  return stream as unknown as EventStream;
}

function persistedEvent(event: JournalEvent): PersistedEvent {
  const { key, sequence, createdAt, isDeleted, tags, data } = event;
  return new persistence.PersistedEvent(JSON.parse(data), sequence, key, [...tags], createdAt, isDeleted);
}
