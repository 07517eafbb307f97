import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeliveryWindow } from '../../src/chat/delivery-window.js';

test('one entry always fits into an empty window, however large', () => {
  const window = new DeliveryWindow();
  assert.equal(window.fits(1_000_000, 65_536), true);
  window.push(5, 1_000_000);
  assert.equal(window.fits(1, 65_536), false);
});

test('accepting beyond what was sent is refused and changes nothing', () => {
  const window = new DeliveryWindow();
  window.push(5, 100);
  assert.equal(window.accept(6), false);
  assert.equal(window.unacceptedBytes, 100);
  assert.equal(window.accepted, 0);
  assert.equal(window.accept(5), true);
  assert.equal(window.unacceptedBytes, 0);
});

test('the window agrees with a plain list of what is unaccepted', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('push' as const),
      gap: fc.integer({ min: 1, max: 5 }),
      size: fc.nat(5000),
    }),
    fc.record({ kind: fc.constant('accept' as const), back: fc.nat(700) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2000, size: 'max' }), (steps) => {
      const window = new DeliveryWindow();
      let model: { seq: number; size: number }[] = [];
      let sent = 0;
      for (const action of steps) {
        if (action.kind === 'push') {
          sent += action.gap;
          window.push(sent, action.size);
          model.push({ seq: sent, size: action.size });
        } else {
          const upTo = Math.max(0, sent - action.back);
          assert.equal(window.accept(upTo), true);
          model = model.filter((entry) => entry.seq > upTo);
        }
        assert.equal(
          window.unacceptedBytes,
          model.reduce((sum, entry) => sum + entry.size, 0),
        );
        assert.equal(window.sent, sent);
      }
    }),
    { numRuns: 60 },
  );
});
