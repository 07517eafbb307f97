/** Answers that are kept while nothing happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Progress, StillThreads } from '../../src/app/still-threads.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

function world() {
  const clock = new SimulatedClock();
  const still = new StillThreads<number>(clock);
  const state = { answer: 1 as number | null, asked: 0 };
  const ask = (progress: Partial<Progress> = {}, thread = 'a') =>
    still.ask(thread, { incarnation: 1, stirs: 0, ...progress }, async () => {
      state.asked++;
      return state.answer;
    });
  return { clock, state, ask };
}

test('a thread to which nothing happens is asked twice, and then for ten seconds not again', async () => {
  const { clock, state, ask } = world();
  await ask();
  // What was half done at the first answer is in the second one.
  state.answer = 2;
  assert.equal(await ask(), 2);
  assert.equal(state.asked, 2);
  state.answer = 3;
  clock.advance(9_999);
  assert.equal(await ask(), 2);
  assert.equal(state.asked, 2);
  clock.advance(1);
  assert.equal(await ask(), 3);
  assert.equal(state.asked, 3);
});

test('what happens is heard of at once, and so is a new incarnation', async () => {
  const { state, ask } = world();
  for (let n = 0; n < 3; n++) await ask();
  assert.equal(state.asked, 2);
  state.answer = 7;
  assert.equal(await ask({ stirs: 1 }), 7);
  assert.equal(await ask({ stirs: 1 }), 7);
  assert.equal(state.asked, 4);
  state.answer = 8;
  assert.equal(await ask({ stirs: 1 }), 7, 'kept again');
  assert.equal(await ask({ stirs: 1, incarnation: 2 }), 8);
});

test('one that did not answer is asked anew, and others are not concerned', async () => {
  const { state, ask } = world();
  for (let n = 0; n < 3; n++) await ask();
  state.answer = null;
  assert.equal(await ask({}, 'b'), null);
  assert.equal(await ask({}, 'b'), null);
  assert.equal(await ask(), 1);
  assert.equal(await ask({ stirs: 1 }), null);
  state.answer = 9;
  assert.equal(await ask({ stirs: 1 }), 9);
});
