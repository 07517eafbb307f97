/** Turning knobs: checked, written into the ledger, told to the threads; over restarts, full disks, dead writers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { Runtime } from '../../src/actors/index.js';
import { Answers } from '../../src/app/answers.js';
import { type Config, loadConfig } from '../../src/app/config.js';
import { KnobValues } from '../../src/app/knob-values.js';
import { OperatorKnobs } from '../../src/app/operator-knobs.js';
import { type LedgerEntry, LedgerRefused, OperatorLedger } from '../../src/app/operator-ledger.js';
import { registerKnobs } from '../../src/app/scheduler-knobs.js';
import { type Question, ThreadQuestions } from '../../src/app/thread-questions.js';
import { startMainTree } from '../../src/app/tree.js';
import { ActionRefused } from '../../src/ops/action.js';
import { knobActions } from '../../src/ops/actions/knob-actions.js';
import type { KnobOutcome, KnobReport } from '../../src/ops/knobs.js';
import type { Journal, JournalAnswer, JournalRequest } from '../../src/storage/journal/journal.js';
import { JournalFailure } from '../../src/storage/journal/journal.js';
import { SqliteJournal } from '../../src/storage/sqlite/sqlite-journal.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { JournalBench } from '../storage/journal-bench.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/within.js';

/** A journal that can be made to fail. */
class Fragile implements Journal {
  fail: JournalFailure | null = null;

  constructor(private readonly journal: SqliteJournal) {}

  begin(): void {
    this.journal.begin();
  }
  apply(request: JournalRequest): JournalAnswer {
    if (this.fail === null) return this.journal.apply(request);
    if (request.op === 'persist') return { ok: true, value: undefined };
    if (this.fail === 'corrupt') return { ok: false, failure: this.fail, message: 'the file is damaged' };
    return this.journal.apply(request);
  }
  commit(): JournalFailure | null {
    return this.journal.commit() ?? this.fail;
  }
  close(): void {
    this.journal.close();
  }
}

interface ServerOptions {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly path?: string;
  readonly fail?: JournalFailure;
}

/** The main thread of a server with two others, all in this one. */
function server(t: TestContext, { flags = {}, path, fail }: ServerOptions = {}) {
  const clock = new SystemClock();
  const file = path ?? join(temporaryFolder(t), 'operator.db');
  const journal = new Fragile(SqliteJournal.openLater({ path: file }));
  if (fail !== undefined) journal.fail = fail;
  const bench = new JournalBench(journal);
  const runtime = new Runtime({ clock, random: new SystemRandom() });
  const configured = loadConfig({ flags });
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const questions = new ThreadQuestions(clock);
  const silent = new Set<string>();
  const threads = ['scheduler-1', 'writer-1'].map((name) => {
    const values = new KnobValues(configured).use([name === 'writer-1' ? 'writerBatchMax' : 'sliceMessages']);
    const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
    registerKnobs(answers, values);
    const post = (question: Question) => {
      if (!silent.has(name)) answers.answer(structuredClone(question));
    };
    return { name, values, thread: { running: true, post } };
  });
  const values = new KnobValues(configured).use(['logLevel']);
  const ledger = new OperatorLedger({
    runtime,
    clock,
    journal: bench.port,
    tree: startMainTree(runtime, () => {}),
  });
  const knobs = new OperatorKnobs({ configured, values, ledger, questions, threads: () => threads, log });
  const actions = new Map(knobActions(knobs).map((action) => [action.name, action]));
  const run = async <T = KnobOutcome>(name: string, params: Record<string, unknown> = {}) =>
    (await actions.get(name)!.run(params, { author: 'ada', address: '::1' })) as T;
  const close = () => bench.close();
  atEnd(t, close);
  // The timers of a clock do not keep a process alive, and here is nothing else.
  const alive = setInterval(() => {}, 1000);
  atEnd(t, () => clearInterval(alive));
  const all = (name: keyof Config) =>
    [values, ...threads.map((thread) => thread.values)].map(({ config }) => config[name]);
  const said = (pattern: RegExp) => lines.filter(({ msg }) => pattern.test(msg));
  return { file, journal, bench, ledger, knobs, run, all, said, silent, values, close };
}

