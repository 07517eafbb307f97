/** Budgets of slices and turns: how long a process runs before others do, and all of them before sockets do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Word, words } from '../../src/actors/cut.js';
import { BadArgument, type Budgets, type Pid, type RuntimeOptions } from '../../src/actors/index.js';
import { GuardMark, type SliceGuard } from '../../src/actors/slice-guard.js';
import { World } from './world.js';

/** Time that passes in messages only, and how often it was looked at. */
class Costs {
  nowMs = 1;
  looks = 0;
  readonly world: World;
  /** Who handled how many in a row, and how long it took. */
  readonly slices: { readonly name: string; messages: number; ms: number }[] = [];

  constructor(options: Partial<RuntimeOptions> = {}) {
    this.world = new World(options);
    this.world.clock.now = () => {
      this.looks++;
      return this.nowMs;
    };
  }

  /** A process for which each message takes as many milliseconds as it says. */
  worker(name: string): Pid<number> {
    return this.world.runtime.spawn<number>(() => ({
      receive: (ms) => {
        this.nowMs += ms as number;
        const last = this.slices.at(-1);
        if (last?.name !== name) this.slices.push({ name, messages: 1, ms: ms as number });
        else {
          last.messages++;
          last.ms += ms as number;
        }
      },
    }));
  }

  send(pid: Pid<number>, count: number, ms: number): void {
    for (let at = 0; at < count; at++) this.world.runtime.send(pid, ms);
  }

  /** Runs until nobody has anything to do; the slices since. */
  run(): readonly { readonly name: string; readonly messages: number; readonly ms: number }[] {
    this.slices.length = 0;
    this.world.runtime.flush();
    return this.slices;
  }
}

describe('the time of a slice', () => {
  for (const costMs of [0.02, 0.3, 0.999, 10]) {
    test(`is over after the message with which its budget is, from the first slice on: ${costMs} ms each`, () => {
      const costs = new Costs({ sliceMs: 1, sliceMessages: 1000 });
      const pids = ['a', 'b', 'c'].map((name) => costs.worker(name));
      for (const pid of pids) costs.send(pid, 500, costMs);
      const slices = costs.run();
      const least = Math.floor((1500 * costMs) / (1 + costMs));
      assert.ok(slices.length >= least, `${slices.length} slices, not ${least}`);
      for (const { messages, ms } of slices.slice(0, -3)) {
        assert.ok(messages === 1 || ms < 1 + costMs + 1e-9, `${messages} messages, ${ms} ms`);
      }
      // Nor much earlier: the budget is used, or others would be paid for with switches.
      const middle = slices.slice(3, -6);
      for (const { messages, ms } of middle) assert.ok(ms >= 0.49, `${messages} messages, ${ms} ms`);
      assert.equal(
        slices.reduce((sum, { messages }) => sum + messages, 0),
        1500,
      );
    });
  }

  test('costs quick processes one look at the clock for a slice, and them alone slow ones', () => {
    const costs = new Costs();
    const pids = Array.from({ length: 10 }, (_, at) => costs.worker(`quick ${at}`));
    for (const pid of pids) costs.send(pid, 6400, 0.000_02);
    costs.run();
    // Ten processes find their pace in 1, 2, 4 … 32 messages.
    assert.ok(costs.looks < 1000 + 10 * 7 + 1000 / 4 + 10, `${costs.looks} looks`);
    assert.ok(costs.slices.slice(10, -10).every(({ messages }) => messages === 64));

    const slow = costs.worker('slow');
    costs.send(slow, 100, 5);
    costs.looks = 0;
    for (const pid of pids) costs.send(pid, 6400, 0.000_02);
    costs.run();
    assert.ok(costs.looks < 1000 + 1000 / 4 + 100 * 12, `${costs.looks} looks`);
    const others = costs.slices.filter(({ name }) => name !== 'slow');
    assert.ok(others.slice(0, -10).every(({ messages }) => messages === 64));
    assert.ok(costs.slices.filter(({ name }) => name === 'slow').every(({ messages }) => messages === 1));
  });

  test('a process that was quick is found out within three slices, and only once', () => {
    const costs = new Costs();
    const [a, b] = [costs.worker('a'), costs.worker('b')];
    costs.send(a, 10_000, 0.000_02);
    costs.run();
    costs.send(a, 200, 10);
    costs.send(b, 200, 0.1);
    const ofA = costs.run().filter(({ name }) => name === 'a');
    const counts = ofA.slice(0, -1).map(({ messages }) => messages);
    const whole = counts.findIndex((count) => count < 64);
    assert.ok(whole >= 0 && whole <= 4, `${whole} whole slices`);
    assert.deepEqual([...new Set(counts.slice(whole + 1))], [1]);
  });

  test('nor does one keep a pace that it never comes to the end of', () => {
    const costs = new Costs();
    const { runtime } = costs.world;
    const a = costs.worker('a');
    const others = Array.from({ length: 600 }, (_, at) => costs.worker(`quick ${at}`));
    costs.send(a, 10_000, 0.000_02);
    costs.run();
    // Five slow messages at a time, among many others who are quick.
    let rounds = 0;
    do {
      assert.ok(++rounds < 300, `still ${costs.slices[0]?.messages} messages at a time`);
      costs.send(a, 5, 10);
      for (const other of others) runtime.send(other, 0.000_02);
      costs.run();
    } while (costs.slices[0]?.messages !== 1);
  });

  test('a process that was slow gets whole slices again', () => {
    const costs = new Costs();
    const [a, b] = [costs.worker('a'), costs.worker('b')];
    costs.send(a, 10, 10);
    costs.run();
    costs.send(a, 1000, 0.001);
    costs.send(b, 1000, 0.001);
    const slices = costs.run();
    assert.ok(slices.every(({ messages }) => messages <= 64));
    assert.equal(slices.filter(({ messages }) => messages === 64).length, 30);
  });

  test('does not depend on what ran before it', () => {
    const costs = new Costs();
    const [quick, slow] = [costs.worker('quick'), costs.worker('slow')];
    costs.send(slow, 50, 2);
    for (let round = 0; round < 50; round++) costs.send(quick, 64, 0.000_02);
    const slices = costs.run();
    assert.equal(slices.length, 100);
    for (const { name, messages } of slices) assert.equal(messages, name === 'slow' ? 1 : 64, name);
  });
});

