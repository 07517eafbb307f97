import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_MS_MAX, type StoreAsker, WaitingRequests } from '../../src/chat/waiting-requests.js';

function asker(told: string[], name: string): StoreAsker {
  return {
    stored: () => told.push(`${name} stored`),
    notStored: (retryMs) => told.push(`${name} not stored, again in ${retryMs}`),
    dropped: () => told.push(`${name} dropped`),
  };
}

test('answers find whom they are for, in whatever order they come, and once', () => {
  const told: string[] = [];
  const waiting = new WaitingRequests();
  const refs = ['a', 'b', 'c'].map((name) => {
    const ref = waiting.nextRef;
    waiting.add(asker(told, name), 0);
    return ref;
  });
  assert.equal(new Set(refs).size, 3);
  for (const ref of [refs[2]!, refs[0]!, refs[0]!, 99]) waiting.take(ref)?.stored({ op: 'set-name' });
  assert.deepEqual(told, ['c stored', 'a stored']);
  assert.equal(waiting.size, 1);
});

test('who has waited for too long is told, the others are left their time', () => {
  const told: string[] = [];
  const waiting = new WaitingRequests();
  waiting.add(asker(told, 'a'), 0);
  waiting.add(asker(told, 'b'), 4000);
  waiting.add(asker(told, 'c'), 5000);
  assert.equal(waiting.expire(ANSWER_MS_MAX - 1, 7), 1);
  assert.deepEqual(told, []);
  assert.equal(waiting.expire(ANSWER_MS_MAX + 4000, 7), 1000);
  assert.deepEqual(told, ['a not stored, again in 7', 'b not stored, again in 7']);
  waiting.drop();
  assert.equal(told.pop(), 'c dropped');
  assert.equal(waiting.expire(ANSWER_MS_MAX, 7), 0);
});
