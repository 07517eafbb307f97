import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../structures/clock.js';
import {
  isWrite,
  type Journal,
  type JournalAnswer,
  JournalFailure,
  type JournalRequest,
  orderedKey,
} from './journal.js';
import { behindFailure } from './journal-error.js';
import type { AnswerBatch, RequestBatch } from './journal-messages.js';

export interface JournalWriterOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Called for each commit that failed, with the number of writes that came to nothing. */
  readonly onFailure?: (failure: JournalFailure, writes: number) => void;
  /** Called for the first commit that works after one that did not. */
  readonly onRecovery?: () => void;
}

/** All count up from the start. */
export interface JournalWriterCounters {
  readonly commits: number;
  readonly requests: number;
  readonly failures: number;
}

/** One asker. */
interface Inlet {
  readonly port: MessagePort;
  /** The port is closed: what it has asked for is still done, nobody hears of it. */
  gone: boolean;
  readonly waiting: RequestBatch[];
  /** Keys of which an event was refused, and in which batch: what was under way behind it is refused too. */
  readonly failedKeys: Map<string, number>;
}

/** A request that is being done. */
interface Step {
  readonly request: JournalRequest;
  readonly inlet: Inlet;
  readonly batch: RequestBatch;
  /** A read of what this commit writes. */
  late: boolean;
  answer: JournalAnswer;
}

const UNDONE: JournalAnswer = { ok: false, failure: JournalFailure.closed, message: 'not done' };

/** Requests in one round, at which no further batch is begun. */
const ROUND_REQUESTS_MAX = 4096;
const CLOSING_ROUNDS_MAX = 256;

/**
 * The journal's end in the writer thread: takes what has gathered in its ports while the last commit ran, applies it,
 * commits, and answers. Each round is one turn of the event loop, so the thread's other work has its turns between.
 *
 * An event that is refused has those refused that were asked for behind it, under the same key, before its asker knew:
 * nobody gets a stream with a hole in it.
 */
