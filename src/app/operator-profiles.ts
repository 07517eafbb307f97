import { join } from 'node:path';
import { type HandlerTimes, sumOfRows } from '../metrics/profiles/handler-times.js';
import { ActionRefused, type Asker } from '../ops/action.js';
import {
  CHUNK_CHARS_MAX,
  type HeapReport,
  type ProfileChunk,
  type ProfileRequest,
  type ProfileStarted,
  type ProfileState,
  type Profiles,
  type SnapshotReport,
} from '../ops/profiles.js';
import type { Clock } from '../structures/clock.js';
import { makeFolder } from './make-folder.js';
import { refusalOf } from './operator-processes.js';
import type { ProfileQuestion, SnapshotWritten } from './profile-answers.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

/** A thread of the server, as it is now. */
export interface ProfiledThread {
  readonly name: string;
  /** Changes when it is started anew. */
  readonly incarnation: number;
  readonly isScheduler: boolean;
  readonly thread: AskedThread;
  /** Where it is if it does not answer: topmost frame first. Empty: nobody knows. */
  stack(): Promise<readonly string[]>;
}

export interface OperatorProfilesParts {
  readonly clock: Clock;
  readonly questions: ThreadQuestions;
  readonly threads: () => readonly ProfiledThread[];
  /** Where heap snapshots go; made when there is one. */
  readonly folder: string;
}

/** How much longer than its time a profile may take: a thread that is busy comes to its end late, and big ones take a while. */
const LATE_MS = 30_000;
const HEAP_MS = 5000;
const SNAPSHOT_MS = 240_000;
/** How often a wait looks whether its threads still live. */
const LOOK_MS = 100;
/** Results are kept for so long, and of all of them together so many characters; at least the latest. */
const KEPT_MS = 600_000;
const KEPT_CHARS_MAX = 64 * 1024 * 1024;
const KEPT_MAX = 8;

interface Job {
  readonly id: number;
  readonly request: ProfileRequest;
  readonly author: string;
  readonly threads: readonly ProfiledThread[];
  readonly endsAt: number;
  result: Exclude<ProfileState, { readonly state: 'running' }> | Error | null;
  /** The .cpuprofile. */
  text: string | null;
  doneAt: number;
}

/** Profiles of the server's threads: who is being profiled, until when, and what came of it. */
export class OperatorProfiles implements Profiles {
  readonly #parts: OperatorProfilesParts;
  /** By id, in the order of their beginnings. */
  readonly #jobs = new Map<number, Job>();
  #lastId = 0;

  constructor(parts: OperatorProfilesParts) {
    this.#parts = parts;
  }

