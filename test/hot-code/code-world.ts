import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Pid } from '../../src/actors/index.js';
import { hashOf } from '../../src/hot-code/bundle.js';
import {
  type ChangeableProcess,
  type CodeEvent,
  CodeServer,
  type CodeServerOptions,
  type CodeText,
  type Contract,
  functions,
  type HotBehaviour,
  HotProcess,
  localNode,
  type ModuleSlot,
  ModuleTable,
  type NewCode,
  type ReleaseRecord,
} from '../../src/hot-code/index.js';
import { World } from '../actors/world.js';

export interface Tally {
  count: number;
}
export type TallyMessage = { readonly type: 'add' } | { readonly type: 'boom' };

export const tally: Contract<HotBehaviour<Tally, TallyMessage>> = functions(
  'tally',
  ['receive'],
  ['codeChange', 'terminate'],
);

/** What the program was started with. */
export const firstTally: HotBehaviour<Tally, TallyMessage> = {
  receive(state, message) {
    if (message.type === 'boom') throw new Error('boom');
    state.count += 1;
  },
};

/** A text in CommonJS, as bundle.ts makes them. */
export function code(module: string, text: string, number = 0): CodeText & NewCode {
  return { module, number, hash: hashOf(text), text, imports: [], file: `${module}.ts`, loadedAt: 0 };
}

/** A table and a code server in one thread, over a simulated clock. */
export class CodeWorld extends World {
  readonly word = new Int32Array(new SharedArrayBuffer(4));
  readonly told: CodeEvent[] = [];
  readonly records: ReleaseRecord[] = [];
  readonly automatic: ReleaseRecord[] = [];
  readonly failures: unknown[] = [];
  readonly processes = new Set<ChangeableProcess>();
  readonly table: ModuleTable;
  readonly slot: ModuleSlot<HotBehaviour<Tally, TallyMessage>>;
  readonly server: CodeServer;

  constructor(options: Partial<CodeServerOptions> = {}) {
    super();
    this.table = this.newTable();
    this.slot = this.table.define(tally, firstTally);
    const node = localNode('here', this.table);
    this.server = new CodeServer({
      clock: this.clock,
      word: this.word,
      nodes: () => [node],
      record: async (record) => void this.records.push(record),
      onAutomatic: (record) => void this.automatic.push(record),
      onFailure: (error) => void this.failures.push(error),
      ...options,
    });
  }

  newTable(): ModuleTable {
    return new ModuleTable({
      clock: this.clock,
      hashOf: () => 'program',
      word: this.word,
      importModule: (specifier) => import(specifier) as Promise<object>,
      processes: (slot) => [...this.processes].filter((process) => process.slot === slot),
      events: (event) => {
        this.told.push(event);
        this.server?.told(event);
      },
    });
  }

  /** A process that runs the tally. */
  start(count = 0): { readonly pid: Pid<TallyMessage>; readonly process: HotProcess<Tally, TallyMessage> } {
    let process!: HotProcess<Tally, TallyMessage>;
    const pid = this.runtime.spawn<TallyMessage>((self) => {
      process = new HotProcess(this.slot, self, { count });
      self.onExit({ processExited: () => void this.processes.delete(process) });
      return process;
    });
    this.processes.add(process);
    return { pid, process };
  }

  say(pid: Pid<TallyMessage>, type: TallyMessage['type'] = 'add'): void {
    this.runtime.send(pid, { type });
    this.runtime.flush();
  }
}

export const by = { author: 'ada', message: 'a test' } as const;
export const fixtures = fileURLToPath(new URL('../../../test/hot-code/fixtures/', import.meta.url));

/** What waits for turns of a simulated clock. */
export async function settled<T>(world: CodeWorld, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = promise.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) {
    world.runtime.flush();
    world.advance(0);
    await turn();
  }
  return done;
}

export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export async function until(world: CodeWorld, done: () => boolean): Promise<void> {
  for (let at = 0; at < 1000 && !done(); at++) {
    world.advance(10);
    await turn();
  }
  assert.ok(done(), 'it never came to that');
}
