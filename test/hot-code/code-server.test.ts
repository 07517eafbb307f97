/** Releases: prepared everywhere or nowhere, effective at once, undone as easily, and taken back by themselves when they are worse. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CodeServer, functions, localNode, ReleaseRefused } from '../../src/hot-code/index.js';
import { by, CodeWorld, code, firstTally, settled, tally, turn, until } from './code-world.js';

const TENS =
  'exports.receive = (state, message) => { if (message.type === "boom") throw new Error("boom"); state.count += 10; };';
/** Its state is an object of another shape. */
const TOTALS = `
  exports.codeChange = (from, state) => typeof from === 'object' ? { count: state.total } : { total: state.count };
  exports.receive = (state, message) => { if (message.type === 'boom') throw new Error('boom'); state.total += 100; };`;

describe('a release', () => {
  test('is what the next message of each process runs, and the one before is a rollback away', async () => {
    const world = new CodeWorld();
    const { pid, process } = world.start();
    world.say(pid);
    const { record } = await world.server.load([code('tally', TENS)], by);
    assert.equal(record.number, 1);
    assert.equal(process.version.number, 0, 'nothing happens to it before its next message');
    world.say(pid);
    assert.deepEqual([process.version.number, process.state], [1, { count: 11 }]);
    await world.server.rollback('ada', 'back');
    world.say(pid);
    assert.deepEqual([process.version.number, process.state], [0, { count: 12 }]);
    await assert.rejects(world.server.rollback('ada', 'again'), /release 1 has been rolled back already/);
    await assert.rejects(
      world.server.rollback('ada', '', ['tally']),
      /was rolled back from version 1 already/,
    );
    await world.server.rollback('ada', 'and forth', 1);
    world.say(pid);
    assert.deepEqual([process.version.number, process.state], [1, { count: 22 }]);
    assert.deepEqual(
      world.records.map(({ number, kind, author, modules }) => [number, kind, author, modules[0]?.version]),
      [
        [1, 'load', 'ada', 1],
        [2, 'rollback', 'ada', 0],
        [3, 'rollback', 'ada', 1],
      ],
    );
  });

  test('changes the state with the first message, and back again', async () => {
    const world = new CodeWorld();
    const { pid, process } = world.start(7);
    await world.server.load([code('tally', TOTALS)], by);
    world.say(pid);
    assert.deepEqual(process.state, { total: 107 });
    await world.server.rollback('ada', '');
    world.say(pid);
    assert.deepEqual(process.state, { count: 108 });
  });

  test('changes all at once where it suspends', async () => {
    const world = new CodeWorld();
    const { process } = world.start(7);
    await world.server.load([{ ...code('tally', TOTALS), suspend: true }], by);
    assert.deepEqual(process.state, { total: 7 });
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['does not compile', 'exports.receive = (', /compiling it: .*tally\.ts@1:1/s],
    ['throws when it runs', 'throw new Error("no")', /running it: Error: no/],
    ['exports nothing', '', /must export a function receive, and it exports nothing/],
    ['exports a number', 'exports.receive = 1', /receive is a number/],
    [
      'cannot change a live state',
      'exports.receive = () => {}; exports.codeChange = (from, state) => state.nothing.at;',
      /dry run of its codeChange: codeChange from version 0 threw for process <[\d.]+>: TypeError/,
    ],
  ];
  for (const [what, text, expected] of broken) {
    test(`that ${what} is refused, and nothing has changed`, async () => {
      const world = new CodeWorld();
      const { pid, process } = world.start();
      await assert.rejects(world.server.load([code('tally', text)], by), (error: Error) => {
        assert.ok(error instanceof ReleaseRefused);
        assert.match(error.message, expected);
        return true;
      });
      assert.deepEqual([world.word[0], world.records], [0, []]);
      world.say(pid);
      assert.deepEqual([process.version.number, process.state], [0, { count: 1 }]);
    });
  }

  test('with one bad module of several changes none', async () => {
    const world = new CodeWorld();
    const other = world.table.define(functions<{ run(): unknown }>('other', ['run']), { run() {} });
    const codes = [code('other', 'exports.run = () => 2;'), code('tally', 'exports.receive = 0')];
    await assert.rejects(world.server.load(codes, by), /tally on here, its exports/);
    assert.equal(other.of(0).number, 0);
  });

  test('that one thread refuses is made in none', async () => {
    const tables = [new CodeWorld(), new CodeWorld()] as const;
    const [world, other] = tables;
    const nodes = tables.map((one, at) => localNode(`scheduler-${at + 1}`, one.table));
    const server = new CodeServer({
      clock: world.clock,
      word: world.word,
      nodes: () => nodes,
      record: async () => {},
      onAutomatic: () => {},
      onFailure: () => {},
    });
    // A live state of the second alone is one that the new code cannot take.
    other.start(5);
    world.start(1);
    const picky = `exports.receive = () => {};
      exports.codeChange = (from, state) => { if (state.count === 5) throw new Error('not five'); return state; };`;
    await assert.rejects(
      server.load([code('tally', picky)], by),
      /tally on scheduler-2, a dry run.*not five/s,
    );
    assert.deepEqual([world.word[0], world.slot.of(1).number], [0, 0]);
  });

  test('that cannot be written down is not made', async () => {
    const world = new CodeWorld({ record: () => Promise.reject(new Error('the disk is full')) });
    await assert.rejects(world.server.load([code('tally', TENS)], by), /written down: the disk is full/);
    assert.equal(world.word[0], 0);
  });

  test('leaves a process where its state cannot be changed, and says so once', async () => {
    const world = new CodeWorld();
    const { pid, process } = world.start(-1);
    const picky = `exports.receive = (state) => { state.count += 10 };
      exports.codeChange = (from, state) => { if (state.count === 5) throw new Error('not five'); return { ...state }; };`;
    await world.server.load([code('tally', picky)], { ...by, automatic: false });
    (process.state as { count: number }).count = 5;
    world.say(pid);
    world.say(pid);
    assert.deepEqual([process.version.number, process.state], [0, { count: 7 }]);
    const failures = world.told.filter(({ type }) => type === 'code_change_failed');
    assert.equal(failures.length, 1);
  });

  test('that throws at the first message of a changed state: the old state and code handle it', async () => {
    const world = new CodeWorld();
    const { pid, process } = world.start(3);
    const text = `exports.codeChange = (from, state) => ({ total: state.count });
      exports.receive = (state) => { state.total = 'spoilt'; throw new Error('always'); };`;
    await world.server.load([code('tally', text)], { ...by, automatic: false });
    world.say(pid);
    assert.deepEqual(
      [world.runtime.isAlive(pid), process.version.number, process.state],
      [true, 0, { count: 4 }],
    );
  });
});

describe('a version that is worse', () => {
  test('goes by itself, with the evidence', async () => {
    const world = new CodeWorld();
    const started = Array.from({ length: 8 }, () => world.start());
    await world.server.load([code('tally', 'exports.receive = () => { throw new Error("always"); };')], by);
    for (const { pid } of started.slice(0, 4)) world.say(pid);
    await until(world, () => world.automatic.length === 1);
    const [back] = world.automatic;
    assert.deepEqual([back?.kind, back?.author], ['rollback', 'rookery']);
    assert.match(back?.evidence ?? '', /tally: 3 of 3 calls failed|tally: 4 of 4 calls failed/);
    const { pid, process } = started[7]!;
    world.say(pid);
    assert.deepEqual([process.version.number, process.state], [0, { count: 1 }]);
  });

  test('as a canary concerns its share only, and is withdrawn', async () => {
    const world = new CodeWorld();
    const started = Array.from({ length: 200 }, () => world.start());
    await world.server.load([code('tally', 'exports.receive = () => { throw new Error("always"); };')], {
      ...by,
      canary: 0.1,
    });
    for (const { pid } of started) world.say(pid);
    const dead = started.filter(({ pid }) => !world.runtime.isAlive(pid)).length;
    assert.ok(dead > 5 && dead < 50, `${dead} of 200 had the canary`);
    await until(world, () => world.automatic.length === 1);
    assert.equal(world.automatic[0]?.kind, 'withdraw');
    assert.equal(world.slot.canary, null);
  });

  test('a canary that proves good is promoted', async () => {
    const world = new CodeWorld();
    const started = Array.from({ length: 50 }, () => world.start());
    await world.server.load([code('tally', TENS)], { ...by, canary: 0.5, promote: true });
    for (let round = 0; round < 60; round++) for (const { pid } of started) world.say(pid);
    for (let at = 0; at < 300; at++) {
      world.advance(250);
      await turn();
    }
    assert.equal(world.automatic[0]?.kind, 'promote');
    assert.deepEqual([world.slot.current.number, world.slot.previous?.number], [1, 0]);
  });

  test('what failed before is not held against it', async () => {
    const world = new CodeWorld();
    for (let at = 0; at < 10; at++) world.say(world.start().pid, 'boom');
    await world.server.load([code('tally', TENS)], by);
    for (let at = 0; at < 5; at++) world.say(world.start().pid, 'boom');
    for (let at = 0; at < 20; at++) {
      world.advance(250);
      await turn();
    }
    assert.deepEqual(world.automatic, []);
  });
});

describe('a purge', () => {
  test('brings idle processes along, and frees nothing that somebody cannot leave, unless it is to end them', async () => {
    const world = new CodeWorld();
    const idle = world.start(1);
    await settled(world, world.server.load([code('tally', TENS)], { ...by, automatic: false }));
    const purge = (kill = false) => settled(world, world.server.purge('ada', '', ['tally'], kill));
    assert.deepEqual((await purge()).purged, ['tally']);
    assert.equal(idle.process.version.number, 1);
    const stubborn = world.start(5);
    const picky = `exports.receive = () => {};
      exports.codeChange = (from, state) => { if (state.count === 6) throw new Error('not six'); return state; };`;
    await settled(world, world.server.load([code('tally', picky)], { ...by, automatic: false }));
    (stubborn.process.state as { count: number }).count = 6;
    const held = { users: 1, processes: [stubborn.process.process], module: 'tally', probation: null };
    assert.deepEqual(await purge(), { release: null, purged: [], left: [held], ended: [] });
    await assert.rejects(
      settled(world, world.server.load([code('tally', TENS)], by)),
      /1 still run version 1/,
    );
    assert.deepEqual((await purge(true)).ended, [held]);
    assert.deepEqual([world.runtime.isAlive(stubborn.pid), world.runtime.isAlive(idle.pid)], [false, true]);
    assert.equal(world.slot.previous, null);
    assert.deepEqual(
      world.records
        .filter(({ kind }) => kind === 'purge')
        .map(({ number, author, modules }) => [number, author, modules[0]?.version]),
      [
        [2, 'ada', 0],
        [4, 'ada', 1],
      ],
    );
    await assert.rejects(purge(), /tally has no previous version/);
    await assert.rejects(world.server.purge('ada', '', ['nothing']), /there is no module nothing/);
    await assert.rejects(world.server.rollback('ada', '', 1), /version 1 of tally is not kept any more/);
    await assert.rejects(world.server.rollback('ada', '', 17), /there is no release 17/);
  });
});

test('a rollback by itself that cannot be written down is told once, and made as soon as it can', async () => {
  let isFull = false;
  const world = new CodeWorld({
    record: () => (isFull ? Promise.reject(new Error('the disk is full')) : Promise.resolve()),
  });
  await world.server.load([code('tally', 'exports.receive = () => { throw new Error("always"); };')], by);
  isFull = true;
  for (let at = 0; at < 5; at++) world.say(world.start().pid);
  await until(world, () => world.failures.length > 0);
  for (let at = 0; at < 50; at++) {
    world.advance(100);
    await turn();
  }
  assert.equal(world.failures.length, 1);
  assert.match(String(world.failures[0]), /the disk is full/);
  isFull = false;
  await until(world, () => world.automatic.length === 1);
  assert.equal(world.slot.of(1).number, 0);
});

test('a thread that starts later stands where the others are', async () => {
  const world = new CodeWorld();
  await world.server.load([code('tally', TENS)], { ...by, automatic: false });
  const late = world.newTable();
  const slot = late.define(tally, firstTally);
  await late.restore(world.server.state());
  assert.deepEqual([slot.of(1).number, slot.previous?.number], [1, 0]);
  assert.deepEqual(
    late.report().map(({ current }) => current.hash),
    world.table.report().map(({ current }) => current.hash),
  );
  assert.ok(localNode('late', late));
});
