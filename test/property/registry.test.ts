/** A registry against the plainest one: a list of entries that is filtered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExitReason, type Pid } from '../../src/actors/index.js';
import { Registry } from '../../src/registry/index.js';
import { type Puppet, World } from '../actors/world.js';

interface ModelEntry {
  readonly key: string;
  readonly pid: Pid<unknown>;
  readonly value: number;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('register'), who: fc.nat(5), key: fc.nat(4), value: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('unregister'),
      who: fc.nat(5),
      key: fc.nat(4),
      value: fc.constant(0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('unregister_match'),
      who: fc.nat(5),
      key: fc.nat(4),
      value: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('kill'),
      who: fc.nat(5),
      key: fc.constant(0),
      value: fc.constant(0),
    }),
  },
);

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

function assertSame(
  registry: Registry<string, number>,
  model: readonly ModelEntry[],
  puppets: readonly Puppet[],
): void {
  assert.equal(registry.count, model.length);
  for (const key of ['0', '1', '2', '3', '4']) {
    const found = registry.lookup(key).sort(byText);
    const wanted = model.filter((entry) => entry.key === key).map(({ pid, value }) => ({ pid, value }));
    assert.deepEqual(found, wanted.sort(byText));
    if (registry.keysAre === 'unique') assert.equal(registry.whereis(key), wanted[0]?.pid);
  }
  for (const { pid } of puppets) {
    const keys = model.filter((entry) => entry.pid === pid).map(({ key }) => key);
    assert.deepEqual(registry.keys(pid).sort(), keys.sort());
  }
}

for (const keys of ['unique', 'duplicate'] as const) {
  test(`a registry of ${keys} keys holds what a list of entries holds`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(1, 3), (steps, partitions) => {
        const world = new World();
        const registry = new Registry<string, number>(world.runtime, { keys, partitions });
        const puppets = Array.from({ length: 6 }, () => world.puppet());
        let model: ModelEntry[] = [];
        for (const { op, who, key: number, value } of steps) {
          const key = String(number);
          const { pid } = puppets[who]!;
          if (op === 'register') {
            const taken = keys === 'unique' ? model.find((entry) => entry.key === key) : undefined;
            const result = registry.register(pid, key, value);
            assert.equal(result.error?.pid, taken?.pid);
            if (taken === undefined) model.push({ key, pid, value });
          } else if (op === 'kill') {
            world.runtime.exit(pid, ExitReason.kill);
            model = model.filter((entry) => entry.pid !== pid);
            puppets[who] = world.puppet();
          } else {
            const goes = (entry: ModelEntry) =>
              entry.key === key && entry.pid === pid && (op === 'unregister' || entry.value === value);
            const removed =
              op === 'unregister'
                ? registry.unregister(pid, key)
                : registry.unregisterMatch(pid, key, (one) => one === value);
            assert.equal(removed, model.some(goes));
            model = model.filter((entry) => !goes(entry));
          }
          assertSame(registry, model, puppets);
        }
        for (const { pid } of puppets) world.runtime.exit(pid, ExitReason.kill);
        assert.equal(registry.count, 0);
      }),
    );
  });
}
