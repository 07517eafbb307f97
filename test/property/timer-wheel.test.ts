import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimerWheel, WheelEntry } from '../../src/structures/timer-wheel.js';

class Entry extends WheelEntry {
  constructor(
    readonly n: number,
    /** What firing it adds: an entry this much later. */
    readonly following: number | null,
  ) {
    super();
  }
}

interface Planned {
  readonly entry: Entry;
  readonly due: number;
  readonly order: number;
}

/** Spans from one tick to beyond the wheel proper (2^30). */
const delay = fc.oneof(
  fc.integer({ min: 0, max: 70 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.integer({ min: 2 ** 30 - 40, max: 2 ** 30 + 40 }),
  fc.double({ min: 2 ** 31, max: 2 ** 42, noNaN: true }).map(Math.floor),
);

const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('add' as const),
      delay,
      following: fc.option(delay, { freq: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('remove' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('advance' as const), by: delay }) },
);

test('the wheel fires what a sorted list would, in the same order, at the right tick', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constant(0), fc.nat(), fc.integer({ min: 2 ** 30 - 100, max: 2 ** 30 })),
      fc.array(operation, { maxLength: 60 }),
      (start, operations) => {
        const wheel = new TimerWheel<Entry>(start);
        let now = start;
        let model: Planned[] = [];
        const all: Entry[] = [];
        const plan = (delayed: number, following: number | null) => {
          const entry = new Entry(all.length, following);
          all.push(entry);
          wheel.add(entry, now + delayed);
          model.push({ entry, due: Math.max(now + delayed, now + 1), order: entry.n });
        };
        for (const operation of operations) {
          if (operation.op === 'add') {
            plan(operation.delay, operation.following);
          } else if (operation.op === 'remove') {
            const entry = all[operation.which % Math.max(1, all.length)];
            if (entry !== undefined) {
              const waiting = model.some((planned) => planned.entry === entry);
              assert.equal(entry.waiting, waiting);
              assert.equal(wheel.remove(entry), waiting);
              model = model.filter((planned) => planned.entry !== entry);
            }
          } else {
            const until = now + operation.by;
            wheel.advance(until, (entry) => {
              const first = model.reduce((a, b) =>
                b.due < a.due || (b.due === a.due && b.order < a.order) ? b : a,
              );
              assert.equal(entry.n, first.entry.n);
              assert.equal(wheel.now, first.due);
              model = model.filter((planned) => planned !== first);
              now = wheel.now;
              if (entry.following !== null) plan(entry.following, null);
            });
            now = until;
            assert.equal(wheel.now, now);
            assert.ok(model.every((planned) => planned.due > now));
          }
          assert.equal(wheel.size, model.length);
          const earliest = Math.min(Number.POSITIVE_INFINITY, ...model.map((planned) => planned.due));
          const next = wheel.next();
          assert.ok(
            next <= earliest && (model.length === 0 ? next === Number.POSITIVE_INFINITY : next > now),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});