  start(request: ProfileRequest, { author }: Asker): ProfileStarted {
    const threads =
      request.thread === null
        ? this.#parts.threads().filter(({ isScheduler }) => isScheduler)
        : [this.#thread(request.thread)];
    if (threads.length === 0) throw new ActionRefused(503, 'no scheduler runs at the moment');
    const now = this.#parts.clock.now();
    this.#forget(now);
    for (const { name } of threads) this.#checkFree(name, now);
    const job: Job = {
      id: ++this.#lastId,
      request,
      author,
      threads,
      endsAt: now + request.ms,
      result: null,
      text: null,
      doneAt: 0,
    };
    this.#jobs.set(job.id, job);
    void this.#run(job);
    const { ms, intervalUs } = request;
    return { id: job.id, threads: threads.map(({ name }) => name), ms, intervalUs };
  }

  async wait(id: number, ms: number): Promise<ProfileState> {
    const { clock } = this.#parts;
    const job = this.#job(id);
    const until = clock.now() + ms;
    for (;;) {
      if (job.result === null) this.#checkAlive(job);
      if (job.result instanceof Error) throw job.result;
      if (job.result !== null) return job.result;
      const left = until - clock.now();
      if (left <= 0) return { state: 'running', leftMs: Math.max(0, job.endsAt - clock.now()) };
      await new Promise<void>((resolve) => clock.setTimer(resolve, Math.min(left, LOOK_MS)));
    }
  }

  async end(id: number): Promise<void> {
    const job = this.#job(id);
    if (job.result !== null) return;
    await Promise.all(job.threads.map((thread) => this.#ask(thread, 'profile-end', { id }, HEAP_MS)));
  }

  chunk(id: number, offset: number): ProfileChunk {
    this.#forget(this.#parts.clock.now());
    const { text } = this.#job(id);
    if (text === null) throw new ActionRefused(409, `profile ${id} has no file, or none yet`);
    if (offset > text.length)
      throw new ActionRefused(400, `profile ${id} has ${text.length} characters: none at ${offset}`);
    let end = Math.min(text.length, offset + CHUNK_CHARS_MAX);
    // Not within a pair of surrogates: each part is written as UTF-8 by itself.
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end--;
    return { text: text.slice(offset, end), next: end === text.length ? null : end };
  }

  heap(thread: string): Promise<HeapReport> {
    return this.#ask<HeapReport>(this.#thread(thread), 'heap', null, HEAP_MS);
  }

  async snapshot(name: string, file: string): Promise<SnapshotReport> {
    const thread = this.#thread(name);
    const { folder } = this.#parts;
    makeFolder(folder);
    const path = join(folder, file);
    const written = await this.#ask<SnapshotWritten>(thread, 'heap-snapshot', { path }, SNAPSHOT_MS);
    return { thread: name, path, ...written };
  }

  async #run(job: Job): Promise<void> {
    const { id, threads, request } = job;
    const { kind, ms, intervalUs } = request;
    const params: ProfileQuestion = { id, kind, ms, intervalUs };
    try {
      const answers = await Promise.all(
        threads.map((thread) => this.#ask<string | HandlerTimes>(thread, 'profile', params, ms + LATE_MS)),
      );
      if (job.result !== null) return;
      if (kind === 'cpu') {
        job.text = answers[0] as string;
        job.result = { state: 'done', kind, chars: job.text.length };
      } else {
        const times = answers as HandlerTimes[];
        const shown = times.map(({ ms, idleMs, ownMs, samples }, index) => {
          const thread = threads[index]!.name;
          return { thread, ms, idleMs, ownMs, samples };
        });
        job.result = { state: 'done', kind, table: { threads: shown, rows: sumOfRows(times) } };
      }
    } catch (error) {
      job.result ??= error as Error;
      // What one thread refused need not go on in the others.
      for (const thread of threads) void this.#ask(thread, 'profile-end', { id }, HEAP_MS).catch(() => {});
    }
    job.doneAt = this.#parts.clock.now();
    this.#forget(job.doneAt);
  }

  /** A thread that was started anew answers nothing that the one before was asked. */
  #checkAlive(job: Job): void {
    const now = this.#parts.threads();
    for (const { name, incarnation } of job.threads) {
      if (now.some((thread) => thread.name === name && thread.incarnation === incarnation)) continue;
      job.result = new ActionRefused(503, `${name} has ended, and its profile with it`);
      job.doneAt = this.#parts.clock.now();
      for (const thread of job.threads)
        void this.#ask(thread, 'profile-end', { id: job.id }, HEAP_MS).catch(() => {});
      return;
    }
  }

  #checkFree(thread: string, now: number): void {
    for (const job of this.#jobs.values()) {
      if (job.result === null) this.#checkAlive(job);
      if (job.result !== null || !job.threads.some(({ name }) => name === thread)) continue;
      const left = Math.max(0, Math.ceil((job.endsAt - now) / 1000));
      const who = `${job.author} (rookery profile ${job.request.kind})`;
      throw new ActionRefused(409, `${thread} is being profiled already by ${who}, for ${left} s more`);
    }
  }

  #job(id: number): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new ActionRefused(404, `there is no profile ${id}, or no more`);
    return job;
  }

  #thread(name: string): ProfiledThread {
    const all = this.#parts.threads();
    const thread = all.find((one) => one.name === name);
    if (thread !== undefined) return thread;
    const names = all.map((one) => one.name).join(', ');
    throw new ActionRefused(404, `there is no thread ${JSON.stringify(name)}; there are: ${names}`);
  }

  async #ask<T>(thread: ProfiledThread, topic: string, params: unknown, ms: number): Promise<T> {
    let answer: T | null;
    try {
      answer = await this.#parts.questions.ask<T>(thread.thread, topic, params, ms);
    } catch (error) {
      throw refusalOf(error);
    }
    if (answer !== null) return answer;
    const stack = await thread.stack();
    const where = stack.length === 0 ? '' : `; it is at\n${stack.map((frame) => `    ${frame}`).join('\n')}`;
    throw new ActionRefused(503, `${thread.name} does not answer${where}`);
  }

  /** Old results, and the oldest while there are too many or too large ones. */
  #forget(now: number): void {
    const done = [...this.#jobs.values()].filter(({ result }) => result !== null);
    let chars = done.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
    for (const [index, { id, text, doneAt }] of done.entries()) {
      const behind = done.length - index;
      const isLatest = behind === 1;
      const isTooMuch = !isLatest && (behind > KEPT_MAX || chars > KEPT_CHARS_MAX);
      if (!isTooMuch && now - doneAt <= KEPT_MS) continue;
      this.#jobs.delete(id);
      chars -= text?.length ?? 0;
    }
  }
}
