/** Several releases, several threads, and what happens between them: nothing is left half done, and nobody goes back to what was bad. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GenServer } from '../../src/actors/index.js';
import {
  type CodeNode,
  CodeServer,
  functions,
  hotServer,
  localNode,
  type ModuleTable,
  type Prepared,
  ReleaseRefused,
  serverContract,
} from '../../src/hot-code/index.js';
import { by, CodeWorld, code, firstTally, settled, tally, turn, until } from './code-world.js';

const TENS = 'exports.receive = (state) => { state.count += 10; };';
const BROKEN = 'exports.receive = () => { throw new Error("always"); };';
const quiet = { ...by, automatic: false } as const;

/** What `run` of the module `other` answers. */
const other = functions<{ run(): number }>('other', ['run']);
const answering = (answer: number) => code('other', `exports.run = () => ${answer};`);

/** One module in several threads, each a table of its own over one word. */
function threads(world: CodeWorld, count: number) {
  const tables = Array.from({ length: count }, () => world.newTable());
  const slots = tables.map((table) => table.define(tally, firstTally));
  const nodes: CodeNode[] = tables.map((table, at) => localNode(`scheduler-${at + 1}`, table));
  const server = new CodeServer({
    clock: world.clock,
    word: world.word,
    nodes: () => nodes,
    record: async (record) => void world.records.push(record),
    onAutomatic: (record) => void world.automatic.push(record),
    onFailure: (error) => void world.failures.push(error),
  });
  const versions = () => slots.map((slot) => slot.of(1).number);
  const previous = () => slots.map((slot) => slot.previous?.number ?? null);
  return { tables, slots, nodes, server, versions, previous };
}

/** A thread that does not get to its questions until it is let go. */
function hanging(table: ModuleTable, name: string) {
  const node = localNode(name, table);
  const held: (() => void)[] = [];
  let isHanging = false;
  const answer = <T>(ask: () => Promise<T>): Promise<T | null> => {
    if (!isHanging) return ask();
    held.push(() => void ask());
    return Promise.resolve(null);
  };
  const held_: CodeNode = {
    name,
    prepare: (operation) => answer(() => node.prepare(operation) as Promise<Prepared>),
    abort: (number) => void answer(async () => node.abort(number)),
    restore: (state) => answer(() => node.restore(state)),
    report: () => answer(() => node.report()),
    holders: (module) => answer(() => node.holders(module)),
  };
  return {
    node: held_,
    hang: () => {
      isHanging = true;
    },
    goOn: () => {
      isHanging = false;
      for (const ask of held.splice(0)) ask();
    },
  };
}

describe('a way back', () => {
  test('leads from the newest release to the one before, and never to what was taken back', async () => {
    const world = new CodeWorld();
    const others = world.table.define(other, { run: () => 0 });
    const { server } = world;
    await server.load([code('tally', TENS)], quiet);
    await server.load([answering(2)], quiet);
    await server.rollback('ada', '');
    assert.deepEqual([world.slot.of(1).number, others.of(1).number], [1, 0]);
    await server.rollback('ada', '');
    assert.deepEqual([world.slot.of(1).number, others.of(1).number], [0, 0]);
    await assert.rejects(server.rollback('ada', ''), /release 2 has been rolled back already/);
    assert.deepEqual([world.slot.of(1).number, others.of(1).number], [0, 0]);
  });

  test('is gone where a newer version has taken its place', async () => {
    const { server, slot } = new CodeWorld();
    await server.load([code('tally', TENS)], quiet);
    await server.load([code('tally', BROKEN)], quiet);
    await server.rollback('ada', '');
    await assert.rejects(
      server.rollback('ada', ''),
      /tally was rolled back from version 2 already, and what ran before version 1 is gone/,
    );
    assert.equal(slot.of(1).number, 1);
  });

  test('leads to how all stood behind a release, over several of them', async () => {
    const world = new CodeWorld();
    const others = world.table.define(other, { run: () => 0 });
    const { server } = world;
    await server.load([answering(1)], quiet);
    await server.load([code('tally', TENS)], quiet);
    await server.load([answering(3)], quiet);
    const standing = () => [world.slot.of(1).number, others.of(1).number];
    await server.rollback('ada', '', 1);
    assert.deepEqual(standing(), [0, 1]);
    await assert.rejects(server.rollback('ada', '', 1), /all stands as behind release 1 already/);
    await server.rollback('ada', '', 3);
    assert.deepEqual(standing(), [2, 3]);
    await assert.rejects(server.rollback('ada', '', 0), /version 0 of other is not kept any more/);
    assert.deepEqual(standing(), [2, 3], 'all or nothing');
  });

  test('names each module once', async () => {
    const { server, slot, records } = new CodeWorld();
    await server.load([code('tally', TENS)], quiet);
    await server.rollback('ada', '', ['tally', 'tally']);
    assert.deepEqual([slot.of(1).number, records[1]?.modules.length], [0, 1]);
    await assert.rejects(
      server.load([code('tally', TENS), code('tally', TENS)], quiet),
      /tally stands twice/,
    );
  });

  test('does not wait for a thread that hangs, which follows when it is back', async () => {
    const world = new CodeWorld();
    const { tables, nodes, server, versions } = threads(world, 2);
    const second = hanging(tables[1]!, 'scheduler-2');
    nodes[1] = second.node;
    await server.load([code('tally', TENS)], quiet);
    second.hang();
    await assert.rejects(server.load([code('tally', BROKEN)], quiet), /scheduler-2 does not answer/);
    const { late } = await server.rollback('ada', 'it hangs');
    assert.deepEqual(late, ['scheduler-2']);
    assert.deepEqual((await server.survey()).silent, ['scheduler-2']);
    // It looks at a module before it gets to what was asked of it meanwhile.
    assert.deepEqual(versions(), [0, 1]);
    second.goOn();
    await turn();
    assert.deepEqual(versions(), [0, 0]);
    await server.load([code('tally', TENS)], quiet);
    assert.deepEqual(versions(), [3, 3]);
  });
});