async function refused(what: Promise<unknown>, status: number, words: RegExp): Promise<void> {
  await assert.rejects(what, (error: unknown) => {
    assert.ok(error instanceof ActionRefused, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, words);
    return true;
  });
}

test('a knob that is turned holds in all threads, is written down, and can be reverted', async (t) => {
  const { ledger, run, all, said } = server(t, { flags: { logLevel: 'warn' } });
  await ledger.open();
  const outcome = await run('knob-set', { name: 'slice-messages', value: '32', message: 'why not' });
  assert.deepEqual(outcome.effective.toSorted(), ['main', 'scheduler-1', 'writer-1']);
  assert.deepEqual(outcome.late, []);
  const { at, ...entry } = outcome.entry!;
  assert.ok(at > 1_700_000_000_000);
  assert.deepEqual(entry, {
    number: 1,
    author: 'ada',
    from: '::1',
    message: 'why not',
    changes: [{ name: 'sliceMessages', before: null, after: '32' }],
  });
  assert.deepEqual(all('sliceMessages'), [32, 32, 32]);
  assert.equal(said(/sliceMessages 64 → 32 \(knob 1 by ada: why not\)/).length, 1);
  const report = await run<KnobReport>('knob-get', { name: 'sliceMessages' });
  assert.deepEqual(
    { ...report, description: '', changedAt: 0 },
    {
      name: 'sliceMessages',
      group: 'Server',
      description: '',
      value: '32',
      default: '64',
      configured: '64',
      range: 'a whole number from 1 to 4096',
      choices: null,
      source: 'knob 1 by ada',
      changedAt: 0,
      threads: ['scheduler-1'],
    },
  );
  assert.equal((await run('knob-set', { name: 'sliceMessages', value: 32 })).entry, null, 'it is so already');
  await run('knob-set', { values: { logLevel: 'debug', ROOKERY_TURN_MS: '7ms' } });
  assert.deepEqual([all('logLevel'), all('turnMs')], [Array(3).fill('debug'), Array(3).fill(7)]);
  await run('knob-revert', { name: 'log-level' });
  assert.deepEqual(all('logLevel'), Array(3).fill('warn'), 'what the configuration says, not the default');
  assert.equal((await run<KnobReport>('knob-get', { name: 'logLevel' })).source, '--log-level');
  await run('knob-set', { name: 'turnMs', value: 9 });
  await run('knob-revert', { to: 2 });
  assert.deepEqual([all('logLevel'), all('turnMs')], [Array(3).fill('debug'), Array(3).fill(7)]);
  await run('knob-revert', { to: 0 });
  assert.deepEqual([all('logLevel'), all('turnMs'), all('sliceMessages')].flat(), [
    ...Array(3).fill('warn'),
    ...Array(3).fill(5),
    ...Array(3).fill(64),
  ]);
  const { entries } = await run<{ entries: { number: number; message: string }[] }>('knob-history');
  assert.deepEqual(
    entries.map(({ number, message }) => [number, message]),
    [
      [6, 'back to entry 0'],
      [5, 'back to entry 2'],
      [4, ''],
      [3, ''],
      [2, ''],
      [1, 'why not'],
    ],
  );
  const ofOne = await run<{ entries: { number: number }[] }>('knob-history', { name: 'logLevel', limit: 2 });
  assert.deepEqual(
    ofOne.entries.map(({ number }) => number),
    [6, 5],
  );
});

