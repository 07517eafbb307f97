/** The supervision tree as operators click through it, over several threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, formatPid, type Pid, type Process } from '../../src/actors/index.js';
import { Answers } from '../../src/app/answers.js';
import { OperatorProcesses } from '../../src/app/operator-processes.js';
import { OperatorTree } from '../../src/app/operator-tree.js';
import { registerProcesses } from '../../src/app/process-answers.js';
import { type Question, ThreadQuestions } from '../../src/app/thread-questions.js';
import { CHILDREN_MAX, registerTree } from '../../src/app/tree-answers.js';
import { ActionRefused } from '../../src/ops/action.js';
import { type TreeBranch, type TreeRoots, treeAction } from '../../src/ops/actions/tree.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { DynamicSupervisor, Supervisor } from '../../src/supervisors/index.js';
import { World } from '../actors/world.js';

/** Two threads, in this one: what they say is cloned as between threads. */
function server() {
  // Real time: supervisors are asked in turns of the event loop.
  const clock = new SystemClock();
  const questions = new ThreadQuestions(clock);
  const threads = [1, 2].map((scheduler) => {
    const world = new World({ clock, scheduler });
    const name = `scheduler-${scheduler}`;
    const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
    registerProcesses(answers, world.runtime, name);
    registerTree(answers, world.runtime, name);
    const post = (question: Question) => answers.answer(structuredClone(question));
    const stack = async () => [];
    return { world, entry: { name, scheduler, thread: { running: true, post }, stack } };
  });
  const all = () => threads.map(({ entry }) => entry);
  const action = treeAction(new OperatorTree(questions, all, new OperatorProcesses(questions, all)));
  const ask = async <T>(params: Record<string, unknown> = {}) =>
    (await action.run(params, { author: 'ada', address: '::1' })) as T;
  return { one: threads[0]!.world, ask };
}

const worker = (supervisor: Process<never>): Pid =>
  supervisor.spawnLink<never>(() => ({ receive() {} }), { label: 'worker' });

function startTree(world: World): void {
  Supervisor.start(world.runtime, {
    label: 'top',
    name: 'top',
    strategy: 'one_for_one',
    children: [
      { id: 'first', start: worker },
      DynamicSupervisor.child('many', { name: 'many' }),
      { id: 'later', start: () => ({ ignore: true }) },
    ],
  });
}

test('the top of each thread, and from there branch by branch', async () => {
  const { one, ask } = server();
  startTree(one);
  const { roots, silent } = await ask<TreeRoots>();
  assert.deepEqual(
    roots.map(({ thread, process }) => [thread, process.label, process.type, process.children?.specs]),
    [['scheduler-1', 'top', 'supervisor', 3]],
  );
  assert.deepEqual(silent, ['scheduler-2'], 'it has no tree');
  const branch = await ask<TreeBranch>({ pid: roots[0]!.process.pid });
  assert.deepEqual(
    branch.children.map(({ id, state, type, process }) => [id, state, type, process?.label, process?.kind]),
    [
      ['first', 'running', 'worker', 'worker', 'function'],
      ['many', 'running', 'supervisor', 'many', 'DynamicSupervisor'],
      ['later', 'stopped', 'worker', undefined, undefined],
    ],
  );
  // By its name as well; a worker has no children, and says so.
  assert.deepEqual(await ask<TreeBranch>({ pid: 'top' }), branch);
  const leaf = await ask<TreeBranch>({ pid: branch.children[0]!.pid! });
  assert.deepEqual([leaf.process.type, leaf.process.children, leaf.children], ['worker', null, []]);
});

test('a supervisor of very many children is not made to list them', async () => {
  const { one, ask } = server();
  startTree(one);
  for (let i = 0; i <= CHILDREN_MAX; i++) {
    DynamicSupervisor.startChild(one.runtime, 'many', { id: 'child', restart: 'temporary', start: worker });
  }
  const branch = await ask<TreeBranch>({ pid: 'many' });
  assert.equal(branch.isTooMany, true);
  assert.deepEqual(branch.children, []);
  assert.equal(branch.process.children?.active, CHILDREN_MAX + 1);
});

test('what is not there, or is nonsense, is refused in words', async () => {
  const { one, ask } = server();
  startTree(one);
  const gone = one.puppet();
  const text = formatPid(gone.pid);
  gone.run((self) => self.exit(ExitReason.normal));
  for (const [params, status, words] of [
    [{ pid: text }, 404, /there is no process <1\.\d+\.\d+> on scheduler-1: it has ended/],
    [{ pid: '<9.1.0>' }, 404, /there is no scheduler for <9\.1\.0>/],
    [{ pid: 'nobody' }, 404, /"nobody"/],
    [{ pid: 7 }, 400, /pid must be a text, not 7/],
    [{ peg: 'x' }, 400, /no parameter "peg"/],
  ] as const) {
    await assert.rejects((async () => ask(params))(), (error: unknown) => {
      assert.ok(error instanceof ActionRefused, String(error));
      assert.equal(error.status, status, error.message);
      assert.match(error.message, words);
      return true;
    });
  }
});

test('a supervisor that is busy is not waited for', async (t) => {
  const { one, ask } = server();
  startTree(one);
  const top = one.runtime.whereis('top')!;
  one.runtime.suspend(top);
  // The wait for an answer does not keep a process up.
  const kept = setInterval(() => {}, 1000);
  t.after(() => clearInterval(kept));
  const { roots } = await ask<TreeRoots>();
  assert.equal(roots[0]!.process.children, null);
  await assert.rejects(
    (async () => ask({ pid: 'top' }))(),
    (error: unknown) => error instanceof ActionRefused && error.status === 503 && /top/.test(error.message),
  );
});
