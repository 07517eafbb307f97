/** GenEvent: what the recorded scenarios of conformance do not show, after the themes of OTP's gen_event suite. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Blocking,
  current,
  type EventHandler,
  type EventManagerPid,
  Exit,
  ExitReason,
  GenEvent,
  GenEventExit,
  type HandlerCallResult,
  type HandlerResult,
  type Pid,
  type Process,
  receive,
  receiveResponse,
  type Swapped,
  sys,
  type TerminateArgument,
} from '../../src/actors/index.js';
import { brief, World } from './world.js';

type Calls = readonly [string, unknown];
type State = string;

/** A handler that logs; what it does with an event may be said. */
class Recorder implements EventHandler<State, unknown, Calls, string, string> {
  constructor(
    readonly name: string,
    readonly log: string[],
    readonly more: Partial<EventHandler<State, unknown, Calls, string, string>> = {},
  ) {}

  readonly init = (argument: string, swapped: Swapped | undefined) => {
    this.log.push(
      `${this.name} init ${argument} ${swapped === undefined ? '' : JSON.stringify(swapped)}`.trim(),
    );
    return this.more.init?.(argument, swapped) ?? GenEvent.ok(argument);
  };

  readonly handleEvent = (event: unknown, state: State) => {
    this.log.push(`${this.name} event ${String(event)} in ${state}`);
    return this.more.handleEvent?.(event, state) ?? GenEvent.ok(state);
  };

  readonly handleCall = (request: string, state: State) =>
    this.more.handleCall?.(request, state) ?? GenEvent.reply(`${request} of ${this.name}`, state);

  readonly handleInfo = (message: unknown, state: State) => {
    this.log.push(`${this.name} info ${String(brief(message))} in ${state}`);
    return this.more.handleInfo?.(message as never, state) ?? GenEvent.ok(state);
  };

  readonly terminate = (argument: TerminateArgument, state: State) => {
    this.log.push(`${this.name} terminate ${argument.type} in ${state}`);
    return this.more.terminate?.(argument, state) ?? `left by ${this.name}`;
  };
}

interface Bus {
  readonly world: World;
  readonly log: string[];
  readonly pid: EventManagerPid<unknown, string>;
  handler(name: string, more?: Recorder['more']): Recorder;
  notify(event: unknown): void;
  /** Runs something that waits, from outside, as a process. */
  run<T>(blocking: Blocking<T>): Promise<T>;
}

function bus(): Bus {
  const world = new World();
  const log: string[] = [];
  const pid = GenEvent.start<unknown, string>(world.runtime).ok!;
  return {
    world,
    log,
    pid,
    handler: (name, more) => new Recorder(name, log, more),
    notify(event) {
      GenEvent.notify(world.runtime, pid, event);
      world.runtime.flush();
    },
    run(blocking) {
      const result = world.runtime.wait(blocking);
      world.runtime.flush();
      return result;
    },
  };
}

