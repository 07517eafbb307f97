/** What is looked at, how often, and what comes of it: over a simulated clock and schedulers that say what the test wants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertBook } from '../../../src/metrics/alerts/alert-book.js';
import { AlertLimits, type AlertSettings } from '../../../src/metrics/alerts/alert-limits.js';
import { AlertMonitor } from '../../../src/metrics/alerts/alert-monitor.js';
import { ALERT_RULES } from '../../../src/metrics/alerts/alert-rules.js';
import type {
  Backlog,
  BackloggedProcess,
  BacklogSource,
} from '../../../src/metrics/alerts/backlog-source.js';
import { EventCounts } from '../../../src/metrics/alerts/event-counts.js';
import { Silences } from '../../../src/metrics/alerts/silences.js';
import { gauge } from '../../../src/metrics/columns.js';
import { Groups } from '../../../src/metrics/groups.js';
import type { Row } from '../../../src/metrics/reading.js';
import { World } from '../../actors/world.js';

const SETTINGS: AlertSettings = {
  alertMailboxLength: 1000,
  alertMailboxLengthByLabel: 'quiet=0, partition-*=5000',
  alertMailboxAgeMs: 1000,
  alertMailboxAgeByLabel: 'quiet=0,slow-*=10000',
  alertMailboxGrowth: 0,
  alertRingBytes: 0,
  alertWriterPercent: 75,
  alertWalBytes: 0,
  alertSilentMs: 3000,
  alertUtilizationPercent: 0,
  alertLongSchedules: 3,
  alertBlocked: 0,
  alertMemoryPercent: 90,
  alertHeapPercent: 0,
  alertFilesPercent: 0,
  alertDiskPercent: 0,
  alertListenOverflows: 0,
  alertsPerMinute: 10,
};

function stalled(over: Partial<BackloggedProcess> = {}): BackloggedProcess {
  return {
    pid: '<2.45>',
    label: 'worker',
    path: ['scheduler-2', 'workers'],
    handler: 'Worker.receive(job)',
    suspended: false,
    length: 10,
    oldestMs: 0,
    fillPerSecond: 0,
    drainPerSecond: 0,
    drainMs: null,
    ...over,
  };
}

class MonitorWorld {
  readonly world = new World();
  readonly told: string[] = [];
  readonly events = new EventCounts();
  readonly book: AlertBook;
  /** How often the scheduler was asked, and the figures were read. */
  asked = 0;
  reads = 0;
  waiting = 0;
  isRunning = true;
  /** What the scheduler answers; null: nothing. */
  backlog: Backlog | null = { processes: [] };
  /** If it takes its time. */
  answers: (() => Promise<Backlog | null>) | null = null;
  memory: Row = { instance: 'memory', figures: [0] };

  constructor() {
    const { clock, runtime } = this.world;
    const limits = new AlertLimits(SETTINGS, Number);
    this.book = new AlertBook({
      clock,
      silences: new Silences(),
      limitOf: (rule, label) => limits.of(rule, label),
      alertsPerMinute: () => limits.alertsPerMinute,
      onChange: ({ type, alert }) => this.told.push(`${type}: ${alert.line}`),
    });
    const figures = new Groups({ clock, startedAt: clock.now() }).add({
      description: {
        name: 'resource',
        version: 1,
        title: '',
        instance: 'resource',
        columns: [gauge('share', '1', '')],
      },
      read: () => {
        this.reads++;
        return [this.memory];
      },
    });
    const world = this;
    const source: BacklogSource = {
      name: 'scheduler-2',
      get isRunning() {
        return world.isRunning;
      },
      backlogged: () => this.waiting,
      ask: () => {
        this.asked++;
        return this.answers?.() ?? Promise.resolve(this.backlog);
      },
    };
    const { book, events } = this;
    const parts = { rules: ALERT_RULES, book, events, figures, backlogs: () => [source] };
    runtime.spawn(AlertMonitor.process(parts), { label: 'monitor' });
    runtime.flush();
  }

  /** Lets so many half seconds pass; what was asked is answered at once. */
  async pass(halves: number): Promise<void> {
    for (let n = 0; n < halves; n++) {
      this.world.advance(500);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      this.world.runtime.flush();
    }
  }
}

test('while nothing waits nobody is asked, but for a sign of life', async () => {
  const world = new MonitorWorld();
  await world.pass(2 * 61);
  assert.ok(world.asked <= 13, `asked ${world.asked} times in a minute`);
  assert.ok(world.reads <= 13, `read ${world.reads} times in a minute`);
  assert.deepEqual(world.told, []);
});

test('a process whose oldest message has waited for a second is told of within two, and once that it is well', async () => {
  const world = new MonitorWorld();
  await world.pass(20);
  const since = world.world.clock.now();
  world.waiting = 100;
  let took = 0;
  for (let halves = 0; halves < 8 && world.told.length === 0; halves++) {
    world.backlog = { processes: [stalled({ oldestMs: world.world.clock.now() - since, length: 100 })] };
    await world.pass(1);
    took += 500;
  }
  assert.ok(took <= 2000, `it took ${took} ms`);
  assert.equal(world.told.length, 1);
  assert.match(
    world.told[0] ?? '',
    /^raised: worker <2\.45> \(scheduler-2\/workers\/worker\) has 100 messages waiting, the oldest for 1(\.\d)? s; in Worker\.receive\(job\); 0\/s in, 0\/s out: it stands still$/,
  );
  world.backlog = { processes: [] };
  world.waiting = 0;
  await world.pass(20);
  assert.equal(world.told.length, 2);
  assert.match(world.told[1] ?? '', /^cleared/);
});

