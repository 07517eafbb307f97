/** GenStatem: what the recorded scenarios of conformance do not show, after the themes of OTP's gen_statem suite. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  call,
  ExitReason,
  GenStatem,
  type HandleEventFunction,
  type Pid,
  receive,
  type StateFunctions,
} from '../../src/actors/index.js';
import { type Machine, machine, type Result, words } from './statem-world.js';
import { reasonOf, World } from './world.js';

const {
  keepState,
  keepStateAndData,
  nextState,
  repeatStateAndData,
  reply,
  postpone,
  nextEvent,
  stateTimeout,
  ok,
} = GenStatem;

describe('state functions', () => {
  interface Traffic {
    states: { red: { seen: number }; green: { seen: number; since: string } };
    cast: 'go' | 'stop' | 'odd';
    call: readonly ['colour', string] | readonly [{ type: 'add'; by: number }, number];
    timeout: 'amber';
  }

  class Light implements StateFunctions<Traffic> {
    readonly log: string[] = [];
    init() {
      return ok('red', { seen: 0 });
    }
    readonly states: StateFunctions<Traffic>['states'] = {
      red: (event, data) => {
        this.log.push(`red ${event.type}`);
        if (event.type === 'cast' && event.content === 'go') {
          return nextState('green', { seen: data.seen + 1, since: 'red' }, stateTimeout(100, 'amber'));
        }
        if (event.type === 'call' && event.tag === 'colour')
          return keepStateAndData(reply(event.from, 'red'));
        if (event.type === 'call' && event.tag === 'add') {
          const seen = data.seen + event.content.by;
          return keepState({ seen }, reply(event.from, seen));
        }
        return keepStateAndData(postpone);
      },
      green: {
        enter: (before, data) => {
          this.log.push(`green entered from ${before}`);
          return keepState({ ...data, seen: data.seen + 10 });
        },
        handle: (event, data) => {
          this.log.push(`green ${event.type}`);
          if (event.type === 'state_timeout') return nextState('red', { seen: data.seen });
          if (event.type === 'cast' && event.content === 'odd')
            return nextState('blue' as never, data as never);
          if (event.type === 'call' && event.tag === 'add') {
            return keepStateAndData(reply(event.from, data.seen));
          }
          return keepStateAndData();
        },
      },
    };
  }

  test('each state has its handler and its data; only states that want to hear that they are entered', async () => {
    const world = new World();
    const light = new Light();
    const pid = GenStatem.start<Traffic>(world.runtime, light).ok!;
    const answers = [
      GenStatem.call(world.runtime, pid, 'colour'),
      GenStatem.call(world.runtime, pid, { type: 'add', by: 5 }),
    ];
    GenStatem.cast(world.runtime, pid, 'stop');
    GenStatem.cast(world.runtime, pid, 'go');
    answers.push(GenStatem.call(world.runtime, pid, { type: 'add', by: 0 }));
    world.advance(100);
    assert.deepEqual(await Promise.all(answers), ['red', 5, 16]);
    assert.deepEqual(light.log, [
      'red call',
      'red call',
      'red cast',
      'red cast',
      'green entered from red',
      'green cast',
      'green call',
      'green state_timeout',
    ]);
    assert.equal(world.runtime.isAlive(pid), true);
  });

  test('a state without a handler ends the machine', () => {
    const world = new World();
    const light = new Light();
    const pid = GenStatem.start<Traffic>(world.runtime, light).ok!;
    GenStatem.cast(world.runtime, pid, 'go');
    GenStatem.cast(world.runtime, pid, 'odd');
    world.runtime.flush();
    assert.equal(
      reasonOf(world.runtime.exitReasonOf(pid)),
      'error: the machine has no handler for the state blue',
    );
  });

  test('names that every object knows are no states', () => {
    const world = new World();
    const callbacks = { init: () => ok('toString', 0), states: {} };
    const pid = GenStatem.start<{ states: { toString: number } }>(world.runtime, callbacks as never).ok!;
    world.runtime.flush();
    assert.match(String(reasonOf(world.runtime.exitReasonOf(pid))), /no handler for the state toString/);
  });
});

describe('states', () => {
  test('are the same if they are equal as data', () => {
    const world = new World();
    const entered: unknown[] = [];
    interface Locks {
      state: { readonly kind: string; readonly left: readonly number[] };
      cast: Locks['state'];
    }
    const pid = GenStatem.start<Locks>(world.runtime, {
      init: () => ok({ kind: 'locked', left: [1, 2] }, undefined),
      handleEvent: (event) =>
        event.type === 'cast' ? nextState(event.content, undefined) : keepStateAndData(),
      enter(before, state) {
        entered.push([before.left, state.left]);
        return keepStateAndData();
      },
    }).ok!;
    for (const left of [[1, 2], [1], [1], []]) GenStatem.cast(world.runtime, pid, { kind: 'locked', left });
    GenStatem.cast(world.runtime, pid, { kind: 'open', left: [] });
    world.runtime.flush();
    assert.deepEqual(entered, [
      [
        [1, 2],
        [1, 2],
      ],
      [[1, 2], [1]],
      [[1], []],
      [[], []],
    ]);
  });

  test('a machine may say itself when they are', () => {
    const entered: string[] = [];
    const { cast } = machine(
      (event) => (event.type === 'cast' ? nextState(String(event.content), 0) : keepStateAndData()),
      {
        sameState: (one, other) => one.toLowerCase() === other.toLowerCase(),
        enter(_before, state) {
          entered.push(state);
          return keepStateAndData();
        },
      },
    );
    for (const state of ['START', 'b', 'B', 'c']) cast(state);
    assert.deepEqual(entered, ['start', 'b', 'c']);
  });
});

describe('callback modules', () => {
  test('change, push and pop take effect with the next callback', () => {
    const log: string[] = [];
    const named = (
      name: string,
      results: { readonly [message: string]: Result },
    ): HandleEventFunction<Machine> => ({
      init: () => ok('start', 0),
      handleEvent(event, state) {
        log.push(`${name}: ${words(event, state)}`);
        return results[String(event.content)] ?? keepStateAndData();
      },
      enter(_before, state) {
        log.push(`${name}: enters ${state}`);
        return keepStateAndData();
      },
      terminate() {
        log.push(`${name}: terminates`);
      },
    });
    const third = named('third', { pop: keepStateAndData(GenStatem.popCallbackModule) });
    const second = named('second', {
      change: nextState('b', 0, GenStatem.changeCallbackModule(third)),
    });
    const first = named('first', {
      push: keepStateAndData([GenStatem.pushCallbackModule(second), nextEvent('internal', 'inserted')]),
    });
    const world = new World();
    const pid = GenStatem.start<Machine>(world.runtime, first).ok!;
    for (const message of ['push', 'change', 'pop', 'x']) world.runtime.cast(pid, message);
    world.runtime.flush();
    void world.runtime.stop(pid);
    world.runtime.flush();
    assert.deepEqual(log, [
      'first: enters start',
      'first: cast push in start',
      'second: internal inserted in start',
      'second: cast change in start',
      'third: enters b',
      'third: cast pop in b',
      'first: cast x in b',
      'first: terminates',
    ]);
  });

  test('from one mode to the other', () => {
    interface Lamp {
      states: { on: number; off: number };
      cast: 'flip';
    }
    const world = new World();
    const seen: string[] = [];
    const functions: StateFunctions<Lamp> = {
      init: () => ok('on', 0),
      states: {
        on: (_event, data) => {
          seen.push('on');
          return nextState('off', data);
        },
        off: (_event, data) => {
          seen.push('off');
          return nextState('on', data);
        },
      },
    };
    const pid = GenStatem.start<Machine>(world.runtime, {
      init: () => ok('off', 0),
      handleEvent: () => keepStateAndData(GenStatem.changeCallbackModule(functions)),
    }).ok!;
    for (let times = 0; times < 3; times++) GenStatem.cast(world.runtime, pid, 'flip');
    world.runtime.flush();
    assert.deepEqual(seen, ['off', 'on']);
  });
});

describe('starting and stopping', () => {
  test('init may refuse, fail, or return nonsense', () => {
    const world = new World();
    const start = (init: () => unknown) => {
      const result = GenStatem.start<Machine>(world.runtime, {
        init: init as never,
        handleEvent: () => keepStateAndData(),
        terminate: () => assert.fail('terminate of a machine that never began'),
      });
      return result.ignore ?? reasonOf(result.error ?? null);
    };
    assert.equal(
      start(() => GenStatem.ignore),
      true,
    );
    assert.equal(
      start(() => GenStatem.stop(ExitReason.custom('no'))),
      'no',
    );
    assert.equal(
      start(() => GenStatem.error(ExitReason.custom('silent'))),
      'silent',
    );
    assert.equal(
      start(() => assert.fail('bad')),
      'error: bad',
    );
    assert.equal(
      start(() => 7),
      'bad_return_from_init',
    );
    const crashes = world.eventsOf('crash').map(({ reason }) => reasonOf(reason));
    assert.deepEqual(crashes, ['no', 'error: bad', 'bad_return_from_init']);
  });

  test('under a name, linked, monitored', () => {
    const world = new World();
    const callbacks: HandleEventFunction<Machine> = {
      init: (self) => {
        self.trapExit = true;
        return ok('a', 0);
      },
      handleEvent: () => GenStatem.stop(ExitReason.custom('enough')),
    };
    const parent = world.puppet();
    const watcher = world.puppet();
    let linked: Pid | undefined;
    parent.run((self) => {
      linked = GenStatem.startLink<Machine>(self as never, callbacks, { name: 'machine' }).ok;
      assert.deepEqual(GenStatem.startLink<Machine>(self as never, callbacks, { name: 'machine' }).error, {
        type: 'already_started',
        pid: linked,
      });
    });
    watcher.run((self) => {
      const { ok: pid } = GenStatem.startMonitor<Machine>(self as never, callbacks);
      self.runtime.cast(pid!, 'x');
    });
    assert.equal((watcher.inbox[0] as unknown[])[2], 'enough');
    parent.run((self) => self.exit(ExitReason.custom('gone')));
    assert.deepEqual(world.runtime.exitReasonOf(linked!), ExitReason.custom('gone'));
    assert.equal(world.runtime.whereis('machine'), undefined);
  });

  test('replies of stopAndReply go out before terminate', async () => {
    const world = new World();
    const log: string[] = [];
    const callbacks: HandleEventFunction<Machine> = {
      init: () => ok('a', 'old'),
      handleEvent: (event) =>
        event.type === 'call'
          ? GenStatem.stopAndReply(ExitReason.shutdown, reply(event.from as never, 'bye' as never), 'new')
          : keepStateAndData(),
      *terminate(reason, state, data) {
        log.push(`${reason.type} ${state} ${data}`);
        yield* receive('finished');
      },
    };
    const pid = GenStatem.start<Machine>(world.runtime, callbacks).ok!;
    const answer = GenStatem.call(world.runtime, pid, 'stop');
    world.runtime.flush();
    assert.equal(await answer, 'bye');
    assert.deepEqual(log, ['shutdown a new']);
    assert.equal(world.runtime.isAlive(pid), true);
    world.runtime.send(pid, 'finished');
    world.runtime.flush();
    assert.deepEqual(world.runtime.exitReasonOf(pid), ExitReason.shutdown);
  });
});

describe('bounds and callers that cannot wait', () => {
  test('too many postponed events end the machine as a mailbox that is too long does', () => {
    const world = new World({ mailboxMax: 100 });
    const made = machine(() => keepStateAndData(postpone), {}, world);
    for (let count = 0; count < 100; count++) made.cast(count);
    assert.equal(world.runtime.isAlive(made.pid), true);
    made.cast('last');
    assert.deepEqual(world.runtime.exitReasonOf(made.pid), ExitReason.mailboxOverflow);
    assert.equal(world.eventsOf('mailbox_overflow').length, 1);
  });

  test('a call on the caller’s stack that is postponed is busy, and is not handled later', () => {
    const { world, pid, cast, log } = machine((event, state) => {
      if (event.type === 'call' && state === 'start') return keepStateAndData(postpone);
      return event.type === 'cast' ? nextState('open', 0) : keepStateAndData();
    });
    assert.deepEqual(world.runtime.callNow(pid, 'now'), { ok: false, reason: ExitReason.busy });
    cast('open');
    assert.deepEqual(log, ['call now in start', 'cast open in start']);
  });

  test('answers may come from a later event, or from anywhere', async () => {
    const asked: Parameters<typeof GenStatem.replyTo>[0][] = [];
    const { world, pid, cast } = machine((event) => {
      if (event.type === 'call') asked.push(event.from as never);
      if (event.type === 'cast') return keepStateAndData(reply(asked[0]!, 'first' as never));
      return keepStateAndData();
    });
    const answers: unknown[] = [];
    world.runtime.spawn(function* () {
      answers.push(yield* call(pid as never, 'a' as never));
    });
    world.runtime.spawn(function* () {
      answers.push(yield* call(pid as never, 'b' as never));
    });
    world.runtime.flush();
    GenStatem.replyTo(asked[1]!, 'second' as never);
    cast('answer');
    assert.deepEqual(answers, ['second', 'first']);
  });
});

test('repeating a state enters it, and brings nothing back', () => {
  const entered: string[] = [];
  const { cast, log } = machine(
    (event) => {
      if (event.content === 'later') return keepStateAndData(postpone);
      return event.content === 'repeat' ? repeatStateAndData() : keepStateAndData();
    },
    {
      enter(before, state) {
        entered.push(`${before} ${state}`);
        return keepStateAndData();
      },
    },
  );
  cast('later');
  cast('repeat');
  assert.deepEqual(entered, ['start start', 'start start']);
  assert.deepEqual(log, ['cast later in start', 'cast repeat in start']);
});

test('an enter call may repeat its state', () => {
  let times = 0;
  const { log } = machine(() => keepStateAndData(), {
    enter() {
      times++;
      return times < 4 ? repeatStateAndData() : keepStateAndData();
    },
  });
  assert.equal(times, 4);
  assert.deepEqual(log, []);
});
