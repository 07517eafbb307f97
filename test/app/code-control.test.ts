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
import type { ReleaseRecord } from '../../src/hot-code/index.js';
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
  /** What the ledger writes later than anybody waits; null: it writes at once. */
  late: Draft[] | null = null;
  readonly #entries: (Draft & { readonly at: number })[];
  readonly #subscribers: ((entry: Draft & { readonly at: number }) => void)[] = [];
  readonly #answers: Answers;
  readonly #thread: { running: boolean } & AskedThread;
  #code: ReturnType<typeof chatCode> | null = null;

  constructor(folder: string, entries: (Draft & { readonly at: number })[]) {
    super();
    this.#entries = entries;
    const questions = new ThreadQuestions(this.clock);
    this.#answers = new Answers((answer) => questions.arrived(answer));
    this.#thread = { running: false, post: (question) => this.#answers.answer(question) };
    const say = (...words: unknown[]) => void this.lines.push(String(words.at(-1)));
    this.control = new CodeControl({
      dataFolder: folder,
      clock: this.clock,
      log: { info: say, warn: say, error: say } as unknown as Log,
      questions,
      onLoad: () => {},
      ledger: {
        append: async (draft) => {
          if (this.late === null) return this.write(draft);
          this.late.push(draft);
          throw Object.assign(new Error('it has not been written within 5 s'), { pending: true });
        },
        entries: () => entries,
        subscribe: (_, subscriber) => void this.#subscribers.push(subscriber),
      },
      threads: () => [{ name: 'scheduler-1.1', thread: this.#thread }],
    });
    this.operator = new OperatorCode(this.control);
  }

  write(draft: Draft): void {
    const entry = { ...draft, at: this.clock.wall() };
    this.#entries.push(entry);
    for (const subscriber of this.#subscribers) subscriber(entry);
  }

  /** As the main thread and a scheduler do before a port is open. */
  async start(): Promise<this> {
    await this.control.recover();
    this.#code = chatCode({ runtime: this.runtime, clock: this.clock, word: this.control.word });
    registerCode(this.#answers, this.#code.table);
    await this.#code.table.restore(this.control.state());
    this.#thread.running = true;
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
  assert.match(second.lines.join('\n'), /what was loaded cannot be run/);
});

test('texts that nobody will ask for again are removed', async (t) => {
  const { folder, entries } = fresh(t);
  const server = await new Server(folder, entries).start();
  for (const name of ['one', 'two', 'three', 'four']) await server.operator.load(request(name), ADA);
  assert.equal(readdirSync(join(folder, 'code')).length, 2, 'the current one and the previous one');
  assert.match((await server.operator.text('server-info', null)).text ?? '', /four/);
  await assert.rejects(
    server.operator.text('server-info', 1),
    /version 1 of server-info is not kept, but 4 and 3/,
  );
  assert.deepEqual((await server.operator.text('session', null)).text, null, 'it is the program’s own');
  await assert.rejects(server.operator.text('../request', null), /there is no module/);
});

test('a canary is off after a restart: the log says so, and the history', async (t) => {
  const { folder, entries } = fresh(t);
  const first = await new Server(folder, entries).start();
  await first.operator.load(request('one'), ADA);
  await first.operator.load({ ...request('two'), canary: 0.5 }, ADA);
  const second = await new Server(folder, entries).start();
  assert.equal(second.version(), 1);
  const off = /the server was restarted: server-info runs version 1, not the canary 2/;
  assert.equal(second.lines.filter((line) => off.test(line)).length, 1, second.lines.join('\n'));
  const [, , withdrawn] = second.operator.history() as readonly ReleaseRecord[];
  assert.deepEqual(
    [withdrawn?.number, withdrawn?.kind, withdrawn?.author, withdrawn?.modules[0]?.version],
    [3, 'withdraw', 'rookery', 1],
  );
  assert.match(withdrawn?.message ?? '', off);
  await assert.rejects(second.operator.promote('', ADA), /there is no canary/);
  const third = await new Server(folder, entries).start();
  assert.equal(third.version(), 1);
  assert.equal(entries.length, 3, 'it is written down once');
  await third.operator.load(request('three'), ADA);
  assert.equal(third.version(), 4);
});

test('a release that ended the server within its first minute is on probation again', async (t) => {
  const { folder, entries } = fresh(t);
  const young = async () => (await new Server(folder, entries).start()).control.server.probations;
  const first = await new Server(folder, entries).start();
  await first.operator.load({ ...request('one'), automatic: true }, ADA);
  assert.deepEqual(
    (await young()).map(({ number }) => number),
    [1],
  );
  const [entry] = entries as [Draft & { readonly at: number }];
  const data = structuredClone(entry.data);
  (data.record as { at: number }).at -= 60_000;
  entries[0] = { ...entry, data };
  assert.deepEqual(await young(), []);
  await first.operator.rollback(null, '', ADA);
  await first.operator.load(request('stays whatever it does'), ADA);
  assert.deepEqual(await young(), []);
});

test('a text that does not run with this program is set aside, and the server starts', async (t) => {
  const { folder, entries } = fresh(t);
  const first = await new Server(folder, entries).start();
  await first.operator.load(request('one'), ADA);
  await first.operator.load(request('two'), ADA);
  const data = structuredClone(entries[1]!.data);
  // As if what it imports had gone from the program with an update.
  const noted = data.modules[0] as unknown as {
    current: { imports: string[] };
    previous: { imports: string[] };
  };
  noted.previous.imports = ['rookery:chat/no-such-file.js'];
  entries[1] = { ...entries[1]!, data };
  const second = await new Server(folder, entries).start();
  assert.equal(second.version(), 2);
  assert.match(second.lines.join('\n'), /version 1 of server-info cannot be gone back to/);
  noted.current.imports = ['rookery:chat/no-such-file.js'];
  const third = await new Server(folder, entries).start();
  assert.equal(third.version(), 0);
  assert.match(
    third.lines.join('\n'),
    /server-info runs as the program has it: what was loaded cannot be run/,
  );
});

test('a release that was refused because the disk was slow is not in force later', async (t) => {
  const { folder, entries } = fresh(t);
  const server = await new Server(folder, entries).start();
  await server.operator.load(request('one'), ADA);
  server.late = [];
  await assert.rejects(server.operator.load(request('two'), ADA), /could not be written down/);
  const [late] = server.late as [Draft];
  server.late = null;
  server.write(late);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.version(), 1);
  assert.match(
    server.lines.join('\n'),
    /release 2 was refused, and written down all the same: it is not in force/,
  );
  const again = await new Server(folder, entries).start();
  assert.equal(again.version(), 1);
  await again.operator.load(request('three'), ADA);
  assert.equal(again.version(), 4);
});
