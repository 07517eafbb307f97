/** State machines and event managers on another scheduler than those who use them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EventManagerPid,
  GenEvent,
  GenStatem,
  type HandleEventFunction,
  type StatemPid,
} from '../../src/actors/index.js';
import { RingWorlds } from './ring-pair.js';

interface Door {
  state: 'open' | 'shut';
  data: number;
  call: readonly ['state', string];
  cast: 'push';
}

const door: HandleEventFunction<Door> = {
  init: () => GenStatem.ok('shut', 0),
  handleEvent(event, state, pushes) {
    if (event.type === 'call') return GenStatem.keepStateAndData(GenStatem.reply(event.from, state));
    return GenStatem.nextState(state === 'open' ? 'shut' : 'open', pushes + 1);
  },
};

test('a state machine of another scheduler is told and asked as one of the own', async () => {
  const rings = new RingWorlds(2);
  const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
  const pid = GenStatem.start<Door>(there.runtime, door).ok!;
  const remote = here.runtime.pid(pid.scheduler, pid.id) as StatemPid<Door>;
  GenStatem.cast(here.runtime, remote, 'push');
  const state = GenStatem.call(here.runtime, remote, 'state');
  rings.settle();
  assert.equal(await state, 'open');
  rings.close();
});

test('events reach the manager of another scheduler; its handlers are the business of that one', async () => {
  const rings = new RingWorlds(2);
  const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
  const pid = GenEvent.start<string>(there.runtime).ok!;
  const log: string[] = [];
  const handler = {
    init: () => GenEvent.ok(0),
    handleEvent(event: string, count: number) {
      log.push(`${count} ${event}`);
      return GenEvent.ok(count + 1);
    },
  };
  void there.runtime.wait(GenEvent.addHandler(pid, handler));
  const remote = here.runtime.pid(pid.scheduler, pid.id) as EventManagerPid<string>;
  rings.settle();
  GenEvent.notify(here.runtime, remote, 'one');
  const told = here.runtime.wait(GenEvent.syncNotify(remote, 'two'));
  rings.settle();
  assert.equal(await told, 'ok');
  assert.deepEqual(log, ['0 one', '1 two']);
  const refused = here.runtime.wait(GenEvent.addHandler(remote, handler));
  rings.settle();
  await assert.rejects(refused, /NotEncodable|cannot/);
  rings.close();
});
