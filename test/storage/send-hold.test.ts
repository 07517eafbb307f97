import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SendHold } from '../../src/storage/send-hold.js';

describe('what is under way behind a message that could not be stored', () => {
  it('is held until that one comes again', () => {
    const hold = new SendHold();
    assert.equal(hold.holds(1, 10, 1000), false);
    hold.failed(1, 11, 1000);
    hold.failed(1, 10, 1000);
    assert.equal(hold.holds(1, 12, 1001), true);
    assert.equal(hold.holds(1, 11, 1001), true);
    assert.equal(hold.holds(2, 12, 1001), false, 'nobody else is concerned');
    assert.equal(hold.holds(1, 10, 2000), false);
    assert.equal(hold.holds(1, 11, 2000), false);
  });

  it('is held again when that one fails again', () => {
    const hold = new SendHold();
    hold.failed(1, 10, 1000);
    assert.equal(hold.holds(1, 10, 9000), false);
    hold.failed(1, 10, 9000);
    assert.equal(hold.holds(1, 11, 9001), true);
  });

  it('is let go when that one never comes, whichever way the clock was set', () => {
    for (const later of [6000, -6000]) {
      const hold = new SendHold();
      hold.failed(1, 10, 10_000);
      assert.equal(hold.holds(1, 11, 10_000 + later), false);
    }
  });
});
