/** Loaded code over restarts of the server: what is run again, and what is set aside. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Answers } from '../../src/app/answers.js';
import { chatCode } from '../../src/app/chat-code.js';
import { registerCode } from '../../src/app/code-answers.js';
import { CodeControl, type ReleaseLedger } from '../../src/app/code-control.js';
import type { Log } from '../../src/app/log.js';
import { OperatorCode } from '../../src/app/operator-code.js';
import { type AskedThread, ThreadQuestions } from '../../src/app/thread-questions.js';
import { World } from '../actors/world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const ADA = { author: 'ada', address: '' };

function infoModule(name: string) {
  const text = `exports.method = 'server.info'; exports.handle = (request) => request.reply({ name: '${name}' });`;
  return { module: 'server-info', text, imports: [], file: 'server-info.ts', suspend: false };
}

const request = (name: string) => ({
  modules: [infoModule(name)],
  message: `to ${name}`,
  canary: null,
  promote: false,
  automatic: false,
  extra: undefined,
});

type Draft = Parameters<ReleaseLedger['append']>[0];

/** One start of a server: a control and a scheduler in one thread, over a ledger that outlives them. */
class Server extends World {
  readonly lines: string[] = [];
  readonly control: CodeControl;
  readonly operator: OperatorCode;
  #code: ReturnType<typeof chatCode> | null = null;

  constructor(folder: string, entries: (Draft & { readonly at: number })[]) {
    super();
    const questions = new ThreadQuestions(this.clock);
    const answers = new Answers((answer) => questions.arrived(answer));
    const thread: AskedThread = { running: true, post: (question) => answers.answer(question) };
    const say = (...words: unknown[]) => void this.lines.push(String(words.at(-1)));
    this.control = new CodeControl({
      dataFolder: folder,
      clock: this.clock,
      log: { info: say, warn: say, error: say } as unknown as Log,
      questions,
      onLoad: () => {},
      ledger: {
        append: async (draft) => void entries.push({ ...draft, at: 0 }),
        entries: () => entries,
      },
      threads: () => [{ name: 'scheduler-1.1', thread }],
    });
    this.operator = new OperatorCode(this.control);
    this.control.recover();
    this.#code = chatCode({ runtime: this.runtime, clock: this.clock, word: this.control.word });
    registerCode(answers, this.#code.table);
  }

  /** As a scheduler does before it opens its port. */
  async start(): Promise<this> {
    await this.#code!.table.restore(this.control.state());
    return this;
  }

  version(): number {
    return this.#code!.modules.requests.get('server.info')!.of(1).number;
  }
}

function fresh(t: TestContext) {
  return { folder: temporaryFolder(t), entries: [] as (Draft & { readonly at: number })[] };
}

test('what was loaded runs again after a restart, and goes back as before', async (t) => {
  const { folder, entries } = fresh(t);
  const first = await new Server(folder, entries).start();
  await first.operator.load(request('one'), ADA);
  assert.equal(first.version(), 1);
  const second = await new Server(folder, entries).start();
  assert.equal(second.version(), 1);
  assert.match(second.lines.join('\n'), /server-info runs version 1, as loaded by ada \(to one\)/);
  await second.operator.rollback(null, '', ADA);
  assert.equal(second.version(), 0);
  const third = await new Server(folder, entries).start();
  assert.equal(third.version(), 0);
  await third.operator.load(request('two'), ADA);
  assert.equal(third.version(), 3, 'numbers go on');
});

test('a module that has changed in the program is run as the program has it', async (t) => {
  const { folder, entries } = fresh(t);
  const first = await new Server(folder, entries).start();
  await first.operator.load(request('one'), ADA);
  const [entry] = entries as [Draft & { readonly at: number }];
  const data = structuredClone(entry.data);
  (data.modules[0] as { program: string }).program = 'another one';
  entries[0] = { ...entry, data };
  const second = await new Server(folder, entries).start();
  assert.equal(second.version(), 0);
  assert.match(second.lines.join('\n'), /server-info has changed in the program itself/);
});

test('a text that is damaged is not run', async (t) => {
  const { folder, entries } = fresh(t);
  const first = await new Server(folder, entries).start();
  await first.operator.load(request('one'), ADA);
  const [file] = readdirSync(join(folder, 'code'));
  writeFileSync(join(folder, 'code', file as string), 'something else');
  const second = await new Server(folder, entries).start();
  assert.equal(second.version(), 0);
  assert.match(second.lines.join('\n'), /what was loaded cannot be read/);
});

test('texts that nobody will ask for again are removed', async (t) => {
  const { folder, entries } = fresh(t);
  const server = await new Server(folder, entries).start();
  for (const name of ['one', 'two', 'three', 'four']) await server.operator.load(request(name), ADA);
  assert.equal(readdirSync(join(folder, 'code')).length, 2, 'the current one and the previous one');
  assert.match(await server.operator.text('server-info', null), /four/);
  await assert.rejects(server.operator.text('server-info', 1), /no text of version 1 of server-info/);
});
