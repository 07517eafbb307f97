/** Traces as operators see them: bounded in time, number and memory, ended when nobody reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, formatPid } from '../../src/actors/index.js';
import { Answers } from '../../src/app/answers.js';
import { OperatorProcesses } from '../../src/app/operator-processes.js';
import { OperatorTraces } from '../../src/app/operator-traces.js';
import { registerProcesses } from '../../src/app/process-answers.js';
import { registerTraces } from '../../src/app/process-trace-answers.js';
import { type Question, ThreadQuestions } from '../../src/app/thread-questions.js';
import { ActionRefused } from '../../src/ops/action.js';
import { traceActions } from '../../src/ops/actions/trace-actions.js';
import type { TracePart, TraceStarted } from '../../src/ops/traces.js';
import { World } from '../actors/world.js';

function server() {
  const world = new World({ scheduler: 2 });
  const questions = new ThreadQuestions(world.clock);
  const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
  registerProcesses(answers, world.runtime, 'scheduler-2');
  registerTraces(answers, world.runtime);
  const post = (question: Question) => answers.answer(structuredClone(question));
  const entry = {
    name: 'scheduler-2',
    scheduler: 2,
    thread: { running: true, post },
    stack: async () => [],
  };
  const processes = new OperatorProcesses(questions, () => [entry]);
  const actions = new Map(
    traceActions(processes, new OperatorTraces(processes)).map((action) => [action.name, action]),
  );
  const run = async <T>(name: string, params: Record<string, unknown>) =>
    (await actions.get(name)!.run(params, { author: 'ada', address: '::1' })) as T;
  const begin = (params: Record<string, unknown>) => run<TraceStarted>('trace', params);
  const read = (trace: string) => run<TracePart>('trace-read', { trace });
  return { world, run, begin, read };
}

async function refused(what: Promise<unknown>, status: number, words: RegExp): Promise<void> {
  await assert.rejects(what, (error: unknown) => {
    assert.ok(error instanceof ActionRefused, String(error));
    assert.deepEqual([error.status, words.test(error.message)], [status, true], error.message);
    return true;
  });
}

test('messages in and out, with whom and when, and without what people wrote', async () => {
  const { world, begin, read, run } = server();
  const one = world.puppet({ label: 'one' });
  const two = world.puppet({ label: 'two' });
  const { trace, pid, label } = await begin({ pid: 'one' });
  assert.deepEqual([pid, label], [formatPid(one.pid), 'one']);
  world.clock.advance(5);
  two.run((self) => self.send(one.pid, { type: 'note', text: 'swordfish', size: 3 }));
  world.clock.advance(7);
  one.self.send(two.pid, { type: 'answer', body: new Uint8Array(20) });
  const part = await read(trace);
  assert.deepEqual(part, {
    lines: [
      {
        at: 5,
        direction: 'in',
        peer: `two${formatPid(two.pid)}`,
        message: '{ type: "note", text: (9 characters), size: 3 }',
        bytes: 13,
      },
      {
        at: 12,
        direction: 'out',
        peer: `two${formatPid(two.pid)}`,
        message: '{ type: "answer", body: (20 bytes) }',
        bytes: 26,
      },
    ],
    dropped: 0,
    ended: null,
  });
  assert.deepEqual((await read(trace)).lines, [], 'each is told once');
  await refused(begin({ pid: 'one' }), 409, /traced already/);
  world.runtime.send(one.pid, 'last');
  const stopped = await run<TracePart>('trace-stop', { trace });
  assert.deepEqual([stopped.lines.length, stopped.ended], [1, 'stopped']);
  world.runtime.send(one.pid, 'unseen');
  await refused(read(trace), 404, /no such trace any more/);
  await begin({ pid: 'one' });
});

test('it ends when the time is over, the number is reached, or the process has ended', async () => {
  const { world, begin, read } = server();
  const one = world.puppet({ label: 'one' });
  const timed = await begin({ pid: 'one', forMs: 1000 });
  world.runtime.send(one.pid, 'a');
  world.clock.advance(1000);
  world.runtime.send(one.pid, 'b');
  const overtime = await read(timed.trace);
  assert.deepEqual([overtime.lines.length, overtime.ended], [1, 'time']);

  const counted = await begin({ pid: 'one', max: 3, direction: 'in' });
  one.self.send(one.pid, 'in and out');
  for (let number = 0; number < 5; number++) world.runtime.send(one.pid, number);
  const full = await read(counted.trace);
  assert.deepEqual([full.lines.map(({ direction }) => direction), full.ended], [['in', 'in', 'in'], 'count']);

  const last = await begin({ pid: 'one' });
  world.runtime.send(one.pid, 'x');
  world.runtime.exit(one.pid, ExitReason.kill);
  const ended = await read(last.trace);
  assert.deepEqual([ended.lines.length, ended.ended], [1, 'process']);
});

test('what nobody fetches is counted and not kept, and a trace that nobody reads ends', async () => {
  const { world, begin, read } = server();
  const one = world.puppet({ label: 'one' });
  const { trace } = await begin({ pid: 'one', forMs: 600_000, max: 100_000 });
  for (let number = 0; number < 2500; number++) world.runtime.send(one.pid, number);
  const part = await read(trace);
  assert.deepEqual([part.lines.length, part.dropped, part.ended], [2000, 500, null]);
  world.clock.advance(14_000);
  assert.equal((await read(trace)).ended, null);
  world.clock.advance(15_000);
  await refused(read(trace), 404, /no such trace/);
  await begin({ pid: 'one' });
});

test('a thread has eight traces at most; what makes no sense is refused', async () => {
  const { world, begin, read } = server();
  for (let number = 0; number < 9; number++) world.puppet({ label: `p${number}` });
  for (let number = 0; number < 8; number++) await begin({ pid: `p${number}` });
  await refused(begin({ pid: 'p8' }), 409, /8 processes of this thread are traced already/);
  await refused(begin({ pid: 'p8', direction: 'up' }), 400, /in, out or both, not "up"/);
  await refused(begin({ pid: 'p8', forMs: 600_001 }), 400, /forMs/);
  await refused(begin({ pid: 'p8', max: 0 }), 400, /max/);
  await refused(begin({ pid: '<2.99.0>' }), 404, /<2.99.0>/);
  await refused(read('2'), 400, /not "2"/);
  await refused(read('3:1'), 404, /no scheduler 3/);
  await refused(read('2:77'), 404, /no such trace/);
});
