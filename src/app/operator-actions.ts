import type { Action } from '../ops/action.js';
import { codeActions } from '../ops/actions/code-actions.js';
import { knobActions } from '../ops/actions/knob-actions.js';
import { processActions } from '../ops/actions/process-actions.js';
import { profileActions } from '../ops/actions/profile-actions.js';
import { topAction } from '../ops/actions/top-action.js';
import { traceActions } from '../ops/actions/trace-actions.js';
import { treeAction } from '../ops/actions/tree.js';
import type { Knobs } from '../ops/knobs.js';
import type { Clock } from '../structures/clock.js';
import type { CodeControl } from './code-control.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { codeRefusal, OperatorCode } from './operator-code.js';
import { OperatorProcesses, type ProcessThread } from './operator-processes.js';
import { OperatorTraces } from './operator-traces.js';
import { OperatorTree } from './operator-tree.js';
import { operatorProfiles } from './profiled-threads.js';
import type { SchedulerThreads } from './scheduler-threads.js';
import type { ServerAlerts } from './server-alerts.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';
import { topOfAll } from './top-mailboxes.js';
import type { WriterThread } from './writer-thread.js';

/** What operators' actions are made of: the main thread's view of the server. */
export interface OperatorParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedulers: SchedulerThreads;
  readonly writer: WriterThread;
  readonly questions: ThreadQuestions;
  readonly code: CodeControl;
  /** The threads that have processes, as they are now. */
  readonly processThreads: () => readonly ProcessThread[];
  readonly alerts: ServerAlerts;
  readonly knobs: Knobs;
}

/** Everything that an operator can ask or have done: one line for each action, or for each file of them. */
export function operatorActions(parts: OperatorParts): readonly Action[] {
  const processes = new OperatorProcesses(parts.questions, parts.processThreads);
  return [
    ...processActions(processes),
    ...traceActions(processes, new OperatorTraces(processes)),
    topAction((by, count) => topOfAll(parts.questions, topThreads(parts.processThreads), { by, count })),
    ...knobActions(parts.knobs),
    treeAction(new OperatorTree(parts.questions, parts.processThreads, processes)),
    ...profileActions(operatorProfiles(parts)),
    ...parts.alerts.actions(),
    ...codeActions(new OperatorCode(parts.code), codeRefusal),
  ];
}

/** All threads with processes, as questions are put to them. */
function topThreads(threads: () => readonly ProcessThread[]): (AskedThread & { readonly name: string })[] {
  return threads().map(({ name, thread }) => ({
    name,
    running: thread.running,
    post: (question) => thread.post(question),
  }));
}
