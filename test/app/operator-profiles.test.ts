/** Profiles of threads: bounds, refusals, ends before their time, threads that die; over threads of a test. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Answers } from '../../src/app/answers.js';
import { OperatorProfiles } from '../../src/app/operator-profiles.js';
import { registerProfiles } from '../../src/app/profile-answers.js';
import { type Question, ThreadQuestions } from '../../src/app/thread-questions.js';
import { ActionRefused } from '../../src/ops/action.js';
import { profileActions } from '../../src/ops/actions/profile-actions.js';
import type { ProfileChunk, ProfileStarted, ProfileState } from '../../src/ops/profiles.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Answers of a thread, of any form. */
type Answering = (params: never) => unknown;

/** Two schedulers and a writer; `answer` replaces what one says to a topic. */
function world(t: TestContext) {
  const clock = new SimulatedClock();
  const questions = new ThreadQuestions(clock);
  const folder = join(temporaryFolder(t), 'profiles');
  const asked: string[] = [];
  const threads = ['writer-1', 'scheduler-1', 'scheduler-2'].map((name) => {
    const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
    const entry = {
      name,
      incarnation: 1,
      isScheduler: name !== 'writer-1',
      thread: {
        running: true,
        post: (question: Question) => {
          asked.push(`${name} ${question.topic}`);
          answers.answer(structuredClone(question));
        },
      },
      stack: async () => ['at loop (bad.js:1:1)'],
    };
    return { answers, entry };
  });
  const on = (index: number, topic: string, answer: Answering) => threads[index]!.answers.on(topic, answer);
  const live = threads.map(({ entry }) => entry);
  const profiles = new OperatorProfiles({ clock, questions, threads: () => live, folder });
  const actions = new Map(profileActions(profiles).map((action) => [action.name, action]));
  const run = async <T>(name: string, params: Record<string, unknown> = {}, author = 'ada') =>
    (await actions.get(name)!.run(params, { author, address: '::1' })) as T;
  const state = (id: number) => run<ProfileState>('profile-wait', { id, ms: 0 });
  return { clock, folder, asked, threads, live, on, run, state };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function refused(what: Promise<unknown>, status: number, words: RegExp): Promise<void> {
  await assert.rejects(what, (error: unknown) => {
    assert.ok(error instanceof ActionRefused, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, words);
    return true;
  });
}

test('bounds and names are checked before any thread is asked', async (t) => {
  const { run, asked } = world(t);
  for (const [params, words] of [
    [{}, /thread must be a text, not nothing/],
    [{ thread: 'scheduler-1', ms: 120_001 }, /ms must be a whole number from 10 to 120000, not 120001/],
    [{ thread: 'scheduler-1', ms: 1.5 }, /not 1\.5/],
    [{ thread: 'scheduler-1', intervalUs: 99 }, /intervalUs must be a whole number from 100 to/],
    [{ thread: 'scheduler-1', ms: 120_000, intervalUs: 100 }, /are 1200000 samples, and may be 250000/],
    [{ thread: 'scheduler-1', for: '10s' }, /there is no parameter "for"/],
  ] as const)
    await refused(run('profile-cpu', params), 400, words);
  await refused(run('profile-handlers', { thread: 'main' }), 400, /there is no parameter "thread"/);
  await refused(
    run('profile-cpu', { thread: 'scheduler-9' }),
    404,
    /no thread "scheduler-9"; there are: writer-1, scheduler-1, scheduler-2/,
  );
  await refused(run('profile-heap', { thread: 'x' }), 404, /no thread "x"/);
  await refused(run('profile-wait', { id: 7 }), 404, /there is no profile 7/);
  await refused(run('profile-fetch', { id: 7 }), 404, /there is no profile 7/);
  assert.deepEqual(asked, []);
});

test('one at a time for each thread; the refusal says who and for how long', async (t) => {
  const { run, state, clock, on } = world(t);
  let answer = (_text: string): void => {};
  on(1, 'profile', () => new Promise<string>((resolve) => (answer = resolve)));
  on(0, 'profile', () => '{"writer":1}');
  const { id, threads } = await run<ProfileStarted>('profile-cpu', { thread: 'scheduler-1', ms: 9000 });
  assert.deepEqual(threads, ['scheduler-1']);
  clock.advance(2000);
  const words = /scheduler-1 is being profiled already by ada \(rookery profile cpu\), for 7 s more/;
  await refused(run('profile-cpu', { thread: 'scheduler-1' }, 'bob'), 409, words);
  await refused(run('profile-handlers', {}, 'bob'), 409, words);
  const other = await run<ProfileStarted>('profile-cpu', { thread: 'writer-1' }, 'bob');
  await settled();
  assert.deepEqual(await state(other.id), { state: 'done', kind: 'cpu', chars: 12 });
  assert.deepEqual(await state(id), { state: 'running', leftMs: 7000 });
  await refused(run('profile-fetch', { id }), 409, /has no file, or none yet/);

  const text = `"${'a'.repeat(1024 * 1024 - 2)}🐦${'b'.repeat(100)}"`;
  answer(text);
  await settled();
  assert.deepEqual(await state(id), { state: 'done', kind: 'cpu', chars: text.length });
  const first = await run<ProfileChunk>('profile-fetch', { id });
  assert.equal(first.next, 1024 * 1024 - 1, 'the pair of surrogates stays together');
  const rest = await run<ProfileChunk>('profile-fetch', { id, offset: first.next });
  assert.equal(first.text + rest.text, text);
  assert.equal(rest.next, null);
  await refused(run('profile-fetch', { id, offset: text.length + 1 }), 400, /none at/);
  // Free again.
  await run('profile-cpu', { thread: 'scheduler-1' });
});

test('a thread that dies, hangs or refuses: said so, and the thread is free again', async (t) => {
  const { run, state, clock, on, live, asked } = world(t);
  const never = new Promise(() => {});
  on(1, 'profile', () => never);
  on(2, 'profile', () => never);
  for (const index of [1, 2]) on(index, 'profile-end', () => true);
  const died = await run<ProfileStarted>('profile-handlers', { ms: 1000 });
  live[2] = { ...live[2]!, incarnation: 2 };
  await refused(state(died.id), 503, /scheduler-2 has ended, and its profile with it/);
  assert.ok(asked.includes('scheduler-1 profile-end'), 'the other need not go on');

  const hangs = await run<ProfileStarted>('profile-cpu', { thread: 'scheduler-1', ms: 1000 });
  clock.advance(32_000);
  await settled();
  await refused(state(hangs.id), 503, /scheduler-1 does not answer; it is at\n {4}at loop/);
  await run('profile-cpu', { thread: 'scheduler-1' });
});

test('results are kept for ten minutes, and eight of them', async (t) => {
  const { run, state, clock, on } = world(t);
  on(0, 'profile', () => '{}');
  const ids: number[] = [];
  for (let count = 0; count < 10; count++) {
    ids.push((await run<ProfileStarted>('profile-cpu', { thread: 'writer-1' })).id);
    await settled();
  }
  await refused(state(ids[1]!), 404, /there is no profile 2, or no more/);
  assert.equal((await state(ids[2]!)).state, 'done');
  clock.advance(600_001);
  await refused(run('profile-fetch', { id: ids[9]! }), 404, /or no more/);
});

test('this thread, really: it ends by itself, or before its time, and never runs twice', async (t) => {
  const { run, state, clock, threads } = world(t);
  registerProfiles(threads[1]!.answers, 'scheduler-1', clock);
  const { id } = await run<ProfileStarted>('profile-cpu', {
    thread: 'scheduler-1',
    ms: 5000,
    intervalUs: 100,
  });
  assert.equal((await state(id)).state, 'running');
  const other = new Answers(() => {});
  // V8 takes several at a time; a thread does not.
  registerProfiles(other, 'scheduler-1', clock);
  busyFor(20_000);
  clock.advance(5000);
  await settled();
  assert.equal((await state(id)).state, 'done');
  const { text } = await run<ProfileChunk>('profile-fetch', { id });
  const { nodes } = JSON.parse(text) as { nodes: { callFrame: { functionName: string } }[] };
  assert.ok(nodes.some(({ callFrame }) => callFrame.functionName === 'busyFor'));

  const second = await run<ProfileStarted>('profile-cpu', { thread: 'scheduler-1', ms: 120_000 });
  await run('profile-end', { id: second.id });
  await settled();
  assert.equal((await state(second.id)).state, 'done');
  await run('profile-end', { id: second.id });
});

test('a heap snapshot: only with yes, under a plain name, private, and never over another', async (t) => {
  const { run, folder, threads, clock } = world(t);
  registerProfiles(threads[0]!.answers, 'writer-1', clock);
  const file = 'x.heapsnapshot';
  await refused(run('profile-snapshot', { thread: 'writer-1', file }), 409, /would stand still .* With yes/);
  for (const name of ['../x', '/tmp/x', 'a/b', '.x', 'a b', 'x'.repeat(200)])
    await refused(
      run('profile-snapshot', { thread: 'writer-1', file: name, yes: true }),
      400,
      /without a folder/,
    );
  const written = await run<{ path: string; bytes: number }>('profile-snapshot', {
    thread: 'writer-1',
    file,
    yes: true,
  });
  assert.equal(written.path, join(folder, file));
  assert.deepEqual(readdirSync(folder), [file]);
  const { mode, size } = statSync(written.path);
  assert.deepEqual([mode & 0o777, size], [0o600, written.bytes]);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  await refused(
    run('profile-snapshot', { thread: 'writer-1', file, yes: true }),
    409,
    /there is a file .* already/,
  );
  assert.equal(statSync(written.path).size, written.bytes, 'it is as it was');
});

/** Work that a profile can find. */
function busyFor(rounds: number): number {
  let sum = 0;
  for (let round = 0; round < rounds; round++)
    sum += JSON.stringify({ round, text: 'x'.repeat(round % 50) }).length;
  return sum;
}
