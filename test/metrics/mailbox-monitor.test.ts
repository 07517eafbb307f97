/** Who is known to have a backlog, how old it is, and what the runtime publishes of all this. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  ExitReason,
  mailboxReport,
  type Pid,
  type Process,
  RUNTIME_STATS,
  Runtime,
  type RuntimeStat,
  receive,
  topMailboxes,
} from '../../src/actors/index.js';
import { QueueAge } from '../../src/actors/queue-age.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

function make() {
  const clock = new SimulatedClock();
  const values = new Float64Array(RUNTIME_STATS.length);
  const runtime = new Runtime({ clock, random: new SeededRandom(1), stats: values });
  const stat = (name: RuntimeStat) => values[RUNTIME_STATS.indexOf(name)];
  return { clock, runtime, stat };
}

type World = ReturnType<typeof make>;

function idle({ runtime }: World, label = 'idle'): Pid<number> {
  return runtime.spawn<number>(() => ({ receive() {} }), { label });
}

function idOf(pid: Pid): number {
  return (pid as unknown as { readonly id: number }).id;
}

describe('the set of those with a backlog', () => {
  test('is entered at 64 messages and left with the last', () => {
    const world = make();
    const { runtime } = world;
    const pid = idle(world);
    for (let sent = 1; sent < 64; sent++) runtime.send(pid, sent);
    assert.equal(runtime.mailboxes.backlogged, 0);
    runtime.send(pid, 64);
    assert.equal(runtime.mailboxes.backlogged, 1);
    for (let sent = 0; sent < 1000; sent++) runtime.send(pid, sent);
    assert.equal(runtime.mailboxes.backlogged, 1);
    runtime.flush();
    assert.equal(runtime.mailboxes.backlogged, 0);
    assert.equal(mailboxReport(runtime, idOf(pid))?.longest, 1064);
  });

  test('has a timer only while somebody is in it: an idle runtime is not woken', () => {
    const world = make();
    const { runtime, clock, stat } = world;
    const pid = idle(world);
    assert.equal(clock.nextDeadline(), Number.POSITIVE_INFINITY);
    runtime.suspend(pid);
    for (let sent = 0; sent < 100; sent++) runtime.send(pid, sent);
    clock.advance(10_000);
    assert.equal(stat('turns'), 0, 'nobody has a turn, and what waits is published all the same');
    assert.equal(stat('waiting'), 100);
    assert.ok(clock.nextDeadline() <= clock.now() + 250);
    runtime.resume(pid);
    clock.advance(250);
    assert.equal(runtime.mailboxes.backlogged, 0);
    clock.advance(250);
    assert.equal(clock.nextDeadline(), Number.POSITIVE_INFINITY);
  });

  test('a message that is put back has not been handled: the counters go back by one, and no rate goes through the roof', () => {
    const world = make();
    const { runtime, clock } = world;
    let self!: Process<number>;
    const pid = runtime.spawn<number>((process) => {
      self = process;
      return { receive() {} };
    });
    mailboxReport(runtime, idOf(pid));
    // As the process of a nact actor does that recovers: see ActorProcess.
    self.handledCount = (self.handledCount - 1) | 0;
    clock.advance(1000);
    const back = mailboxReport(runtime, idOf(pid))!;
    assert.deepEqual([back.inRate.per1, back.outRate.per1], [0, 0]);
    self.handledCount = (self.handledCount + 1) | 0;
    for (let sent = 0; sent < 10; sent++) runtime.send(pid, sent);
    runtime.flush();
    clock.advance(1000);
    const on = mailboxReport(runtime, idOf(pid))!;
    assert.ok(on.inRate.per1 > 1 && on.inRate.per1 < 20, String(on.inRate.per1));
  });

  test('forgets those that end', () => {
    const world = make();
    const { runtime } = world;
    const pids = Array.from({ length: 5 }, () => idle(world));
    for (const pid of pids) for (let sent = 0; sent < 100; sent++) runtime.send(pid, sent);
    runtime.exit(pids[1]!, ExitReason.kill);
    runtime.exit(pids[4]!, ExitReason.kill);
    assert.equal(runtime.mailboxes.backlogged, 3);
    assert.deepEqual(
      topMailboxes(runtime, 'length', 10).map(({ length }) => length),
      [100, 100, 100],
    );
  });

  test('of more than it can hold it keeps the longest, and forgets nobody that is alone with his length', () => {
    const world = make();
    const { runtime } = world;
    const long = idle(world, 'long');
    runtime.suspend(long);
    for (let sent = 0; sent < 1024; sent++) runtime.send(long, sent);
    for (let at = 0; at < 5000; at++) {
      const pid = idle(world);
      runtime.suspend(pid);
      for (let sent = 0; sent < 64; sent++) runtime.send(pid, sent);
    }
    assert.equal(runtime.mailboxes.backlogged, 4096);
    const late = idle(world, 'late');
    runtime.suspend(late);
    for (let sent = 0; sent < 128; sent++) runtime.send(late, sent);
    const top = topMailboxes(runtime, 'length', 3);
    assert.deepEqual(
      top.map(({ label, length }) => [label, length]),
      [
        ['long', 1024],
        ['late', 128],
        ['idle', 64],
      ],
    );
    assert.equal(topMailboxes(runtime, 'length', 10_000).length, 4096);
  });

  test('a message that comes after a quiet time is not as old as that, and nobody stands still for it', () => {
    const world = make();
    const { runtime, clock } = world;
    const pid = idle(world, 'quiet');
    runtime.send(pid, 1);
    runtime.flush();
    mailboxReport(runtime, idOf(pid));
    clock.advance(100_000);
    runtime.send(pid, 2);
    const [report] = topMailboxes(runtime, 'delay', 1);
    assert.equal(report?.length, 1);
    const { oldestMs, stalledMs, delayMs, drainMs } = report;
    assert.deepEqual(
      { oldestMs, stalledMs, delayMs, drainMs },
      { oldestMs: 0, stalledMs: 0, delayMs: 0, drainMs: 0 },
    );
  });

  test('a few messages of one that is held are a backlog from the first look on', () => {
    const world = make();
    const { runtime, clock } = world;
    const pid = idle(world, 'held');
    mailboxReport(runtime, idOf(pid));
    runtime.suspend(pid);
    clock.advance(100_000);
    for (let sent = 0; sent < 3; sent++) runtime.send(pid, sent);
    assert.equal(topMailboxes(runtime, 'length', 1)[0]?.length, 3);
    assert.equal(runtime.mailboxes.backlogged, 1);
    clock.advance(5000);
    const report = topMailboxes(runtime, 'delay', 1)[0]!;
    assert.equal(report.label, 'held');
    assert.ok(report.oldestMs >= 5000 && report.oldestMs < 6000, `${report.oldestMs}`);
    assert.equal(report.delayMs, null);
    runtime.resume(pid);
    runtime.flush();
    clock.advance(1000);
    assert.equal(runtime.mailboxes.backlogged, 0);
  });

  test('messages that a selective receive has put aside count, and are told apart', () => {
    const world = make();
    const { runtime, clock, stat } = world;
    const pid = runtime.spawn<string>(function* () {
      yield* receive((message) => message === 'wanted');
      yield* receive((message) => message === 'never');
    });
    runtime.flush();
    for (let sent = 0; sent < 100; sent++) {
      runtime.send(pid, 'noise');
      runtime.flush();
    }
    clock.advance(1000);
    const report = mailboxReport(runtime, idOf(pid))!;
    assert.deepEqual([report.length, report.saved], [100, 100]);
    assert.deepEqual([stat('waiting'), stat('saved'), stat('nonEmpty')], [100, 100, 1]);
    assert.ok(report.oldestMs >= 1000);
    assert.ok(report.stalledMs >= 1000);
    assert.equal(report.delayMs, null);
    assert.equal(report.drainMs, null);
  });
});

describe('reports', () => {
  test('say who it is, where it stands and what it will handle next', () => {
    class Inbox {
      receive(): void {}
    }
    const world = make();
    const { runtime } = world;
    let child!: Pid<unknown>;
    runtime.spawn(
      (self) => {
        child = self.spawn<unknown>(() => new Inbox(), { label: 'inbox-3', name: 'inbox' });
        return { receive() {} };
      },
      { label: 'inboxes' },
    );
    runtime.suspend(child);
    runtime.send(child, { type: 'entry' });
    const report = mailboxReport(runtime, idOf(child))!;
    assert.equal(report.handler, 'Inbox.receive(entry)');
    assert.deepEqual(report.path, ['inboxes']);
    assert.deepEqual([report.label, report.name, report.length], ['inbox-3', 'inbox', 1]);
    assert.equal(report.suspended, true);
    assert.equal(JSON.stringify(report), JSON.stringify(structuredClone(report)));
    runtime.exit(child, ExitReason.kill);
    assert.equal(mailboxReport(runtime, report.id), null);
  });

  test('rates decay, over 1, 10 and 100 seconds, and begin with what was seen', () => {
    const world = make();
    const { runtime, clock } = world;
    const pid = idle(world);
    assert.equal(mailboxReport(runtime, idOf(pid))?.inRate.per1, 0);
    // 100 a second for ten seconds, looked at whenever the turns do.
    for (let tick = 0; tick < 1000; tick++) {
      runtime.send(pid, tick);
      clock.advance(10);
    }
    const busy = mailboxReport(runtime, idOf(pid))!;
    for (const rate of [busy.inRate.per1, busy.inRate.per10, busy.inRate.per100, busy.outRate.per10])
      assert.ok(Math.abs(rate - 100) < 2, `${rate}`);
    clock.advance(1000);
    const later = mailboxReport(runtime, idOf(pid))!;
    assert.ok(Math.abs(later.outRate.per1 - 100 / Math.E) < 1, `${later.outRate.per1}`);
    // Over what it has seen, which is less than ten seconds' worth of weights: 11 s, of which the last without any.
    const shall = (100 * (Math.exp(-0.1) - Math.exp(-1.1))) / (1 - Math.exp(-1.1));
    assert.ok(Math.abs(later.outRate.per10 - shall) < 1, `${later.outRate.per10} instead of ${shall}`);
  });
});

describe('the age of the oldest message', () => {
  /** Messages come as the property says; each is handled when it says. The real age is known, since each has its time. */
  const steps = fc.array(
    fc.record({
      ms: fc.integer({ min: 1, max: 400 }),
      came: fc.integer({ min: 0, max: 200 }),
      handled: fc.integer({ min: 0, max: 200 }),
    }),
    { minLength: 1, maxLength: 400 },
  );

  test('is right up to the distance of its checkpoints', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const age = new QueueAge();
        const waiting: number[] = [];
        let now = 0;
        let came = 0;
        let handled = 0;
        let longestStep = 0;
        let isLong = false;
        for (const step of history) {
          now += step.ms;
          longestStep = Math.max(longestStep, step.ms);
          for (let n = 0; n < step.came; n++) waiting.push(now);
          came += step.came;
          const done = Math.min(step.handled, waiting.length);
          waiting.splice(0, done);
          handled += done;
          age.note(came, now);
          if (waiting.length === 0) return;
          const real = now - waiting[0]!;
          const said = age.oldestMs(handled, came, now);
          isLong ||= real > 1500;
          // Thinned checkpoints stand further apart; they never do by more than an eighth of what they cover.
          const apart = 2 * (longestStep + 50) + (isLong ? 0.25 * now : 0);
          assert.ok(said >= 0 && Math.abs(said - real) <= apart, `${said} instead of ${real} ± ${apart}`);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('of a queue that has stood still for hours it is exact to a sixteenth', () => {
    const age = new QueueAge();
    for (let second = 0; second <= 36_000; second++) age.note(64 + second, second * 1000);
    for (const handled of [0, 10_000, 20_000, 35_000]) {
      const real = (36_000 - Math.max(0, handled + 1 - 64)) * 1000;
      const said = age.oldestMs(handled, 36_064, 36_000_000);
      assert.ok(Math.abs(said - real) <= 36_000_000 / 16, `${said} instead of ${real}`);
    }
  });
});

