import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FullHold } from '../../src/storage/full-hold.js';
import { MESSAGE_ID_WINDOW } from '../../src/storage/stores.js';

const INBOX = 7;
const OTHER = 8;

describe('what is under way behind a message that an inbox had no room for', () => {
  it('waits for it, and for all that were refused with it, one after the other', () => {
    const hold = new FullHold();
    assert.equal(hold.holds(1, INBOX, 10, 1000), false);
    hold.refused(1, INBOX, 10, 1000);
    assert.equal(hold.holds(1, INBOX, 12, 1000), true);
    assert.equal(hold.holds(1, INBOX, 11, 1000), true);
    assert.equal(hold.holds(1, INBOX, 10, 2000), false);
    assert.equal(hold.holds(1, INBOX, 13, 2000), true, 'two come before it');
    assert.equal(hold.holds(1, INBOX, 11, 2000), false);
    assert.equal(hold.holds(1, INBOX, 12, 2000), false);
    assert.equal(hold.holds(1, INBOX, 13, 2000), false);
    assert.equal(hold.holds(1, INBOX, 14, 2000), false);
  });

  it('concerns one sender and one recipient', () => {
    const hold = new FullHold();
    hold.refused(1, INBOX, 10, 1000);
    assert.equal(hold.holds(2, INBOX, 11, 1000), false);
    assert.equal(hold.holds(1, OTHER, 11, 1000), false);
    hold.refused(1, OTHER, 20, 1000);
    assert.equal(hold.holds(1, OTHER, 20, 1000), false);
    assert.equal(hold.holds(1, INBOX, 21, 1000), true);
  });

  it('is over 5 s after the last refusal by the inbox itself, or after the last that came', () => {
    const hold = new FullHold();
    hold.refused(1, INBOX, 10, 1000);
    assert.equal(hold.holds(1, INBOX, 11, 4000), true);
    assert.equal(hold.holds(1, INBOX, 10, 5999), false);
    assert.equal(hold.holds(1, INBOX, 12, 10_998), true);
    assert.equal(hold.holds(1, INBOX, 13, 10_999), false);
    assert.equal(hold.holds(1, INBOX, 14, 10_999), false);
  });

  it('goes on when the inbox is still full', () => {
    const hold = new FullHold();
    hold.refused(1, INBOX, 10, 1000);
    hold.holds(1, INBOX, 11, 1000);
    assert.equal(hold.holds(1, INBOX, 10, 2000), false);
    hold.refused(1, INBOX, 10, 2000);
    assert.equal(hold.holds(1, INBOX, 11, 2000), true);
  });

  it('forgets what lies a window back, and the oldest of very many', () => {
    const hold = new FullHold();
    hold.refused(1, INBOX, 10, 1000);
    assert.equal(hold.holds(1, INBOX, 10 + MESSAGE_ID_WINDOW, 1000), true);
    assert.equal(hold.holds(1, INBOX, 10 + MESSAGE_ID_WINDOW, 1000), false, '10 is not waited for');
    hold.refused(1, INBOX, 10, 1000);
    for (let inbox = 100; inbox < 164; inbox++) hold.refused(1, inbox, 10, 1000);
    assert.equal(hold.holds(1, INBOX, 11, 1000), false, '64 inboxes of one sender');
    hold.refused(1, INBOX, 10, 1000);
    for (let requester = 2; requester < 2 + 4096; requester++) hold.refused(requester, INBOX, 10, 1000);
    assert.equal(hold.holds(1, INBOX, 11, 1000), false, '4096 senders');
    assert.equal(hold.holds(3, INBOX, 11, 1000), true);
  });

  it('keeps the order, whenever there is room, of whoever repeats what was refused before anything newer', () => {
    // A client with up to eight ids on the wire; what it hears comes later; what was refused it sends again, lowest first.
    const step = fc.record({ room: fc.boolean(), hears: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const hold = new FullHold();
        const stored: number[] = [];
        const wire: number[] = [];
        const answers: number[] = [];
        const again: number[] = [];
        let next = 1;
        const send = () => {
          while (wire.length + answers.length < 8) wire.push(again.shift() ?? next++);
        };
        const one = (room: boolean, hears: number) => {
          send();
          const id = wire.shift();
          if (id !== undefined) {
            if (hold.holds(1, INBOX, id, 1000)) answers.push(id);
            else if (room) stored.push(id);
            else {
              hold.refused(1, INBOX, id, 1000);
              answers.push(id);
            }
          }
          for (let n = 0; n < hears && answers.length > 0; n++) again.push(answers.shift()!);
          again.sort((a, b) => a - b);
        };
        for (const { room, hears } of steps) one(room, hears);
        for (let n = 0; n < 1000 && stored.length < next - 1; n++) one(true, 3);
        assert.deepEqual(
          stored,
          [...stored].sort((a, b) => a - b),
        );
        assert.ok(stored.length >= steps.length / 100, 'something was stored');
      }),
      { numRuns: 500 },
    );
  });
});
