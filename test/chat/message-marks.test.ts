import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MARK_DOUBLES, MarkKind, MessageMarks } from '../../src/chat/message-marks.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

const phone = fc.integer({ min: 10_000_000, max: 999_999_999_999_999 });
const messageId = fc.integer({ min: 1, max: 2 ** 48 });

test('off: nothing is noted; on: what is sampled, with the time of all threads', () => {
  const clock = new SimulatedClock();
  const marks = new MessageMarks(clock, 1000);
  assert.equal(marks.threshold, 0);
  assert.equal(marks.take().length, 0);
  marks.sample(1);
  clock.advance(5);
  const now = clock.now();
  marks.mark(MarkKind.received, 15_550_001, 7, 15_550_002, 11);
  marks.mark(MarkKind.delivered, 15_550_001, 7, 15_550_002, 99, 3);
  const taken = marks.take();
  assert.deepEqual(
    [...taken],
    [
      [MarkKind.received, now + 1000, 15_550_001, 7, 15_550_002, 11, 0, 0],
      [MarkKind.delivered, now + 1000, 15_550_001, 7, 15_550_002, 99, 3, 0],
    ].flat(),
  );
  assert.equal(marks.take().length, 0, 'they are taken once');
  marks.mark(MarkKind.stored, 1, 1, 1, 1);
  marks.sample(0);
  assert.equal(marks.take().length, 0, 'what nobody has fetched goes when it is turned off');
  for (const ratio of [-0.1, 1.1, Number.NaN]) assert.throws(() => marks.sample(ratio), RangeError);
});

test('every scheduler decides alike, and one that samples more samples those of one that samples less', () => {
  fc.assert(
    fc.property(phone, messageId, fc.double({ min: 0, max: 1, noNaN: true }), (sender, id, ratio) => {
      const decide = (share: number) => {
        const marks = new MessageMarks(new SimulatedClock());
        marks.sample(share);
        if (marks.threshold !== 0) marks.mark(MarkKind.received, sender, id, 1, 1);
        return marks.take().length > 0;
      };
      assert.equal(decide(ratio), decide(ratio));
      if (decide(ratio)) assert.ok(decide(Math.min(1, ratio * 1.5)));
      assert.equal(decide(1), true);
      assert.equal(decide(0), false);
    }),
  );
});

test('the share is met, whoever sends and however he numbers his messages', () => {
  for (const [first, ids] of [
    [15_550_000, 200],
    [491_700_000_000, 1],
    [7, 2 ** 33],
  ] as const) {
    const marks = new MessageMarks(new SimulatedClock());
    marks.sample(0.01);
    for (let i = 0; i < 100_000; i++) {
      marks.mark(MarkKind.stored, first + Math.floor(i / 100), ids + i, 3, i);
    }
    const sampled = marks.take().length / MARK_DOUBLES;
    // 1,000 are expected, with a deviation of about 31.
    assert.ok(sampled > 800 && sampled < 1200, `${sampled} of 100,000 from ${first}`);
  }
});

test('as many are kept as there is room for, and the rest is counted', () => {
  const marks = new MessageMarks(new SimulatedClock());
  marks.sample(1);
  for (let i = 0; i < 5000; i++) marks.mark(MarkKind.received, 15_550_001, i, 1, 1);
  assert.equal(marks.take().length / MARK_DOUBLES, 4096);
  assert.equal(marks.dropped, 904);
  marks.mark(MarkKind.received, 15_550_001, 1, 1, 1);
  assert.equal(marks.take().length, MARK_DOUBLES, 'there is room again');
});