describe('handlers', () => {
  test('are called newest first; with and without ids, and several with the same', async () => {
    const { log, pid, handler, notify, run } = bus();
    const one = handler('one');
    const two = handler('two');
    await run(GenEvent.addHandler(pid, one, 'plain'));
    await run(GenEvent.addHandler(pid, { module: one, id: 7 }, 'seven'));
    await run(GenEvent.addHandler(pid, two, 'two'));
    await run(GenEvent.addHandler(pid, { module: one, id: 7 }, 'seven again'));
    log.length = 0;
    notify('x');
    assert.deepEqual(log, [
      'one event x in seven again',
      'two event x in two',
      'one event x in seven',
      'one event x in plain',
    ]);
    const seven = { module: one, id: 7 };
    assert.deepEqual(await run(GenEvent.whichHandlers(pid)), [seven, two, seven, one]);
    await run(GenEvent.deleteHandler(pid, seven));
    await run(GenEvent.deleteHandler(pid, one));
    assert.deepEqual(await run(GenEvent.whichHandlers(pid)), [two, seven]);
    assert.deepEqual(await run(GenEvent.deleteHandler(pid, { module: two, id: 7 })), {
      error: { type: 'module_not_found' },
    });
  });

  test('a crash, an exit or a bad result of one does not touch the others, nor the events for those behind it', async () => {
    const { world, log, pid, handler, notify, run } = bus();
    const bad = (name: string, act: () => unknown) =>
      handler(name, { handleEvent: act as never, terminate: () => undefined });
    await run(GenEvent.addHandler(pid, handler('last'), 's'));
    await run(
      GenEvent.addHandler(
        pid,
        bad('throws', () => assert.fail('oops')),
        's',
      ),
    );
    await run(
      GenEvent.addHandler(
        pid,
        bad('exits', () => {
          throw new Exit(ExitReason.normal);
        }),
        's',
      ),
    );
    await run(
      GenEvent.addHandler(
        pid,
        bad('odd', () => 'odd'),
        's',
      ),
    );
    await run(GenEvent.addHandler(pid, handler('first'), 's'));
    log.length = 0;
    notify('x');
    assert.deepEqual(log, [
      'first event x in s',
      'odd event x in s',
      'odd terminate bad_return_value in s',
      'exits event x in s',
      'exits terminate error in s',
      'throws event x in s',
      'throws terminate error in s',
      'last event x in s',
    ]);
    notify('y');
    assert.deepEqual(log.slice(8), ['first event y in s', 'last event y in s']);
    const crashes = world.eventsOf('handler_crashed');
    assert.deepEqual(
      crashes.map(({ handler: name, reason, lastMessage, state }) => [name, reason.type, lastMessage, state]),
      [
        ['Recorder', 'bad_return_value', 'x', 's'],
        ['Recorder', 'normal', 'x', 's'],
        ['Recorder', 'error', 'x', 's'],
      ],
    );
  });

  test('callbacks may wait, and a thrown value is what they return; the next handler waits so long', async () => {
    const { world, log, pid, handler, notify, run } = bus();
    await run(GenEvent.addHandler(pid, handler('old'), 'o'));
    await run(
      GenEvent.addHandler(
        pid,
        handler('slow', {
          *handleEvent(event): Blocking<HandlerResult<State>> {
            if (event === 'quick') throw GenEvent.ok('thrown');
            return GenEvent.ok(yield* receive<State>((message): message is State => message === 'answer'));
          },
          async handleCall(request): Promise<HandlerCallResult<State, unknown>> {
            return GenEvent.reply(`${request} later`, 'called');
          },
        }),
        's',
      ),
    );
    log.length = 0;
    notify('quick');
    notify('wait');
    world.runtime.send(pid, 'other');
    world.runtime.flush();
    assert.deepEqual(log, ['slow event quick in s', 'old event quick in o', 'slow event wait in thrown']);
    world.runtime.send(pid, 'answer');
    world.runtime.flush();
    assert.deepEqual(log.slice(3), [
      'old event wait in o',
      'slow info other in answer',
      'old info other in o',
    ]);
  });

  test('without handleInfo a message is no matter; without handleCall a call is the end of it', async () => {
    const { world, log, pid, run } = bus();
    const plain = {
      init: () => GenEvent.ok(0),
      handleEvent: (_event: unknown, state: number) => GenEvent.ok(state + 1),
    };
    await run(GenEvent.addHandler(pid, plain));
    world.runtime.send(pid, 'hello');
    world.runtime.flush();
    const asked = await run(GenEvent.call(pid, plain as never, 'x' as never));
    assert.equal(asked.error?.type, 'error');
    assert.deepEqual(await run(GenEvent.whichHandlers(pid)), []);
    assert.deepEqual(log, []);
  });

  test('init may refuse', async () => {
    const { pid, handler, run } = bus();
    const refusing = handler('no', { init: () => GenEvent.refuse(ExitReason.custom('full')) });
    assert.deepEqual(await run(GenEvent.addHandler(pid, refusing, 's')), {
      error: { type: 'refused', reason: ExitReason.custom('full') },
    });
    assert.deepEqual(await run(GenEvent.whichHandlers(pid)), []);
  });
});