describe('threads', () => {
  test('of which one cannot say why it fails: nothing changes in any', async () => {
    const world = new CodeWorld();
    const { nodes, server, versions } = threads(world, 2);
    const [, second] = nodes as [CodeNode, CodeNode];
    nodes[1] = { ...second, prepare: () => Promise.reject(new Error('out of memory')) };
    await assert.rejects(server.load([code('tally', TENS)], quiet), (error: Error) => {
      assert.ok(error instanceof ReleaseRefused);
      assert.match(error.message, /scheduler-2: out of memory/);
      return true;
    });
    nodes[1] = second;
    await server.load([code('tally', BROKEN)], quiet);
    assert.deepEqual(versions(), [1, 1]);
  });

  test('take what was given up for nothing, however late it was ready', async () => {
    const world = new CodeWorld();
    const table = world.newTable();
    const slot = table.define(tally, firstTally);
    const operation = (text: string) => ({
      number: 1,
      changes: [
        {
          type: 'load',
          code: code('tally', text, 1),
          canary: null,
          suspend: false,
          extra: undefined,
        } as const,
      ],
    });
    const slow = { ...operation(BROKEN) };
    slow.changes[0] = { ...slow.changes[0]!, code: { ...slow.changes[0]!.code, imports: ['node:fs'] } };
    const first = table.prepare(slow);
    table.abort(1);
    await table.prepare(operation(TENS));
    await first;
    world.word[0] = 1;
    const state = { count: 0 };
    slot.of(1).exports.receive(state, { type: 'add' });
    assert.equal(state.count, 10);
  });

  test('that come while a release is made run what the others run', async () => {
    const world = new CodeWorld();
    const { nodes, server, versions, tables, slots } = threads(world, 1);
    const late = world.newTable();
    slots.push(late.define(tally, firstTally));
    await late.restore(server.state());
    const loading = server.load([code('tally', TENS)], quiet);
    const node = localNode('scheduler-2', late);
    const joining = server.joined(node);
    nodes.push(node);
    const again = server.load([code('tally', 'exports.receive = (state) => { state.count = 2 };')], quiet);
    await Promise.all([loading, joining, again]);
    assert.deepEqual(versions(), [2, 2]);
    assert.equal(tables.length, 1);
  });

  test('keep a previous version all of them, or none', async () => {
    const world = new CodeWorld();
    const { slots, server, previous } = threads(world, 2);
    await server.load([code('tally', TENS)], quiet);
    // Somebody on the second alone cannot leave it.
    slots[1]!.previous!.users++;
    const { purged, left } = await settled(world, server.purge('ada', '', null));
    assert.deepEqual([purged, left.map(({ users }) => users), previous()], [[], [1], [0, 0]]);
    await server.rollback('ada', 'still possible');
    assert.deepEqual(previous(), [1, 1]);
  });

  test('that do not answer: a purge is refused', async () => {
    const world = new CodeWorld();
    const { tables, nodes, server, previous } = threads(world, 2);
    const second = hanging(tables[1]!, 'scheduler-2');
    nodes[1] = second.node;
    await server.load([code('tally', TENS)], quiet);
    second.hang();
    await assert.rejects(server.purge('ada', ''), /scheduler-2 does not answer/);
    assert.deepEqual(previous(), [0, 0]);
  });
});

