/** Backlogs that threads are asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runtime } from '../../src/actors/index.js';
import { RUNTIME_STATS } from '../../src/actors/runtime-stats.js';
import { registerAlerts } from '../../src/app/alert-answers.js';
import { Answers } from '../../src/app/answers.js';
import { type BackloggedThread, mainBacklog, ThreadBacklogs } from '../../src/app/thread-backlogs.js';
import { ThreadQuestions } from '../../src/app/thread-questions.js';
import { createStats, StatsBlock } from '../../src/schedulers/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

function threaded() {
  const clock = new SimulatedClock();
  const stats = createStats(RUNTIME_STATS);
  const runtime = new Runtime({ clock, random: new SeededRandom(1), scheduler: 3 });
  const questions = new ThreadQuestions(clock);
  const answers = new Answers((answer) => questions.arrived(answer));
  registerAlerts(answers, runtime);
  const state = { answers: true, fails: false };
  const thread: BackloggedThread = {
    name: 'scheduler-3',
    running: true,
    runtimeStats: stats,
    post(question) {
      if (state.answers) answers.answer(state.fails ? { ...question, topic: 'nothing' } : question);
    },
  };
  const backlogs = new ThreadBacklogs(questions);
  const pid = runtime.spawn<unknown>(() => ({ receive() {} }), { label: 'slow' });
  const stall = (count: number) => {
    runtime.suspend(pid);
    for (let n = 0; n < count; n++) runtime.send(pid, { type: 'job' });
    runtime.flush();
  };
  return { clock, runtime, stats, state, thread, backlogs, stall };
}

test('a thread tells of its processes with a backlog, and of its heap', async () => {
  const { clock, runtime, stats, thread, backlogs, stall } = threaded();
  const source = backlogs.of(thread);
  assert.equal(backlogs.of(thread), source);
  assert.deepEqual((await source.ask(10))?.processes, []);
  stall(200);
  clock.advance(1500);
  const [process] = (await source.ask(10))?.processes ?? [];
  assert.equal(process?.label, 'slow');
  assert.equal(process?.length, 200);
  assert.equal(process?.handler, 'receive(job)');
  assert.ok(process.oldestMs >= 1000, String(process.oldestMs));
  assert.deepEqual((await mainBacklog(runtime).ask(10))?.processes.length, 1);
  const heap = backlogs.heaps.get('scheduler-3');
  assert.ok(heap !== undefined && heap.usedBytes > 0 && heap.usedBytes < heap.limitBytes);
  new StatsBlock(stats).values[RUNTIME_STATS.indexOf('backlogged')] = 1;
  assert.equal(source.backlogged(), 1);
});

test('one that does not answer, or cannot, has said nothing', async () => {
  const { clock, state, thread, backlogs } = threaded();
  const source = backlogs.of(thread);
  await source.ask(10);
  state.fails = true;
  assert.equal(await source.ask(10), null);
  assert.equal(backlogs.heaps.size, 0);
  state.answers = false;
  const asked = source.ask(10);
  clock.advance(60_000);
  assert.equal(await asked, null);
});
