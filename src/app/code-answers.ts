import type { Pid } from '../actors/pid.js';
import { type CodeState, HotProcess, type ModuleTable, type Operation } from '../hot-code/index.js';
import type { Answers } from './answers.js';

/** A slice of this process was too long: it counts for the version that it runs. */
export function noteLongSchedule(pid: Pid): void {
  const { receiver } = pid as unknown as { readonly receiver: unknown };
  if (receiver instanceof HotProcess) receiver.version.longSchedules++;
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
