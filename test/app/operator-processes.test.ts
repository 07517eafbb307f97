/** Processes as operators find them, look at them and change them, on several threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, formatPid, GenServer, type Pid, parsePid, receive } from '../../src/actors/index.js';
import { Answers } from '../../src/app/answers.js';
import { OperatorProcesses } from '../../src/app/operator-processes.js';
import { registerProcesses } from '../../src/app/process-answers.js';
import { type Question, ThreadQuestions } from '../../src/app/thread-questions.js';
import { reportText } from '../../src/cli/processes.js';
import { ActionRefused } from '../../src/ops/action.js';
import { processActions } from '../../src/ops/actions/process-actions.js';
import type { ProcessRates, ProcessReport } from '../../src/ops/processes.js';
import type { Clock } from '../../src/structures/clock.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { World } from '../actors/world.js';

/** Two threads, in this one: what they say is cloned as between threads. */
function server(clock: Clock = new SystemClock()) {
  // Real time: what a behaviour is asked for goes through its mailbox, in turns of the event loop.
  const questions = new ThreadQuestions(clock);
  const silent = new Set<string>();
  /** What those will hear when they come back. */
  const unheard: (() => void)[] = [];
  const threads = [1, 2].map((scheduler) => {
    const world = new World({ clock, scheduler });
    const name = `scheduler-${scheduler}`;
    const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
    registerProcesses(answers, world.runtime, name);
    const post = (question: Question) => {
      const hear = () => answers.answer(structuredClone(question));
      if (silent.has(name)) unheard.push(hear);
      else hear();
    };
    const stack = async () => ['at loop (bad.js:1:1)'];
    return { world, entry: { name, scheduler, thread: { running: true, post }, stack } };
  });
  const processes = new OperatorProcesses(questions, () => threads.map(({ entry }) => entry));
  const actions = new Map(processActions(processes).map((action) => [action.name, action]));
  const run = async (name: string, params: Record<string, unknown> = {}) =>
    (await actions.get(name)!.run(params, { author: 'ada', address: '::1' })) as Record<string, unknown>;
  const [one, two] = threads.map(({ world }) => world) as [World, World];
  return { one, two, processes, run, silent, unheard };
}

async function refused(what: Promise<unknown>, status: number, words: RegExp): Promise<void> {
  await assert.rejects(what, (error: unknown) => {
    assert.ok(error instanceof ActionRefused, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, words);
    return true;
  });
}

const list = (page: Record<string, unknown>) =>
  (page['processes'] as { label: string }[]).map(({ label }) => label);

test('pids are read as logs print them, with a label, or without the brackets', () => {
  const { pid } = new World({ scheduler: 3 }).puppet();
  const { scheduler, id } = pid;
  for (const text of [formatPid(pid), `session${formatPid(pid)}`, formatPid(pid).slice(1, -1)])
    assert.deepEqual(parsePid(text), { scheduler, id }, text);
  const later = { scheduler: 1, id: 7 + 5 * 2 ** 24 };
  assert.deepEqual(parsePid(formatPid(later)), later);
  for (const text of [
    '',
    '<1.2>',
    '<1.2.3',
    '1.2.3>',
    '<1.16777216.0>',
    '<1.2.536870912>',
    '<a.b.c>',
    'x1.2.3',
  ])
    assert.equal(parsePid(text), null, text);
});

