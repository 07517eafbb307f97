/** Questions of the main thread to the others, and their answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from '../../src/app/answers.js';
import {
  type Answer,
  type Question,
  QuestionFailed,
  ThreadQuestions,
} from '../../src/app/thread-questions.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

/** A thread that answers when it is told to. */
function world() {
  const clock = new SimulatedClock();
  const questions = new ThreadQuestions(clock);
  const posted: Question[] = [];
  const answered: Answer[] = [];
  const answers = new Answers((answer) => answered.push(answer));
  const thread = { running: true, post: (question: Question) => posted.push(question) };
  /** What was asked goes there and back, cloned as between threads. */
  const carry = async () => {
    for (const question of posted.splice(0)) answers.answer(structuredClone(question));
    // Answers are given behind a promise.
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    for (const answer of answered.splice(0)) questions.arrived(structuredClone(answer));
  };
  return { clock, questions, answers, answered, thread, posted, carry };
}

test('a question goes to the answer of its topic, with its parameters, and several may be under way', async () => {
  const { questions, answers, thread, carry } = world();
  answers
    .on('double', ({ of }: { of: number }) => of * 2)
    .on('later', async (text: string) => `${text}!`)
    .on('nothing', () => undefined);
  const asked = Promise.all([
    questions.ask<number>(thread, 'double', { of: 21 }),
    questions.ask<string>(thread, 'later', 'soon'),
    questions.ask(thread, 'nothing'),
  ]);
  await carry();
  assert.deepEqual(await asked, [42, 'soon!', undefined]);
});

test('what answering throws is the failure of the question, with its name and its words', async () => {
  const { questions, answers, thread, carry } = world();
  answers
    .on('bad', () => {
      throw new RangeError('there is no process <1.2.0>');
    })
    .on('odd', async () => {
      throw 'a text';
    });
  const failures = Promise.allSettled([
    questions.ask(thread, 'bad'),
    questions.ask(thread, 'odd'),
    questions.ask(thread, 'unheard'),
  ]);
  await carry();
  const reasons = (await failures).map((outcome) => {
    assert.equal(outcome.status, 'rejected');
    assert.ok(outcome.reason instanceof QuestionFailed);
    return [outcome.reason.kind, outcome.reason.message];
  });
  assert.deepEqual(reasons, [
    ['RangeError', 'there is no process <1.2.0>'],
    ['Error', 'a text'],
    ['RangeError', 'nobody here knows the topic unheard'],
  ]);
});

test('an answer that cannot be cloned is a failure, too', async () => {
  const clock = new SimulatedClock();
  const questions = new ThreadQuestions(clock);
  const answers = new Answers((answer) => questions.arrived(structuredClone(answer)));
  answers.on('code', () => () => 1);
  const thread = { running: true, post: (question: Question) => answers.answer(question) };
  await assert.rejects(questions.ask(thread, 'code'), { name: 'QuestionFailed', kind: 'DataCloneError' });
});

test('a thread that does not run, or not in time, has said null; what it says later is for nobody', async () => {
  const { clock, questions, answers, answered, thread, posted } = world();
  answers.on('slow', () => 'late');
  assert.equal(await questions.ask({ ...thread, running: false }, 'slow'), null);
  assert.equal(posted.length, 0);
  const usual = questions.ask(thread, 'slow');
  const patient = questions.ask<string>(thread, 'slow', null, 5000);
  clock.advance(1000);
  assert.equal(await usual, null);
  for (const question of posted) answers.answer(question);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  for (const answer of answered) questions.arrived(answer);
  assert.equal(await patient, 'late');
  clock.advance(10_000);
});

test('a topic has one answer', () => {
  const { answers } = world();
  answers.on('stats', () => 1);
  assert.throws(() => answers.on('stats', () => 2), RangeError);
});
