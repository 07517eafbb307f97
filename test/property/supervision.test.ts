/**
 * Random supervision trees, and strangers beside them, under random crashes, kills, links, requests and waits.
 *
 * At each end: all who are linked with it and do not trap exits have died with it, and nobody else. When the world has
 * come to rest: nobody lives whose supervisor does not; under a live supervisor every permanent child runs, once; what
 * supervisors say of their children is so; nobody is restarted who must not be. At the end of everything nothing is
 * left, and every monitor has fired once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Forest, type Group, isGroup, isLeaf, type Leaf, type Shape } from './forest.js';

const stopMs = fc.option(fc.constantFrom(0, 10, 200), { freq: 2 });
const startMs = fc.constantFrom(0, 0, 0, 20);
const restart = fc.constantFrom('permanent', 'permanent', 'transient', 'temporary');

const leaf: fc.Arbitrary<Leaf> = fc.record({
  restart,
  stopMs,
  startMs,
  significant: fc.boolean(),
});
const group: fc.Arbitrary<Group> = fc.record({
  kind: fc.constantFrom('dynamic', 'simple'),
  intensity: fc.integer({ min: 0, max: 4 }),
  size: fc.integer({ min: 0, max: 3 }),
  child: leaf,
});

const { tree } = fc.letrec<{ tree: Shape; node: Shape | Leaf | Group }>((tie) => ({
  tree: fc.record({
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    autoShutdown: fc.constantFrom('never', 'never', 'never', 'any_significant', 'all_significant'),
    intensity: fc.integer({ min: 0, max: 4 }),
    children: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
  }),
  node: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, group, tie('tree')),
}));

const reason = fc.constantFrom('normal', 'shutdown', 'boom', 'kill');
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('end' as const), at: fc.nat(), how: reason }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('link' as const), at: fc.nat(), to: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('stranger' as const), traps: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('monitor' as const), at: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('request' as const),
      at: fc.nat(),
      child: fc.nat(),
      what: fc.constantFrom('terminate', 'restart', 'delete'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 150, 6000) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('rest' as const) }) },
);

test('trees of supervisors under random ends', async () => {
  await fc.assert(
    fc.asyncProperty(tree, fc.array(action, { maxLength: 25 }), async (shape, actions) => {
      const forest = new Forest(shape);
      forest.settle();
      await forest.check();
      for (const action of actions) {
        switch (action.op) {
          case 'end':
            forest.end(action.at, action.how);
            break;
          case 'link':
            forest.link(action.at, action.to);
            break;
          case 'stranger':
            forest.stranger(action.traps);
            break;
          case 'monitor':
            forest.monitor(action.at);
            break;
          case 'request':
            forest.request(action.at, action.child, action.what);
            break;
          case 'wait':
            forest.advance(action.ms);
            break;
          case 'rest':
            forest.settle();
            await forest.check();
            break;
        }
      }
      forest.settle();
      await forest.check();
      forest.fell();
      forest.checkEnd();
    }),
    { numRuns: 200 },
  );
});

test('the shapes are told apart', () => {
  const one: Leaf = { restart: 'permanent', stopMs: null, startMs: 0, significant: false };
  const many: Group = { kind: 'simple', intensity: 1, size: 1, child: one };
  assert.deepEqual([isLeaf(one), isGroup(one), isLeaf(many), isGroup(many)], [true, false, false, true]);
});