export class JournalWriter {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #options: JournalWriterOptions;
  readonly #inlets = new Set<Inlet>();
  readonly #onTurn = (): void => this.#turn();
  #turnAhead = false;
  #closed = false;
  #failing = false;
  #commits = 0;
  #requests = 0;
  #failures = 0;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#clock = options.clock;
  }

  get counters(): JournalWriterCounters {
    return { commits: this.#commits, requests: this.#requests, failures: this.#failures };
  }

  /** Serves another port: the other end of a `JournalPort`'s. It is left when that closes it. */
  attach(port: MessagePort): void {
    const inlet: Inlet = { port, gone: false, waiting: [], failedKeys: new Map() };
    this.#inlets.add(inlet);
    port.on('message', (batch: RequestBatch) => {
      inlet.waiting.push(batch);
      this.#turnLater();
    });
    port.on('close', () => {
      inlet.gone = true;
      if (inlet.waiting.length === 0) this.#inlets.delete(inlet);
    });
  }

  /** Does what has come, answers, and closes the journal and the ports. */
  close(): void {
    if (this.#closed) return;
    for (let n = 0; n < CLOSING_ROUNDS_MAX && this.#round(); n++);
    this.#closed = true;
    this.#journal.close();
    for (const { port } of this.#inlets) port.close();
  }

  #turnLater(): void {
    if (this.#turnAhead || this.#closed) return;
    this.#turnAhead = true;
    this.#clock.defer(this.#onTurn);
  }

  #turn(): void {
    this.#turnAhead = false;
    if (!this.#closed && this.#round()) this.#turnLater();
  }

  /** Does what has gathered. Returns whether there was anything to do. */
  #round(): boolean {
    const batches = this.#take();
    if (batches.length === 0) return false;
    const all: Step[] = [];
    for (const [inlet, batch] of batches) {
      for (const request of batch.requests) all.push({ request, inlet, batch, late: false, answer: UNDONE });
    }
    this.#requests += all.length;
    for (let done = 0; done < all.length; ) {
      const end = sectionEnd(all, done);
      this.#section(all.slice(done, end));
      done = end;
    }
    this.#answer(batches, all);
    return true;
  }

  /** One commit, with the reads before it and behind it. */
  #section(steps: readonly Step[]): void {
    const journal = this.#journal;
    for (const step of steps) if (!step.late && !isWrite(step.request)) this.#read(step);
    const writes = steps.filter((step) => isWrite(step.request));
    if (writes.length > 0) {
      journal.begin();
      for (const step of writes) {
        step.answer = refusedBehind(step) ?? journal.apply(step.request);
        noteFailure(step);
      }
      const failure = journal.commit();
      this.#commits++;
      if (failure !== null) this.#undone(writes, failure);
      else if (this.#failing) this.#recovered();
    }
    for (const step of steps) if (step.late) this.#read(step);
  }

  /** By itself: what it meets (a damaged page, say) is nobody else's business, and it sees what is on disk only. */
  #read(step: Step): void {
    this.#journal.begin();
    step.answer = this.#journal.apply(step.request);
    this.#journal.commit();
  }

  /** Batches in turn from everybody, as many as make one round. */
  #take(): [Inlet, RequestBatch][] {
    const taken: [Inlet, RequestBatch][] = [];
    let requests = 0;
    for (let found = true; found; ) {
      found = false;
      for (const inlet of this.#inlets) {
        if (requests >= ROUND_REQUESTS_MAX) return taken;
        const batch = inlet.waiting.shift();
        if (batch === undefined) {
          if (inlet.gone) this.#inlets.delete(inlet);
          continue;
        }
        found = true;
        requests += batch.requests.length;
        taken.push([inlet, batch]);
      }
    }
    return taken;
  }

  #undone(writes: readonly Step[], failure: JournalFailure): void {
    this.#failures++;
    this.#failing = true;
    let count = 0;
    for (const step of writes) {
      if (!step.answer.ok) continue;
      count++;
      step.answer = { ok: false, failure, message: `not stored: ${failure}` };
      noteFailure(step);
    }
    this.#options.onFailure?.(failure, count);
  }

  #recovered(): void {
    this.#failing = false;
    this.#options.onRecovery?.();
  }

  #answer(batches: readonly [Inlet, RequestBatch][], all: readonly Step[]): void {
    let at = 0;
    for (const [inlet, { number, requests }] of batches) {
      const answers = all.slice(at, at + requests.length).map((step) => step.answer);
      at += requests.length;
      inlet.port.postMessage({ type: 'answers', number, answers } satisfies AnswerBatch);
    }
  }
}

/**
 * How far one commit can go. Reads stay out of its transaction: those of keys that it does not write come first, those of
 * keys that it has written behind it. A write that such a read must not see is for the next commit.
 */
function sectionEnd(all: readonly Step[], from: number): number {
  const written = new Set<string>();
  const readLate = new Set<string>();
  for (let at = from; at < all.length; at++) {
    const step = all[at]!;
    const key = keyOf(step.request);
    if (isWrite(step.request)) {
      if (readLate.has(key)) return at;
      written.add(key);
    } else if (written.has(key)) {
      step.late = true;
      readLate.add(key);
    }
  }
  return all.length;
}

function keyOf(request: JournalRequest): string {
  if (request.op === 'persist') return request.event.key;
  return request.op === 'take-snapshot' ? request.snapshot.key : request.key;
}

function refusedBehind({ inlet, batch, request }: Step): JournalAnswer | null {
  const { failedKeys } = inlet;
  if (failedKeys.size === 0) return null;
  const key = orderedKey(request);
  const failed = key === null ? undefined : failedKeys.get(key);
  if (failed === undefined) return null;
  if (batch.seen >= failed) {
    // It was asked for in the knowledge of the failure.
    failedKeys.delete(key as string);
    return null;
  }
  const { reason, message } = behindFailure(key as string);
  return { ok: false, failure: reason, message };
}

function noteFailure({ inlet, batch, request, answer }: Step): void {
  if (answer.ok || answer.failure === JournalFailure.behind || request.op !== 'persist') return;
  inlet.failedKeys.set(request.event.key, batch.number);
}
