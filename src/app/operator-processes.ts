import { parsePid } from '../actors/pid.js';
import { ActionRefused } from '../ops/action.js';
import type {
  Processes,
  ProcessOperation,
  ProcessOutcome,
  ProcessPage,
  ProcessQuery,
  ProcessReport,
  ProcessRow,
} from '../ops/processes.js';
import { ClaimedWork } from './claimed-work.js';
import type { ProcessStep, StepQuery } from './process-answers.js';
import { type AskedThread, QuestionFailed, type ThreadQuestions } from './thread-questions.js';

/** A thread with processes, as it is now. */
export interface ProcessThread {
  readonly name: string;
  /** Of the scheduler in its pids. */
  readonly scheduler: number;
  readonly thread: AskedThread;
  /** Where it is if it does not answer: topmost frame first. Empty: nobody knows. */
  stack(): Promise<readonly string[]>;
}

/** Longer than a behaviour may take there. */
const ANSWER_MS = 2000;
/** Processes named by one label that are told when there are several. */
const NAMED_MAX = 5;

/** Finds processes on all threads of the server, and has their threads do what an operator wants. */
export class OperatorProcesses implements Processes {
  readonly #questions: ThreadQuestions;
  readonly #threads: () => readonly ProcessThread[];

  /** @param threads those that run now, the main thread among them */
  constructor(questions: ThreadQuestions, threads: () => readonly ProcessThread[]) {
    this.#questions = questions;
    this.#threads = threads;
  }

  async resolve(target: string): Promise<string> {
    if (parsePid(target) !== null) return target;
    const names = await Promise.all(
      this.#threads().map((thread) => this.#askQuietly<string>(thread, 'whereis', target)),
    );
    // A name of the node is known to all of its schedulers, one of a thread's own to that one.
    const named = [...new Set(names.filter((pid) => pid !== null))];
    if (named.length === 1) return named[0]!;
    if (named.length > 1) throw ambiguous(target, named);
    const { processes, silent } = await this.list({
      label: target.replaceAll('*', ''),
      name: null,
      thread: null,
      mailboxMin: 0,
      limit: NAMED_MAX + 1,
      after: null,
    });
    if (processes.length > 1) {
      throw ambiguous(
        target,
        processes.map(({ pid }) => pid),
      );
    }
    if (processes.length === 1) return processes[0]!.pid;
    const what = `there is no process with the name or the label ${JSON.stringify(target)}`;
    if (silent.length === 0) throw new ActionRefused(404, what);
    // It may be there. Where that thread is may be all that somebody wants to know.
    const threads = this.#threads().filter(({ name }) => silent.includes(name));
    const said = await Promise.all(threads.map((thread) => this.#silence(thread)));
    throw new ActionRefused(503, `${what} on the other threads; ${said.join('; ')}`);
  }

  async list(query: ProcessQuery): Promise<ProcessPage> {
    const all = this.#threads();
    const chosen = query.thread === null ? all : all.filter(({ name }) => name === query.thread);
    if (chosen.length === 0) {
      const names = all.map(({ name }) => name).join(', ');
      throw new ActionRefused(404, `there is no thread ${query.thread} with processes; there are: ${names}`);
    }
    const begin = query.after === null ? { scheduler: -1, slot: 1 } : cursorOf(query.after);
    const processes: ProcessRow[] = [];
    const silent: string[] = [];
    for (const thread of chosen) {
      if (thread.scheduler < begin.scheduler) continue;
      let from: number | null = thread.scheduler === begin.scheduler ? begin.slot : 1;
      while (from !== null) {
        if (processes.length === query.limit)
          return { processes, next: `${thread.scheduler}:${from}`, silent };
        const { label, name, mailboxMin } = query;
        const params: StepQuery = { label, name, mailboxMin, limit: query.limit - processes.length, from };
        const step: ProcessStep | null = await this.#askQuietly<ProcessStep>(thread, 'processes', params);
        if (step === null) silent.push(thread.name);
        processes.push(...(step?.rows ?? []));
        from = step?.next ?? null;
      }
    }
    return { processes, next: null, silent };
  }

  inspect(pid: string, messages: number): Promise<ProcessReport> {
    const { thread, id } = this.#find(pid);
    return this.#ask<ProcessReport>(thread, 'inspect', { id, messages });
  }

  perform(pid: string, operation: ProcessOperation): Promise<ProcessOutcome> {
    const { thread, id } = this.#find(pid);
    const work = new ClaimedWork();
    return this.#ask<ProcessOutcome>(thread, 'process', { id, operation, work: work.memory }, () =>
      work.giveUp() ? 'nothing was done' : 'it was begun there, and may be done',
    );
  }

  /** Asks the thread of a process; `params` are made of the process's id there. @throws ActionRefused */
  askOwner<T>(pid: string, topic: string, params: (id: number) => unknown): Promise<T> {
    const { thread, id } = this.#find(pid);
    return this.#ask<T>(thread, topic, params(id));
  }

  /** Asks the thread of a scheduler. @throws ActionRefused */
  askScheduler<T>(scheduler: number, topic: string, params: unknown): Promise<T> {
    const thread = this.#threads().find((one) => one.scheduler === scheduler);
    if (thread === undefined)
      throw new ActionRefused(404, `there is no scheduler ${scheduler}: its thread has ended`);
    return this.#ask<T>(thread, topic, params);
  }

  #find(text: string): { readonly thread: ProcessThread; readonly id: number } {
    const pid = parsePid(text);
    if (pid === null) throw new ActionRefused(400, `${JSON.stringify(text)} is no pid, such as <2.17.0>`);
    const thread = this.#threads().find(({ scheduler }) => scheduler === pid.scheduler);
    if (thread !== undefined) return { thread, id: pid.id };
    throw new ActionRefused(
      404,
      `there is no scheduler ${pid.scheduler}: ${text} has ended with its thread, or was never there`,
    );
  }