test('what is not allowed changes nothing, and is said with the bad value in it', async (t) => {
  const { ledger, run, all } = server(t);
  await ledger.open();
  for (const [params, status, words] of [
    [{ name: 'sliceMessages', value: 0 }, 400, /sliceMessages must be a whole number from 1 to 4096, not 0/],
    [{ name: 'turnMs', value: '1 fortnight' }, 400, /turnMs.*such as 1500 \(ms\), 30s.*"1 fortnight"/],
    [{ name: 'sliceMesages', value: 1 }, 404, /no knob "sliceMesages"; did you mean slice-messages\?/],
    [{ name: 'port', value: 1 }, 409, /port is fixed while the server runs/],
    [{ name: 'sliceMs', value: 500 }, 409, /sliceMs = 500ms must not be above turn-ms = 5ms/],
    [{ values: { sliceMessages: 9, heartbeatMs: '5m' } }, 409, /idle-?timeout.*2m.*heartbeat-ms = 5m/i],
    [{ values: {} }, 400, /1 to 200 knobs, not 0/],
    [{ values: { turnMs: 9 }, name: 'x' }, 400, /either/],
    [{ name: 'turnMs' }, 400, /value is missing/],
    [{ name: 'turnMs', value: 9, mesage: '' }, 400, /no parameter "mesage"/],
    [{ name: 'turnMs', value: 9, message: 'x'.repeat(501) }, 400, /501/],
  ] as const) {
    await refused(run('knob-set', params), status, words);
  }
  await refused(run('knob-revert', {}), 400, /either name or to/);
  await refused(run('knob-revert', { to: 7 }), 404, /no entry 7/);
  assert.deepEqual(ledger.entries(), []);
  assert.deepEqual(all('sliceMessages'), [64, 64, 64], 'nor the half of a change');
  // Two that contradict each other only if one is turned alone.
  await run('knob-set', { values: { sliceMs: 500, turnMs: 600 } });
  assert.deepEqual([all('sliceMs')[1], all('turnMs')[1]], [500, 600]);
  await refused(run('knob-revert', { name: 'turnMs' }), 409, /sliceMs = 500ms/);
});

test('the ledger wins over the configuration at the next start, and that is said', async (t) => {
  const first = server(t);
  await first.ledger.open();
  await first.run('knob-set', { values: { sliceMessages: 32, logLevel: 'debug', sliceMs: 3, turnMs: 200 } });
  await first.run('knob-set', { values: { sliceMs: 100, writerBatchMax: 64 } });
  await first.run('knob-revert', { name: 'writerBatchMax' });
  await first.close();

  const second = server(t, { path: first.file, flags: { sliceMessages: '16', writerBatchMax: '128' } });
  await second.ledger.open();
  await until('the writer has heard of it', () => second.all('sliceMs')[2] === 100);
  assert.deepEqual(second.all('sliceMessages'), [32, 32, 32]);
  assert.deepEqual(
    [second.all('sliceMs')[0], second.all('turnMs')[0], second.all('logLevel')[0]],
    [100, 200, 'debug'],
  );
  assert.deepEqual(second.all('writerBatchMax'), [128, 128, 128], 'reverted: the configuration holds');
  const [line] = second.said(
    /sliceMessages = 32 \(knob 1 by ada\) overrides --slice-messages = 16; rookery knob revert/,
  );
  assert.equal(line?.level, 40, 'somebody has written something else: a warning');
  assert.equal(second.said(/logLevel = debug .*overrides the default info/)[0]?.level, 30);
  assert.equal((await second.run<KnobReport>('knob-get', { name: 'sliceMs' })).source, 'knob 2 by ada');
  await second.run('knob-revert', { name: 'sliceMessages' });
  assert.equal(second.all('sliceMessages')[0], 16);
  await second.close();

  const third = server(t, { path: first.file, flags: { ignoreKnobs: true } });
  await third.ledger.open();
  assert.equal(third.all('turnMs')[0], 5);
  assert.equal(third.said(/turnMs = 200ms .*does not hold: ignore-knobs/).length, 1);
  const { entries } = await third.run<{ entries: LedgerEntry[] }>('knob-history');
  assert.equal(entries.length, 4);
});

