/** What callbacks of GenStatem must not return, and callbacks that wait. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Blocking,
  Exit,
  ExitReason,
  GenStatem,
  type HandleEventFunction,
  type Pid,
  receive,
  StatemError,
  started,
} from '../../src/actors/index.js';
import { type Machine, machine, onCast, type Result } from './statem-world.js';
import { World } from './world.js';

const { keepState, keepStateAndData, nextState, postpone, nextEvent, ok } = GenStatem;

describe('what must not be returned', () => {
  const bad = (result: unknown, more: Partial<HandleEventFunction<Machine>> = {}) => {
    const made = machine((event) => (event.type === 'cast' ? (result as Result) : keepStateAndData()), more);
    made.cast('go');
    const reason = made.world.runtime.exitReasonOf(made.pid);
    assert.ok(reason?.type === 'error' && reason.error instanceof StatemError);
    return { ...made, error: reason.error };
  };

  test('no result, no action, no reply', () => {
    for (const value of [undefined, null, 'oops', { type: 'oops' }, [keepStateAndData()]]) {
      const { error } = bad(value);
      assert.deepEqual([error.kind, error.value], ['bad_return_from_state_function', value]);
    }
    const actions: unknown[] = [
      'oops',
      null,
      { type: 'reply', from: 'nobody', reply: 1 },
      { type: 'postpone', postpone: 'yes' },
      { type: 'hibernate', hibernate: 1 },
      { type: 'next_event', event: 'enter', content: 1 },
      { type: 'next_event', event: 'call', content: 1 },
      { type: 'generic_timeout', time: 1, content: 1, absolute: false },
      GenStatem.popCallbackModule,
    ];
    for (const action of actions) {
      const { error } = bad({ type: 'keep_state_and_data', actions: [action] });
      assert.deepEqual([error.kind, error.value], ['bad_action_from_state_function', action]);
    }
    const { error } = bad({ type: 'stop_and_reply', reason: ExitReason.normal, replies: [postpone] });
    assert.deepEqual([error.kind, error.value], ['bad_reply_action_from_state_function', postpone]);
  });

  test('an enter call neither leaves the state nor postpones nor inserts', () => {
    const actions = [
      postpone,
      nextEvent('internal', 1),
      GenStatem.changeCallbackModule({}),
      GenStatem.pushCallbackModule({}),
    ];
    for (const action of actions) {
      const enter = (_before: string, state: string) =>
        keepStateAndData(state === 'b' ? [action as never] : []);
      const { error, log } = bad(nextState('b', 'd2'), { enter });
      assert.deepEqual([error.kind, error.value], ['bad_state_enter_action_from_state_function', action]);
      assert.match(log.at(-1)!, / in b with d2$/);
    }
    const away = nextState('c', 'd3');
    const { error, log } = bad(nextState('b', 'd2'), {
      enter: (_before, state) => (state === 'b' ? (away as never) : keepStateAndData()),
    });
    assert.deepEqual([error.kind, error.value], ['bad_state_enter_return_from_state_function', away]);
    assert.match(log.at(-1)!, / in b with d2$/);
  });

  test('terminate sees what was before when a callback throws, and what it asked for when its actions are bad', () => {
    const thrown = machine(onCast({ go: nextState('b', 'd2') }), {
      enter(_before, state) {
        if (state === 'b') throw new Error('no');
        return keepStateAndData();
      },
    });
    thrown.cast('go');
    assert.equal(thrown.log.at(-1), 'terminate error: no in start with 0');
    const { log } = bad({ type: 'next_state', state: 'b', data: 'd2', actions: 'oops' });
    assert.match(log.at(-1)!, / in b with d2$/);
  });

  test('callbacks of no mode', () => {
    const world = new World();
    const pid = GenStatem.start<Machine>(world.runtime, { init: () => ok('a', 0) } as never).ok!;
    world.runtime.flush();
    const reason = world.runtime.exitReasonOf(pid);
    assert.ok(reason?.type === 'error' && reason.error instanceof StatemError);
    assert.equal(reason.error.kind, 'bad_return_from_callback_mode');
  });
});

describe('callbacks that wait', () => {
  test('generators and promises; the machine takes nothing else meanwhile', async () => {
    const world = new World();
    const seen: unknown[] = [];
    let resolve!: (value: string) => void;
    const promise = new Promise<string>((done) => {
      resolve = done;
    });
    const pid = GenStatem.start<Machine>(world.runtime, {
      *init() {
        seen.push(`init ${yield* receive('begin')}`);
        return ok('start', 0);
      },
      *enter(before, state) {
        seen.push(`entering ${before} ${state} ${yield* receive('entered')}`);
        return keepState(1);
      },
      *handleEvent(event): Blocking<Result> {
        seen.push(event.content);
        return event.content === 'later' ? nextState('other', yield* receive('now')) : keepStateAndData();
      },
      async terminate() {
        seen.push(`terminating ${await promise}`);
      },
    });
    assert.ok(pid.pending !== undefined);
    const outcome = world.runtime.wait(started(pid));
    world.runtime.flush();
    const child = [...world.runtime.processes()].find(
      (process) => process.label === 'gen_statem',
    ) as unknown as Pid<unknown>;
    for (const message of ['x', 'begin', 'entered', 'y']) world.runtime.send(child, message);
    world.runtime.flush();
    assert.deepEqual((await outcome).ok, child);
    world.runtime.cast(child, 'later');
    for (const message of ['z', 'now', 'entered']) world.runtime.send(child, message);
    world.runtime.flush();
    assert.deepEqual(seen, [
      'init begin',
      'entering start start entered',
      'x',
      'y',
      'later',
      'entering start other entered',
      'z',
    ]);
    const end = world.runtime.stop(child);
    world.runtime.flush();
    assert.equal(world.runtime.isAlive(child), true);
    resolve('at last');
    await promise;
    await Promise.resolve();
    world.runtime.flush();
    await end;
    assert.equal(seen.at(-1), 'terminating at last');
  });

  test('a thrown value is the result; an Error and an exit are not', () => {
    const { log, cast, pid, world } = machine((event) => {
      if (event.content === 'move') throw nextState('other', 1);
      if (event.content === 'leave') throw new Exit(ExitReason.custom('left'));
      return keepStateAndData();
    });
    cast('move');
    cast('leave');
    assert.deepEqual(log, ['cast move in start', 'cast leave in other', 'terminate left in other with 1']);
    assert.deepEqual(world.runtime.exitReasonOf(pid), ExitReason.custom('left'));
  });

  test('long chains of own events need no stack, also with generators', () => {
    for (const waits of [false, true]) {
      let count = 0;
      const step = () => {
        count++;
        return keepStateAndData(count < 20_000 ? nextEvent('internal', count) : []);
      };
      const { cast } = machine(
        waits
          ? // biome-ignore lint/correctness/useYield: a generator that never has to wait
            function* () {
              return step();
            }
          : step,
      );
      cast('go');
      assert.equal(count, 20_000);
    }
  });

  test('a machine that is killed in its own callback does nothing any more', () => {
    const world = new World();
    const made = machine(
      (event) => {
        if (event.type === 'cast') world.runtime.exit(made.pid, ExitReason.kill);
        return nextState('other', 0, nextEvent('internal', 1));
      },
      {
        enter(_before, state) {
          if (state !== 'start') made.log.push(`entered ${state}`);
          return keepStateAndData();
        },
      },
      world,
    );
    made.cast('go');
    assert.deepEqual(made.log, ['cast go in start']);
    assert.deepEqual(world.runtime.exitReasonOf(made.pid), ExitReason.killed);
  });
});
