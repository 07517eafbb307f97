import { readFileSync } from 'node:fs';
import type { Runtime } from '../actors/runtime.js';
import { type ChatModules, defineChatModules } from '../chat/chat-modules.js';
import { hashOf } from '../hot-code/bundle.js';
import { type CodeEvent, ModuleTable, processesOf } from '../hot-code/index.js';
import type { Clock } from '../structures/clock.js';
import { importModule } from './import-module.js';

/** The modules of a scheduler's chat that can be changed while it runs. */
export interface ChatCode {
  readonly table: ModuleTable;
  readonly modules: ChatModules;
}

export interface ChatCodeParts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Of the last change that is effective, shared by all schedulers. Without it nothing ever changes. */
  readonly word?: Int32Array;
  readonly onEvent?: (event: CodeEvent) => void;
}

export function chatCode({ runtime, clock, word, onEvent }: ChatCodeParts): ChatCode {
  const table = new ModuleTable({
    clock,
    hashOf: programHash,
    word: word ?? new Int32Array(1),
    importModule,
    processes: processesOf(runtime),
    ...(onEvent === undefined ? {} : { events: onEvent }),
  });
  return { table, modules: defineChatModules(table) };
}

/** A table that nobody runs, to try texts in. */
export function trialTable(clock: Clock): ModuleTable {
  const table = new ModuleTable({
    clock,
    hashOf: programHash,
    word: new Int32Array(1),
    importModule,
    processes: () => [],
  });
  defineChatModules(table);
  return table;
}

/** Of the code of a module that came with this program. */
export function programHash(module: string): string {
  return hashOf(readFileSync(new URL(`../chat/handlers/${module}.js`, import.meta.url), 'utf8'));
}
