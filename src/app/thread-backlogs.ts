import { backloggedMailboxes } from '../actors/mailbox-report.js';
import type { Runtime } from '../actors/runtime.js';
import type { RuntimeStat } from '../actors/runtime-stats.js';
import type { Backlog, BacklogSource } from '../metrics/alerts/backlog-source.js';
import { StatsBlock, type StatsMemory } from '../schedulers/index.js';
import { ALERT_TOPIC, type AlertAnswer, type AlertQuestion, processOf } from './alert-answers.js';
import type { Heap } from './groups/heap-group.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

/** A thread that is asked for its backlog, over its incarnations. */
export interface BackloggedThread extends AskedThread {
  readonly name: string;
  /** What its runtime counts; null: it has none, or does not run. */
  readonly runtimeStats: StatsMemory<RuntimeStat> | null;
}

/** The backlogs of the threads, as they tell them. */
export class ThreadBacklogs {
  /** By thread: as it was told last. */
  readonly heaps = new Map<string, Heap>();
  readonly #questions: ThreadQuestions;
  readonly #sources = new Map<string, BacklogSource>();

  constructor(questions: ThreadQuestions) {
    this.#questions = questions;
  }

  of(thread: BackloggedThread): BacklogSource {
    const { name } = thread;
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = {
        name,
        get isRunning() {
          return thread.running;
        },
        backlogged: () =>
          thread.runtimeStats === null ? 0 : StatsBlock.of(thread.runtimeStats).read('backlogged'),
        ask: (max) => this.#ask(thread, { max }),
      };
      this.#sources.set(name, source);
    }
    return source;
  }

  async #ask(thread: BackloggedThread, question: AlertQuestion): Promise<Backlog | null> {
    const answer = await this.#questions
      .ask<AlertAnswer>(thread, ALERT_TOPIC, question)
      // One that cannot answer is as good as silent; the others go on being watched.
      .catch(() => null);
    if (answer === null) {
      this.heaps.delete(thread.name);
      return null;
    }
    this.heaps.set(thread.name, { usedBytes: answer.heapUsedBytes, limitBytes: answer.heapLimitBytes });
    return answer;
  }
}

/** The backlog of the main thread, on which this runs. */
export function mainBacklog(runtime: Runtime): BacklogSource {
  return {
    name: 'main',
    isRunning: true,
    backlogged: () => runtime.mailboxes.backlogged,
    ask: async (max) => ({ processes: backloggedMailboxes(runtime, max).map(processOf) }),
  };
}