describe('probation', () => {
  test('is that of each release, not of the newest', async () => {
    const world = new CodeWorld();
    world.table.define(other, { run: () => 0 });
    await world.server.load([code('tally', BROKEN)], by);
    await world.server.load([answering(2)], by);
    assert.deepEqual(
      world.server.probations.map(({ number }) => number),
      [1, 2],
    );
    for (let at = 0; at < 4; at++) world.say(world.start().pid);
    await until(world, () => world.automatic.length === 1);
    assert.match(world.automatic[0]?.message ?? '', /release 1 was worse/);
    assert.deepEqual(
      world.server.probations.map(({ number }) => number),
      [2],
    );
  });

  test('of a canary goes on when something else is loaded', async () => {
    const world = new CodeWorld();
    world.table.define(other, { run: () => 0 });
    const started = Array.from({ length: 200 }, () => world.start());
    await world.server.load([code('tally', BROKEN)], { ...by, canary: 0.2 });
    await assert.rejects(
      world.server.load([code('tally', TENS)], by),
      /tally has a canary, version 1: promote it or withdraw it first/,
    );
    await world.server.load([answering(2)], by);
    for (const { pid } of started) world.say(pid);
    await until(world, () => world.automatic.length === 1);
    assert.deepEqual([world.automatic[0]?.kind, world.slot.canary], ['withdraw', null]);
  });

  test('begins for all when a canary is promoted', async () => {
    const world = new CodeWorld();
    await world.server.load([code('tally', BROKEN)], { ...by, canary: 0.001 });
    await world.server.promote('ada', 'too early');
    for (let at = 0; at < 4; at++) world.say(world.start().pid);
    await until(world, () => world.automatic.length === 1);
    assert.deepEqual([world.automatic[0]?.kind, world.slot.of(1).number], ['rollback', 0]);
  });

  test('keeps what it would go back to, unless a purge is hard', async () => {
    const world = new CodeWorld();
    await world.server.load([code('tally', TENS)], by);
    const { purged, left } = await world.server.purge('ada', '');
    assert.deepEqual([purged, left.map(({ probation }) => probation)], [[], [1]]);
    assert.deepEqual((await world.server.purge('ada', '', null, true)).purged, ['tally']);
  });

  test('ends when somebody was faster: what was taken back does not come again', async () => {
    const world = new CodeWorld();
    const started = Array.from({ length: 5 }, () => world.start());
    await world.server.load([code('tally', BROKEN)], by);
    for (const { pid } of started) world.say(pid);
    await world.server.rollback('ada', 'I saw it, too').catch(() => {});
    for (let at = 0; at < 20; at++) {
      world.advance(100);
      await turn();
    }
    assert.equal(world.slot.of(1).number, 0);
    assert.equal(world.records.filter(({ kind }) => kind === 'rollback').length, 1);
  });

  test('sees a server that cannot even begin', async () => {
    const world = new CodeWorld();
    const slot = world.table.define(serverContract('server'), { init: () => GenServer.ok(0) });
    await world.server.load([code('server', 'exports.init = () => { throw new Error("never"); };')], by);
    for (let at = 0; at < 3; at++) GenServer.start(world.runtime, hotServer(slot));
    world.runtime.flush();
    assert.equal(slot.current.failures, 3);
    await until(world, () => world.automatic.length === 1);
  });
});

test('a canary that is promoted by itself must be one, and be looked at', async () => {
  const { server } = new CodeWorld();
  for (const options of [{ promote: true }, { promote: true, canary: 0.1, automatic: false }])
    await assert.rejects(
      server.load([code('tally', TENS)], { ...by, ...options }),
      /only a canary that is looked at/,
    );
  await assert.rejects(server.promote('ada', ''), /there is no canary/);
  await assert.rejects(server.withdraw('ada', ''), /there is no canary/);
  await assert.rejects(server.load([], by), /at least one module/);
});

test('the dry run tries states of each module, however many the first has', async () => {
  const world = new CodeWorld();
  const second = world.table.define({ ...tally, name: 'second' }, firstTally);
  for (let at = 0; at < 40; at++) world.start(at);
  const process = { slot: second, version: second.current, state: { count: 1 }, process: 'a <1.1>' };
  world.processes.add({ ...process, change() {}, kill() {} } as never);
  const same = 'exports.receive = () => {}; exports.codeChange = (from, state) => ({ ...state });';
  const picky = 'exports.receive = () => {}; exports.codeChange = () => { throw new Error("no"); };';
  await assert.rejects(
    world.server.load([code('tally', same), code('second', picky)], by),
    /second on here, a dry run of its codeChange: codeChange from version 0 threw for a <1\.1>: Error: no/,
  );
  const { tried } = await world.server.check([code('tally', same)]);
  assert.equal(tried, 32);
  assert.equal(
    (await world.server.check([code('tally', TENS)])).tried,
    0,
    'without codeChange nothing is tried',
  );
});

