import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Watchers } from '../../src/chat/watchers.js';

test('both directions agree with a set of pairs, and nothing empty is kept', () => {
  const name = fc.integer({ min: 0, max: 6 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), watcher: name, watched: name }),
    fc.record({ kind: fc.constant('remove' as const), watcher: name, watched: name }),
    fc.record({ kind: fc.constant('end' as const), watcher: name, watched: name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const watchers = new Watchers<number, number>();
      let pairs: [number, number][] = [];
      for (const { kind, watcher, watched } of steps) {
        const had = pairs.some(([a]) => a === watcher);
        if (kind === 'add') {
          assert.equal(watchers.add(watcher, watched), !had);
          if (!pairs.some(([a, b]) => a === watcher && b === watched)) pairs.push([watcher, watched]);
        } else if (kind === 'remove') {
          pairs = pairs.filter(([a, b]) => a !== watcher || b !== watched);
          assert.equal(watchers.remove(watcher, watched), !pairs.some(([a]) => a === watcher));
        } else {
          watchers.removeWatcher(watcher);
          pairs = pairs.filter(([a]) => a !== watcher);
        }
        for (let user = 0; user <= 6; user++) {
          const expected = pairs.filter(([, b]) => b === user).map(([a]) => a);
          assert.deepEqual([...(watchers.of(user) ?? [])].sort(), expected.sort());
        }
        assert.equal(watchers.watchedCount, new Set(pairs.map(([, b]) => b)).size);
        assert.equal(watchers.watcherCount, new Set(pairs.map(([a]) => a)).size);
      }
    }),
  );
});
