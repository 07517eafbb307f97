/**
 * nact's actors by themselves and as processes, and their persistence: events a second through nact's own mock engine (in
 * memory), an engine that commits each event by itself, and ours, in the same run.
 *
 *     node dist/bench/nact.js [seconds of each round]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import {
  type ActorSystemRef,
  configurePersistence,
  dispatch,
  type PersistedEvent,
  type PersistenceEngine,
  type Ref,
  spawn,
  spawnPersistent,
  start,
} from 'nact';
// @ts-expect-error nact has no types for its tests
import mock from 'nact/test/mock-persistence-engine.js';
import { Runtime } from '../src/actors/index.js';
import { joinSystem, openPersistenceEngine } from '../src/nact/index.js';
import { SystemClock } from '../src/structures/system-clock.js';
import { SystemRandom } from '../src/structures/system-random.js';
import { machineLine, thisMachine } from './measure/machine.js';
import { markdownTable, whole } from './measure/markdown-table.js';
import { median } from './measure/statistics.js';

const seconds = Number(process.argv[2] ?? 1);
const ROUNDS = 3;
const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom() });

interface Kept {
  readonly recovering?: boolean;
  readonly self: Ref<unknown>;
  persist(message: unknown): Promise<void>;
}
type Function = (state: number | undefined, message: unknown, context: Kept) => unknown;
const spawnKept = spawnPersistent as unknown as (
  parent: ActorSystemRef,
  f: Function,
  key: string,
  name?: string,
) => Ref<unknown>;

/** One transaction for each event, in this thread: what an engine without group commit does. */
class EachByItself {
  readonly #db: Database.Database;
  readonly #insert: Database.Statement;

  constructor(path: string) {
    this.#db = new Database(path);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.exec('CREATE TABLE events (key TEXT, sequence INTEGER, data TEXT, PRIMARY KEY (key, sequence))');
    this.#insert = this.#db.prepare('INSERT INTO events VALUES (?, ?, ?)');
  }
  async persist({ key, sequenceNumber, data }: PersistedEvent): Promise<void> {
    this.#insert.run(key, sequenceNumber, JSON.stringify(data));
  }
  async latestSnapshot(): Promise<undefined> {
    return undefined;
  }
  events(): unknown[] {
    return [];
  }
  close(): void {
    this.#db.close();
  }
}

let keys = 0;

/** Events a second of so many actors, each of which persists one after the other. */
async function persisted(engine: PersistenceEngine, actors: number, joined: boolean): Promise<number> {
  const system = start(configurePersistence(engine));
  if (joined) joinSystem(runtime, system);
  let events = 0;
  let running = actors;
  let stop = false;
  return new Promise((resolve) => {
    const f: Function = async (count, message, { recovering, persist, self }) => {
      if (recovering === true) return count;
      if (stop) {
        if (--running === 0) resolve(events / ((performance.now() - began) / 1000));
        return count;
      }
      await persist({ type: 'deposited', amount: 5, account: 'an account with a name', n: count });
      events++;
      dispatch(self, message);
      return (count ?? 0) + 1;
    };
    const refs = Array.from({ length: actors }, () => spawnKept(system, f, `account-${keys++}`));
    const began = performance.now();
    for (const ref of refs) dispatch(ref, 'go');
    setTimeout(() => {
      stop = true;
    }, seconds * 1000);
  });
}

/** Messages a CPU-second between two actors whose functions are (not) async. */
async function pingPong(isAsync: boolean, joined: boolean): Promise<number> {
  const system = start();
  if (joined) joinSystem(runtime, system);
  const total = 100_000 * seconds;
  let left = total;
  return new Promise((resolve) => {
    const f = (_state: undefined, from: Ref<unknown>, { self }: { self: Ref<unknown> }) => {
      if (--left > 0) dispatch(from, self);
      else if (left === 0) {
        const { user, system: kernel } = process.cpuUsage(began);
        resolve((total * 1e6) / (user + kernel));
      }
      return undefined;
    };
    const player = () =>
      spawn(
        system,
        (isAsync ? async (...all: Parameters<typeof f>) => f(...all) : f) as never,
      ) as Ref<unknown>;
    const [a, b] = [player(), player()];
    const began = process.cpuUsage();
    dispatch(a, b);
  });
}

async function best(measure: () => Promise<number>): Promise<string> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rates.push(await measure());
  return whole(median(rates));
}

const folder = mkdtempSync(join(process.env['ROOKERY_BENCH_FOLDER'] ?? tmpdir(), 'rookery-nact-'));
try {
  const { MockPersistenceEngine } = mock as { MockPersistenceEngine: new () => PersistenceEngine };
  const each = new EachByItself(join(folder, 'each.db'));
  const ours = await openPersistenceEngine({ path: join(folder, 'ours.db') });
  const rows: string[][] = [];
  for (const actors of [1, 10, 100, 1000]) {
    rows.push([
      `${actors} actors`,
      await best(() => persisted(new MockPersistenceEngine(), actors, false)),
      await best(() => persisted(each as unknown as PersistenceEngine, actors, false)),
      await best(() => persisted(ours, actors, false)),
      await best(() => persisted(ours, actors, true)),
    ]);
  }
  const began = performance.now();
  let read = 0;
  const longest = 200_000;
  for (let at = 0; at < longest; at += 1000) {
    const persisting: Promise<void>[] = [];
    for (let n = at + 1; n <= at + 1000; n++) {
      const event = { key: 'long', sequenceNumber: n, createdAt: 1, isDeleted: false, tags: [], data: { n } };
      persisting.push(ours.persist(event));
    }
    await Promise.all(persisting);
  }
  const written = performance.now();
  await ours.events('long').reduce((count) => {
    read = count + 1;
    return read;
  }, 0);
  const done = performance.now();
  console.log(`${machineLine(thisMachine())}\n`);
  console.log(
    markdownTable(
      ['events persisted a second', "nact's mock, in memory", 'a commit each', 'ours', 'ours, as processes'],
      rows,
    ),
  );
  console.log(
    `\nOne key, 1000 at a time: ${whole((longest / (written - began)) * 1000)} persisted a second,`,
  );
  console.log(`${whole((read / (done - written)) * 1000)} read.\n`);
  console.log(
    markdownTable(
      ['messages for each CPU-second', 'nact', 'as processes'],
      [
        [
          'between two actors',
          await best(() => pingPong(false, false)),
          await best(() => pingPong(false, true)),
        ],
        ['the same, async', await best(() => pingPong(true, false)), await best(() => pingPong(true, true))],
      ],
    ),
  );
  each.close();
  await ours.close();
} finally {
  rmSync(folder, { recursive: true });
}