test('the dry run tries the state of a server that has not been called yet, and the latest of one that has', async () => {
  const world = new CodeWorld();
  const slot = world.table.define(serverContract('server'), {
    init: () => GenServer.ok(1),
    handleCast: (_: string, state: number) => GenServer.noreply(state + 1),
  });
  const callbacks = hotServer<number, never, string>(slot);
  world.processes.add(callbacks as never);
  const started = GenServer.start(world.runtime, callbacks);
  world.runtime.flush();
  const picky = (forbidden: number) =>
    code(
      'server',
      `exports.init = () => {}; exports.codeChange = (from, state) => { if (state === ${forbidden}) throw new Error('not ${forbidden}'); return state; };`,
    );
  await assert.rejects(world.server.check([picky(1)]), /codeChange from version 0 threw for .*not 1/);
  assert.ok('ok' in started);
  GenServer.cast(world.runtime, started.ok as never, 'more' as never);
  world.runtime.flush();
  await assert.rejects(world.server.check([picky(2)]), /not 2/);
  assert.equal((await world.server.check([picky(1)])).tried, 1);
});

test('who takes a few turns to come along is waited for', async () => {
  const world = new CodeWorld();
  await world.server.load([code('tally', TENS)], quiet);
  const old = world.slot.previous!;
  old.users++;
  let turns = 5;
  const step = () => {
    if (--turns > 0) world.clock.defer(step);
    else old.users--;
  };
  const change = () => world.clock.defer(step);
  const slow = {
    slot: world.slot,
    version: old,
    state: { count: 0 },
    process: 'slow <1.1>',
    change,
    kill() {},
  };
  world.processes.add(slow as never);
  const { record } = await settled(world, world.server.load([code('tally', TENS)], quiet));
  assert.equal(record.number, 2);
});

test('processes on a canary that is withdrawn do not stay on it until their next message', async () => {
  const world = new CodeWorld();
  const started = Array.from({ length: 50 }, () => world.start());
  await world.server.load([code('tally', TENS)], { ...quiet, canary: 0.5 });
  for (const { pid } of started) world.say(pid);
  assert.ok(started.some(({ process }) => process.version.number === 1));
  await world.server.withdraw('ada', '');
  await until(world, () => started.every(({ process }) => process.version.number === 0));
});

test('more operations than can wait are refused', async () => {
  const { server } = new CodeWorld();
  const all = await Promise.allSettled(
    Array.from({ length: 20 }, () => server.load([code('tally', TENS)], quiet)),
  );
  const refused = all.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 4);
  assert.match(String((refused[0] as PromiseRejectedResult).reason), /16 operations are under way already/);
});

describe('the state of a process that begins under new code', () => {
  const totals =
    'exports.receive = (state) => { if (!("total" in state)) throw new Error("another shape"); state.total += 1; };';
  const change = 'exports.codeChange = (from, state) => ({ total: state.count });';

  test('is made by its codeChange, as if it had run version 0', async () => {
    const world = new CodeWorld();
    await world.server.load([code('tally', `${totals} ${change}`)], quiet);
    const { pid, process } = world.start(5);
    world.say(pid);
    assert.deepEqual(process.state, { total: 6 });
  });

  test('or by its init, when what ran before has another shape already', async () => {
    const world = new CodeWorld();
    const init = 'exports.init = (state) => ({ total: state.count + 100 });';
    await world.server.load([code('tally', `${totals} ${change}`)], quiet);
    await world.server.load([code('tally', `${totals} ${init}`)], quiet);
    const { pid, process } = world.start(5);
    world.say(pid);
    assert.deepEqual(process.state, { total: 106 });
  });

  test('that cannot be made counts as a failure', async () => {
    const world = new CodeWorld();
    await world.server.load(
      [code('tally', `${totals} exports.init = () => { throw new Error("no"); };`)],
      by,
    );
    for (let at = 0; at < 3; at++) {
      try {
        world.start();
      } catch {
        // Whoever starts it hears of it, too.
      }
      world.runtime.flush();
    }
    assert.equal(world.slot.current.failures, 3);
    await until(world, () => world.automatic.length === 1);
    assert.equal(world.slot.of(1).number, 0);
  });
});
