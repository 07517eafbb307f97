/** Processes that get no slices for a while. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadArgument, ExitReason, type Pid, receive, sleep } from '../../src/actors/index.js';
import { World } from './world.js';

test('a suspended process handles nothing, keeps what comes in its order, and goes on when it is resumed', () => {
  const { runtime } = new World();
  const world = new World();
  const { pid, inbox } = world.puppet();
  assert.throws(() => runtime.suspend(pid), BadArgument, 'of another runtime');
  assert.equal(world.runtime.suspend(pid), true);
  assert.equal(world.runtime.suspend(pid), false);
  for (const text of ['a', 'b', 'c']) world.runtime.send(pid, text);
  assert.equal(world.runtime.dispatch(pid, 'd'), false, 'not on the stack of a sender either');
  world.advance(1000);
  assert.deepEqual(inbox, []);
  assert.equal(world.runtime.info(pid)?.suspended, true);
  assert.equal(world.runtime.info(pid)?.mailboxLength, 4);
  assert.equal(world.runtime.runQueueLength, 0, 'and costs no slices');
  assert.equal(world.runtime.resume(pid), true);
  assert.equal(world.runtime.resume(pid), false);
  world.advance(0);
  assert.deepEqual(inbox, ['a', 'b', 'c', 'd']);
  world.runtime.send(pid, 'e');
  world.advance(0);
  assert.equal(inbox.at(-1), 'e');
});

test('one that waits for its slice when it is suspended, and is resumed before its turn, gets one slice', () => {
  const world = new World();
  const { pid, inbox } = world.puppet();
  world.runtime.send(pid, 'a');
  world.runtime.suspend(pid);
  world.runtime.resume(pid);
  assert.equal(world.runtime.runQueueLength, 1);
  world.advance(0);
  assert.deepEqual(inbox, ['a']);
});

test('an idle one that is resumed is idle, and takes messages on the stack of a sender again', () => {
  const world = new World();
  const { pid } = world.puppet();
  world.runtime.suspend(pid);
  world.runtime.resume(pid);
  assert.equal(world.runtime.runQueueLength, 0);
  assert.equal(world.runtime.tryDispatch(pid, 'now'), true);
});

test('exit signals end it, and nothing of it is left', () => {
  const world = new World();
  const { pid } = world.puppet();
  world.runtime.send(pid, 'a');
  world.runtime.suspend(pid);
  world.runtime.exit(pid, ExitReason.kill);
  assert.equal(world.runtime.isAlive(pid), false);
  assert.throws(() => world.runtime.resume(pid), /not a live process/);
  world.advance(0);
  assert.equal(world.runtime.runQueueLength, 0);
});

test('a process that waits is held as well: what it waits for comes when it is resumed', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid: Pid<unknown> = world.runtime.spawn<unknown>(function* () {
    seen.push(yield* receive((message) => message === 'go'));
    yield* sleep(100);
    seen.push('slept');
  });
  world.advance(0);
  world.runtime.suspend(pid);
  world.runtime.send(pid, 'go');
  world.advance(10);
  assert.deepEqual(seen, []);
  world.runtime.resume(pid);
  world.advance(10);
  assert.deepEqual(seen, ['go']);
  world.runtime.suspend(pid);
  world.advance(500);
  assert.deepEqual(seen, ['go']);
  world.runtime.resume(pid);
  world.advance(0);
  assert.deepEqual(seen, ['go', 'slept']);
});

test('nobody suspends himself, and no server that is suspended answers on this stack', () => {
  const world = new World();
  const { pid, run } = world.puppet();
  const thrown: unknown[] = [];
  run((self) => {
    try {
      world.runtime.suspend(self);
    } catch (error) {
      thrown.push(error);
    }
  });
  assert.match(String(thrown[0]), /BadArgument.*runs just now/);
  world.runtime.suspend(pid);
  assert.deepEqual(world.runtime.callNow(pid, 'x'), { ok: false, reason: ExitReason.busy });
  assert.equal(world.runtime.info(pid)?.mailboxLength, 0);
});

test('whatever happens in whatever order: nothing is lost, doubled or reordered, and no process stands twice in a queue', () => {
  const step = fc.tuple(
    fc.constantFrom('send', 'suspend', 'resume', 'turn', 'dispatch'),
    fc.integer({ min: 0, max: 2 }),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const world = new World({ sliceMessages: 2 });
      const puppets = [world.puppet(), world.puppet({ priority: 'low' }), world.puppet({ priority: 'max' })];
      const sent: number[][] = [[], [], []];
      let number = 0;
      for (const [what, index] of steps) {
        const { pid, inbox } = puppets[index]!;
        if (what === 'send' || what === 'dispatch') {
          sent[index]!.push(++number);
          world.runtime[what](pid, number);
        } else if (what === 'turn') {
          const before = inbox.length;
          world.runtime.flush();
          if (world.runtime.info(pid)?.suspended === true) assert.equal(inbox.length, before);
        } else {
          world.runtime[what](pid);
        }
        const busy = puppets.filter(({ self }) => self.mailboxLength > 0).length;
        assert.ok(world.runtime.runQueueLength <= busy, `${world.runtime.runQueueLength} of ${busy}`);
      }
      for (const { pid } of puppets) world.runtime.resume(pid);
      world.runtime.flush();
      assert.deepEqual(
        puppets.map(({ inbox }) => inbox),
        sent,
      );
    }),
  );
});
