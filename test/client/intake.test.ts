import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incoming } from '../../src/client/incoming.js';
import { Intake, type IntakeOwner } from '../../src/client/intake.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

const EPOCH = 1;

function entry(seq: number, epoch = EPOCH): Incoming {
  const body = new Uint8Array(8);
  return { kind: 'message', seq, epoch, messageId: `${seq}`, time: 0, from: 1, id: seq, body };
}

class Owner implements IntakeOwner {
  readonly handed: number[] = [];
  readonly acceptedSeqs: number[] = [];
  drains = 0;
  handler: (entry: Incoming) => void | PromiseLike<void> = () => {};

  handOver(incoming: Incoming): void | PromiseLike<void> {
    this.handed.push(incoming.seq);
    return this.handler(incoming);
  }
  accepted(incoming: Incoming): void {
    this.acceptedSeqs.push(incoming.seq);
  }
  handlerFailed(): void {}
  drained(): void {
    this.drains += 1;
  }
}

function intake(owner: IntakeOwner, clock = new SimulatedClock(), bytesMax = 10_000): Intake {
  return new Intake(owner, clock, { epoch: EPOCH, seq: 10 }, bytesMax);
}

test('a repeat of what was accepted is not handed over', () => {
  const owner = new Owner();
  const queue = intake(owner);
  for (const seq of [9, 10, 11, 11, 12]) queue.push(entry(seq));
  assert.deepEqual(owner.handed, [11, 12]);
  assert.deepEqual(queue.cursor, { epoch: EPOCH, seq: 12 });
});

test('what an old epoch left in the queue is not handed over', async () => {
  const owner = new Owner();
  let settle = (): void => {};
  owner.handler = () =>
    new Promise<void>((resolve) => {
      settle = resolve;
    });
  const queue = intake(owner);
  queue.push(entry(11));
  queue.reset(2);
  // The handler of the old epoch decides too late: its success must not move the new cursor.
  settle();
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(queue.cursor, { epoch: 2, seq: 0 });
  owner.handler = () => {};
  queue.push(entry(12));
  queue.push(entry(3, 2));
  assert.deepEqual(owner.handed, [11, 3]);
});

test('a handler that causes more to arrive is not re-entered', () => {
  const owner = new Owner();
  const queue = intake(owner);
  let depth = 0;
  owner.handler = ({ seq }) => {
    depth += 1;
    assert.equal(depth, 1);
    if (seq < 15) queue.push(entry(seq + 1));
    depth -= 1;
  };
  queue.push(entry(11));
  assert.deepEqual(owner.acceptedSeqs, [11, 12, 13, 14, 15]);
});

test('above its bound it takes nothing', () => {
  const owner = new Owner();
  owner.handler = () => new Promise<void>(() => {});
  const queue = intake(owner, new SimulatedClock(), 200);
  assert.equal(queue.push(entry(11)), true);
  assert.equal(queue.push(entry(12)), true);
  assert.equal(queue.push(entry(13)), false);
});

test('a failing handler is asked again, ever more rarely', () => {
  const clock = new SimulatedClock();
  const owner = new Owner();
  owner.handler = () => {
    throw new Error('no');
  };
  const queue = intake(owner, clock);
  queue.push(entry(11));
  queue.push(entry(12));
  clock.advance(600_000);
  assert.ok(owner.handed.length > 15 && owner.handed.length < 30, `${owner.handed.length} times`);
  assert.ok(owner.handed.every((seq) => seq === 11));
  owner.handler = () => {};
  clock.advance(30_000);
  assert.deepEqual(owner.acceptedSeqs, [11, 12]);
  assert.ok(owner.drains > 0);
});