test('limits by label: none, another, and the one for all', async () => {
  const world = new MonitorWorld();
  world.waiting = 1;
  world.backlog = {
    processes: [
      stalled({ pid: '<2.1>', label: 'quiet', length: 1_000_000, oldestMs: 60_000 }),
      stalled({ pid: '<2.2>', label: 'partition-3', length: 4999 }),
      stalled({ pid: '<2.3>', label: 'partition-4', length: 5000 }),
      stalled({ pid: '<2.4>', label: 'slow-one', oldestMs: 9000 }),
      stalled({ pid: '<2.5>', label: 'other', length: 1000 }),
    ],
  };
  await world.pass(4);
  assert.deepEqual(
    world.book.active().map(({ subject }) => subject),
    ['<2.5>', '<2.3>'],
  );
});

test('a scheduler that does not answer, or is not there, is told of, and its processes are not called well', async () => {
  const world = new MonitorWorld();
  world.waiting = 1;
  world.backlog = { processes: [stalled({ length: 2000 })] };
  await world.pass(4);
  world.backlog = null;
  await world.pass(5);
  assert.equal(world.told.length, 1, 'a moment is not yet silence');
  await world.pass(6);
  assert.match(
    world.told[1] ?? '',
    /^raised: scheduler-2 has not answered for \d(\.\d)? s: whoever needs it waits$/,
  );
  assert.equal(world.told.length, 2);
  world.isRunning = false;
  await world.pass(10);
  assert.match(world.told[2] ?? '', /^cleared: worker/, 'its processes ended with it');
  assert.equal(world.told.length, 3, 'it is still not there');
  world.isRunning = true;
  world.backlog = { processes: [] };
  await world.pass(20);
  assert.equal(world.told.length, 4);
  assert.match(world.told[3] ?? '', /^cleared: scheduler-2/);
});

test('nobody is called silent for a time in which the main thread itself stood still', async () => {
  const world = new MonitorWorld();
  world.waiting = 1;
  await world.pass(4);
  world.backlog = null;
  await world.pass(2);
  world.world.clock.stall(20_000);
  await world.pass(2);
  assert.deepEqual(world.told, []);
  await world.pass(6);
  assert.match(world.told[0] ?? '', /^raised: scheduler-2 has not answered for \d(\.\d)? s/);
  world.backlog = { processes: [] };
  await world.pass(20);
  assert.match(
    world.told[1] ?? '',
    /^cleared: scheduler-2 has not answered for [1-9]/,
    'what was wrong, not that it is well',
  );
});

test('while nothing waits, too: what was asked before the standstill may have been answered in it', async () => {
  const world = new MonitorWorld();
  await world.pass(4);
  // It is asked for a sign of life, and nobody hears the answer before its time is over.
  let answer = (_: Backlog | null) => {};
  world.answers = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const { asked } = world;
  while (world.asked === asked) await world.pass(1);
  world.world.clock.stall(3000);
  await world.pass(1);
  world.answers = null;
  answer(null);
  await world.pass(3);
  assert.deepEqual(world.told, []);
});

test('a scheduler that goes while nothing waits is told of as soon as any other', async () => {
  const world = new MonitorWorld();
  await world.pass(23);
  world.isRunning = false;
  await world.pass(5);
  assert.deepEqual(world.told, []);
  await world.pass(4);
  assert.equal(world.told.length, 1);
});

test('a scheduler that comes back at once is not told of; one that does not is', async () => {
  const world = new MonitorWorld();
  for (let n = 0; n < 5; n++) {
    world.isRunning = false;
    await world.pass(4);
    world.isRunning = true;
    await world.pass(12);
  }
  assert.deepEqual(world.told, []);
  world.isRunning = false;
  await world.pass(12);
  assert.equal(world.told.length, 1);
});

test('figures are read every five seconds; a share of the limit is enough', async () => {
  const world = new MonitorWorld();
  world.memory = { instance: 'memory', figures: [0.9] };
  await world.pass(24);
  assert.deepEqual(world.told, ['raised: the server uses 90 % of the memory that it may have']);
  world.memory = { instance: 'memory', figures: [null] };
  await world.pass(100);
  assert.equal(world.told.length, 2, 'what cannot be read any more is not wrong');
});

test('what threads report is told of when it comes often, with the latest', async () => {
  const world = new MonitorWorld();
  const report = (n: number) =>
    world.events.record(
      {
        event: 'long_schedule',
        thread: 'scheduler-1',
        message: `partition-${n} ran for 150 ms without a pause`,
        stack: ['at handle (x.js:1:1)'],
      },
      world.world.clock.now(),
    );
  report(1);
  report(2);
  await world.pass(4);
  assert.deepEqual(world.told, []);
  report(3);
  await world.pass(2);
  assert.deepEqual(world.told, [
    'raised: on scheduler-1 a process has held up all others, 3 times within a minute; the latest: partition-3 ran for 150 ms without a pause at handle (x.js:1:1)',
  ]);
  await world.pass(2 * 62);
  assert.equal(world.told.length, 2);
  assert.ok(world.events.isEmpty);
});