describe('what a runtime publishes', () => {
  test('the sums are those of all mailboxes, however they are distributed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ length: fc.integer({ min: 0, max: 300 }), suspended: fc.boolean() }), {
          minLength: 1,
          maxLength: 40,
        }),
        (mailboxes) => {
          const world = make();
          const { runtime, clock, stat } = world;
          for (const { length, suspended } of mailboxes) {
            const pid = idle(world);
            // One that is suspended and short is known to nobody: that is said in the documentation.
            if (suspended && length >= 64) runtime.suspend(pid);
            for (let sent = 0; sent < length; sent++) runtime.send(pid, sent);
          }
          runtime.stats!.publish(clock.now());
          const lengths = mailboxes.map(({ length }) => length);
          const total = lengths.reduce((sum, length) => sum + length, 0);
          assert.equal(stat('waiting'), total);
          assert.equal(stat('longest'), Math.max(...lengths));
          assert.equal(stat('nonEmpty'), lengths.filter((length) => length > 0).length);
          assert.equal(stat('received'), total);
          runtime.flush();
          const left = mailboxes
            .filter(({ suspended, length }) => suspended && length >= 64)
            .reduce((sum, { length }) => sum + length, 0);
          clock.advance(1000);
          assert.equal(stat('waiting'), left);
          assert.equal(stat('handled'), total - left);
          assert.equal(stat('received'), total);
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  test('a run queue longer than what is looked at is estimated', () => {
    const world = make();
    const { runtime, clock, stat } = world;
    for (let at = 0; at < 10_000; at++) {
      const pid = idle(world);
      for (let sent = 0; sent <= at % 10; sent++) runtime.send(pid, sent);
    }
    runtime.stats!.publish(clock.now());
    assert.ok(Math.abs(stat('waiting')! - 55_000) < 1000, `${stat('waiting')}`);
    assert.equal(stat('nonEmpty'), 10_000);
  });

  test('turns, slices, dispatched messages; and the end of a busy time is published, too', () => {
    const world = make();
    const { runtime, clock, stat } = world;
    const pid = idle(world);
    for (let turn = 0; turn < 100; turn++) {
      runtime.send(pid, turn);
      clock.run();
    }
    assert.equal(runtime.dispatch(pid, 1), true);
    clock.advance(20);
    assert.deepEqual([stat('turns'), stat('slices'), stat('dispatches')], [100, 100, 1]);
    assert.deepEqual([stat('received'), stat('handled'), stat('waiting')], [101, 101, 0]);
    assert.equal(stat('processes'), 1);
    assert.equal(clock.nextDeadline(), Number.POSITIVE_INFINITY, 'and then nothing is');
  });

  test('a number moves at once with turns and with messages that are dispatched, and with nothing else', () => {
    const world = make();
    const { runtime, clock, stat } = world;
    const pid = idle(world);
    clock.advance(1000);
    const stirs = stat('stirs')!;
    runtime.stats!.publish(clock.now());
    clock.advance(1000);
    assert.equal(stat('stirs'), stirs, 'to publish is not to do anything');
    runtime.dispatch(pid, 1);
    assert.equal(stat('stirs'), stirs + 1, 'before anything of it is published');
    assert.equal(stat('dispatches'), 0);
    runtime.send(pid, 2);
    clock.run();
    assert.equal(stat('stirs'), stirs + 2);
  });

  test('time in slices', () => {
    const world = make();
    const { runtime, clock, stat } = world;
    const slow = runtime.spawn<number>(() => ({ receive: (ms) => clock.stall(ms as number) }));
    for (let sent = 0; sent < 160; sent++) {
      runtime.send(slow, 2);
      clock.run();
      clock.stall(3);
    }
    clock.advance(20);
    assert.equal(stat('turnMs'), 320, 'one of 16 was timed, and all are alike');
    for (let sent = 0; sent < 10; sent++) runtime.send(slow, 2);
    clock.advance(100);
    assert.ok(Math.abs(stat('turnMs')! - 340) < 3, `${stat('turnMs')}`);
  });
});
