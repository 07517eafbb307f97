import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { INCARNATIONS_MAX, Requester, Requesters, RequestNumbers } from '../../src/chat/requesters.js';

test('a number finds the one that has it, until it is removed, and never a successor or a stranger', () => {
  const step = fc.record({ add: fc.boolean(), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.nat({ max: INCARNATIONS_MAX - 2 }), (steps, own) => {
      const mine = new Requesters<string>(own);
      const other = new Requesters<string>(own + 1);
      const live = new Map<number, string>();
      const gone: number[] = [];
      for (const [n, { add, pick }] of steps.entries()) {
        if (add || live.size === 0) {
          const requester = mine.add(`value ${n}`);
          other.add('another');
          assert.ok(Number.isSafeInteger(requester) && requester !== Requester.nobody);
          assert.ok(!live.has(requester) && !gone.includes(requester) && !Requester.isRegistrar(requester));
          assert.equal(other.get(requester), undefined);
          live.set(requester, `value ${n}`);
        } else {
          const requester = [...live.keys()][pick % live.size]!;
          live.delete(requester);
          gone.push(requester);
          mine.remove(requester);
          mine.remove(requester);
        }
        assert.equal(mine.size, live.size);
        for (const [requester, value] of live) assert.equal(mine.get(requester), value);
        for (const requester of gone) assert.equal(mine.get(requester), undefined);
      }
      for (const number of [0, -1, 2 ** 53 - 1]) assert.equal(mine.get(number), undefined);
    }),
  );
});

test('requests have numbers of their own, different on each scheduler and from those of sessions', () => {
  const seen = new Set<number>();
  for (const incarnation of [0, 1, 2, INCARNATIONS_MAX - 1]) {
    const numbers = new RequestNumbers(incarnation);
    const sessions = new Requesters<number>(incarnation);
    for (let n = 0; n < 4095; n++) {
      for (const number of [numbers.ofRegistrar(), numbers.ofPartition(), sessions.add(n)]) {
        assert.ok(Number.isSafeInteger(number) && number > 0 && !seen.has(number));
        seen.add(number);
      }
    }
    const first = new RequestNumbers(incarnation).ofRegistrar();
    assert.ok(Requester.isRegistrar(first));
    assert.equal(numbers.ofRegistrar(), first, 'the registrar’s come again after 4095');
  }
  assert.throws(() => new RequestNumbers(INCARNATIONS_MAX), /an incarnation must be 0 to 524287, not 524288/);
});
