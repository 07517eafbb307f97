import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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

/** Of the code of a module that came with this program. @throws Error if there is none */
export function programHash(module: string): string {
  return hashOf(readFileSync(fileOf(module), 'utf8'));
}

/** Where the program has its own code of a module; null: it has no such module. */
export function programFile(module: string): string | null {
  if (!/^[a-z][a-z0-9-]*$/.test(module)) return null;
  const file = fileOf(module);
  return existsSync(file) ? fileURLToPath(file) : null;
}

function fileOf(module: string): URL {
  return new URL(`../chat/handlers/${module}.js`, import.meta.url);
}