describe('budgets', () => {
  test('can be changed while everything runs', () => {
    const costs = new Costs({ sliceMessages: 4 });
    const { runtime } = costs.world;
    const [a, b] = [costs.worker('a'), costs.worker('b')];
    const counts = (ms: number) => {
      costs.send(a, 8, ms);
      costs.send(b, 8, ms);
      return costs.run().map(({ messages }) => messages);
    };
    assert.deepEqual(counts(0), [4, 4, 4, 4]);
    runtime.budgets = { ...runtime.budgets, sliceMessages: 2 };
    assert.deepEqual(counts(0), [2, 2, 2, 2, 2, 2, 2, 2]);
    runtime.budgets = { sliceMessages: 8, sliceMs: 1000, turnMs: 5 };
    counts(1);
    assert.deepEqual(counts(1), [8, 8]);
    runtime.budgets = { ...runtime.budgets, sliceMs: 2 };
    counts(1);
    assert.deepEqual(counts(1), [2, 2, 2, 2, 2, 2, 2, 2]);
    assert.deepEqual(runtime.budgets, { sliceMessages: 8, sliceMs: 2, turnMs: 5 });
  });

  test('of turns, too', () => {
    const costs = new Costs({ turnMs: 5 });
    const { world } = costs;
    const pid = world.runtime.spawn<number>((self) => ({
      receive: (ms) => {
        costs.nowMs += ms as number;
        self.send(self, ms as number);
      },
    }));
    world.runtime.send(pid, 0.25);
    const turnMs = () => {
      const before = costs.nowMs;
      world.clock.runOne();
      return costs.nowMs - before;
    };
    turnMs();
    const five = turnMs();
    assert.ok(five >= 5 && five < 5.6, `${five} ms`);
    world.runtime.budgets = { ...world.runtime.budgets, turnMs: 20 };
    const twenty = turnMs();
    assert.ok(twenty >= 20 && twenty < 20.6, `${twenty} ms`);
  });

  test('that make no sense are refused, with the value', () => {
    const { runtime } = new World();
    const bad = (budgets: Partial<Budgets>, text: RegExp) => {
      assert.throws(
        () => new World(budgets),
        (error) => error instanceof BadArgument && text.test(error.message),
      );
      assert.throws(
        () => {
          runtime.budgets = { ...runtime.budgets, ...budgets };
        },
        (error) => error instanceof BadArgument && text.test(error.message),
      );
    };
    bad({ sliceMessages: 0 }, /sliceMessages: 0/);
    bad({ sliceMessages: 1.5 }, /sliceMessages: 1.5/);
    bad({ sliceMs: 0 }, /sliceMs: 0/);
    bad({ sliceMs: Number.NaN }, /sliceMs: NaN/);
    bad({ turnMs: -1 }, /turnMs: -1/);
    assert.deepEqual(runtime.budgets, { sliceMessages: 64, sliceMs: 1, turnMs: 5 });
  });
});

