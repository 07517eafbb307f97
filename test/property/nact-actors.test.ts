/** Random trees of nact actors that fail, stop, are stopped and killed: a process lives as long as its actor, no longer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Ref, stop } from 'nact';
import { ExitReason, type Process } from '../../src/actors/index.js';
import { pidOf, selfOf } from '../../src/nact/index.js';
import { SupervisionActions } from '../../src/nact/nact-internals.js';
import { concreteOf } from '../../src/nact/pid-of.js';
import { brief } from '../actors/world.js';
import { type Context, NactWorld, spawnActor, tell } from '../nact/nact-world.js';

const RUNS = 200 * Number(process.env['ROOKERY_PROPERTY_FACTOR'] ?? 1);

type Deed = 'nothing' | 'fail' | 'stop' | 'exit' | 'link';
type Step =
  | { readonly do: 'spawn'; readonly under: number; readonly own: string; readonly child: string }
  | {
      readonly do: 'tell';
      readonly to: number;
      readonly deed: Deed;
      readonly later: boolean;
      readonly other: number;
    }
  | { readonly do: 'stop' | 'kill' | 'ask'; readonly whom: number }
  | { readonly do: 'wait' };

const whom = fc.nat(11);
const decision = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(SupervisionActions), 'throw', 'nonsense') },
  { weight: 2, arbitrary: fc.constantFrom('escalate', 'resume') },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('spawn' as const), under: whom, own: decision, child: decision }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      to: whom,
      deed: fc.oneof(
        { weight: 3, arbitrary: fc.constant('nothing' as Deed) },
        { weight: 4, arbitrary: fc.constant('fail' as Deed) },
        { weight: 1, arbitrary: fc.constantFrom<Deed>('stop', 'exit', 'link') },
      ),
      later: fc.boolean(),
      other: whom,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'kill' as const, 'ask' as const), whom }),
  },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'wait' }) },
);

/** One actor, as the test sees it. */
interface Known {
  readonly ref: Ref<unknown>;
  readonly process: Process<unknown>;
  /** Messages that its function was given, and that it has been sent. */
  handled: number;
  told: number;
  atWork: boolean;
  stops: number;
  readonly downs: unknown[];
}

async function play(steps: readonly Step[]): Promise<void> {
  const world = new NactWorld();
  const system = world.system();
  const systemPid = pidOf(system) as Process<unknown>;
  const actors: Known[] = [];
  const at = (n: number): Known | undefined => actors[n % Math.max(1, actors.length)];
  const watcher = world.puppet();
  let linked = false;

  const handle = async (known: Known, deed: Deed, later: boolean, other: Known, context: Context) => {
    assert.equal(known.atWork, false, 'two messages at a time');
    known.handled++;
    known.atWork = true;
    try {
      if (later) await Promise.resolve();
      if (deed === 'fail') throw new Error('told to');
      if (deed === 'stop') stop(context.self);
      if (deed === 'exit' && !later) selfOf(context).exit(ExitReason.custom('told to'));
      if (deed === 'link' && !later) selfOf(context).link(other.process);
    } finally {
      known.atWork = false;
    }
  };
  const spawnUnder = (parent: Ref<never>, own: string, child: string): void => {
    const decide = (
      _message: unknown,
      _error: unknown,
      context: Record<string, symbol>,
      failed: unknown,
    ): symbol | undefined => {
      const wanted = failed === undefined ? own : child;
      if (wanted === 'throw') throw new Error('no idea');
      return context[wanted];
    };
    // Not async unless it has to be: a function that throws at once is another way.
    const f = (_state: unknown, message: { deed: Deed; later: boolean; other: Known }, context: Context) => {
      const { deed, later, other } = message;
      if (later) return handle(known, deed, later, other, context);
      assert.equal(known.atWork, false, 'two messages at a time');
      known.handled++;
      if (deed === 'fail') throw new Error('told to');
      if (deed === 'stop') stop(context.self);
      if (deed === 'exit') selfOf(context).exit(ExitReason.custom('told to'));
      if (deed === 'link') selfOf(context).link(other.process);
      return undefined;
    };
    const ref = spawnActor(parent, f as never, `actor-${actors.length}`, {
      onCrash: decide,
      afterStop: () => {
        known.stops++;
      },
    });
    const known: Known = {
      ref,
      process: world.process(ref),
      handled: 0,
      told: 0,
      atWork: false,
      stops: 0,
      downs: [],
    };
    actors.push(known);
    watcher.run((self) => self.monitor(known.process));
  };

  const busy = ({ ref }: Known) => (concreteOf(ref) as { busy: boolean } | undefined)?.busy === true;
  const check = async () => {
    await world.quiet();
    await world.until('nobody is busy any more', () => !actors.some(busy));
    await world.quiet();
    for (const message of watcher.raw.splice(0)) {
      const [, pid, reason] = brief(message) as [string, unknown, unknown];
      actors.find(({ process }) => process === pid)!.downs.push(reason);
    }
    for (const known of actors) {
      const alive = world.runtime.isAlive(known.process);
      const name = known.process.label;
      assert.equal(pidOf(known.ref), alive ? known.process : undefined, `${name}: its actor and its process`);
      assert.equal(known.downs.length, alive ? 0 : 1, `${name}: ${String(known.downs)}`);
      const { parent } = known.process;
      if (!alive) assert.ok(known.stops <= 1, `${name}: afterStop ${known.stops} times`);
      else if (parent !== systemPid) assert.ok(world.runtime.isAlive(parent!), `${name} has lost its parent`);
      const info = world.runtime.info(known.process);
      if (info === null) continue;
      assert.equal(known.stops, 0);
      assert.equal(info.mailboxLength, 0, `${name} has worked off all`);
      // Exit signals over links are handled, and its function does not see them.
      const exits = info.handled - known.handled;
      assert.ok(linked ? exits >= 0 : exits === 0, `${name}: ${info.handled} handled, ${known.handled} seen`);
      assert.equal(info.received, known.told + exits, name);
    }
    assert.ok(world.runtime.isAlive(systemPid));
  };

  for (const step of steps) {
    switch (step.do) {
      case 'spawn': {
        const parent = at(step.under);
        const living = parent !== undefined && step.under % 3 !== 0 && pidOf(parent.ref) !== undefined;
        spawnUnder(living ? (parent.ref as Ref<never>) : (system as Ref<never>), step.own, step.child);
        break;
      }
      case 'tell': {
        const known = at(step.to);
        if (known === undefined || pidOf(known.ref) === undefined) break;
        known.told++;
        linked ||= step.deed === 'link';
        tell(known.ref, { deed: step.deed, later: step.later, other: at(step.other) });
        break;
      }
      case 'wait':
        await check();
        break;
      default: {
        const known = at(step.whom);
        if (known === undefined) break;
        if (step.do === 'stop') stop(known.ref);
        else world.runtime.exit(known.process, step.do === 'kill' ? ExitReason.kill : ExitReason.shutdown);
      }
    }
  }
  await check();
  // And in the end nobody is left.
  world.runtime.exit(systemPid, ExitReason.shutdown);
  assert.equal(await world.endOf(systemPid), 'shutdown');
  assert.equal(world.runtime.processCount, 1, 'but the watcher');
}

test('a process lives as long as its actor, and everybody hears of its end once', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), play), { numRuns: RUNS });
});
