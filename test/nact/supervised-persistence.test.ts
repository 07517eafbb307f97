/** Persistent actors as processes, over a journal: recovery, failures of the disk, deaths of the thread. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configurePersistence, type Ref, spawnPersistent, start } from 'nact';
import { ExitReason, Runtime, type RuntimeEvent, sys } from '../../src/actors/index.js';
import {
  JournalError,
  JournalPersistenceEngine,
  JournalPort,
  nactActor,
  nactSystem,
  persistenceThread,
  pidOf,
} from '../../src/nact/index.js';
import type {
  Journal,
  JournalAnswer,
  JournalFailure,
  JournalRequest,
} from '../../src/storage/journal/journal.js';
import { SqliteJournal } from '../../src/storage/sqlite/sqlite-journal.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { JournalBench } from '../storage/journal-bench.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until, within } from '../support/within.js';
import { type Context, NactWorld } from './nact-world.js';

const spawnKept = spawnPersistent as unknown as (
  parent: Ref<never>,
  f: (state: number | undefined, message: number, context: Context) => unknown,
  key: string,
  name?: string,
  properties?: object,
) => Ref<unknown>;

/** Adds up what is persisted. */
async function adder(
  state: number | undefined,
  by: number,
  { recovering, persist }: Context,
): Promise<number> {
  if (recovering !== true) await persist(by);
  return (state ?? 0) + by;
}

/** A journal in this thread, whose next commits can be made to fail. */
class Fragile implements Journal {
  fail: JournalFailure | null = null;
  commits = 0;

  constructor(private readonly journal: SqliteJournal) {}

  begin(): void {
    this.journal.begin();
  }
  apply(request: JournalRequest): JournalAnswer {
    const fails = this.fail !== null && request.op === 'persist';
    return fails ? { ok: true, value: undefined } : this.journal.apply(request);
  }
  commit(): JournalFailure | null {
    this.commits++;
    return this.journal.commit() ?? this.fail;
  }
  close(): void {
    this.journal.close();
  }
}

function setUp(t: TestContext) {
  const world = new NactWorld();
  const journal = new Fragile(SqliteJournal.open({ path: join(temporaryFolder(t), 'journal.db') }));
  const bench = new JournalBench(journal);
  atEnd(t, () => bench.close());
  const engine = new JournalPersistenceEngine(bench.port);
  const system = start(configurePersistence(engine));
  const stateOf = async (name: string) => {
    const asked = world.runtime.wait(sys.getState(world.runtime.whereis(name)!));
    await world.until('it answers', () => world.runtime.processCount > 0);
    let state: unknown;
    void asked.then((value) => {
      state = value ?? 'none';
    });
    await world.until(`${name} has answered`, () => state !== undefined);
    return state;
  };
  return { world, journal, bench, engine, system, stateOf };
}

test('what comes while an actor recovers waits, and is counted', async (t) => {
  const { world, engine, system, stateOf, bench } = setUp(t);
  for (let sequence = 1; sequence <= 3; sequence++) {
    const event = { key: 'sum', sequence, createdAt: 1, isDeleted: false, tags: [], data: '10' };
    await bench.port.persist(event);
  }
  const child = nactActor('sum', (parent) => spawnKept(parent, adder, 'sum', 'sum'), { name: 'sum', system });
  world.supervise(child);
  for (const by of [1, 2]) world.runtime.sendNamed('sum', by);
  world.runtime.flush();
  const info = world.runtime.info(world.runtime.whereis('sum')!)!;
  assert.deepEqual([info.mailboxLength, info.received, info.handled], [2, 2, 0]);
  assert.equal(await stateOf('sum'), 33);
  const events = (await engine.events('sum')) as unknown as { data: number; sequenceNumber: number }[];
  assert.deepEqual(
    events.map(({ data, sequenceNumber }) => [sequenceNumber, data]),
    [
      [1, 10],
      [2, 10],
      [3, 10],
      [4, 1],
      [5, 2],
    ],
  );
});

