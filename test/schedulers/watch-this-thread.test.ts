import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { skip } from './guarded-world.js';

/** A program without threads of its own: one process runs away, another lives on, and the program ends by itself. */
const program = (limits: string): string => `
  import { Runtime } from '${fileURLToPath(new URL('../../src/actors/index.js', import.meta.url))}';
  import { NativeGuard, watchThisThread } from '${fileURLToPath(new URL('../../src/schedulers/index.js', import.meta.url))}';
  import { SystemClock } from '${fileURLToPath(new URL('../../src/structures/system-clock.js', import.meta.url))}';
  import { SystemRandom } from '${fileURLToPath(new URL('../../src/structures/system-random.js', import.meta.url))}';
  const guard = NativeGuard.attach();
  const events = (event) => console.log(event.type, event.label, event.reason?.type ?? '');
  const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom(), events, guard });
  watchThisThread(guard, ${limits});
  const runaway = runtime.spawn(() => ({ receive() { for (;;); } }), { label: 'runaway' });
  const other = runtime.spawn(() => ({ receive(message) { console.log('other', message); } }));
  runtime.send(runaway, 1);
  runtime.send(other, 'lives');
`;

describe('a runtime on the main thread', { skip }, () => {
  test('is watched by a thread that does not keep the program', () => {
    const script = program('{ longMs: 50, killMs: 200 }');
    const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.deepEqual(stdout.trim().split('\n'), ['crash runaway killed', 'other lives']);
  });
});
