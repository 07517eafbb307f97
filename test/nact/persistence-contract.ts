/**
 * What nact expects of a persistence engine: one suite, run on the engine that nact's own tests use and on ours. Where the
 * former does less (it knows no tags, and does not mind numbers that come twice) the suite says so.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  configurePersistence,
  dispatch,
  type EventStream,
  type PersistedEvent,
  type PersistedSnapshot,
  type PersistenceEngine,
  persistentQuery,
  query,
  type Ref,
  spawnPersistent,
  start,
  stop,
} from 'nact';
import { persistence } from '../../src/nact/nact-internals.js';
import { atEnd } from '../support/at-end.js';
import { within } from '../support/within.js';

export interface EngineUnderTest {
  readonly name: string;
  /** Knows tags and numbers. */
  readonly complete: boolean;
  open(t: TestContext): Promise<PersistenceEngine>;
}

/** nact's types want all arguments, nact gives two or four. */
type Events = (key: string, offset?: number, limit?: number, tags?: string[]) => EventStream;

export const { PersistedEvent: Event, PersistedSnapshot: Snapshot } = persistence;

const CREATED = 1_700_000_000_000;

export const event = (data: unknown, sequence: number, key = 'test', tags: string[] = []): PersistedEvent =>
  new Event(data, sequence, key, tags, CREATED + sequence);

export const snapshot = (data: unknown, sequence: number, key = 'test'): PersistedSnapshot =>
  new Snapshot(data, sequence, key, CREATED + sequence);

export async function eventsOf(
  engine: PersistenceEngine,
  ...range: Parameters<Events>
): Promise<PersistedEvent[]> {
  const events = engine.events.bind(engine) as unknown as Events;
  return (await events(...range)) as unknown as PersistedEvent[];
}

/** A message that asks for the state behind itself. */
interface Said {
  readonly text: string;
  readonly sender?: Ref<string>;
}
interface SaidContext {
  readonly recovering?: boolean;
  persist(message: Said, tags?: string[]): Promise<void>;
}

/** As in nact's documentation: persists what it is told, and keeps the texts as one. */
async function listener(state: string | undefined, message: Said, context: unknown): Promise<string> {
  const { recovering, persist } = context as SaidContext;
  const next = (state ?? '') + message.text;
  if (message.text === 'bad') throw new Error('a bad text');
  if (recovering !== true) {
    await persist({ text: message.text }, ['said']);
    if (message.sender !== undefined) dispatch(message.sender, next);
  }
  return next;
}

const say =
  (text: string) =>
  (sender: Ref<string>): Said => ({ text, sender });

