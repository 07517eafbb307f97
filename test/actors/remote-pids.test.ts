import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RemotePids } from '../../src/actors/remote-pids.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('one object for each address while anybody holds it', () => {
  const pids = new RemotePids();
  const held = Array.from({ length: 5000 }, (_, n) => pids.of(1 + (n % 3), 2 ** 24 * (1 + n) + n));
  for (const pid of held) assert.equal(pids.of(pid.scheduler, pid.id), pid);
  assert.equal(pids.size, 5000);
});

test('what nobody holds is forgotten as others come', { timeout: 60_000 }, async () => {
  const pids = new RemotePids();
  const kept = pids.of(1, 5);
  // In rounds: an object lives at least until the end of the job that made it.
  for (let round = 0; round < 40; round++) {
    for (let n = 0; n < 5000; n++) pids.of(1 + round, 1000 + n);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.ok(pids.size < 60_000, `${pids.size} of 200,000 are still known`);
  assert.equal(pids.of(1, 5), kept);
});
