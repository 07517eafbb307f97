/** What is told of what goes wrong: once, in bounded numbers, and not what is silenced. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTIVE_MAX, HISTORY_MAX } from '../../../src/metrics/alerts/alert-book.js';
import { BookWorld, observation, ruleOf } from './alert-world.js';

const silence = { rule: null, label: null, subject: null, by: 'ann', comment: '' };

test('it is told once that something is wrong, and once that it is over', () => {
  const world = new BookWorld();
  world.see({ a: 99 });
  assert.deepEqual(world.told, []);
  world.see({ a: 100 });
  world.go(3);
  assert.deepEqual(world.told, ['raised 1 a']);
  world.see({ a: 50 });
  world.go(5);
  assert.deepEqual(world.told, ['raised 1 a'], 'between the bounds it stays wrong');
  world.see({ a: 49 });
  world.go(1);
  assert.deepEqual(world.told, ['raised 1 a'], 'below the lower bound it must stay for a time');
  world.go(1);
  assert.deepEqual(world.told, ['raised 1 a', 'cleared 1 a']);
  world.go(10);
  assert.equal(world.told.length, 2);
  assert.equal(world.book.active().length, 0);
  assert.deepEqual(
    world.book.recent().map(({ id, state }) => [id, state]),
    [[1, 'cleared']],
  );
});

test('a value that trembles about the limit is told once', () => {
  const world = new BookWorld();
  for (let n = 0; n < 100; n++) {
    world.see({ a: n % 2 === 0 ? 101 : 60 });
    world.clock.advance(1000);
  }
  assert.deepEqual(world.told, ['raised 1 a']);
});

test('a rule that wants a time above the limit gets it', () => {
  const world = new BookWorld();
  world.see({ a: 1000 }, 'mailbox-growth');
  world.go(2);
  world.see({ a: 0 }, 'mailbox-growth');
  world.see({ a: 1000 }, 'mailbox-growth');
  world.go(2);
  assert.deepEqual(world.told, [], 'the time begins anew');
  world.go(1);
  assert.deepEqual(world.told, ['raised 1 a']);
});

test('what is not observed any more is over; what could not be looked at is not', () => {
  const world = new BookWorld();
  world.see({ a: 500, b: 500 }, 'mailbox-length', 'one');
  world.see({ c: 500 }, 'mailbox-length', 'other');
  world.see({ b: 500 }, 'mailbox-length', 'one');
  world.clock.advance(10_000);
  world.book.evaluate('one', [observation(ruleOf('mailbox-length'), 'b', 500)]);
  assert.deepEqual(world.told.slice(3), ['cleared 1 a']);
  world.book.evaluate('one', []);
  world.clock.advance(2000);
  world.book.evaluate('one', []);
  assert.deepEqual(
    world.book.active().map(({ subject }) => subject),
    ['c'],
  );
  assert.equal(world.book.isWatched('one'), false);
  assert.equal(world.book.isWatched('other'), true);
});

test('rules of one family about one thing make one alert, which is over with the last of them', () => {
  const world = new BookWorld();
  const [length, age] = [ruleOf('mailbox-length'), ruleOf('mailbox-age')];
  const see = (...values: [number, number]) => {
    world.book.evaluate('here', [observation(length, 'a', values[0]), observation(age, 'a', values[1])]);
    world.clock.advance(2000);
  };
  see(0, 200);
  see(200, 200);
  assert.deepEqual(world.told, ['raised 1 a']);
  assert.deepEqual(world.book.active()[0]?.rules, ['mailbox-age', 'mailbox-length']);
  see(200, 0);
  see(200, 0);
  assert.deepEqual(world.book.active()[0]?.rules, ['mailbox-length']);
  see(0, 0);
  see(0, 0);
  assert.deepEqual(world.told, ['raised 1 a', 'cleared 1 a']);
  assert.deepEqual(world.book.recent()[0]?.rules, ['mailbox-age', 'mailbox-length']);
});

test('a thousand at once: a few are told, and one line says how many more, and which is the worst', () => {
  const world = new BookWorld();
  const thousand = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`<1.${n}>`, 100 + n]));
  world.see(thousand);
  world.go(5);
  assert.equal(world.told.length, 11);
  assert.equal(world.told[10], 'raised 11 …');
  assert.equal(world.lines[10], '990 more are as bad (mailbox-length); the worst: <1.999> has 1099');
  assert.equal(world.book.active().length, 11);
  world.see({});
  world.go(2);
  assert.equal(world.told.filter((line) => line.startsWith('cleared')).length, 11);
  assert.equal(world.book.active().length, 0);
  assert.equal(world.book.isWatched('here'), false);
});

test('a burst that comes in several looks is one line all the same', () => {
  const world = new BookWorld();
  for (const scope of ['one', 'two', 'three']) {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`<${scope}.${n}>`, 200]));
    world.see(many, 'mailbox-length', scope);
    world.clock.advance(300);
  }
  world.go(3);
  assert.equal(world.told.length, 11);
  assert.match(world.lines[10] ?? '', /^290 more are as bad/);
});

test('the next minute has room for more, up to a number that are active at a time', () => {
  const world = new BookWorld();
  for (let minute = 0; minute < 10; minute++) {
    const seen: Record<string, number> = {};
    for (let n = 0; n < (minute + 1) * 10; n++) seen[`<1.${n}>`] = 200;
    world.see(seen);
    world.go(60);
  }
  const active = world.book.active();
  assert.equal(active.length, ACTIVE_MAX + 1);
  assert.match(active.find(({ subject }) => subject === '…')?.line ?? '', /^80 more are as bad/);
});

test('what is over is kept, up to a bound', () => {
  const world = new BookWorld({ alertsPerMinute: () => 100_000 });
  for (let n = 0; n < HISTORY_MAX + 50; n++) {
    world.see({ [`<1.${n}>`]: 200 });
    world.see({});
    world.go(2);
  }
  const recent = world.book.recent();
  assert.equal(recent.length, HISTORY_MAX);
  assert.equal(recent[0]?.id, HISTORY_MAX + 50);
});

test('what is silenced is seen and not told, until the silence is over', () => {
  const world = new BookWorld();
  const until = world.clock.wall() + 10_000;
  world.silences.put({
    ...silence,
    id: 1,
    rule: 'mailbox-*',
    label: 'work*',
    from: world.clock.wall(),
    until,
  });
  world.see({ a: 200 });
  world.go(9);
  assert.deepEqual(world.told, []);
  assert.equal(world.book.active()[0]?.silenced, true);
  world.go(1);
  assert.deepEqual(world.told, ['raised 1 a']);
  assert.equal(world.book.active()[0]?.silenced, false);
});

test('what is silenced and over before the silence is was never told; what was told is, silenced or not', () => {
  const world = new BookWorld();
  world.see({ told: 200 });
  const id = 7;
  world.silences.put({ ...silence, id, from: world.clock.wall(), until: Number.MAX_SAFE_INTEGER });
  world.see({ told: 200, silent: 200 });
  world.go(1);
  world.see({});
  world.go(3);
  assert.deepEqual(world.told, ['raised 1 told', 'cleared 1 told']);
  assert.equal(world.book.recent().length, 2);
  world.see({ again: 200 });
  world.silences.remove(id);
  world.book.silencesChanged();
  assert.deepEqual(world.told.slice(2), ['raised 3 again']);
});

test('a silence of many does not let the others pass', () => {
  const world = new BookWorld();
  world.silences.put({ ...silence, id: 1, subject: '<1.*>', from: 0, until: Number.MAX_SAFE_INTEGER });
  const seen: Record<string, number> = {};
  for (let n = 0; n < 100; n++) seen[`<1.${n}>`] = 200;
  world.see(seen);
  world.see({ ...seen, '<2.1>': 200 });
  world.go(5);
  assert.deepEqual(
    world.told.map((line) => line.replace(/\d+ /, '')),
    ['raised …'],
    'all places are taken by silenced ones: it is counted',
  );
  assert.match(world.lines[0] ?? '', /^1 more is as bad \(mailbox-length\); the worst: <2\.1>/);
});

test('who looks after an alert is shown with it', () => {
  const world = new BookWorld();
  world.see({ a: 200 });
  assert.equal(world.book.acknowledge(7, 'ann', ''), null);
  const acknowledged = world.book.acknowledge(1, 'ann', 'on it');
  assert.deepEqual(acknowledged?.acknowledged, { by: 'ann', at: world.clock.wall(), comment: 'on it' });
  world.see({});
  world.go(2);
  assert.equal(world.book.recent()[0]?.acknowledged?.by, 'ann');
});

test('a rule that is switched off ends its alerts', () => {
  const world = new BookWorld();
  world.see({ a: 200 });
  world.limit = Number.POSITIVE_INFINITY;
  world.go(3);
  assert.deepEqual(world.told, ['raised 1 a', 'cleared 1 a']);
});

test('whatever happens, each alert is raised once and cleared at most once, in that order, and few are told', () => {
  const step = fc.record({
    values: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 0, max: 300 })),
    rule: fc.constantFrom('mailbox-length', 'mailbox-age', 'mailbox-growth'),
    ms: fc.integer({ min: 0, max: 5000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new BookWorld({ alertsPerMinute: () => 3 });
      let ms = 0;
      for (const { values, rule, ms: after } of steps) {
        world.see(values, rule);
        world.clock.advance(after);
        ms += after;
      }
      const open = new Set<string>();
      const seen = new Set<string>();
      for (const line of world.told) {
        const [type, id = ''] = line.split(' ');
        if (type === 'raised') {
          assert.ok(!seen.has(id), `${id} is raised twice`);
          seen.add(id);
          open.add(id);
        } else assert.ok(open.delete(id), `${id} is cleared and was not raised`);
      }
      const singles = world.told.filter((line) => line.startsWith('raised') && !line.endsWith('…')).length;
      assert.ok(singles <= 3 + Math.ceil(ms / 20_000), `${singles} in ${ms} ms`);
      world.see({}, 'mailbox-length');
      world.go(20);
      assert.equal(world.book.active().length, 0);
      assert.equal(world.book.isWatched('here'), false);
    }),
    { numRuns: 300 },
  );
});
