/** Timeouts of GenStatem. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GenStatem, StatemError } from '../../src/actors/index.js';
import { machine, onCast } from './statem-world.js';
import { World } from './world.js';

const { keepStateAndData, nextState, postpone, nextEvent, timeout, stateTimeout, genericTimeout } = GenStatem;

describe('timeouts', () => {
  test('those of 0 ms wait until no event of the machine is left; then in the order in which they were set', () => {
    const { log, cast } = machine((event, state) => {
      if (event.type === 'cast' && event.content === 'go') {
        return keepStateAndData([
          genericTimeout('a', 0, 'A'),
          stateTimeout(0, 'S'),
          genericTimeout('b', 0, 'B'),
          nextEvent('internal', 'i'),
        ]);
      }
      if (event.type === 'internal') return keepStateAndData(genericTimeout('a', 0, 'A again'));
      return state === 'start' && event.type === 'state_timeout'
        ? nextState('other', 0, genericTimeout('b', 'cancel'))
        : keepStateAndData();
    });
    cast('go');
    assert.deepEqual(log, [
      'cast go in start',
      'internal i in start',
      'state_timeout S in start',
      'generic_timeout a A again in other',
    ]);
  });

  test('setting one that is due to a later time takes it back', () => {
    const { world, log, cast } = machine((event) => {
      if (event.type === 'cast')
        return keepStateAndData([stateTimeout(0, 'now'), nextEvent('internal', 'i')]);
      return event.type === 'internal' ? keepStateAndData(stateTimeout(50, 'later')) : keepStateAndData();
    });
    cast('go');
    assert.deepEqual(log, ['cast go in start', 'internal i in start']);
    world.advance(50);
    assert.deepEqual(log.slice(2), ['state_timeout later in start']);
  });

  test('of several for one kind in one list the last counts; cancel and Infinity end it', () => {
    const { world, log, cast } = machine(
      onCast({
        twice: keepStateAndData([
          genericTimeout(1, 10, 'one'),
          genericTimeout('1', 10, 'text'),
          genericTimeout(1, 30, 'two'),
        ]),
        cancel: keepStateAndData(genericTimeout(1, 'cancel')),
        infinity: keepStateAndData(genericTimeout('1', Number.POSITIVE_INFINITY)),
      }),
    );
    cast('twice');
    world.advance(20);
    world.advance(20);
    cast('twice');
    cast('cancel');
    cast('infinity');
    world.advance(100);
    assert.deepEqual(log, [
      'cast twice in start',
      'generic_timeout 1 text in start',
      'generic_timeout 1 two in start',
      'cast twice in start',
      'cast cancel in start',
      'cast infinity in start',
    ]);
  });

  test('update changes the content and not the time; of one that does not run it is 0 ms', () => {
    const { world, log, cast } = machine(
      onCast({
        set: keepStateAndData(stateTimeout(100, 'old')),
        update: keepStateAndData(stateTimeout('update', 'new')),
      }),
    );
    cast('update');
    cast('set');
    world.advance(60);
    cast('update');
    world.advance(39);
    assert.deepEqual(log.length, 4);
    world.advance(1);
    assert.deepEqual(log, [
      'cast update in start',
      'state_timeout new in start',
      'cast set in start',
      'cast update in start',
      'state_timeout new in start',
    ]);
  });

  test('absolute times are those of the clock; one that has passed comes behind what waits already', () => {
    const world = new World();
    world.clock.advance(1_000);
    const now = world.clock.now();
    const made = machine(
      (event, state) => {
        if (event.type !== 'cast') return keepStateAndData();
        if (event.content === 'past') world.runtime.cast(made.pid, 'queued');
        if (event.content === 'past') return keepStateAndData(timeout(now - 5, 'past', { absolute: true }));
        if (event.content === 'future')
          return keepStateAndData(stateTimeout(now + 70, 'future', { absolute: true }));
        return keepStateAndData(state === 'never' ? postpone : undefined);
      },
      {},
      world,
    );
    made.cast('past');
    made.cast('future');
    world.advance(69);
    assert.deepEqual(made.log, ['cast past in start', 'cast queued in start', 'cast future in start']);
    world.advance(1);
    assert.deepEqual(made.log.slice(3), ['state_timeout future in start']);
  });

  test('one that is over but still waits in the mailbox is taken back when it is cancelled', () => {
    const world = new World();
    const made = machine(
      onCast({
        arm: keepStateAndData(stateTimeout(10, 'over')),
        move: nextState('other', 0),
      }),
      {},
      world,
    );
    made.cast('arm');
    world.runtime.cast(made.pid, 'move');
    world.clock.advance(10);
    world.runtime.flush();
    assert.deepEqual(made.log, ['cast arm in start', 'cast move in start']);
    const { mailboxLength, received, handled } = world.runtime.info(made.pid)!;
    assert.deepEqual([mailboxLength, received, handled], [0, 2, 2]);
  });

  test('bad times end the machine', () => {
    for (const time of [-1, Number.NaN, '10', undefined]) {
      const { world, cast, pid } = machine(onCast({ go: keepStateAndData(timeout(time as number)) }));
      cast('go');
      const reason = world.runtime.exitReasonOf(pid);
      assert.ok(reason?.type === 'error' && reason.error instanceof StatemError, String(time));
      assert.equal(reason.error.kind, 'bad_action_from_state_function');
    }
  });
});