test('lists: by label, name, thread and mailbox, page by page over the threads', async () => {
  const { one, two, run } = server();
  for (let number = 0; number < 3; number++) one.puppet({ label: `session-${number}` });
  const busy = two.puppet({ label: 'session-9', name: 'nine' });
  two.puppet({ label: 'other' });
  two.runtime.suspend(busy.pid);
  for (let number = 0; number < 5; number++) two.runtime.send(busy.pid, number);
  assert.deepEqual(list(await run('processes')), [
    'session-0',
    'session-1',
    'session-2',
    'session-9',
    'other',
  ]);
  assert.deepEqual(list(await run('processes', { label: 'session-*' })), [
    'session-0',
    'session-1',
    'session-2',
    'session-9',
  ]);
  assert.deepEqual(list(await run('processes', { label: 'session' })), []);
  assert.deepEqual(list(await run('processes', { name: 'n*e' })), ['session-9']);
  assert.deepEqual(list(await run('processes', { thread: 'scheduler-2' })), ['session-9', 'other']);
  const [row] = (await run('processes', { mailboxMin: 5 }))['processes'] as Record<string, unknown>[];
  assert.deepEqual(row, {
    pid: formatPid(busy.pid),
    label: 'session-9',
    name: 'nine',
    thread: 'scheduler-2',
    mailbox: 5,
    longest: 5,
    received: 5,
    handled: 0,
    sent: 0,
    suspended: true,
  });
  const seen: string[] = [];
  let after: unknown = null;
  do {
    const page = await run('processes', { limit: 2, after });
    assert.ok(list(page).length <= 2);
    seen.push(...list(page));
    after = page['next'];
  } while (after !== null);
  assert.deepEqual(seen, ['session-0', 'session-1', 'session-2', 'session-9', 'other']);
  await refused(run('processes', { thread: 'scheduler-3' }), 404, /scheduler-3.*scheduler-1, scheduler-2/);
  await refused(run('processes', { after: 'x' }), 400, /"x"/);
  await refused(run('processes', { limit: 0 }), 400, /limit.*from 1 to 1000, not 0/);
  await refused(run('processes', { labels: 'x' }), 400, /no parameter "labels"/);
});

test('a process is named by its pid, its name, or its label if that is one process only', async () => {
  const { one, two, run } = server();
  const { pid } = one.puppet({ label: 'partition-7' });
  two.puppet({ label: 'twin' });
  one.puppet({ label: 'twin' });
  const named = two.puppet({ name: 'ledger', label: 'keeper' });
  for (const target of [formatPid(pid), `partition-7${formatPid(pid)}`, 'partition-7'])
    assert.equal((await run('inspect', { pid: target }))['label'], 'partition-7');
  assert.equal((await run('inspect', { pid: 'ledger' }))['pid'], formatPid(named.pid));
  await refused(
    run('inspect', { pid: 'twin' }),
    409,
    /"twin" is more than one process: <1\..*, <2\..*by its pid/,
  );
  await refused(run('inspect', { pid: 'nobody' }), 404, /no process with the name or the label "nobody"/);
  await refused(run('inspect', { pid: '<7.1.0>' }), 404, /no scheduler 7/);
  await refused(run('inspect', { pid: '<1.0.0>' }), 404, /there is no process <1.0.0>/);
  one.runtime.exit(pid, ExitReason.kill);
  await refused(run('inspect', { pid: formatPid(pid) }), 404, /it has ended/);
  await refused(run('inspect', {}), 400, /pid must be a text, not nothing/);
  await refused(run('kill', { pid: 7 }), 400, /not 7/);
});

test('a plain process is shown with what waits, and nothing that people wrote', async () => {
  const { one, run } = server();
  const { pid, self } = one.puppet({ label: 'session' });
  const other = one.puppet({ label: 'other' });
  self.link(other.pid);
  other.self.monitor(pid);
  self.sendAfter(1e6, 'later');
  one.runtime.suspend(pid);
  one.runtime.send(pid, { type: 'socket', bytes: new Uint8Array(100), text: 'swordfish' });
  const report = await run('inspect', { pid: formatPid(pid), messages: 1 });
  assert.deepEqual(report['links'], { count: 1, first: [`other${formatPid(other.pid)}`] });
  assert.deepEqual(report['monitoredBy'], { count: 1, first: [`other${formatPid(other.pid)}`] });
  assert.deepEqual(report['monitoring'], { count: 0, first: [] });
  assert.deepEqual(report['messages'], [
    { outline: '{ type: "socket", bytes: (100 bytes), text: (9 characters) }', bytes: 115 },
  ]);
  assert.equal(report['timers'], 1);
  assert.equal(report['kind'], 'function');
  assert.equal(report['state'], null);
  assert.equal(report['stateMissing'], null, 'it has none to be read, and was not asked');
  assert.doesNotMatch(JSON.stringify(report), /swordfish/);
  one.runtime.resume(pid);
});

