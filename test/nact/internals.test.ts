/** What src/nact relies on inside of nact is there: another version of the package has to pass this first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurePersistence, spawn, spawnPersistent, start, stop } from 'nact';
// @ts-expect-error nact has no types for its tests
import mock from 'nact/test/mock-persistence-engine.js';
import {
  defaultSupervisionPolicy,
  persistence,
  SupervisionActions,
  systemMap,
} from '../../src/nact/nact-internals.js';
import { concreteOf } from '../../src/nact/pid-of.js';
import { spawnActor, startSystem, systemName } from './nact-world.js';

const functionsOf = (object: object, names: readonly string[]) =>
  names.filter((name) => typeof (object as Record<string, unknown>)[name] !== 'function');
const missing = (object: object, names: readonly string[]) => names.filter((name) => !(name in object));

test('an actor has what its process takes the place of, and the fields that it reads', () => {
  const system = start(configurePersistence(new mock.MockPersistenceEngine()));
  const idle = spawn(system, () => undefined, 'plain', { shutdownAfter: 1e6 });
  const plain = concreteOf(idle)!;
  const persistent = concreteOf(spawnPersistent(system, () => undefined, 'key', 'persistent'))!;
  for (const actor of [plain, persistent]) {
    assert.deepEqual(
      functionsOf(actor, [
        'dispatch',
        'stop',
        'reset',
        'processNext',
        'handleFault',
        'childSpawned',
        'setTimeout',
        'clearTimeout',
        'afterMessage',
        'createContext',
        'f',
        'onCrash',
        'afterStop',
      ]),
      [],
    );
    assert.deepEqual(
      missing(actor, ['name', 'reference', 'children', 'stopped', 'state', 'busy', 'mailbox', 'parent']),
      [],
    );
  }
  assert.ok('shutdownPeriod' in plain && 'persistenceEngine' in persistent);
  const concrete = concreteOf(system)!;
  assert.deepEqual(functionsOf(concrete, ['stop', 'childSpawned', 'handleFault', 'find']), []);
  assert.deepEqual(missing(concrete, ['name', 'reference', 'children', 'stopped']), []);
  // nact does not stop the actors of a system with it, and its timer would keep the program alive.
  stop(idle);
  stop(system);
});

test('a parent hears of a child before the child’s constructor has set its policy, and behind its mailbox', () => {
  const system = startSystem(systemName());
  const concrete = concreteOf(system) as { childSpawned(child: Record<string, unknown>): void };
  const childSpawned = concrete.childSpawned.bind(concrete);
  let seen: unknown[] = [];
  concrete.childSpawned = (child) => {
    seen = ['mailbox', 'afterStop', 'reference', 'onCrash'].map((name) => child[name] !== undefined);
    childSpawned(child);
  };
  spawnActor(system, () => undefined, 'child');
  assert.deepEqual(seen, [true, true, true, false]);
  stop(system);
});

test('the map of systems is asked and told through its module', () => {
  const name = systemName();
  const system = startSystem(name);
  assert.equal(systemMap.find(name), concreteOf(system));
  systemMap.remove(name);
  assert.equal(systemMap.find(name), undefined);
});

test('the decisions of policies are symbols, and there is a policy by default', () => {
  assert.deepEqual(Object.keys(SupervisionActions).sort(), [
    'escalate',
    'reset',
    'resetAll',
    'resetAllChildren',
    'resetChild',
    'resume',
    'stop',
    'stopAll',
    'stopAllChildren',
    'stopChild',
  ]);
  assert.ok(Object.values(SupervisionActions).every((action) => typeof action === 'symbol'));
  assert.equal(typeof defaultSupervisionPolicy, 'function');
  const event = new persistence.PersistedEvent('data', 1, 'key', ['b', 'a'], 5, true);
  assert.deepEqual(
    { ...event },
    {
      data: 'data',
      tags: ['a', 'b'],
      sequenceNumber: 1,
      key: 'key',
      createdAt: 5,
      isDeleted: true,
    },
  );
});
