/** Whom a watchdog suspects, when, and what it asks for. The thread is played: marks are set, requests are written down. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Word } from '../../src/actors/cut.js';
import { BadArgument } from '../../src/actors/index.js';
import { GuardMark } from '../../src/actors/slice-guard.js';
import { ANY_LEVEL, BELL_OFFSET, type GuardRequest } from '../../src/schedulers/native-guard.js';
import { Watchdog, type WatchdogEvent } from '../../src/schedulers/watchdog.js';
import { DoorbellButton } from '../../src/structures/doorbell.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { within } from '../support/within.js';

const NAMES = ['', 'probe', 'sample', 'cut', 'end'];

describe('a watchdog', () => {
  let clock: SimulatedClock;
  let watchdog: Watchdog;
  let marks: Int32Array;
  let words: Int32Array;
  let idleMs: number;
  /** The thread answers requests; otherwise it is blocked. */
  let answering: boolean;
  let requests: string[];
  let events: WatchdogEvent[];
  let gone: boolean;
  let stop: () => void;

  beforeEach(() => {
    clock = new SimulatedClock();
    marks = new Int32Array(new SharedArrayBuffer(4 * GuardMark.count));
    words = new Int32Array(new SharedArrayBuffer(12));
    idleMs = 0;
    answering = true;
    requests = [];
    events = [];
    gone = false;
    watchdog = new Watchdog({
      clock,
      pollMs: 25,
      idlePollMs: 25,
      longMs: 100,
      killMs: 1000,
      lostMs: 5000,
      onEvent: (event) => void events.push(event),
      ask: (_guard, request, level, work, ranMs) => {
        const where = level === ANY_LEVEL ? 'anywhere' : `${level}:${work}`;
        requests.push(`${NAMES[request]} ${where} ${ranMs}`);
        if (answering) marks[GuardMark.answered]! += 1;
        return !gone;
      },
      stackOf: () => ['at nowhere'],
    });
    stop = watchdog.watch('scheduler-1', { id: 1, marks, words }, () => idleMs);
  });

  /** Levels with this work on the stack. */
  function runs(...work: number[]): void {
    marks[GuardMark.depth] = work.length;
    marks.set(work, GuardMark.levels);
  }

  /** The requests of one kind. */
  const asked = (kind: keyof typeof GuardRequest): string[] =>
    requests.filter((request) => request.startsWith(kind));

  test('leaves work alone that changes, however busy the thread is', () => {
    for (let at = 0; at < 1000; at++) {
      runs(at);
      clock.advance(25);
    }
    assert.deepEqual(requests, []);
  });

  test('work that stays is sampled, and cut off when it has run for the limit', () => {
    runs(7);
    clock.advance(25);
    clock.advance(75);
    assert.deepEqual(requests, []);
    clock.advance(25);
    assert.deepEqual(requests, ['sample 0:7 100']);
    clock.advance(25 * 35);
    assert.deepEqual(asked('cut'), []);
    assert.equal(asked('probe').length, 35);
    clock.advance(25);
    assert.deepEqual(asked('cut'), ['cut 0:7 1000']);
    // Refused: it asks again, soon.
    clock.advance(10);
    assert.equal(asked('cut').length, 6);
    runs(8);
    clock.advance(200);
    assert.equal(asked('cut').length, 6);
    assert.deepEqual(events, []);
  });

  test('has a slice give way long before it is cut off, in case no message of it is long', () => {
    runs(7);
    clock.advance(50);
    assert.equal(words[Word.giveWay], 0);
    clock.advance(25);
    assert.equal(words[Word.giveWay], 7);
    words[Word.giveWay] = 0;
    runs(8, 3);
    clock.advance(25);
    assert.equal(words[Word.giveWay], 0);
    // A call within it is none of a slice's, and the slice waits for it.
    runs(8, 4);
    clock.advance(50);
    assert.equal(words[Word.giveWay], 8);
    assert.deepEqual(requests, []);
  });

  test('counts only the time in which the thread runs: garbage and system calls kill nobody', () => {
    runs(7);
    clock.advance(125);
    answering = false;
    clock.advance(4000);
    assert.deepEqual(asked('cut'), []);
    assert.deepEqual(events, []);
    answering = true;
    clock.advance(800);
    assert.deepEqual(asked('cut'), []);
    clock.advance(100);
    assert.ok(asked('cut').length > 0);
  });

  test('time in which the watchdog itself did not run does not count', () => {
    runs(7);
    clock.advance(125);
    clock.stall(60_000);
    clock.advance(25);
    assert.deepEqual(asked('cut'), []);
    clock.advance(700);
    assert.deepEqual(asked('cut'), []);
  });

  test('says once that a thread is blocked that never answers', () => {
    runs(7);
    answering = false;
    clock.advance(20_000);
    assert.deepEqual(asked('cut'), []);
    assert.deepEqual(events, [{ type: 'blocked', name: 'scheduler-1', ms: 1000 }]);
  });

  test('the deepest work that stays is to blame, not what called it, nor what it calls', () => {
    for (let at = 0; at < 60; at++) {
      runs(7, 3, at);
      clock.advance(25);
    }
    assert.ok(asked('sample').every((request) => request.startsWith('sample 1:3')));
    assert.ok(asked('cut').length > 0);
    assert.ok(asked('cut').every((request) => request.startsWith('cut 1:3')));
    // Now its caller has the time that is its own.
    requests.length = 0;
    runs(7);
    clock.advance(25);
    assert.ok(asked('cut').every((request) => request.startsWith('cut 0:7')));
  });

  test('what begins on a new bottom is new, even under the same number', () => {
    for (let at = 0; at < 100; at++) {
      runs(at, 3);
      clock.advance(25);
    }
    assert.deepEqual(requests, []);
  });

  test('a thread that cannot be helped is given up, and asked to end until it does', () => {
    runs(7);
    clock.advance(6000);
    assert.deepEqual(events, [{ type: 'given_up', name: 'scheduler-1', ranMs: 5000 }]);
    const ends = asked('end').length;
    assert.ok(ends > 1);
    gone = true;
    clock.advance(1000);
    assert.equal(asked('end').length, ends + 1);
  });

  test('a thread that waits is left alone; one that runs outside of processes is reported, then ended', () => {
    runs();
    for (let at = 0; at < 1000; at++) {
      idleMs += 25;
      clock.advance(25);
    }
    assert.deepEqual(requests, []);
    // Busy, but it begins work.
    for (let at = 0; at < 1000; at++) {
      marks[GuardMark.levels] = at;
      clock.advance(25);
    }
    assert.deepEqual(requests, []);
    clock.advance(1500);
    assert.ok(requests.every((request) => request === 'sample anywhere 0'));
    assert.deepEqual(events, [{ type: 'stuck', name: 'scheduler-1', ranMs: 1000, stack: ['at nowhere'] }]);
    clock.advance(5000);
    assert.deepEqual(
      events.map((event) => event.type),
      ['stuck', 'given_up'],
    );
    assert.ok(asked('end').length > 0);
  });

  test('looks less often while nothing happens', () => {
    stop();
    let looks = 0;
    const lazy = new Watchdog({ clock, pollMs: 50 });
    lazy.watch('idle', { id: 2, marks, words }, () => {
      looks++;
      return clock.now() - busyMs;
    });
    let busyMs = 0;
    clock.advance(10_000);
    assert.ok(looks >= 20 && looks <= 23, `${looks} looks in 10 s`);
    looks = 0;
    for (let at = 0; at < 10_000; at += 50) {
      marks[GuardMark.levels]! += 1;
      clock.advance(50);
    }
    assert.ok(looks >= 190 && looks <= 201, `${looks} looks in 10 s`);
    clock.advance(1000);
    // Work outside of processes rings no bell, but the thread has not waited all the time.
    looks = 0;
    for (let at = 0; at < 10_000; at += 50) {
      busyMs += 30;
      clock.advance(50);
    }
    assert.ok(looks >= 190 && looks <= 201, `${looks} looks in 10 s`);
    lazy.close();
  });

  test('looks at once when guarded work begins after a rest', async () => {
    stop();
    let looks = 0;
    let looked = () => {};
    const lazy = new Watchdog({ clock, pollMs: 50, idlePollMs: 3_600_000 });
    const button = new DoorbellButton(marks.buffer as SharedArrayBuffer, BELL_OFFSET);
    const others = new Int32Array(new SharedArrayBuffer(4 * GuardMark.count));
    lazy.watch('other', { id: 3, words, marks: others }, () => clock.now());
    lazy.watch('idle', { id: 2, marks, words }, () => {
      looks++;
      looked();
      return clock.now();
    });
    const nextLook = () =>
      within(
        'the look',
        new Promise<void>((resolve) => {
          looked = resolve;
        }),
      );
    button.ring();
    clock.advance(1000);
    assert.equal(button.rings, 0, 'nobody sleeps yet');
    for (let round = 1; round <= 3; round++) {
      looks = 0;
      clock.advance(10_000);
      assert.equal(looks, 0);
      const next = nextLook();
      button.ring();
      marks[GuardMark.levels]! += 1;
      await next;
      assert.equal(button.rings, round);
      // It goes on: awake, nobody need ring.
      button.ring();
      assert.equal(button.rings, round);
      for (let n = 0; n < 4; n++) clock.advance(50);
      assert.equal(looks, 2, 'once more, and it was quiet');
    }
    // A watchdog that is gone is not woken by anybody.
    lazy.close();
    button.ring();
    assert.equal(button.rings, 3);
  });

  test('work that begins while it goes to rest is seen', () => {
    stop();
    let looks = 0;
    const lazy = new Watchdog({ clock, pollMs: 50, idlePollMs: 3_600_000 });
    lazy.watch('first', { id: 2, marks, words }, () => clock.now());
    const others = new Int32Array(new SharedArrayBuffer(4 * GuardMark.count));
    lazy.watch('second', { id: 3, words, marks: others }, () => {
      // The first was looked at just before.
      if (++looks === 1) marks[GuardMark.levels]! += 1;
      return clock.now();
    });
    for (let n = 0; n < 10; n++) clock.advance(50);
    assert.equal(looks, 3, 'at what has begun, and once more');
    lazy.close();
  });

  test('limits can be changed while it watches', () => {
    runs(7);
    clock.advance(500);
    watchdog.setLimits({ longMs: 100, killMs: 400 });
    clock.advance(25);
    assert.deepEqual(asked('cut'), ['cut 0:7 500']);
  });

  test('does not look any more when nobody is watched', () => {
    stop();
    runs(7);
    clock.advance(10_000);
    assert.deepEqual(requests, []);
  });

  test('refuses limits that make no sense', () => {
    assert.throws(() => new Watchdog({ clock, killMs: 50 }), BadArgument);
    assert.throws(() => new Watchdog({ clock, pollMs: 0 }), BadArgument);
    assert.throws(() => new Watchdog({ clock, killMs: 1000, lostMs: 999 }), BadArgument);
    assert.throws(() => new Watchdog({ clock, longMs: Number.NaN }), BadArgument);
    assert.throws(() => watchdog.setLimits({ killMs: Number.POSITIVE_INFINITY, lostMs: 99 }), BadArgument);
    assert.doesNotThrow(() => new Watchdog({ clock, killMs: Number.POSITIVE_INFINITY }));
  });
});
