import { parsePid } from '../actors/pid.js';
import { ActionRefused } from '../ops/action.js';
import type { SupervisionTree, TreeBranch, TreeRoots } from '../ops/actions/tree.js';
import { type OperatorProcesses, type ProcessThread, refusalOf } from './operator-processes.js';
import type { ThreadQuestions } from './thread-questions.js';

/** Longer than supervisors may take there. */
const ANSWER_MS = 2000;

/** The supervision trees of all threads of the server. */
export class OperatorTree implements SupervisionTree {
  readonly #questions: ThreadQuestions;
  readonly #threads: () => readonly ProcessThread[];
  readonly #processes: Pick<OperatorProcesses, 'resolve'>;

  constructor(
    questions: ThreadQuestions,
    threads: () => readonly ProcessThread[],
    processes: Pick<OperatorProcesses, 'resolve'>,
  ) {
    this.#questions = questions;
    this.#threads = threads;
    this.#processes = processes;
  }

  async roots(): Promise<TreeRoots> {
    const threads = this.#threads();
    const tops = await Promise.all(threads.map((thread) => this.#ask(thread, null).catch(() => null)));
    return {
      roots: tops.flatMap((top) => (top === null ? [] : [{ thread: top.thread, process: top.process }])),
      silent: threads.filter((_, index) => tops[index] === null).map(({ name }) => name),
    };
  }

  async branch(target: string): Promise<TreeBranch> {
    const text = await this.#processes.resolve(target);
    const pid = parsePid(text);
    const thread = this.#threads().find(({ scheduler }) => scheduler === pid?.scheduler);
    if (pid === null || thread === undefined)
      throw new ActionRefused(404, `there is no scheduler for ${text}: it has ended with its thread`);
    const branch = await this.#ask(thread, pid.id);
    if (branch === null) throw new ActionRefused(503, `${thread.name} does not answer`);
    return branch;
  }

  async #ask(thread: ProcessThread, id: number | null): Promise<TreeBranch | null> {
    try {
      return await this.#questions.ask<TreeBranch | null>(thread.thread, 'tree', { id }, ANSWER_MS);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}
