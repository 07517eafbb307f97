/** Nothing gets slow by its size: counted in looks, messages and slices, not in time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Blocking, ExitReason, type Pid, type Process, sys } from '../../src/actors/index.js';
import {
  type ChildCounts,
  type ChildSpec,
  DynamicSupervisor,
  Supervisor,
} from '../../src/supervisors/index.js';
import { World } from '../actors/world.js';

const CHILDREN = 100_000;

function child(id: string, trapExit = false): ChildSpec {
  return {
    id,
    start: (self: Process<never>) =>
      self.spawnLink<string>(
        (process) => ({
          receive(message) {
            if (message === 'crash') throw new Error('crash');
            if (typeof message !== 'string' && message.type === 'EXIT') process.exit(message.reason);
          },
        }),
        { trapExit },
      ),
  };
}

/** Children of a supervisor, by their ids. */
async function pidsOf(world: World, supervisor: Pid): Promise<Map<string, Pid<string>>> {
  const answer = Supervisor.whichChildren(world.runtime, supervisor);
  world.runtime.flush();
  return new Map((await answer).map(({ id, pid }) => [id, pid as Pid<string>]));
}

/** A message that counts how often somebody looks at what it is. */
class Watched {
  looks = 0;
  readonly message = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        this.looks++;
        return Object.prototype;
      },
    },
  );
}

/** The outcome of a wait. */
async function settled<T>(world: World, what: Blocking<T>): Promise<T> {
  const answer = world.runtime.wait(what);
  world.runtime.flush();
  return answer;
}

/** Goes wrong where something is copied or looked through for each of many: a second is a hundred times enough. */
describe('100,000 children of one supervisor', () => {
  test('are started, found, stopped, deleted, restarted by their ids, and end with it', async () => {
    const world = new World();
    const { runtime } = world;
    const top = Supervisor.start(runtime, { strategy: 'rest_for_one', intensity: CHILDREN * 2 }).ok!;
    for (let at = 0; at < CHILDREN; at++) assert.ok(Supervisor.startChild(runtime, top, child(`c${at}`)).ok);
    const answers: Promise<unknown>[] = [];
    for (let at = 0; at < CHILDREN; at += 2) answers.push(Supervisor.terminateChild(runtime, top, `c${at}`));
    runtime.flush();
    assert.deepEqual(await answers[0], { ok: true });
    for (let at = 0; at < CHILDREN; at += 4) answers.push(Supervisor.deleteChild(runtime, top, `c${at}`));
    for (let at = 2; at < CHILDREN; at += 4) answers.push(Supervisor.restartChild(runtime, top, `c${at}`));
    for (let at = 0; at < CHILDREN; at += 8) answers.push(Supervisor.whichChild(runtime, top, `c${at}`));
    const counts = Supervisor.countChildren(runtime, top);
    runtime.flush();
    const left = (CHILDREN * 3) / 4;
    assert.deepEqual(await counts, { specs: left, active: left, supervisors: 0, workers: left });
    // The youngest a thousand times: the others are not looked at.
    let youngest = (await pidsOf(world, top)).get(`c${CHILDREN - 1}`)!;
    for (let round = 0; round < 1000; round++) {
      runtime.send(youngest, 'crash');
      runtime.flush();
      const found = Supervisor.whichChild(runtime, top, `c${CHILDREN - 1}`);
      runtime.flush();
      youngest = (await found).ok!.pid as Pid<string>;
    }
    assert.equal(runtime.processCount, left + 1);
    const stopped = runtime.stop(top);
    runtime.flush();
    await stopped;
    assert.equal(runtime.processCount, 0);
  });

  test('that trap exits are waited for one after the other, and nobody looks through the mailbox for it', async () => {
    const world = new World();
    const { runtime } = world;
    const top = Supervisor.start(runtime, {
      children: Array.from({ length: CHILDREN / 5 }, (_, at) => child(`c${at}`, true)),
    }).ok!;
    const stopped = runtime.stop(top);
    const waits = new Watched();
    runtime.send(top as Pid<unknown>, waits.message);
    runtime.flush();
    await stopped;
    assert.equal(runtime.processCount, 0);
    assert.ok(waits.looks < 10, `looked at ${waits.looks} times`);
  });

  test('of a template and under a dynamic supervisor end together', async () => {
    for (const kind of ['simple', 'dynamic'] as const) {
      const world = new World();
      const { runtime } = world;
      const top =
        kind === 'simple'
          ? Supervisor.start(runtime, { strategy: 'simple_one_for_one', children: [child('x', true)] }).ok!
          : DynamicSupervisor.start(runtime, {}).ok!;
      for (let at = 0; at < CHILDREN / 5; at++) {
        if (kind === 'simple') Supervisor.startChild(runtime, top, []);
        else DynamicSupervisor.startChild(runtime, top, child('x', true));
      }
      const stopped = runtime.stop(top);
      const waits = new Watched();
      runtime.send(top as Pid<unknown>, waits.message);
      runtime.flush();
      await stopped;
      assert.equal(runtime.processCount, 0);
      assert.ok(waits.looks < 10, `looked at ${waits.looks} times`);
    }
  });
});