describe('the turn', () => {
  test('gives way even if the messages of all processes become slow all of a sudden', () => {
    const costs = new Costs({ turnMs: 5 });
    const { world } = costs;
    let ms = 0.000_02;
    const pids = Array.from({ length: 1000 }, () =>
      world.runtime.spawn<number>((self) => ({
        receive: () => {
          costs.nowMs += ms;
          self.send(self, 0);
        },
      })),
    );
    for (const pid of pids) world.runtime.send(pid, 0);
    world.clock.runOne();
    ms = 1;
    const before = costs.nowMs;
    world.clock.runOne();
    assert.ok(costs.nowMs - before <= 512, `${costs.nowMs - before} messages of 1 ms`);
    const second = costs.nowMs;
    world.clock.runOne();
    assert.ok(costs.nowMs - second <= 6, `${costs.nowMs - second} ms`);
  });

  test('sockets have their chance after each, however many processes keep each other busy', () => {
    const costs = new Costs({ turnMs: 5 });
    const { world } = costs;
    const players = Array.from({ length: 100 }, () =>
      world.runtime.spawn<number>(() => ({
        receive(to) {
          costs.nowMs += 0.01;
          world.runtime.send(players[to as number]!, ((to as number) + 7) % 100);
        },
      })),
    ) as Pid<number>[];
    for (const [at, pid] of players.entries()) world.runtime.send(pid, (at + 1) % 100);
    // What the event loop does between two turns.
    const socketAt: number[] = [];
    const socket = () => {
      socketAt.push(costs.nowMs);
      world.clock.defer(socket);
    };
    socket();
    for (let step = 0; step < 200; step++) world.clock.runOne();
    assert.ok(socketAt.length >= 99);
    for (let at = 2; at < socketAt.length; at++) {
      const waited = socketAt[at]! - socketAt[at - 1]!;
      assert.ok(waited < 5 + 0.6, `waited ${waited} ms`);
    }
  });
});

/** A guard that cuts nobody off: what it takes to be told to give way. */
class IdleGuard implements SliceGuard {
  readonly marks = new Int32Array(GuardMark.count);
  begins(): void {}
  run<A, B, C>(body: (a: A, b: B, c: C) => void, a: A, b: B, c: C): boolean {
    body(a, b, c);
    return false;
  }
  takeCut(): never {
    throw new Error('nothing was cut off');
  }
  takeSample(): null {
    return null;
  }
}

describe('a slice that is told to give way', () => {
  for (const guarded of [true, false]) {
    test(`does so after sixteen messages more at most, and its process has to prove its pace: ${guarded}`, () => {
      const guard = guarded ? new IdleGuard() : null;
      const costs = new Costs(guard === null ? {} : { guard });
      const { runtime } = costs.world;
      const seen: number[] = [];
      let slowMs = 0;
      let tellAt = -1;
      let number = 0;
      const quick = runtime.spawn<number>(() => ({
        receive: (message) => {
          seen.push(message as number);
          costs.nowMs += slowMs;
          if (message === tellAt) words[Word.giveWay] = number;
        },
      }));
      const other = costs.worker('other');
      costs.send(quick, 64 * 40, 0);
      runtime.flush();
      seen.length = 0;
      // Slow from now on: 64 messages without a look at the clock.
      slowMs = 16;
      tellAt = 5;
      number = guard === null ? 99 : guard.marks[GuardMark.levels]! + 1;
      for (let n = 1; n <= 18; n++) runtime.send(quick, n);
      let before = -1;
      const look = runtime.spawn(() => ({
        receive: () => {
          before = seen.length;
        },
      }));
      runtime.send(look, 0);
      costs.send(other, 1, 1);
      runtime.flush();
      assert.equal(words[Word.giveWay], 0, 'heard');
      assert.deepEqual(
        seen,
        Array.from({ length: 18 }, (_, at) => at + 1),
      );
      if (guard === null) return;
      assert.equal(before, 17);
      // All others are quick, so that turns seldom look at the clock: it is this process that does, for each message.
      for (let round = 0; round < 40; round++) costs.send(other, 64, 0);
      runtime.flush();
      costs.looks = 0;
      for (let n = 1; n <= 20; n++) runtime.send(quick, n);
      runtime.flush();
      assert.ok(costs.looks >= 20, `${costs.looks} looks`);
    });
  }

  test('is not another one that happens to run', () => {
    const guard = new IdleGuard();
    const costs = new Costs({ guard });
    const { runtime } = costs.world;
    let before = -1;
    let count = 0;
    const quick = runtime.spawn<number>(() => ({ receive: () => void count++ }));
    const look = runtime.spawn(() => ({
      receive: () => {
        before = count;
      },
    }));
    // A process at its beginning looks at the clock: it goes on.
    for (let n = 0; n < 10; n++) runtime.send(quick, n);
    runtime.send(look, 0);
    words[Word.giveWay] = guard.marks[GuardMark.levels]! + 7;
    runtime.flush();
    assert.equal(before, 10);
    assert.equal(words[Word.giveWay], 0);
  });
});
