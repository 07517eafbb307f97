import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from '../../src/app/answers.js';
import { FETCH_MS, MessageTracing } from '../../src/app/message-tracing.js';
import { type Question, ThreadQuestions } from '../../src/app/thread-questions.js';
import { registerMessageMarks } from '../../src/app/trace-answers.js';
import { MarkKind, MessageMarks } from '../../src/chat/message-marks.js';
import type { MessageTrace } from '../../src/metrics/message-trace.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

const ALICE = 15_550_001;
const BOB = 15_550_002;

/** Two schedulers in this thread; what they say is cloned as between threads. */
function server() {
  const clock = new SimulatedClock();
  const questions = new ThreadQuestions(clock);
  let asked = 0;
  const schedulers = [1, 2].map((place) => {
    const marks = new MessageMarks(clock);
    const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
    registerMessageMarks(answers, marks);
    const post = (question: Question) => {
      asked++;
      answers.answer(structuredClone(question));
    };
    return { name: `scheduler-${place}`, running: true, post, marks };
  });
  const traces: MessageTrace[] = [];
  const dropped: number[] = [];
  const tracing = new MessageTracing({
    clock,
    questions,
    schedulers: () => schedulers,
    onTrace: (trace) => traces.push(trace),
    onDropped: (marks) => dropped.push(marks),
  });
  const round = async () => {
    clock.advance(FETCH_MS);
    // Answers come in microtasks.
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  return { tracing, schedulers, traces, dropped, round, asked: () => asked };
}

test('off, nobody is asked; on, the marks of all schedulers become traces; off again, they stop marking', async () => {
  const { tracing, schedulers, traces, round, asked } = server();
  const [one, two] = schedulers as [(typeof schedulers)[0], (typeof schedulers)[0]];
  await round();
  assert.equal(asked(), 0);
  tracing.ratio = 1;
  await round();
  assert.notEqual(one.marks.threshold, 0);
  one.marks.mark(MarkKind.received, ALICE, 7, BOB, 5);
  two.marks.mark(MarkKind.routed, ALICE, 7, BOB, 99, 3);
  one.marks.mark(MarkKind.stored, ALICE, 7, 3, 99);
  two.marks.mark(MarkKind.delivered, ALICE, 7, BOB, 99, 3);
  await round();
  assert.equal(traces.length, 1);
  const [trace] = traces;
  assert.deepEqual(
    [trace!.sender, trace!.recipient, trace!.bodyBytes, trace!.partition, trace!.seq],
    [ALICE, BOB, 5, 3, 99],
  );
  assert.deepEqual([trace!.received.thread, trace!.delivered?.thread], ['scheduler-1', 'scheduler-2']);
  tracing.ratio = 0;
  await round();
  assert.deepEqual([one.marks.threshold, two.marks.threshold], [0, 0]);
  const before = asked();
  await round();
  await round();
  assert.equal(asked(), before, 'nobody is asked any more');
  tracing.ratio = 0.5;
  await round();
  assert.equal(two.marks.threshold, 2 ** 31);
});

test('marks that were dropped are told of once', async () => {
  const { tracing, schedulers, dropped, round } = server();
  tracing.ratio = 1;
  await round();
  for (let i = 0; i < 5000; i++) schedulers[0]!.marks.mark(MarkKind.received, ALICE, i, BOB, 1);
  await round();
  await round();
  assert.deepEqual(dropped, [904]);
});

test('at the end what is on its way is told of, and the schedulers stop marking', async () => {
  const { tracing, schedulers, traces, round } = server();
  tracing.ratio = 1;
  await round();
  schedulers[0]!.marks.mark(MarkKind.received, ALICE, 7, BOB, 5);
  await tracing.close();
  assert.equal(traces.length, 1);
  assert.equal(schedulers[0]!.marks.threshold, 0);
});
