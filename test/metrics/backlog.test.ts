/** What is known of mailboxes and those who fill and empty them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mailboxReport, type Pid, Runtime, topMailboxes } from '../../src/actors/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { LoopClock } from './loop-clock.js';

function make() {
  const clock = new LoopClock();
  const runtime = new Runtime({ clock, random: new SeededRandom(1) });
  return { clock, runtime };
}

/** A process that takes so long for each message; it can be changed. */
function slow(world: ReturnType<typeof make>, pace: { us: number }, label = 'slow'): Pid<number> {
  return world.runtime.spawn<number>(
    () => ({
      receive() {
        world.clock.stall(pace.us / 1000);
      },
    }),
    { label },
  );
}

/** Sends so many messages a second to it, once in a millisecond. */
function fill({ clock, runtime }: ReturnType<typeof make>, to: Pid<number>, rate: { perSecond: number }) {
  let due = 0;
  let last = clock.now();
  const tick = () => {
    const now = clock.now();
    due += ((now - last) / 1000) * rate.perSecond;
    last = now;
    for (; due >= 1; due--) runtime.send(to, 1);
    clock.setTimer(tick, 1);
  };
  tick();
}

function near(what: string, is: number | null, shall: number, share: number): void {
  assert.ok(is !== null && Math.abs(is - shall) <= shall * share, `${what}: ${is} instead of ${shall}`);
}

describe('a backlog', () => {
  test('600 K queued, dequeued at 40 K/s: 15 s of delay, and with the fill rate the drain time comes true', () => {
    const world = make();
    const { clock, runtime } = world;
    const pid = slow(world, { us: 25 }, 'inbox');
    const rate = { perSecond: 25_400 };
    for (let sent = 0; sent < 900_000; sent++) runtime.send(pid, 1);
    fill(world, pid, rate);
    while (topMailboxes(runtime, 'length', 1)[0]!.length > 600_000) clock.spin(50);
    const [report] = topMailboxes(runtime, 'length', 10);
    assert.equal(report!.label, 'inbox');
    near('length', report!.length, 600_000, 0.01);
    near('out', report!.outRate.per10, 40_000, 0.01);
    near('in', report!.inRate.per1, 25_400, 0.01);
    near('delay', report!.delayMs, 15_000, 0.02);
    near('drain', report!.drainMs, 41_000, 0.03);
    const began = clock.now();
    while (mailboxReport(runtime, (pid as unknown as { id: number }).id)!.length > 100) clock.spin(10);
    near('came true', clock.now() - began, 41_000, 0.03);
  });
});
