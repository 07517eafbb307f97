import type { MessagePort } from 'node:worker_threads';
import { Fifo } from '../../structures/fifo.js';
import {
  type DeletedStep,
  type EventPage,
  type JournalAnswer,
  type JournalEvent,
  JournalFailure,
  type JournalRequest,
  type JournalSnapshot,
  orderedKey,
} from './journal.js';
import { behindFailure, JournalError } from './journal-error.js';
import type { AnswerBatch, RequestBatch } from './journal-messages.js';

export interface JournalPortOptions {
  /** Requests without an answer, beyond which more are refused with `busy`. Default 65 536. */
  readonly pendingMax?: number;
  /** The same in characters of data. Default 64 Mi. */
  readonly pendingCharsMax?: number;
  /** Characters of one event's or snapshot's data. Default 16 Mi. */
  readonly dataCharsMax?: number;
}

/** Which events to read. */
export interface EventRange {
  readonly after: number;
  readonly upTo: number;
  readonly countMax: number;
  readonly tags: readonly string[];
}

interface Pending {
  readonly request: JournalRequest;
  readonly chars: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: JournalError) => void;
}

interface SentBatch {
  readonly number: number;
  readonly pending: readonly Pending[];
}

/** Batches that are under way at the same time: one that is committed, and one that is ready for the next commit. */
const BATCHES_UNDER_WAY = 2;
const BATCH_REQUESTS_MAX = 1024;
const BATCH_CHARS_MAX = 1 << 20;

/**
 * The asker's end of a journal in another thread. Requests are done in the order in which they were made; what gathers
 * while others are under way goes as one message, and into one commit.
 *
 * If the writer's thread dies, what it has not answered waits for {@link attach} with the port of a new one, and is asked
 * again: nothing is stored twice. Without hope for a new one: {@link close}.
 */
export class JournalPort {
  readonly #pendingMax: number;
  readonly #pendingCharsMax: number;
  readonly #dataCharsMax: number;
  #port: MessagePort | null = null;
  #queue = new Fifo<Pending>();
  #sent: SentBatch[] = [];
  #pending = 0;
  #pendingChars = 0;
  #number = 0;
  #seen = 0;
  #flushAhead = false;
  /** Keys of which an event was refused on this very stack: whoever persists more there does not know yet. */
  readonly #refusedKeys = new Set<string>();
  #closed: JournalError | null = null;
  #settled: (() => void)[] = [];

  /** Throws a RangeError for a bad bound. */
  constructor(options: JournalPortOptions = {}) {
    this.#pendingMax = bound('pendingMax', options.pendingMax ?? 65_536);
    this.#pendingCharsMax = bound('pendingCharsMax', options.pendingCharsMax ?? 2 ** 26);
    this.#dataCharsMax = bound('dataCharsMax', options.dataCharsMax ?? 2 ** 24);
  }

  /** Requests without an answer. */
  get pending(): number {
    return this.#pending;
  }

