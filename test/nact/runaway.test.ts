/** A nact actor that never returns is cut off like any process, and its peers go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nactActor, pidOf, refOf } from '../../src/nact/index.js';
import { joinSystem } from '../../src/nact/nact-system.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { GuardedWorld, skip } from '../schedulers/guarded-world.js';
import { spawnActor, startSystem, systemName, tell } from './nact-world.js';

test('an endless loop in an actor ends it alone; its supervisor starts it again', { skip }, () => {
  const world = new GuardedWorld();
  try {
    const { runtime } = world;
    const system = startSystem(systemName());
    joinSystem(runtime, system);
    const kept: unknown[] = [];
    const peer = spawnActor(system, (_state, message) => kept.push(message), 'peer');
    const started = Supervisor.start(runtime, {
      children: [
        nactActor(
          'runaway',
          (parent) =>
            spawnActor(parent, (_state, message) => {
              if (message === 'loop') world.loop();
              kept.push(message);
            }),
          { system, name: 'runaway' },
        ),
      ],
    });
    assert.ok(started.ok !== undefined);
    const culprit = runtime.whereis('runaway')!;
    const ref = refOf(culprit)!;
    tell(ref, 'loop');
    tell(ref, 'behind the loop');
    tell(peer, 'the peer goes on');
    world.turns();
    assert.equal(runtime.exitReasonOf(culprit)?.type, 'killed');
    assert.deepEqual(world.crashes, ['runaway killed NactActor.receive']);
    assert.equal(pidOf(ref), undefined);
    const next = runtime.whereis('runaway');
    assert.ok(next !== undefined && next !== culprit);
    runtime.send(next, 'again');
    world.turns();
    assert.deepEqual(kept, ['the peer goes on', 'again']);
  } finally {
    world.close();
  }
});
