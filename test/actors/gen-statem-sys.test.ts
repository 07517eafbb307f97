/** GenStatem under sys. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitReason, GenStatem, type HandleEventFunction, sys } from '../../src/actors/index.js';
import { type Machine, machine, onCast, words } from './statem-world.js';
import type { World } from './world.js';

const { keepStateAndData, reply, postpone, nextEvent, timeout, stateTimeout, genericTimeout } = GenStatem;

describe('sys', () => {
  const wait = <T>(
    world: World,
    blocking: Generator<never, T, never> | ReturnType<typeof sys.getState<T>>,
  ) => {
    const result = world.runtime.wait(blocking as never) as Promise<T>;
    world.runtime.flush();
    return result;
  };

  test('shows and replaces state and data; what is no such pair is refused', async () => {
    const { world, pid, cast, log } = machine();
    assert.deepEqual(await wait(world, sys.getState(pid)), { state: 'start', data: 0 });
    await wait(
      world,
      sys.replaceState(pid, () => ({ state: 'other', data: 1 })),
    );
    cast('x');
    assert.deepEqual(log, ['cast x in other']);
    await assert.rejects(
      wait(
        world,
        sys.replaceState<unknown>(pid, () => 'nonsense'),
      ),
    );
    assert.deepEqual(await wait(world, sys.getState(pid)), { state: 'other', data: 1 });
  });

  test('status has what is postponed and which timeouts are set; formatStatus may hide it', async () => {
    const handle = onCast({
      later: keepStateAndData(postpone),
      set: keepStateAndData([stateTimeout(50, 's'), genericTimeout('n', 60, 'g'), timeout(70, 'e')]),
    });
    const { world, pid, cast } = machine(handle);
    cast('later');
    cast('set');
    const { state } = await wait(world, sys.getStatus(pid));
    assert.deepEqual(JSON.parse(JSON.stringify(state)), {
      state: 'start',
      data: 0,
      postponed: [{ type: 'cast', content: 'later', from: null }],
      timeouts: [
        { type: 'timeout', content: 'e' },
        { type: 'state_timeout', content: 's' },
        { type: 'generic_timeout', name: 'n', content: 'g' },
      ],
    });
    const secret = machine(handle, { formatStatus: (status) => ({ ...status, state: 'secret' }) });
    assert.equal((await wait(secret.world, sys.getStatus(secret.pid))).state, 'secret');
  });

  test('statistics count the events that the machine has made itself', async () => {
    const { world, pid, cast } = machine((event) => {
      if (event.type === 'cast') return keepStateAndData([nextEvent('internal', 1), stateTimeout(0)]);
      return keepStateAndData(event.type === 'call' ? reply(event.from as never, 1 as never) : []);
    });
    await wait(world, sys.statistics(pid, true));
    cast('x');
    const answer = GenStatem.call(world.runtime, pid as never, 'y' as never);
    world.runtime.flush();
    await answer;
    const statistics = await wait(world, sys.statistics(pid, 'get'));
    assert.ok(typeof statistics === 'object');
    assert.deepEqual([statistics.messagesIn, statistics.messagesOut], [4, 1]);
  });

  test('code changes while it is suspended: new callbacks, state and data; what fails leaves the old ones', async () => {
    const { world, pid, cast, log } = machine();
    const seen: string[] = [];
    const next: HandleEventFunction<Machine> = {
      version: 2,
      init: () => GenStatem.ignore,
      handleEvent(event, state, data) {
        seen.push(`${words(event, state)} with ${String(data)}`);
        return keepStateAndData();
      },
      codeChange: (oldVersion, state, data, extra) =>
        extra === 'fail'
          ? { type: 'error', reason: ExitReason.custom('no') }
          : { type: 'ok', state: `${state} from ${String(oldVersion)}`, data: Number(data) + 5 },
    };
    await wait(world, sys.suspend(pid));
    cast('x');
    const failed = await wait(world, sys.changeCode(pid, { callbacks: next, oldVersion: 1, extra: 'fail' }));
    assert.deepEqual(failed, { error: ExitReason.custom('no') });
    assert.deepEqual(await wait(world, sys.changeCode(pid, { callbacks: next, oldVersion: 1 })), {
      ok: true,
    });
    await wait(world, sys.resume(pid));
    assert.deepEqual(seen, ['cast x in start from 1 with 5']);
    assert.deepEqual(log, []);
    assert.equal((await wait(world, sys.getStatus(pid))).version, 2);
  });

  test('the end of a machine is reported with the event that it had and what it was', () => {
    const { world, cast } = machine((event) => {
      if (event.content === 'boom') throw new Error('boom');
      return keepStateAndData();
    });
    cast('boom');
    const [event] = world.eventsOf('behaviour_terminated');
    assert.equal(event!.behaviour, 'GenStatem');
    assert.deepEqual((event!.lastMessage as { content: unknown }).content, 'boom');
    assert.equal((event!.state as { state: unknown }).state, 'start');
  });
});