test('a full disk: persist rejects, the actor fails with that, and comes back with what is stored', async (t) => {
  const { world, system, stateOf, journal } = setUp(t);
  const child = nactActor('sum', (parent) => spawnKept(parent, adder, 'sum', 'sum'), { name: 'sum', system });
  world.supervise(child);
  world.runtime.sendNamed('sum', 5);
  assert.equal(await stateOf('sum'), 5);
  const first = world.runtime.whereis('sum')!;
  journal.fail = 'disk-full';
  world.runtime.sendNamed('sum', 7);
  const end = await world.endOf(first);
  journal.fail = null;
  assert.equal(end, 'error: not stored: disk-full');
  const reason = world.runtime.exitReasonOf(first);
  assert.ok(reason?.type === 'error' && reason.error instanceof JournalError);
  assert.equal(reason.error.reason, 'disk-full');
  await world.until('it is back', () => world.runtime.whereis('sum') !== undefined);
  world.runtime.sendNamed('sum', 11);
  assert.equal(await stateOf('sum'), 16);
});

test('what an actor that was killed still wants to persist is not persisted', async (t) => {
  const { world, engine, system } = setUp(t);
  const gate = world.gate();
  const log: string[] = [];
  const child = nactActor(
    'slow',
    (parent) =>
      spawnKept(
        parent,
        async (_state, message, { recovering, persist }) => {
          if (recovering === true) return message;
          await persist(message);
          log.push('persisted once');
          await gate.opened;
          void persist(message + 1).then(() => log.push('persisted twice'));
          log.push('asked twice');
          return message;
        },
        'slow',
      ),
    { name: 'slow', system, restart: 'temporary' },
  );
  world.supervise(child);
  world.runtime.sendNamed('slow', 1);
  await world.until('it is at work', () => log.length === 1);
  world.runtime.exit(world.runtime.whereis('slow')!, ExitReason.kill);
  gate.open();
  await world.until('it has resumed', () => log.length === 2);
  await world.quiet();
  const events = (await engine.events('slow')) as unknown as { data: number }[];
  assert.deepEqual([log, events.map(({ data }) => data)], [['persisted once', 'asked twice'], [1]]);
});

test('a supervised thread that dies is replaced, and what it owed is asked of the next', async (t) => {
  const path = join(temporaryFolder(t), 'journal.db');
  const events: RuntimeEvent[] = [];
  const runtime = new Runtime({
    clock: new SystemClock(),
    random: new SystemRandom(),
    events: (event) => void events.push(event),
  });
  const port = new JournalPort();
  const engine = new JournalPersistenceEngine(port);
  const sums: Ref<unknown>[] = [];
  const started = Supervisor.start(runtime, {
    strategy: 'one_for_one',
    // As often as it is killed here, and no more.
    intensity: 3,
    children: [
      persistenceThread('journal', port, { path, name: 'journal' }),
      nactSystem('sums', () => {
        const system = start(configurePersistence(engine));
        sums.push(spawnKept(system, adder, 'sum', 'sum'));
        return system;
      }),
    ],
  });
  const top = await within('the start', runtime.wait(started.pending!));
  const pid = pidOf(sums[0]!)!;
  let sum = 0;
  for (let round = 1; round <= 3; round++) {
    const thread = runtime.whereis('journal')!;
    for (let by = 1; by <= 20; by++) {
      sum += by;
      runtime.send(pid, by);
      if (by === 10) runtime.exit(thread, ExitReason.kill);
    }
    const state = await within('the state', runtime.wait(sys.getState(pid)));
    assert.equal(state, sum);
    assert.notEqual(runtime.whereis('journal'), thread);
  }
  assert.equal(events.filter(({ type }) => type === 'crash').length, 0);
  const all = (await engine.events('sum')) as unknown as { data: number }[];
  assert.deepEqual([all.length, all.reduce((before, { data }) => before + data, 0)], [60, sum]);
  await within('the end', runtime.stop(top.ok as never));
  await until('the file is free', () => {
    SqliteJournal.open({ path }).close();
    return true;
  });
  port.close();
});

test('a file that cannot be opened is a start that failed, with the reason', async (t) => {
  const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom() });
  const path = join(temporaryFolder(t), 'none', 'journal.db');
  const started = Supervisor.start(runtime, {
    children: [persistenceThread('journal', new JournalPort(), { path })],
  });
  const { error } = await within('the start', runtime.wait(started.pending!));
  assert.match(JSON.stringify(error), /failed_to_start_child/);
  const failed = (error as { detail: { reason: { error: Error } } }).detail.reason.error;
  assert.equal(failed.name, 'StoreOpenError');
  assert.match(failed.message, /does not exist/);
});
