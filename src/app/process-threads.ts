import type { Runtime } from '../actors/runtime.js';
import { Answers } from './answers.js';
import { registerMailboxes } from './mailbox-answers.js';
import type { ProcessThread } from './operator-processes.js';
import { registerProcesses } from './process-answers.js';
import { registerTraces } from './process-trace-answers.js';
import type { SchedulerThreads } from './scheduler-threads.js';
import type { SchedulerWatch } from './scheduler-watch.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';
import { registerTree } from './tree-answers.js';

export interface ProcessThreadsParts {
  /** Of the main thread: its processes are asked like those of any other. */
  readonly runtime: Runtime;
  readonly questions: ThreadQuestions;
  readonly schedulers: SchedulerThreads;
  readonly watch: SchedulerWatch;
}

/** The threads that have processes, as they are whenever they are asked for. */
export function processThreads(parts: ProcessThreadsParts): () => readonly ProcessThread[] {
  const { runtime, questions, schedulers, watch } = parts;
  const answers = new Answers((answer) => questions.arrived(answer));
  registerProcesses(answers, runtime, 'main');
  registerTraces(answers, runtime);
  registerMailboxes(answers, runtime);
  registerTree(answers, runtime, 'main');
  const own: AskedThread = { running: true, post: (question) => answers.answer(question) };
  const main: ProcessThread = {
    name: 'main',
    scheduler: runtime.scheduler,
    thread: own,
    stack: async () => [],
  };
  return () => [
    main,
    ...schedulers.all
      .filter(({ running }) => running)
      .map((thread) => ({
        name: thread.name,
        scheduler: thread.number,
        thread,
        stack: () => watch.sample(thread.name),
      })),
  ];
}
