/** The alarm handler: SASL's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AlarmEvent,
  Alarms,
  type Blocking,
  type EventHandler,
  ExitReason,
  GenEvent,
  type Swapped,
} from '../../src/actors/index.js';
import { World } from './world.js';

function alarmed() {
  const world = new World();
  const parent = world.puppet({ trapExit: true });
  parent.run((self) => assert.ok(Alarms.startLink(self as never).ok !== undefined));
  const run = <T>(blocking: Blocking<T>): Promise<T> => {
    const result = world.runtime.wait(blocking);
    world.runtime.flush();
    return result;
  };
  return { world, run };
}

test('alarms are set and cleared, newest first, and reported', async () => {
  const { world, run } = alarmed();
  const { runtime } = world;
  Alarms.set(runtime, { id: 'disk', description: '90 % full' });
  Alarms.set(runtime, { id: 'memory', description: 'low' });
  Alarms.set(runtime, { id: 'disk', description: '95 % full' });
  const get = async () => (await run(Alarms.get())).reply?.map(({ description }) => description);
  assert.deepEqual(await get(), ['95 % full', 'low', '90 % full']);
  Alarms.clear(runtime, 'disk');
  assert.deepEqual(await get(), ['low', '90 % full']);
  Alarms.clear(runtime, 'nothing');
  Alarms.clear(runtime, 'disk');
  assert.deepEqual(await get(), ['low']);
  assert.deepEqual(
    world.eventsOf('alarm_set').map(({ id }) => id),
    ['disk', 'memory', 'disk'],
  );
  assert.deepEqual(
    world.eventsOf('alarm_cleared').map(({ id }) => id),
    ['disk', 'nothing', 'disk'],
  );
});

test('another handler may take its place, and goes on with the alarms that there are', async () => {
  const { world, run } = alarmed();
  Alarms.set(world.runtime, { id: 'disk', description: 'full' });
  class Paging implements EventHandler<readonly string[], AlarmEvent, readonly ['paged', readonly string[]]> {
    init(_argument: undefined, swapped: Swapped | undefined) {
      const before = swapped?.type === 'result' ? (swapped.value as { id: string }[]) : [];
      return GenEvent.ok<readonly string[]>(before.map(({ id }) => id));
    }
    handleEvent(event: AlarmEvent, paged: readonly string[]) {
      return GenEvent.ok(event.type === 'set_alarm' ? [...paged, String(event.alarm.id)] : paged);
    }
    handleCall(_request: 'paged', paged: readonly string[]) {
      return GenEvent.reply(paged, paged);
    }
  }
  const paging = new Paging();
  const out = { handler: Alarms.handler, argument: 'swap' };
  assert.deepEqual(
    await run(GenEvent.swapHandler(Alarms.name, out, { handler: paging, argument: undefined })),
    {
      ok: true,
    },
  );
  Alarms.set(world.runtime, { id: 'memory', description: 'low' });
  assert.deepEqual((await run(GenEvent.call(Alarms.name, paging, 'paged'))).reply, ['disk', 'memory']);
  assert.deepEqual(await run(Alarms.get()), { error: { type: 'bad_module' } });
});

test('there is one, and without it alarms cannot be set', async () => {
  const { world } = alarmed();
  const second = world.puppet();
  second.run((self) => {
    assert.equal(Alarms.startLink(self as never).error?.type, 'already_started');
  });
  world.runtime.exit(world.runtime.whereis(Alarms.name)!, ExitReason.kill);
  assert.throws(
    () => Alarms.set(world.runtime, { id: 1, description: 2 }),
    /nobody is registered as alarm_handler/,
  );
});
