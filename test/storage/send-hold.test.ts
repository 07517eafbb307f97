import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SendHold } from '../../src/storage/send-hold.js';
import { HEARD_MODULUS } from '../../src/storage/stores.js';

describe('what is under way behind a message that could not be stored', () => {
  it('is held until its requester has heard of everything', () => {
    const hold = new SendHold();
    assert.equal(hold.holds(1, 10, 0, 1000), false);
    hold.failed(1, 11, 0, 1000);
    hold.failed(1, 10, 0, 1000);
    assert.equal(hold.holds(1, 12, 0, 1001), true);
    assert.equal(hold.holds(1, 11, 1, 1001), true);
    assert.equal(hold.holds(2, 12, 0, 1001), false, 'nobody else is concerned');
    assert.equal(hold.holds(1, 10, 2, 2000), false);
    assert.equal(hold.holds(1, 13, 3, 2000), true, 'it comes again, but there are others that will');
    assert.equal(
      hold.holds(1, 11, 5, 2000),
      false,
      'now it knows of all of them, and keeps the order itself',
    );
    assert.equal(hold.holds(1, 14, 5, 2000), false);
  });

  it('is held again when that one fails again', () => {
    const hold = new SendHold();
    hold.failed(1, 10, 0, 1000);
    assert.equal(hold.holds(1, 10, 1, 9000), false);
    hold.failed(1, 10, 1, 9000);
    assert.equal(hold.holds(1, 11, 1, 9001), true);
    assert.equal(hold.holds(1, 11, 3, 9001), false);
  });

  it('is held however long the commit hung that failed', () => {
    const hold = new SendHold();
    hold.failed(1, 10, 0, 1000);
    assert.equal(hold.holds(1, 11, 0, 31_000), true);
  });

  it('counts on a circle', () => {
    const hold = new SendHold();
    const last = HEARD_MODULUS - 1;
    hold.failed(1, 10, last, 1000);
    assert.equal(hold.holds(1, 11, last, 1000), true);
    assert.equal(hold.holds(1, 11, 0, 1000), true);
    assert.equal(hold.holds(1, 10, 1, 1000), false, 'of three it has heard of two');
    assert.equal(hold.holds(1, 11, 2, 1000), false);
  });

  it('knows a count that is ahead: of refusals by a writer before this one', () => {
    const hold = new SendHold();
    hold.failed(1, 10, 7, 1000);
    hold.failed(1, 11, 9, 1000);
    assert.equal(hold.holds(1, 12, 9, 1000), true);
    assert.equal(hold.holds(1, 12, 12, 1000), false);
  });

  it('is let go when nobody hears, whichever way the clock was set', () => {
    for (const later of [60_000, -60_000]) {
      const hold = new SendHold();
      hold.failed(1, 10, 0, 100_000);
      assert.equal(hold.holds(1, 11, 0, 100_000 + later), false);
    }
  });

  it('is let go for 65,536 others, those first that have not been refused for the longest', () => {
    const hold = new SendHold();
    for (let requester = 1; requester <= 65_536; requester++) hold.failed(requester, 10, 0, 0);
    hold.failed(1, 11, 0, 0);
    hold.failed(65_537, 10, 0, 0);
    assert.equal(hold.holds(2, 11, 0, 0), false);
    for (const requester of [1, 3, 65_537]) assert.equal(hold.holds(requester, 11, 0, 0), true);
  });
});