test('what waits for a process that is held is timed from the first look on, and its rates are known', async () => {
  const clock = new SimulatedClock();
  const { one, run } = server(clock);
  const { pid } = one.puppet({ label: 'held' });
  const inspect = () => run('inspect', { pid: 'held' });
  assert.equal((await inspect())['rates'], null);
  for (let second = 0; second < 30; second++) {
    for (let n = 0; n < 10; n++) one.runtime.send(pid, n);
    one.runtime.flush();
    clock.advance(1000);
  }
  const { rates, oldestMs, delayMs } = await inspect();
  assert.deepEqual({ oldestMs, delayMs }, { oldestMs: 0, delayMs: 0 });
  const [, per10] = (rates as ProcessRates).handled;
  assert.ok(Math.abs(per10 - 10) < 1, `${per10}`);
  await run('suspend', { pid: 'held', hard: true });
  one.runtime.send(pid, 'one');
  assert.equal((await inspect())['mailbox'], 1);
  clock.advance(4000);
  const held = await inspect();
  // To the sample: every quarter of a second.
  assert.ok(Number(held['oldestMs']) >= 3750 && Number(held['oldestMs']) <= 4000, String(held['oldestMs']));
  assert.deepEqual([held['delayMs'], held['drainMs']], [null, null]);
  assert.match(
    reportText(held as unknown as ProcessReport),
    /mailbox +1 messages.*; the oldest for (3\.8|4) s, nothing was handled for [\d.]+ s, it does not get shorter\n/,
  );
});

test('a receiver shows what it says of itself, in outline; a summary that fails is said to', async () => {
  const { one, run } = server();
  let fails = false;
  const pid = one.runtime.spawn<unknown>(() => ({
    receive() {},
    summary() {
      if (fails) throw new RangeError('a bug');
      return { phase: 'active', user: 15550001, name: 'swordfish' };
    },
  }));
  const report = await run('inspect', { pid: formatPid(pid) });
  assert.equal(report['state'], '{ phase: "active", user: 15550001, name: (9 characters) }');
  fails = true;
  const failed = await run('inspect', { pid: formatPid(pid) });
  assert.deepEqual(
    [failed['state'], failed['stateMissing']],
    [null, 'its summary failed: RangeError: a bug'],
  );
});

test('a behaviour shows its state by formatStatus, in outline; one that is far behind is not waited for', async () => {
  const { one, run } = server();
  const server1 = GenServer.start(one.runtime, {
    init: () => GenServer.ok({ count: 3, note: 'swordfish' }),
    handleCast: (_message: unknown, state: { count: number; note: string }) => GenServer.noreply(state),
  }).ok!;
  const report = await run('inspect', { pid: formatPid(server1) });
  assert.equal(report['kind'], 'GenServer');
  assert.equal(report['state'], '{ count: 3, note: (9 characters) }');
  one.runtime.suspend(server1);
  const held = await run('inspect', { pid: formatPid(server1) });
  assert.equal(held['state'], null);
  assert.match(String(held['stateMissing']), /suspended/);
  one.runtime.resume(server1);
  const waiting = one.runtime.spawn<unknown>(function* () {
    yield* receive('never');
  });
  const generator = await run('inspect', { pid: formatPid(waiting) });
  assert.deepEqual([generator['kind'], generator['waits'], generator['state']], ['generator', true, null]);
});

test('messages: behind all that wait or before them, as casts; and thrown away', async () => {
  const { one, run } = server();
  const { pid, inbox } = one.puppet();
  const target = formatPid(pid);
  one.runtime.suspend(pid);
  await run('send', { pid: target, message: 'b' });
  await run('send', { pid: target, message: 'c' });
  const first = await run('send', { pid: target, message: 'a', first: true });
  assert.equal(first['outcome'], 'sent before all that waits');
  await run('send', { pid: target, message: 'x' });
  one.runtime.exit(pid, ExitReason.normal);
  const other = one.puppet();
  one.runtime.suspend(other.pid);
  other.self.trapExit = true;
  for (const text of ['p', 'q', 'r', 's']) one.runtime.send(other.pid, text);
  one.runtime.exit(other.pid, ExitReason.shutdown);
  one.runtime.send(other.pid, 't');
  const some = await run('flush', { pid: formatPid(other.pid), max: 2 });
  assert.equal(some['outcome'], '2 messages thrown away, 4 are left');
  const rest = await run('flush', { pid: formatPid(other.pid) });
  assert.equal(rest['outcome'], '3 messages thrown away, 1 are left', 'the end of somebody stays');
  await run('resume', { pid: target });
  await run('resume', { pid: formatPid(other.pid) });
  one.runtime.flush();
  assert.deepEqual(inbox, ['a', 'b', 'c', 'x']);
  assert.equal(other.inbox.length, 1);
  assert.match(JSON.stringify(other.inbox), /EXIT/);
  const received: unknown[] = [];
  const server1 = GenServer.start(one.runtime, {
    init: () => GenServer.ok(0),
    handleCast: (message: unknown, state: number) => {
      received.push(message);
      return GenServer.noreply(state);
    },
  }).ok!;
  await run('send', { pid: formatPid(server1), message: { n: 1 }, cast: true });
  one.runtime.flush();
  assert.deepEqual(received, [{ n: 1 }]);
  await refused(run('flush', { pid: target, max: 0 }), 400, /max/);
});