describe('calls', () => {
  test('answer, remove, swap', async () => {
    const { log, pid, handler, run } = bus();
    const other = handler('other');
    const one = handler('one', {
      handleCall(request, state) {
        if (request === 'go') return GenEvent.removeReplying('gone');
        if (request === 'swap')
          return GenEvent.swapReplying('swapped', 'why', state, { module: other, id: 1 }, 'begin');
        if (request === 'silent') return GenEvent.ok(state) as never;
        return GenEvent.reply([request, state], `${state}!`);
      },
    });
    await run(GenEvent.addHandler(pid, one, 's'));
    assert.deepEqual(await run(GenEvent.call(pid, one, 'a')), { ok: true, reply: ['a', 's'] });
    assert.deepEqual(await run(GenEvent.call(pid, one, 'b')), { ok: true, reply: ['b', 's!'] });
    assert.deepEqual(await run(GenEvent.call(pid, one, 'swap')), { ok: true, reply: 'swapped' });
    assert.deepEqual(await run(GenEvent.call(pid, { module: other, id: 1 }, 'c')), {
      ok: true,
      reply: 'c of other',
    });
    assert.deepEqual(log.slice(1), [
      'one terminate swap in s!!',
      'other init begin {"type":"result","value":"left by one"}',
    ]);
    assert.deepEqual(await run(GenEvent.call(pid, one, 'a')), { error: { type: 'bad_module' } });
    await run(GenEvent.addHandler(pid, one, 's'));
    assert.deepEqual(await run(GenEvent.call(pid, one, 'go')), { ok: true, reply: 'gone' });
    await run(GenEvent.addHandler(pid, one, 's'));
    const { error } = await run(GenEvent.call(pid, one, 'silent'));
    assert.deepEqual(error, { type: 'bad_return_value', value: GenEvent.ok('s') });
  });

  test('may be sent, and the answer be taken later', async () => {
    const { pid, handler, run } = bus();
    const one = handler('one');
    await run(GenEvent.addHandler(pid, { module: one, id: 'x' }, 's'));
    const asked = run(
      (function* () {
        const self = yield* current();
        const ids = [
          GenEvent.sendRequest(self, pid, { module: one, id: 'x' }, 'a'),
          GenEvent.sendRequest(self, pid, one, 'b'),
        ];
        const responses = [];
        for (const id of ids) responses.push(yield* receiveResponse(id));
        return responses;
      })(),
    );
    assert.deepEqual(await asked, [
      { type: 'reply', value: { ok: true, reply: 'a of one' } },
      { type: 'reply', value: { error: { type: 'bad_module' } } },
    ]);
  });

  test('to nobody, or with an end meanwhile: the caller exits', async () => {
    const { world, pid, handler, run } = bus();
    const one = handler('one', {
      handleCall: () => assert.fail('boom'),
      terminate: () => assert.fail('worse'),
    });
    await assert.rejects(run(GenEvent.call('nobody', one, 'x')), /noproc in a call of nobody/);
    await run(GenEvent.addHandler(pid, one, 's'));
    const { error } = await run(GenEvent.call(pid, one, 'x'));
    assert.ok(error?.type === 'error' && error.reason.type === 'error');
    assert.equal(error.reason.error.message, 'boom');
    assert.equal(world.runtime.isAlive(pid), true);
    world.runtime.exit(pid, ExitReason.kill);
    await assert.rejects(run(GenEvent.syncNotify(pid, 'x')), /noproc/);
    assert.throws(
      () => GenEvent.notify(world.runtime, 'nobody', 'x' as never),
      /nobody is registered as nobody/,
    );
  });
});

