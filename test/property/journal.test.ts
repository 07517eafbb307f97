/** Random histories of a journal, asked through nact's interface, beside a model that is a few maps. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EventStream, PersistedEvent } from 'nact';
import { JournalPersistenceEngine } from '../../src/nact/journal-persistence-engine.js';
import { persistence } from '../../src/nact/nact-internals.js';
import { SqliteJournal } from '../../src/storage/sqlite/sqlite-journal.js';
import { JournalBench } from '../storage/journal-bench.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const RUNS = 100 * Number(process.env['ROOKERY_PROPERTY_FACTOR'] ?? 1);
const SNAPSHOTS_KEPT = 2;
const { PersistedEvent: Event, PersistedSnapshot: Snapshot } = persistence;

type Step =
  | {
      readonly do: 'persist';
      readonly key: string;
      readonly step: number;
      readonly data: unknown;
      readonly tags: string[];
      readonly deleted: boolean;
    }
  | { readonly do: 'snapshot'; readonly key: string; readonly sequence: number; readonly data: unknown }
  | { readonly do: 'delete'; readonly key: string; readonly from: number; readonly upTo: number }
  | { readonly do: 'delete-snapshots'; readonly key: string; readonly upTo: number }
  | {
      readonly do: 'read';
      readonly key: string;
      readonly offset: number;
      readonly limit: number | undefined;
      readonly tags: string[] | undefined;
    }
  | { readonly do: 'latest'; readonly key: string };

/** Steps of one group are asked for at once. */
type History = readonly (readonly Step[] | 'reopen')[];

const KEYS = ['a', 'a\u0000', 'ä🪶'];
const key = fc.constantFrom(...KEYS);
const data = fc.jsonValue({ maxDepth: 2 });
const sequence = fc.integer({ min: 0, max: 30 });
/** Mostly from the beginning, as somebody deletes who has a snapshot. */
const from = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, sequence);
const tags = fc.uniqueArray(fc.constantFrom('x', 'y', '"z"'), { maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('persist' as const),
      key,
      step: fc.oneof(
        { weight: 12, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: -3, max: 4 }) },
      ),
      data,
      tags,
      deleted: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('snapshot' as const), key, sequence, data }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      key,
      from,
      upTo: fc.integer({ min: 0, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-snapshots' as const), key, upTo: sequence }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      key,
      offset: sequence,
      limit: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
      tags: fc.option(tags, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('latest' as const), key }) },
);
const history: fc.Arbitrary<History> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.array(step, { minLength: 1, maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  ),
  { maxLength: 25 },
);

interface ModelEvent {
  readonly sequence: number;
  data: unknown;
  tags: string[];
  deleted: boolean;
}

class Model {
  readonly #events = new Map<string, ModelEvent[]>();
  readonly #snapshots = new Map<string, Map<number, unknown>>();

  /** What the number of the next event would be, with a step of 1. */
  last(key: string): number {
    return this.#events.get(key)?.at(-1)?.sequence ?? 0;
  }

  /** The answer to a step, in the form that {@link answerOf} gives it. */
  apply(step: Step): unknown {
    const events = this.#events.get(step.key) ?? [];
    const snapshots = this.#snapshots.get(step.key) ?? new Map<number, unknown>();
    this.#events.set(step.key, events);
    this.#snapshots.set(step.key, snapshots);
    switch (step.do) {
      case 'persist': {
        const sequence = this.last(step.key) + step.step;
        if (step.step <= 0) return sequence < 1 ? 'argument' : 'sequence';
        events.push({ sequence, data: step.data, tags: [...step.tags].sort(), deleted: step.deleted });
        return 'done';
      }
      case 'snapshot': {
        snapshots.set(step.sequence, step.data);
        const kept = [...snapshots.keys()].sort((a, b) => b - a).slice(0, SNAPSHOTS_KEPT);
        for (const sequence of [...snapshots.keys()])
          if (!kept.includes(sequence)) snapshots.delete(sequence);
        return 'done';
      }
      case 'delete': {
        if (step.from < 1) return 'argument';
        for (const event of events) {
          if (event.sequence < step.from || event.sequence > step.upTo) continue;
          event.data = null;
          event.tags = [];
          event.deleted = true;
        }
        if (step.from <= Math.min(step.upTo, this.last(step.key))) {
          while (events.length > 1 && events[0]!.deleted) events.shift();
        }
        return 'done';
      }
      case 'delete-snapshots': {
        const gone = [...snapshots.keys()].filter((sequence) => sequence <= step.upTo);
        for (const sequence of gone) snapshots.delete(sequence);
        return gone.length;
      }
      case 'read':
        return events
          .filter(({ sequence }) => sequence > step.offset)
          .filter((event) => (step.tags ?? []).every((tag) => event.tags.includes(tag)))
          .slice(0, step.limit)
          .map((event) => ({ ...event }));
      case 'latest': {
        const sequence = Math.max(...snapshots.keys());
        return snapshots.size === 0 ? null : { sequence, data: snapshots.get(sequence) };
      }
    }
  }
}

