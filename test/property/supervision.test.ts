/**
 * Random supervision trees under random crashes, kills and waits. When the world has come to rest: nobody lives whose
 * supervisor does not; under a live supervisor every permanent child runs, once; nobody is restarted who must not be;
 * every end was heard of exactly once by a watcher; and when the root is stopped nothing is left.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DownMessage, ExitReason, type Pid, type Process } from '../../src/actors/index.js';
import { type ChildSpec, type Restart, type Strategy, Supervisor } from '../../src/supervisors/index.js';
import { World } from '../actors/world.js';

interface Shape {
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly children: readonly (Shape | Leaf)[];
}

interface Leaf {
  readonly restart: Restart;
  /** How long it takes to stop when asked; null: it does not trap exits. */
  readonly stopMs: number | null;
}

const leaf: fc.Arbitrary<Leaf> = fc.record({
  restart: fc.constantFrom('permanent', 'permanent', 'transient', 'temporary'),
  stopMs: fc.option(fc.constantFrom(0, 10, 200), { freq: 2 }),
});

const { tree } = fc.letrec<{ tree: Shape; node: Shape | Leaf }>((tie) => ({
  tree: fc.record({
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    intensity: fc.integer({ min: 0, max: 4 }),
    children: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
  }),
  node: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, tie('tree')),
}));

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('end' as const),
      at: fc.nat(),
      how: fc.constantFrom('normal', 'shutdown', 'boom', 'kill'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 150, 6000) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('rest' as const) }) },
);

interface Started {
  readonly pid: Pid;
  readonly path: string;
  readonly supervisor: Process<never>;
  readonly leaf: Leaf | null;
  readonly order: number;
}

/** A world that records every process of the tree that was ever started. */
class Forest extends World {
  readonly started: Started[] = [];
  readonly watcher = this.puppet();

  record(path: string, supervisor: Process<never>, pid: Pid, of: Leaf | null): void {
    this.started.push({ path, pid, supervisor, leaf: of, order: this.started.length });
    this.watcher.self.monitor(pid);
  }

  spec(id: string, path: string, shape: Shape | Leaf): ChildSpec {
    if ('strategy' in shape) {
      return {
        id,
        type: 'supervisor',
        start: (supervisor) => {
          const result = Supervisor.startLink(supervisor, this.supervisorSpec(path, shape));
          if (result.ok !== undefined) this.record(path, supervisor, result.ok, null);
          return result;
        },
      };
    }
    return {
      id,
      restart: shape.restart,
      shutdown: 100,
      start: (supervisor) => {
        const pid = supervisor.spawnLink<string>((self) => {
          self.trapExit = shape.stopMs !== null;
          return {
            receive(message) {
              if (message === 'stop') self.exit(ExitReason.shutdown);
              if (typeof message === 'string' || message.type !== 'EXIT') return;
              if (message.from !== (supervisor as unknown)) return;
              if (shape.stopMs === 0) self.exit(message.reason);
              else self.sendAfter(shape.stopMs!, 'stop');
            },
          };
        });
        this.record(path, supervisor, pid, shape);
        return pid;
      },
    };
  }

  supervisorSpec(path: string, shape: Shape) {
    return {
      label: path,
      strategy: shape.strategy,
      intensity: shape.intensity,
      periodMs: 5000,
      children: shape.children.map((child, at) => this.spec(String(at), `${path}/${at}`, child)),
    };
  }

  /** Until nothing stops any more: nobody takes more than 100 ms, one after the other. */
  settle(): void {
    this.advance(20_000);
  }
}

test('trees of supervisors under random ends', () => {
  fc.assert(
    fc.property(tree, fc.array(action, { maxLength: 25 }), (shape, actions) => {
      const world = new Forest();
      const root = Supervisor.start(world.runtime, world.supervisorSpec('root', shape)).ok!;
      /** Who was ended by us with a reason after which it must not come again. */
      const final = new Set<Started>();
      const alive = () => world.started.filter(({ pid }) => world.runtime.isAlive(pid));
      const check = () => {
        const living = alive();
        const paths = new Set<string>();
        for (const one of living) {
          assert.ok(one.supervisor.alive, `${one.path} outlived its supervisor`);
          assert.ok(!paths.has(one.path), `${one.path} runs twice`);
          paths.add(one.path);
        }
        const expectAll = (path: string, at: Shape) => {
          for (const [index, child] of at.children.entries()) {
            const childPath = `${path}/${index}`;
            if ('strategy' in child) {
              assert.ok(paths.has(childPath), `${childPath} does not run`);
              expectAll(childPath, child);
            } else if (child.restart === 'permanent') {
              assert.ok(paths.has(childPath), `${childPath} does not run`);
            }
          }
        };
        if (world.runtime.isAlive(root)) expectAll('root', shape);
        else assert.equal(living.length, 0);
        for (const ended of final) {
          const again = world.started.find(
            (one) =>
              one.path === ended.path && one.order > ended.order && one.supervisor === ended.supervisor,
          );
          // A temporary child never comes again under the same supervisor.
          assert.ok(again === undefined || ended.leaf?.restart !== 'temporary', `${ended.path} came again`);
        }
      };
      check();
      for (const action of actions) {
        const living = alive();
        if (action.op === 'wait') {
          world.advance(action.ms);
        } else if (action.op === 'rest') {
          world.settle();
          check();
        } else if (living.length > 0) {
          const victim = living[action.at % living.length]!;
          if (victim.leaf !== null) final.add(victim);
          if (action.how === 'kill') world.runtime.exit(victim.pid, ExitReason.kill);
          else if (victim.leaf !== null)
            world.runtime.finish(
              victim.pid,
              action.how === 'boom' ? ExitReason.custom('boom') : ExitReason[action.how],
            );
          world.runtime.flush();
        }
      }
      world.settle();
      check();
      const stopped = world.runtime.stop(root).catch(() => {});
      world.settle();
      void stopped;
      assert.deepEqual(alive(), []);
      // Only the watcher is left, and it has heard of everybody once.
      assert.equal(world.runtime.processCount, 1);
      const downs = world.watcher.raw.map((message) => (message as DownMessage).from as Pid);
      assert.equal(downs.length, world.started.length);
      assert.equal(new Set(downs).size, downs.length);
      assert.equal(world.runtime.timers.size, 0);
    }),
    { numRuns: 200 },
  );
});