test('what contradicts the configuration of a later start is left out, alone, and the start goes on', async (t) => {
  const first = server(t, { flags: { idleTimeoutMs: '10m' } });
  await first.ledger.open();
  await first.run('knob-set', { values: { heartbeatMs: '4m', sliceMessages: 32 } });
  await first.close();
  const second = server(t, { path: first.file });
  await second.ledger.open();
  assert.deepEqual([second.all('heartbeatMs')[0], second.all('sliceMessages')[0]], [30_000, 32]);
  const [line] = second.said(
    /heartbeatMs = 4m \(knob 1 by ada\) cannot hold any more and is left out: must be/,
  );
  assert.equal(line?.level, 40);
  assert.equal((await second.run<KnobReport>('knob-get', { name: 'heartbeatMs' })).source, 'default');
});

test('what was left out is told to no thread, can be turned again to the same value, and reverted', async (t) => {
  const first = server(t, { flags: { idleTimeoutMs: '10m' } });
  await first.ledger.open();
  await first.run('knob-set', { values: { heartbeatMs: '4m', sliceMessages: 32 } });
  await first.close();
  const second = server(t, { path: first.file });
  await second.ledger.open();
  await until('the threads have heard of the other one', () =>
    second.all('sliceMessages').every((it) => it === 32),
  );
  assert.deepEqual(second.all('heartbeatMs'), [30_000, 30_000, 30_000]);
  // It is not so already, and it cannot be: that is said.
  await refused(
    second.run('knob-set', { name: 'heartbeatMs', value: '4m' }),
    409,
    /idleTimeoutMs|idle-timeout-ms/,
  );
  const { entry } = await second.run('knob-revert', { name: 'heartbeatMs' });
  assert.deepEqual(entry!.changes, [{ name: 'heartbeatMs', before: '4m', after: null }]);
  await second.close();
  const third = server(t, { path: first.file });
  await third.ledger.open();
  assert.deepEqual(third.said(/heartbeatMs/), [], 'it is not in the way any more');
});

test('a start that ignores knobs: what is in the way is reverted for good, or turned again', async (t) => {
  const first = server(t);
  await first.ledger.open();
  await first.run('knob-set', { values: { sliceMessages: 1, turnMs: '20ms', logLevel: 'debug' } });
  await first.close();
  const second = server(t, { path: first.file, flags: { ignoreKnobs: true } });
  await second.ledger.open();
  assert.deepEqual(second.all('sliceMessages'), [64, 64, 64]);
  assert.deepEqual((await second.run<KnobReport>('knob-get', { name: 'sliceMessages' })).source, 'default');
  const { entry } = await second.run('knob-revert', { name: 'sliceMessages' });
  assert.deepEqual(entry!.changes, [{ name: 'sliceMessages', before: '1', after: null }]);
  await second.run('knob-set', { name: 'turnMs', value: '20ms' });
  assert.deepEqual(second.all('turnMs'), [20, 20, 20]);
  await second.close();
  const third = server(t, { path: first.file });
  await third.ledger.open();
  assert.deepEqual(
    [third.values.config.sliceMessages, third.values.config.turnMs, third.values.config.logLevel],
    [64, 20, 'debug'],
  );
});

test('a full disk: nothing changes, and it is said; when there is room again it works', async (t) => {
  const { ledger, journal, run, all } = server(t);
  await ledger.open();
  await run('knob-set', { name: 'sliceMessages', value: 32 });
  journal.fail = JournalFailure.diskFull;
  await refused(
    run('knob-set', { values: { sliceMessages: 16, logLevel: 'debug' } }),
    503,
    /nothing was changed: the operator's ledger cannot be written: /,
  );
  assert.deepEqual([all('sliceMessages'), all('logLevel')].flat(), [32, 32, 32, 'info', 'info', 'info']);
  assert.equal(ledger.entries().length, 1);
  journal.fail = null;
  const outcome = await run('knob-set', { name: 'sliceMessages', value: 16 });
  assert.equal(outcome.entry?.number, 2);
  assert.deepEqual(all('sliceMessages'), [16, 16, 16]);
});