  /** @param given says what has become of it if there is no answer */
  async #ask<T>(thread: ProcessThread, topic: string, params: unknown, given?: () => string): Promise<T> {
    let answer: T | null;
    try {
      answer = await this.#questions.ask<T>(thread.thread, topic, params, ANSWER_MS);
    } catch (error) {
      throw refusalOf(error);
    }
    if (answer !== null) return answer;
    const outcome = given === undefined ? '' : `${given()}: `;
    throw new ActionRefused(503, `${outcome}${await this.#silence(thread)}`);
  }

  /** That a thread does not answer, and where it is. */
  async #silence(thread: ProcessThread): Promise<string> {
    const stack = await thread.stack();
    const where = stack.length === 0 ? '' : `; it is at\n${stack.map((frame) => `    ${frame}`).join('\n')}`;
    return `${thread.name} does not answer${where}`;
  }

  /** Null also for a thread that fails. */
  async #askQuietly<T>(thread: ProcessThread, topic: string, params: unknown): Promise<T | null> {
    return this.#questions.ask<T>(thread.thread, topic, params, ANSWER_MS).catch(() => null);
  }
}

/** What a thread refused, as it is told to the operator; anything else as it is. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof QuestionFailed)) return error;
  const status = /^ProcessRefused(404|409|503)$/.exec(error.kind)?.[1];
  if (status !== undefined) return new ActionRefused(Number(status) as 404 | 409 | 503, error.message);
  return error;
}

function ambiguous(target: string, pids: readonly string[]): ActionRefused {
  const list = `${pids.slice(0, NAMED_MAX).join(', ')}${pids.length > NAMED_MAX ? ', …' : ''}`;
  return new ActionRefused(
    409,
    `${JSON.stringify(target)} is more than one process: ${list}; name it by its pid`,
  );
}

function cursorOf(after: string): { readonly scheduler: number; readonly slot: number } {
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(after);
  if (match === null)
    throw new ActionRefused(400, `after must be what next was, not ${JSON.stringify(after)}`);
  return { scheduler: Number(match[1]), slot: Number(match[2]) };
}