describe('a storm of restarts', () => {
  test('10,000 children a second: others have their turns, and questions are answered', async () => {
    const world = new World();
    const { runtime } = world;
    const count = 10_000;
    const seconds = 3;
    const top = Supervisor.start(runtime, {
      intensity: count * seconds,
      children: Array.from({ length: count }, (_, at) => child(`c${at}`)),
    }).ok!;
    for (let second = 0; second < seconds; second++) {
      for (const pid of (await pidsOf(world, top)).values()) runtime.send(pid, 'crash');
      const answers: ChildCounts[] = [];
      let turns = 0;
      const ticker = runtime.spawn<'tick'>((self) => ({
        receive() {
          turns++;
          if (answers.length < 2) self.send(self, 'tick');
        },
      }));
      runtime.send(ticker, 'tick');
      runtime.spawn(function* () {
        answers.push(yield* Supervisor.countChildren(top));
        answers.push(yield* Supervisor.countChildren(top));
      });
      runtime.flush();
      // A slice of the supervisor takes 64 messages; between two of them it was somebody else's turn.
      assert.ok(turns >= count / 64, `${turns} turns`);
      assert.deepEqual(answers.at(-1), { specs: count, active: count, supervisors: 0, workers: count });
      runtime.exit(ticker, ExitReason.kill);
      world.clock.advance(1000);
    }
    assert.equal(runtime.processCount, count + 1);
    const state = await settled(world, sys.getState<{ restarts: number }>(top));
    assert.equal(state.restarts, count * seconds);
  });

  test('restarts that fail for ever leave others their turns too, until it gives up', () => {
    const world = new World();
    const { runtime } = world;
    let tries = 0;
    const top = Supervisor.start(runtime, {
      intensity: 100_000,
      children: [
        {
          id: 'failing',
          start: (self) => {
            if (tries++ > 0) return { error: ExitReason.custom('no') };
            return self.spawnLink(() => ({ receive() {} }));
          },
        },
      ],
    }).ok!;
    runtime.send(top as Pid<unknown>, 'whatever');
    let turns = 0;
    const ticker = runtime.spawn<'tick'>((self) => ({
      receive() {
        turns++;
        if (runtime.isAlive(top)) self.send(self, 'tick');
      },
    }));
    runtime.send(ticker, 'tick');
    const [only] = runtime.info(top)!.links;
    runtime.exit(only!, ExitReason.kill);
    runtime.flush();
    assert.equal(tries, 100_001);
    assert.ok(turns >= tries / 64, `${turns} turns`);
    assert.equal(runtime.isAlive(top), false);
  });
});