test('a writer that is replaced meanwhile: the change waits for the next one and is made once', async (t) => {
  const { ledger, journal, bench, run, all } = server(t);
  await ledger.open();
  bench.port.detach();
  const change = run('knob-set', { name: 'sliceMessages', value: 32 });
  await until('it waits', () => bench.port.pending > 0);
  assert.deepEqual(all('sliceMessages'), [64, 64, 64]);
  bench.serve(journal);
  assert.equal((await change).entry?.number, 1);
  assert.deepEqual(all('sliceMessages'), [32, 32, 32]);
});

test('a ledger that cannot be read at the start is said; it is read when somebody needs it and it can be', async (t) => {
  const first = server(t);
  await first.ledger.open();
  await first.run('knob-set', { name: 'sliceMessages', value: 32 });
  await first.close();
  const second = server(t, { path: first.file, fail: JournalFailure.corrupt });
  await assert.rejects(second.ledger.open(), (error: unknown) => {
    assert.ok(error instanceof LedgerRefused);
    assert.match(error.message, /the operator's ledger cannot be read: the file is damaged/);
    return true;
  });
  assert.equal(second.all('sliceMessages')[0], 64);
  await refused(second.run('knob-set', { name: 'turnMs', value: 9 }), 503, /nothing was changed.*damaged/);
  second.journal.fail = null;
  const { entry } = await second.run('knob-set', { name: 'sliceMessages', value: 16 });
  assert.deepEqual(entry?.changes, [{ name: 'sliceMessages', before: '32', after: '16' }]);
});

test('changes are made one after the other; a thread that hangs is named, and has it when it comes back', async (t) => {
  const { ledger, run, all, silent, knobs } = server(t);
  await ledger.open();
  const many = await Promise.all(
    Array.from({ length: 10 }, (_, index) => run('knob-set', { name: 'sliceMessages', value: index + 1 })),
  );
  assert.deepEqual(
    many.map(({ entry }) => [entry?.number, entry?.changes[0]?.before]),
    Array.from({ length: 10 }, (_, index) => [index + 1, index === 0 ? null : String(index)]),
  );
  silent.add('scheduler-1');
  const { effective, late } = await run('knob-set', { name: 'turnMs', value: 9 });
  assert.deepEqual([effective.toSorted(), late], [['main', 'writer-1'], ['scheduler-1']]);
  assert.deepEqual(all('turnMs'), [9, 5, 9]);
  silent.clear();
  const flood = Array.from({ length: 40 }, (_, index) =>
    knobs.set({ sliceMessages: index + 1 }, { author: 'x', address: '', message: '' }),
  );
  const outcomes = await Promise.allSettled(flood);
  const turnedAway = outcomes.filter(({ status }) => status === 'rejected');
  assert.equal(turnedAway.length, 24);
  assert.match(String((turnedAway[0] as PromiseRejectedResult).reason), /16 changes of knobs wait/);
});

test('entries of other kinds have the same numbers, and go to who subscribes to them', async (t) => {
  const first = server(t);
  const seen: [number, unknown, boolean][] = [];
  first.ledger.subscribe('release', ({ number, data }, recovered) => seen.push([number, data, recovered]));
  await first.ledger.open();
  await first.run('knob-set', { name: 'sliceMessages', value: 32 });
  const draft = { kind: 'release', author: 'bob', address: '::1', message: '', data: { modules: ['echo'] } };
  const entry = await first.ledger.append(draft);
  assert.equal(entry.number, 2);
  assert.deepEqual(seen, [[2, { modules: ['echo'] }, false]]);
  await first.close();
  const second = server(t, { path: first.file });
  second.ledger.subscribe('release', ({ number, data }, recovered) => seen.push([number, data, recovered]));
  await second.ledger.open();
  assert.deepEqual(seen.at(-1), [2, { modules: ['echo'] }, true]);
  assert.deepEqual(
    second.ledger.entries('release').map(({ author }) => author),
    ['bob'],
  );
  assert.deepEqual(
    second.ledger.entries().map(({ kind }) => kind),
    ['knob', 'release'],
  );
});