describe('owners', () => {
  interface Owned extends Bus {
    readonly told: unknown[];
    readonly owner: Pid;
    own(blocking: (self: Process<never>) => Blocking<unknown>): void;
  }

  /** A bus with a process that owns handlers and keeps what it is told. */
  function owned(): Owned {
    const made = bus();
    const told: unknown[] = [];
    class Act {
      constructor(readonly act: (self: Process<never>) => Blocking<unknown>) {}
    }
    const owner = made.world.runtime.spawn<Act>(
      function* (self) {
        for (;;) {
          const message = yield* receive<unknown>();
          if (message instanceof Act) told.push(yield* message.act(self as Process<never>));
          else if (message instanceof GenEventExit) told.push(message.reason.type);
          else told.push(brief(message));
        }
      },
      { trapExit: true },
    );
    const own: Owned['own'] = (act) => {
      made.world.runtime.send(owner, new Act(act));
      made.world.runtime.flush();
    };
    return { ...made, told, owner, own };
  }

  test('are told of the end of their handlers, whatever it is', async () => {
    const { pid, handler, notify, run, told, own } = owned();
    const add = (name: string, more: Recorder['more'] = {}) => {
      const one = handler(name, more);
      own(() => GenEvent.addSupHandler(pid, one, 's'));
      return one;
    };
    await run(GenEvent.deleteHandler(pid, add('deleted')));
    add('removed', { handleEvent: () => GenEvent.remove });
    notify('x');
    add('crashed', { handleEvent: () => assert.fail('no') });
    notify('x');
    add('odd', { handleEvent: () => 'odd' as never });
    notify('x');
    const swapped = add('swapped');
    await run(GenEvent.swapHandler(pid, { handler: swapped }, { handler: handler('in'), argument: 's' }));
    add('swaps itself', {
      handleEvent: () => GenEvent.swap('a', 's', handler('crash', { init: () => assert.fail('no') }), 'b'),
    });
    notify('x');
    const ok = { ok: true };
    assert.deepEqual(told, [
      ok,
      'normal',
      ok,
      'normal',
      ok,
      'error',
      ok,
      'bad_return_value',
      ok,
      'swapped',
      ok,
      'swapped',
      'crash',
    ]);
  });

  test('a handler ends with its owner, and the others hear of it', async () => {
    const { world, log, pid, handler, run, own, owner } = owned();
    await run(GenEvent.addHandler(pid, handler('other'), 'o'));
    own(() => GenEvent.addSupHandler(pid, handler('mine'), 'm'));
    log.length = 0;
    world.runtime.exit(owner, ExitReason.kill);
    world.runtime.flush();
    assert.equal(log[0], 'mine terminate stop in m');
    assert.match(log[1]!, /^other info EXIT,.*killed in o$/);
    assert.equal(log.length, 2);
  });

  test('the end of the manager is told by a message, and does not end its owners', async () => {
    const { world, pid, handler, own, owner, told } = owned();
    own((self) => {
      self.trapExit = false;
      return GenEvent.addSupHandler(pid, handler('mine'), 'm');
    });
    const stopping = world.runtime.stop(pid, ExitReason.custom('over'));
    world.runtime.flush();
    await stopping;
    assert.equal(world.runtime.isAlive(owner), true);
    assert.deepEqual(told, [{ ok: true }, 'shutdown']);
  });

  test('swapSupHandler makes the caller the owner; swapHandler keeps the one there was', async () => {
    const { world, pid, handler, run, own, told, owner } = owned();
    const [one, two, three] = [handler('1'), handler('2'), handler('3')];
    await run(GenEvent.addHandler(pid, one, 's'));
    own(() => GenEvent.swapSupHandler(pid, { handler: one }, { handler: two, argument: 's' }));
    await run(GenEvent.swapHandler(pid, { handler: two }, { handler: three, argument: 's' }));
    world.runtime.exit(owner, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(told, [{ ok: true }, 'swapped']);
    assert.deepEqual(await run(GenEvent.whichHandlers(pid)), []);
  });
});

describe('the manager', () => {
  test('traps exits, ends with its parent after its handlers, and leaves its name', async () => {
    const world = new World();
    const log: string[] = [];
    const parent = world.puppet();
    let pid: EventManagerPid<unknown, string> | undefined;
    parent.run((self) => {
      pid = GenEvent.startLink<unknown, string>(self as never, { name: 'bus' }).ok;
    });
    const one = new Recorder('one', log);
    const added = world.runtime.wait(GenEvent.addHandler('bus', one, 's'));
    world.runtime.flush();
    await added;
    world.runtime.exit(pid!, ExitReason.custom('stray'));
    world.runtime.flush();
    assert.match(log[1]!, /one info EXIT,.*stray/);
    parent.run((self) => self.exit(ExitReason.custom('gone')));
    assert.equal(log.at(-1), 'one terminate stop in s');
    assert.deepEqual(world.runtime.exitReasonOf(pid!), ExitReason.custom('gone'));
    assert.equal(world.runtime.whereis('bus'), undefined);
  });

  test('is stopped after handlers that wait', async () => {
    const { world, pid, handler, run } = bus();
    const log: string[] = [];
    await run(
      GenEvent.addHandler(
        pid,
        handler('slow', {
          *terminate() {
            log.push(yield* receive<string>((message): message is string => message === 'flushed'));
          },
        }),
        's',
      ),
    );
    const stopped = world.runtime.stop(pid);
    world.runtime.flush();
    assert.equal(world.runtime.isAlive(pid), true);
    world.runtime.send(pid, 'flushed');
    world.runtime.flush();
    await stopped;
    assert.deepEqual(log, ['flushed']);
  });

  test('starts with a monitor', () => {
    const world = new World();
    const watcher = world.puppet();
    let pid: Pid | undefined;
    watcher.run((self) => {
      pid = GenEvent.startMonitor(self as never).ok;
    });
    world.runtime.exit(pid!, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(watcher.inbox, [['DOWN', pid, 'killed']]);
  });
});

describe('sys', () => {
  test('shows and replaces the state of each handler; where that fails the others change all the same', async () => {
    const { pid, handler, run } = bus();
    const [one, two] = [handler('one'), handler('two')];
    await run(GenEvent.addHandler(pid, one, 'a'));
    await run(GenEvent.addHandler(pid, { module: two, id: 2 }, 'b'));
    assert.deepEqual(await run(sys.getState(pid)), [
      { handler: { module: two, id: 2 }, state: 'b' },
      { handler: one, state: 'a' },
    ]);
    const replaced = await run(
      sys.replaceState<{ state: string }>(pid, (state) => {
        if (state.state === 'a') throw new Error('not this one');
        return { ...state, state: 'new' };
      }),
    );
    assert.deepEqual(
      (replaced as unknown as { state: string }[]).map(({ state }) => state),
      ['new', 'a'],
    );
  });

  test('code changes for the handlers with certain callbacks, or for none if one of them fails', async () => {
    const { pid, handler, notify, run, log } = bus();
    const [one, two, three] = [handler('one'), handler('two'), handler('three')];
    await run(GenEvent.addHandler(pid, one, 'a'));
    await run(GenEvent.addHandler(pid, { module: one, id: 1 }, 'b'));
    await run(GenEvent.addHandler(pid, two, 'c'));
    let fails = true;
    const next = Object.assign(three, {
      codeChange: (oldVersion: unknown, state: State) =>
        fails && state === 'a' ? 'no' : GenEvent.ok(`${state} after ${String(oldVersion)}`),
    });
    await run(sys.suspend(pid));
    const change = { callbacks: { module: one, by: next }, oldVersion: 1 };
    const failed = await run(sys.changeCode(pid, change));
    assert.ok(failed.error?.type === 'error');
    fails = false;
    assert.deepEqual(await run(sys.changeCode(pid, change)), { ok: true });
    await run(sys.resume(pid));
    log.length = 0;
    notify('x');
    assert.deepEqual(log, ['two event x in c', 'three event x in b after 1', 'three event x in a after 1']);
  });

  test('status hides what formatStatus hides', async () => {
    const { pid, handler, run } = bus();
    const one = Object.assign(handler('one'), { formatStatus: () => 'secret' });
    await run(GenEvent.addHandler(pid, one, 'a'));
    const { behaviour, state } = await run(sys.getStatus(pid));
    assert.equal(behaviour, 'GenEvent');
    assert.deepEqual(state, [{ handler: one, state: 'secret', owner: null }]);
  });
});