test('kill ends a process; a supervisor only with force', async () => {
  const { one, run } = server();
  const { pid, self } = one.puppet();
  self.trapExit = true;
  const outcome = await run('kill', { pid: formatPid(pid) });
  assert.deepEqual(outcome, { pid: formatPid(pid), label: 'process', outcome: 'killed' });
  assert.deepEqual(one.runtime.exitReasonOf(pid), ExitReason.killed);
  const top = Supervisor.start(one.runtime, { label: 'top', children: [] }).ok as Pid;
  await refused(run('kill', { pid: 'top' }), 409, /top<.*> is a Supervisor.*force/);
  await refused(run('suspend', { pid: 'top' }), 409, /force/);
  assert.equal(one.runtime.isAlive(top), true);
  await run('kill', { pid: 'top', force: true });
  assert.equal(one.runtime.isAlive(top), false);
});

test('suspended: a behaviour by sys, anything else by the run queue, or all of them so', async () => {
  const { one, run } = server();
  const casts: unknown[] = [];
  const server1 = GenServer.start(one.runtime, {
    init: () => GenServer.ok(0),
    handleCast: (message: unknown, state: number) => {
      casts.push(message);
      return GenServer.noreply(state);
    },
  }).ok!;
  const pid = formatPid(server1);
  assert.match(String((await run('suspend', { pid }))['outcome']), /system messages only/);
  assert.equal((await run('suspend', { pid }))['outcome'], 'suspended already');
  assert.equal((await run('inspect', { pid }))['suspended'], true);
  GenServer.cast(one.runtime, server1, 'x');
  one.runtime.flush();
  assert.deepEqual(casts, []);
  assert.equal((await run('resume', { pid }))['outcome'], 'resumed');
  one.runtime.flush();
  assert.deepEqual(casts, ['x']);
  assert.equal((await run('resume', { pid }))['outcome'], 'it was not suspended');
  assert.match(String((await run('suspend', { pid, hard: true }))['outcome']), /no slices/);
  GenServer.cast(one.runtime, server1, 'y');
  one.runtime.flush();
  assert.deepEqual(casts, ['x']);
  await run('resume', { pid });
  one.runtime.flush();
  assert.deepEqual(casts, ['x', 'y']);
});

test('a thread that does not answer is said to, with where it is; lists go on without it', async () => {
  const clock = new SimulatedClock();
  const { one, two, run, silent, unheard } = server(clock);
  const { pid } = one.puppet({ label: 'stuck' });
  two.puppet({ label: 'fine' });
  silent.add('scheduler-1');
  let done = false;
  const all = (async () => {
    const words = /scheduler-1 does not answer; it is at\n {4}at loop/;
    await refused(run('inspect', { pid: formatPid(pid) }), 503, words);
    const page = await run('processes');
    assert.deepEqual([list(page), page['silent']], [['fine'], ['scheduler-1']]);
    await refused(
      run('inspect', { pid: 'stuck' }),
      503,
      /no process with the name or the label "stuck" on the other threads; scheduler-1 does not answer; it is at\n {4}at loop/,
    );
    await refused(
      run('kill', { pid: formatPid(pid) }),
      503,
      /^nothing was done: scheduler-1 does not answer; it is at/,
    );
  })().finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
  }
  await all;
  for (const hear of unheard) hear();
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  one.runtime.flush();
  assert.equal(one.runtime.info(pid)?.label, 'stuck', 'what was given up is not done later');
});
