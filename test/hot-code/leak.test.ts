/** Versions that nobody runs are freed. Run with --expose-gc in a process of its own: what else lives here must not count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { by, CodeWorld, code } from './code-world.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const VERSIONS = 1000;

test(`of ${VERSIONS} versions that were purged none is left, and memory is flat`, async () => {
  const world = new CodeWorld();
  const { pid, process } = world.start();
  const versions: WeakRef<object>[] = [];
  const ballast = '// '.padEnd(32 * 1024, 'x');
  let early = 0;
  for (let at = 1; at <= VERSIONS; at++) {
    const text = `${ballast}\nconst version = ${at};\nexports.receive = (state) => { state.count = version; };`;
    await world.server.load([code('tally', text)], { ...by, automatic: false });
    world.say(pid);
    assert.equal(process.state.count, at);
    versions.push(new WeakRef(world.slot.current.exports));
    assert.deepEqual((await world.server.purge('ada', '', ['tally'])).purged, ['tally']);
    // What is told and written down is the test's own.
    world.told.length = 0;
    world.records.length = 0;
    if (at === VERSIONS / 5) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
      early = globalThis.process.memoryUsage().heapUsed;
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const living = versions.filter((version) => version.deref() !== undefined).length;
  assert.equal(living, 1, 'the current one');
  assert.equal(process.state.count, VERSIONS);
  const grown = globalThis.process.memoryUsage().heapUsed - early;
  assert.ok(
    grown < 4 * 1024 * 1024,
    `the heap has grown by ${grown} bytes in ${VERSIONS * 0.8} versions of 32 KiB`,
  );
});
