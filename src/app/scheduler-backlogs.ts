import type { Backlog, BacklogSource } from '../metrics/alerts/backlog-source.js';
import { StatsBlock } from '../schedulers/index.js';
import { ALERT_TOPIC, type AlertAnswer, type AlertQuestion } from './alert-answers.js';
import type { Heap } from './groups/heap-group.js';
import type { SchedulerThread } from './scheduler-threads.js';
import type { ThreadQuestions } from './thread-questions.js';

/** The backlogs of the schedulers, asked of their threads. */
export class SchedulerBacklogs {
  /** By thread: as it was told last. */
  readonly heaps = new Map<string, Heap>();
  readonly #questions: ThreadQuestions;
  readonly #sources = new Map<string, BacklogSource>();

  constructor(questions: ThreadQuestions) {
    this.#questions = questions;
  }

  of(scheduler: SchedulerThread): BacklogSource {
    const { name } = scheduler;
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = {
        name,
        get isRunning() {
          return scheduler.running;
        },
        backlogged: () => (scheduler.stats === null ? 0 : new StatsBlock(scheduler.stats).read('backlogged')),
        ask: (max) => this.#ask(scheduler, { max }),
      };
      this.#sources.set(name, source);
    }
    return source;
  }

  async #ask(scheduler: SchedulerThread, question: AlertQuestion): Promise<Backlog | null> {
    const answer = await this.#questions.ask<AlertAnswer>(scheduler, ALERT_TOPIC, question);
    if (answer === null) {
      this.heaps.delete(scheduler.name);
      return null;
    }
    this.heaps.set(scheduler.name, { usedBytes: answer.heapUsedBytes, limitBytes: answer.heapLimitBytes });
    return answer;
  }
}