/** JSON knows no -0, and objects from it have Object's prototype. */
const asJson = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

/** Asks the engine, and brings the answer into the model's form. */
async function answerOf(engine: JournalPersistenceEngine, step: Step, sequence: number): Promise<unknown> {
  try {
    switch (step.do) {
      case 'persist':
        await engine.persist(new Event(step.data, sequence, step.key, [...step.tags], 1, step.deleted));
        return 'done';
      case 'snapshot':
        await engine.takeSnapshot(new Snapshot(step.data, step.sequence, step.key, 1));
        return 'done';
      case 'delete':
        await engine.deleteEvents(step.key, step.upTo, step.from);
        return 'done';
      case 'delete-snapshots':
        return await engine.deleteSnapshots(step.key, step.upTo);
      case 'read': {
        const stream: EventStream = engine.events(step.key, step.offset, step.limit, step.tags);
        const events = (await stream) as unknown as PersistedEvent[];
        return events.map(({ sequenceNumber, data, tags, isDeleted }) => ({
          sequence: sequenceNumber,
          data,
          tags,
          deleted: isDeleted,
        }));
      }
      case 'latest': {
        const latest = await engine.latestSnapshot(step.key);
        return latest === undefined ? null : { sequence: latest.sequenceNumber, data: latest.data };
      }
    }
  } catch (error) {
    return (error as { readonly reason: string }).reason;
  }
}

test('a journal does what its model does, whatever is asked, closed and opened again', async (t) => {
  const folder = temporaryFolder(t);
  let files = 0;
  await fc.assert(
    fc.asyncProperty(history, async (groups) => {
      const path = join(folder, `${files++}.db`);
      const open = () => SqliteJournal.open({ path, snapshotsKept: SNAPSHOTS_KEPT });
      const model = new Model();
      const bench = new JournalBench(open());
      const engine = new JournalPersistenceEngine(bench.port);
      const play = async (group: readonly Step[] | 'reopen'): Promise<void> => {
        if (group === 'reopen') {
          bench.writer.close();
          bench.serve(open());
          return;
        }
        // After a refusal what is asked for behind it is refused as well, which is another test's matter.
        const refused = new Set<string>();
        const asked: Promise<unknown>[] = [];
        const expected: unknown[] = [];
        for (const step of group) {
          if (refused.has(step.key)) continue;
          const sequence = step.do === 'persist' ? model.last(step.key) + step.step : 0;
          const answer = model.apply(step);
          if (step.do === 'persist' && answer !== 'done') refused.add(step.key);
          asked.push(answerOf(engine, step, sequence));
          expected.push(answer);
        }
        assert.deepEqual(asJson(await Promise.all(asked)), asJson(expected));
      };
      try {
        for (const group of groups) await play(group);
        for (const key of KEYS) {
          await play([
            { do: 'read', key, offset: 0, limit: undefined, tags: undefined },
            { do: 'latest', key },
          ]);
        }
      } finally {
        await bench.close();
      }
    }),
    { numRuns: RUNS },
  );
});
