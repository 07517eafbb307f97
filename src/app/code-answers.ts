import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { RuntimeEvent } from '../actors/runtime-event.js';
import {
  type CodeState,
  HotProcess,
  type ModuleTable,
  type ModuleVersion,
  type Operation,
} from '../hot-code/index.js';
import type { Answers } from './answers.js';

/** What the runtime tells of processes that run for too long counts for the version that they were in. */
export function noteLongRuns(table: ModuleTable, event: RuntimeEvent): void {
  if (event.type === 'long_schedule') {
    const version = versionIn(table, event.pid, event.messages);
    if (version !== null) version.longSchedules++;
  } else if (event.type === 'crash' && event.cut !== undefined) {
    const version = versionIn(table, event.pid, 1);
    if (version !== null) table.wasCut(version);
  }
}

/** The handler to which the process has handed one of its last messages on, or its own. */
function versionIn(table: ModuleTable, pid: Pid, messages: number): ModuleVersion | null {
  const { id, handledCount, receiver } = pid as unknown as Process<never>;
  const handler = table.handedTo(id, handledCount, messages);
  return handler ?? (receiver instanceof HotProcess ? receiver.version : null);
}

/** What a scheduler answers to the code server: see `CodeNode`. */
export function registerCode(answers: Answers, table: ModuleTable): void {
  answers
    .on('code-prepare', (operation: Operation) => table.prepare(operation))
    .on('code-abort', (number: number) => table.abort(number))
    .on('code-restore', async (state: CodeState) => {
      await table.restore(state);
      return true;
    })
    .on('code-report', () => table.report())
    .on('code-holders', (module: string) => table.holders(module));
}