export function persistenceContract(under: EngineUnderTest): void {
  const withSystem = async (t: TestContext) => {
    const engine = await under.open(t);
    const system = start(configurePersistence(engine));
    atEnd(t, () => stop(system));
    const open = (key: string, properties: object = {}) =>
      spawnPersistent(system, listener, key, undefined, properties);
    const ask = (actor: Ref<Said>, text: string): Promise<string> =>
      within('an answer', query(actor, say(text), 20_000) as Promise<string>);
    return { engine, system, open, ask };
  };

  describe(`the engine: ${under.name}`, () => {
    it('has nothing at first', async (t) => {
      const engine = await under.open(t);
      assert.deepEqual(await eventsOf(engine, 'nobody'), []);
      assert.equal(await engine.latestSnapshot('nobody'), undefined);
    });

    it('gives events back in order, as they were', async (t) => {
      const engine = await under.open(t);
      const events = [
        event({ message: 'hello', nested: { list: [1, 'two', null, true] } }, 1, 'test', ['b', 'a', 'c']),
        event(['a', 'list'], 2),
        event('text "with" ünïcödé 🪶\u0000', 3),
        event(0.1, 4),
        new Event(null, 5, 'test', ['gone'], CREATED, true),
      ];
      for (const one of events) await engine.persist(one);
      await engine.persist(event('elsewhere', 1, 'test2'));
      assert.deepEqual(await eventsOf(engine, 'test'), events);
      assert.deepEqual(await eventsOf(engine, 'test2'), [event('elsewhere', 1, 'test2')]);
      assert.ok((await eventsOf(engine, 'test'))[0] instanceof Event);
    });

    it('has what was asked to be persisted before, awaited or not', async (t) => {
      const engine = await under.open(t);
      const persisted = [1, 2, 3].map((sequence) => engine.persist(event(sequence, sequence)));
      assert.deepEqual(
        (await eventsOf(engine, 'test')).map(({ data }) => data),
        [1, 2, 3],
      );
      await Promise.all(persisted);
    });

    it('begins behind an offset and ends at a limit', async (t) => {
      const engine = await under.open(t);
      for (let sequence = 1; sequence <= 9; sequence++) await engine.persist(event(`e${sequence}`, sequence));
      const numbers = async (...range: [offset?: number, limit?: number]) =>
        (await eventsOf(engine, 'test', ...range)).map(({ sequenceNumber }) => sequenceNumber);
      assert.deepEqual(await numbers(6), [7, 8, 9]);
      assert.deepEqual(await numbers(9), []);
      assert.deepEqual(await numbers(20), []);
      assert.deepEqual(await numbers(0, 2), [1, 2]);
      assert.deepEqual(await numbers(4, 3), [5, 6, 7]);
      assert.deepEqual(await numbers(7, 10), [8, 9]);
    });

    it('reduces in order, with an index, also with a reducer that is async', async (t) => {
      const engine = await under.open(t);
      for (let sequence = 1; sequence <= 5; sequence++) await engine.persist(event(sequence * 10, sequence));
      const events = engine.events.bind(engine) as unknown as Events;
      const seen = await events('test', 1).reduce<string[]>(
        (list, { data }, index) => list.concat(`${index}:${String(data)}`),
        [],
      );
      assert.deepEqual(seen, ['0:20', '1:30', '2:40', '3:50']);
      const sum = await events('test').reduce<Promise<number>>(
        async (before, { data }) => (await before) + (data as number),
        Promise.resolve(0),
      );
      assert.equal(sum, 150);
    });

    it('has the latest snapshot', async (t) => {
      const engine = await under.open(t);
      const taken = [snapshot({ message: 'hello' }, 1), snapshot(['goodbye'], 2), snapshot('again', 30)];
      for (const one of taken) {
        await engine.takeSnapshot(one);
        assert.deepEqual(await engine.latestSnapshot('test'), one);
      }
      await engine.takeSnapshot(snapshot('other', 7, 'test2'));
      assert.deepEqual(await engine.latestSnapshot('test'), taken[2]);
      assert.deepEqual(await engine.latestSnapshot('test2'), snapshot('other', 7, 'test2'));
      assert.ok((await engine.latestSnapshot('test')) instanceof Snapshot);
      assert.deepEqual(await eventsOf(engine, 'test'), []);
    });

    it('filters by tags: events that have all of them', { skip: !under.complete }, async (t) => {
      const engine = await under.open(t);
      const one = event('1', 1, 'test', ['a', 'b', 'c']);
      const two = event('2', 2, 'test', ['a']);
      const three = event('3', 3, 'test', ['b', 'c']);
      for (const each of [one, two, three]) await engine.persist(each);
      assert.deepEqual(await eventsOf(engine, 'test', undefined, undefined, ['b', 'c']), [one, three]);
      assert.deepEqual(await eventsOf(engine, 'test', 1, undefined, ['b']), [three]);
      assert.deepEqual(await eventsOf(engine, 'test', 0, 1, ['a']), [one]);
      assert.deepEqual(await eventsOf(engine, 'test', 0, 5, []), [one, two, three]);
      assert.deepEqual(await eventsOf(engine, 'test', 0, 5, ['d']), []);
    });

    it('refuses a number that was used', { skip: !under.complete }, async (t) => {
      const engine = await under.open(t);
      await engine.persist(event('mine', 1));
      await engine.persist(event('mine', 2));
      await assert.rejects(engine.persist(event('another', 2)), { name: 'JournalError', reason: 'sequence' });
      await assert.rejects(engine.persist(event('another', 1)), { reason: 'sequence' });
      await engine.persist(event('mine', 5));
      assert.deepEqual(
        (await eventsOf(engine, 'test')).map(({ sequenceNumber, data }) => [sequenceNumber, data]),
        [
          [1, 'mine'],
          [2, 'mine'],
          [5, 'mine'],
        ],
      );
    });
  });

  describe(`nact's persistent actors over it: ${under.name}`, () => {
    it('begin with their first message', async (t) => {
      const { open, ask } = await withSystem(t);
      const actor = open('test');
      dispatch(actor, { text: 'a' });
      dispatch(actor, { text: 'b' });
      assert.equal(await ask(actor, 'c'), 'abc');
    });

    it('begin with a state that they are given', async (t) => {
      const { open, ask } = await withSystem(t);
      assert.equal(await ask(open('test', { initialState: '123' }), 'a'), '123a');
    });

    it('persist numbers without a gap, and tags', async (t) => {
      const { engine, open, ask } = await withSystem(t);
      const actor = open('test');
      for (const text of ['x', 'y', 'z']) await ask(actor, text);
      const events = await eventsOf(engine, 'test');
      assert.deepEqual(
        events.map(({ sequenceNumber, data, tags }) => [sequenceNumber, data, tags]),
        [
          [1, { text: 'x' }, ['said']],
          [2, { text: 'y' }, ['said']],
          [3, { text: 'z' }, ['said']],
        ],
      );
    });

    it('are what their events say, when they come again', async (t) => {
      const { engine, open, ask } = await withSystem(t);
      for (const [at, text] of [...'iceland'].entries()) await engine.persist(event({ text }, at + 1));
      const actor = open('test');
      assert.equal(await ask(actor, 's'), 'icelands');
      stop(actor);
      assert.equal(await ask(open('test'), '!'), 'icelands!');
      assert.deepEqual(
        (await eventsOf(engine, 'test')).map(({ sequenceNumber }) => sequenceNumber),
        [1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });

    it('skip deleted events, and count them', async (t) => {
      const { engine, open, ask } = await withSystem(t);
      await engine.persist(event({ text: 'a' }, 1));
      await engine.persist(new Event({ text: 'b' }, 2, 'test', [], CREATED, true));
      await engine.persist(event({ text: 'c' }, 3));
      assert.equal(await ask(open('test'), 'd'), 'acd');
      assert.equal((await eventsOf(engine, 'test'))[3]?.sequenceNumber, 4);
    });

    it('use encoders and decoders', async (t) => {
      const { engine, open, ask } = await withSystem(t);
      const properties = {
        encoder: ({ text }: Said) => `<${text}>`,
        decoder: (data: string) => ({ text: data.slice(1, -1) }),
      };
      const actor = open('test', properties);
      await ask(actor, 'a');
      await ask(actor, 'b');
      assert.deepEqual(
        (await eventsOf(engine, 'test')).map(({ data }) => data),
        ['<a>', '<b>'],
      );
      stop(actor);
      assert.equal(await ask(open('test', properties), 'c'), 'abc');
    });

    it('recover when they are reset, and when they resume', async (t) => {
      const { open, ask } = await withSystem(t);
      for (const decision of ['reset', 'resume'] as const) {
        const actor = open(decision, {
          onCrash: (_message: unknown, _error: unknown, context: Record<string, symbol>) => context[decision],
        });
        dispatch(actor, { text: 'a' });
        dispatch(actor, { text: 'bad' });
        assert.equal(await ask(actor, 'c'), 'ac');
      }
    });

    it('take snapshots, and begin with the latest', async (t) => {
      const { engine, open, ask } = await withSystem(t);
      const properties = {
        snapshotEvery: 4,
        snapshotEncoder: (state: string) => ({ state }),
        snapshotDecoder: ({ state }: { state: string }) => `[${state}]`,
      };
      const first = open('test');
      for (const text of 'abc') await ask(first, text);
      stop(first);
      const second = open('test', properties);
      for (const text of 'defghij') await ask(second, text);
      const taken = await engine.latestSnapshot('test');
      assert.ok(taken !== undefined);
      const { state } = taken.data as { state: string };
      assert.equal(state.length, taken.sequenceNumber);
      assert.ok('abcdefghij'.startsWith(state));
      stop(second);
      assert.equal(
        await ask(open('test', properties), 'k'),
        `[${state}]${'abcdefghijk'.slice(state.length)}`,
      );
    });

    it('answer persistent queries, that go on where they were', async (t) => {
      const { engine, system } = await withSystem(t);
      for (const [at, text] of [...'12345'].entries()) await engine.persist(event({ text }, at + 1));
      const ask = persistentQuery(
        system,
        (state: string | undefined, message: Said) => (state ?? '') + message.text,
        'test',
        { snapshotKey: 'test-query', snapshotEvery: 3 },
      ) as () => Promise<string>;
      assert.equal(await ask(), '12345');
      assert.equal(await ask(), '12345');
      await engine.persist(event({ text: '6' }, 6));
      assert.equal(await ask(), '123456');
    });
  });
}