  /** Joins a writer (see `JournalWriter.attach`), in the place of an earlier one. */
  attach(port: MessagePort): void {
    if (this.#closed !== null) {
      port.close();
      return;
    }
    this.detach();
    this.#port = port;
    port.on('message', (batch: AnswerBatch) => {
      if (this.#port === port) this.#answered(batch);
    });
    port.on('close', () => {
      if (this.#port === port) this.detach();
    });
    this.#keepAwake();
    this.#flush();
  }

  /** Leaves the writer. What has no answer waits for the next one. */
  detach(): void {
    const port = this.#port;
    if (port === null) return;
    this.#port = null;
    port.close();
    const waiting = new Fifo<Pending>();
    for (const batch of this.#sent) {
      for (const pending of batch.pending) waiting.push(askedAgain(pending));
    }
    for (const pending of this.#queue) waiting.push(pending);
    this.#sent = [];
    this.#queue = waiting;
  }

  /** Resolves when everything asked so far has its answer. */
  settled(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  /** Refuses what has no answer, and everything from now on, with this reason. Final. */
  close(reason: JournalFailure = JournalFailure.closed, message = 'the journal was closed'): void {
    if (this.#closed !== null) return;
    this.#closed = new JournalError(reason, message);
    this.detach();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#finish(next);
      next.reject(this.#closed);
    }
  }

  /** Resolves when the event is on disk. Rejects with a {@link JournalError}. */
  persist(event: JournalEvent): Promise<void> {
    return this.#ask({ op: 'persist', event, again: false }, event.data.length);
  }

  /** An event of this key was refused before it came here: what is persisted behind it on this stack is refused, too. */
  noteRefused(key: string): void {
    this.#refusedKeys.add(key);
    this.#flushLater();
  }

  /** Resolves when the snapshot is on disk. */
  takeSnapshot(snapshot: JournalSnapshot): Promise<void> {
    return this.#ask({ op: 'take-snapshot', snapshot }, snapshot.data.length);
  }

  latestSnapshot(key: string): Promise<JournalSnapshot | null> {
    return this.#ask({ op: 'latest-snapshot', key }, 0);
  }

  /** Some events of a key, in order. To go on: `after` the page's `next`, `upTo` the first page's `last`. */
  read(key: string, range: EventRange): Promise<EventPage> {
    const { after, upTo, countMax, tags } = range;
    return this.#ask({ op: 'read', key, after, upTo, countMax, tags }, 0);
  }

  /** Deletes events from `from` up to `upTo`; how many. See {@link JournalRequest}. */
  async deleteEvents(key: string, from: number, upTo: number): Promise<number> {
    let deleted = 0;
    for (let next = from; ; ) {
      const step = await this.#ask<DeletedStep>({ op: 'delete-events', key, from: next, upTo }, 0);
      deleted += step.deleted;
      if (step.done) return deleted;
      next = step.next;
    }
  }

  /** Deletes the snapshots up to `upTo`; how many. */
  deleteSnapshots(key: string, upTo: number): Promise<number> {
    return this.#ask({ op: 'delete-snapshots', key, upTo }, 0);
  }

  #ask<T>(request: JournalRequest, chars: number): Promise<T> {
    const key = orderedKey(request);
    const refusal = this.#refusal(chars, key);
    if (refusal !== null) {
      if (request.op === 'persist') this.noteRefused(request.event.key);
      return Promise.reject(refusal);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, chars, resolve, reject });
      this.#pending++;
      this.#pendingChars += chars;
      if (this.#pending === 1) this.#keepAwake();
      this.#flushLater();
    });
  }

  #refusal(chars: number, key: string | null): JournalError | null {
    if (this.#closed !== null) return new JournalError(this.#closed.reason, this.#closed.message);
    if (key !== null && this.#refusedKeys.has(key)) return behindFailure(key);
    if (chars > this.#dataCharsMax) {
      const text = `${chars} characters of data are more than the ${this.#dataCharsMax} that one event may have`;
      return new JournalError(JournalFailure.argument, text);
    }
    if (this.#pending >= this.#pendingMax || this.#pendingChars + chars > this.#pendingCharsMax) {
      const text = `${this.#pending} requests with ${this.#pendingChars} characters have no answer yet`;
      return new JournalError(JournalFailure.busy, text);
    }
    return null;
  }

  /** What is asked on one stack goes as one message. */
  #flushLater(): void {
    if (this.#flushAhead) return;
    this.#flushAhead = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushAhead = false;
    this.#refusedKeys.clear();
    while (this.#port !== null && this.#queue.length > 0 && this.#sent.length < BATCHES_UNDER_WAY) {
      const pending: Pending[] = [];
      for (let chars = 0; pending.length < BATCH_REQUESTS_MAX && chars < BATCH_CHARS_MAX; ) {
        const next = this.#queue.shift();
        if (next === undefined) break;
        chars += next.chars;
        pending.push(next);
      }
      const number = ++this.#number;
      this.#sent.push({ number, pending });
      const requests = pending.map(({ request }) => request);
      this.#port.postMessage({ type: 'requests', number, seen: this.#seen, requests } satisfies RequestBatch);
    }
  }

  #answered({ number, answers }: AnswerBatch): void {
    const batch = this.#sent.shift();
    if (batch?.number !== number)
      throw new Error(`answers to batch ${number}, but ${batch?.number} is under way`);
    this.#seen = number;
    const failedKeys = new Set<string>();
    for (const [at, pending] of batch.pending.entries()) {
      const answer = answers[at]!;
      if (!answer.ok && pending.request.op === 'persist') failedKeys.add(pending.request.event.key);
      this.#settle(pending, answer);
    }
    if (failedKeys.size > 0) this.#refuseBehind(failedKeys);
    this.#flush();
    this.#keepAwake();
  }

  /** What waits here behind an event that failed would leave a hole: whoever asked for it did not know. */
  #refuseBehind(keys: ReadonlySet<string>): void {
    this.#queue.removeWhere((pending) => {
      const key = orderedKey(pending.request);
      if (key === null || !keys.has(key)) return false;
      this.#finish(pending);
      pending.reject(behindFailure(key));
      return true;
    });
  }

  #settle(pending: Pending, answer: JournalAnswer): void {
    this.#finish(pending);
    if (answer.ok) pending.resolve(answer.value as never);
    else pending.reject(new JournalError(answer.failure, answer.message));
  }

  #finish({ chars }: Pending): void {
    this.#pending--;
    this.#pendingChars -= chars;
    if (this.#pending > 0) return;
    for (const resolve of this.#settled) resolve();
    this.#settled = [];
  }

  /** The port keeps this thread alive only while an answer is to come. */
  #keepAwake(): void {
    if (this.#pending > 0) this.#port?.ref();
    else this.#port?.unref();
  }
}

function askedAgain(pending: Pending): Pending {
  const { request } = pending;
  return request.op === 'persist' ? { ...pending, request: { ...request, again: true } } : pending;
}

function bound(name: string, value: number): number {
  if (!(value >= 1)) throw new RangeError(`${name} must be at least 1, not ${value}`);
  return value;
}
