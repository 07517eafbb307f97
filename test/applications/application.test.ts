import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BadArgument,
  type Blocking,
  ExitReason,
  type Pid,
  type Process,
  receive,
  startProcess,
  sys,
} from '../../src/actors/index.js';
import {
  Application,
  type ApplicationConfig,
  ApplicationController,
  type ApplicationSpec,
  formatApplicationError,
} from '../../src/applications/index.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { type Puppet, reasonOf, World } from '../actors/world.js';

const boom = ExitReason.custom('boom');

/** Has a puppet run something that waits, and returns what came of it. */
function ask<T>(puppet: Puppet, what: Blocking<T>): T {
  const outcome = asking(puppet, what);
  assert.ok(outcome.value !== undefined, 'it is still waiting');
  return outcome.value;
}

/** The same, whether it is done or not. */
function asking<T>(puppet: Puppet, what: Blocking<T>): { value?: T } {
  const outcome: { value?: T } = {};
  puppet.run((self) =>
    self.block(what, (value) => {
      outcome.value = value;
    }),
  );
  return outcome;
}

/** Applications whose callbacks write down that they were called; `top` ends when it is told. */
class Theatre {
  readonly world = new World();
  readonly log: unknown[] = [];
  readonly tops = new Map<string, Pid<unknown>>();
  readonly controller: Pid;
  readonly main: Puppet;

  constructor(config: ApplicationConfig = {}) {
    this.controller = ApplicationController.start(this.world.runtime, { config }).ok!;
    this.main = this.world.puppet();
  }

  app(
    name: string,
    needs: ApplicationSpec['applications'] = [],
    more: Partial<ApplicationSpec> = {},
  ): ApplicationSpec {
    return {
      name,
      applications: needs,
      start: (self, { type }) => {
        this.log.push(['start', name, type]);
        return { ok: this.top(self, name), state: `state of ${name}` };
      },
      prepStop: (state) => {
        this.log.push(['prep_stop', name, state]);
        return `prepared ${String(state)}`;
      },
      stop: (state) => void this.log.push(['stop', name, state]),
      ...more,
    };
  }

  /** A top process that traps exits and tells how it ended. */
  top(parent: Process<never>, name: string): Pid {
    const pid = parent.spawnLink<unknown>(
      (self) => ({
        receive: (message) => {
          const { type, reason } = message as { type: string; reason: ExitReason };
          this.log.push(['top', name, type, reason.type]);
          self.exit(reason);
        },
      }),
      { label: `${name} top`, trapExit: true },
    );
    this.tops.set(name, pid);
    return pid;
  }

  get running(): string[] {
    return Application.whichApplications(this.world.runtime).map(({ name }) => name);
  }

  takeLog(): unknown[] {
    return this.log.splice(0);
  }

  /** The top process of an application ends by itself. */
  end(name: string, reason: ExitReason): void {
    this.world.runtime.finish(this.tops.get(name)!, reason);
    this.world.runtime.flush();
  }

  get ended(): unknown {
    return reasonOf(this.world.runtime.exitReasonOf(this.controller));
  }
}

const stopped = (name: string) => [
  ['prep_stop', name, `state of ${name}`],
  ['top', name, 'EXIT', 'shutdown'],
  ['stop', name, `prepared state of ${name}`],
];

describe('starting', () => {
  test('needs what it needs to run; all of it in order', () => {
    const theatre = new Theatre();
    const { main } = theatre;
    const a = theatre.app('a');
    const b = theatre.app('b', ['a']);
    const c = theatre.app('c', [b]);
    assert.deepEqual(ask(main, Application.load(a)), { ok: true });
    assert.deepEqual(ask(main, Application.load(a)), { error: { type: 'already_loaded', application: 'a' } });
    assert.deepEqual(ask(main, Application.start(c)), { error: { type: 'not_started', application: 'b' } });
    assert.deepEqual(ask(main, Application.ensureAllStarted('c')), { ok: ['a', 'b', 'c'] });
    assert.deepEqual(theatre.takeLog(), [
      ['start', 'a', 'normal'],
      ['start', 'b', 'normal'],
      ['start', 'c', 'normal'],
    ]);
    assert.deepEqual(theatre.running, ['c', 'b', 'a']);
    assert.deepEqual(ask(main, Application.ensureAllStarted(['c', a])), { ok: [] });
    assert.deepEqual(ask(main, Application.start('c')), {
      error: { type: 'already_started', application: 'c' },
    });
    assert.deepEqual(ask(main, Application.ensureStarted('c')), { ok: true });
    assert.deepEqual(ask(main, Application.unload('b')), { error: { type: 'running', application: 'b' } });
    assert.deepEqual(
      theatre.world.eventsOf('application_started').map(({ application }) => application),
      ['a', 'b', 'c'],
    );
  });

  test('one that is not known, and one that needs itself', () => {
    const theatre = new Theatre();
    const { main } = theatre;
    const unknown = (application: string) => ({ error: { type: 'unknown_application', application } });
    assert.deepEqual(ask(main, Application.start('nope')), unknown('nope'));
    assert.deepEqual(ask(main, Application.ensureStarted('nope')), unknown('nope'));
    assert.deepEqual(ask(main, Application.ensureAllStarted(theatre.app('x', ['nope']))), unknown('nope'));
    assert.deepEqual(ask(main, Application.unload('nope')), {
      error: { type: 'not_loaded', application: 'nope' },
    });
    ask(main, Application.load(theatre.app('chicken', ['egg'])));
    ask(main, Application.load(theatre.app('egg', ['chicken'])));
    const { error } = ask(main, Application.ensureAllStarted('egg'));
    assert.deepEqual(error, { type: 'circular', application: 'egg', path: ['egg', 'chicken', 'egg'] });
    assert.equal(formatApplicationError(error!), 'egg needs itself: egg → chicken → egg');
    assert.deepEqual(theatre.running, []);
    const other = theatre.app('x');
    assert.deepEqual(ask(main, Application.start(other)), {
      error: { type: 'already_loaded', application: 'x' },
    });
    assert.throws(() => Application.define({ name: '' }), /bad name of an application: /);
    assert.throws(
      () => Application.define({ name: 'x', applications: [7 as unknown as string] }),
      /bad applications: 7/,
    );
    assert.throws(
      () => Application.define({ name: 'x', startPhases: [['one']] }),
      /bad startPhase: undefined/,
    );
    const caller = theatre.world.puppet();
    caller.run((self) => self.block(Application.start('x', 'sometimes' as 'permanent')));
    assert.equal(
      reasonOf(theatre.world.runtime.exitReasonOf(caller.pid)),
      'error: bad start type: sometimes',
    );
  });

  test('optional ones may be missing; those that are there are started before', () => {
    const theatre = new Theatre();
    const { main } = theatre;
    ask(main, Application.load(theatre.app('there')));
    const optional = theatre.app('o', ['there', 'missing'], { optionalApplications: ['there', 'missing'] });
    assert.deepEqual(ask(main, Application.start(optional)), { ok: true });
    ask(main, Application.stop('o'));
    assert.deepEqual(ask(main, Application.ensureAllStarted('o')), { ok: ['there', 'o'] });
  });

  test('a library runs without a process', () => {
    const theatre = new Theatre();
    const { main, world } = theatre;
    const before = world.runtime.processCount;
    assert.deepEqual(ask(main, Application.start({ name: 'lib' })), { ok: true });
    assert.equal(world.runtime.processCount, before);
    assert.deepEqual(ask(main, Application.ensureAllStarted(theatre.app('a', ['lib']))), { ok: ['a'] });
    assert.deepEqual(ask(main, Application.stop('lib')), { ok: true });
    assert.deepEqual(theatre.running, ['a']);
  });

  test('one whose start fails, in whatever way', () => {
    const theatre = new Theatre();
    const { main } = theatre;
    const outcomes: [ApplicationSpec['start'], unknown][] = [
      [() => ({ error: boom }), { type: 'start_failed', reason: boom }],
      [() => ({ ignore: true }), { type: 'bad_return', value: { ignore: true } }],
      [() => 'what' as never, { type: 'bad_return', value: 'what' }],
      [() => undefined as never, { type: 'bad_return', value: undefined }],
      [() => ({ ok: 'nobody' }) as never, { type: 'bad_return', value: { ok: 'nobody' } }],
      [(self) => self.exit(boom) as never, { type: 'start_failed', reason: boom }],
      [
        (self) => Supervisor.startLink(self, { children: [{ id: 'x', start: () => ({ error: boom }) }] }),
        undefined,
      ],
    ];
    outcomes.forEach(([start, wanted], at) => {
      const name = `app ${at}`;
      const { error } = ask(main, Application.start({ name, start: start! }));
      if (wanted === undefined) {
        assert.ok(error?.type === 'start_failed');
        assert.deepEqual(reasonOf(error.reason), ['shutdown', ['failed_to_start_child', 'x', 'boom']]);
      } else {
        assert.deepEqual(error, { ...(wanted as object), application: name });
      }
    });
    const thrown = ask(
      main,
      Application.start({
        name: 'throws',
        start: () => {
          throw new Error('oops');
        },
      }),
    );
    assert.equal(formatApplicationError(thrown.error!), 'throws: start failed: error: oops');
    assert.deepEqual(theatre.running, []);
    assert.equal(theatre.ended, null);
  });

  test('if one fails those that were started for it are stopped again, the latest first', () => {
    const theatre = new Theatre();
    const { main } = theatre;
    ask(main, Application.start(theatre.app('before')));
    const bad: ApplicationSpec = {
      name: 'bad',
      applications: [theatre.app('b', [theatre.app('a'), 'before'])],
      start: () => ({ error: boom }),
    };
    theatre.takeLog();
    assert.deepEqual(ask(main, Application.ensureAllStarted([bad])), {
      error: { type: 'start_failed', application: 'bad', reason: boom },
    });
    assert.deepEqual(theatre.takeLog().slice(2), [...stopped('b'), ...stopped('a')]);
    assert.deepEqual(theatre.running, ['before']);
  });

  test('a start may wait: others are served, and who starts the same gets the same answer', () => {
    const theatre = new Theatre();
    const { main, world } = theatre;
    let self!: Process<never>;
    const slow: ApplicationSpec = {
      name: 'slow',
      *start(process) {
        self = process;
        yield* receive('go');
        return theatre.top(process, 'slow');
      },
    };
    const [first, second] = [
      asking(world.puppet(), Application.start(slow)),
      asking(world.puppet(), Application.start('slow')),
    ];
    assert.deepEqual([first, second], [{}, {}]);
    assert.equal(Application.status(world.runtime, slow)!.state, 'starting');
    assert.deepEqual(ask(main, Application.stop('slow')), {
      error: { type: 'not_started', application: 'slow' },
    });
    assert.deepEqual(ask(main, Application.start(theatre.app('needs slow', ['slow']))), {
      error: { type: 'not_started', application: 'slow' },
    });
    assert.deepEqual(ask(main, Application.unload('slow')), {
      error: { type: 'running', application: 'slow' },
    });
    world.runtime.send(self as Pid as Pid<unknown>, 'go');
    world.runtime.flush();
    assert.deepEqual([first.value, second.value], [{ ok: true }, { ok: true }]);
    assert.equal(Application.status(world.runtime, 'slow')!.state, 'running');
  });

  test('a top process whose own start waits is waited for', () => {
    const theatre = new Theatre();
    const { world } = theatre;
    let top: Pid<unknown> | undefined;
    const outcome = asking(
      world.puppet(),
      Application.start({
        name: 'a',
        start: (parent) =>
          startProcess<unknown>(world.runtime, { parent, link: true }, function* (self, ack) {
            top = self;
            yield* receive('go');
            ack.ok();
            yield* receive('end');
          }),
      }),
    );
    world.runtime.flush();
    assert.deepEqual(outcome, {});
    world.runtime.send(top!, 'go');
    world.runtime.flush();
    assert.deepEqual(outcome, { value: { ok: true } });
    world.runtime.send(top!, 'end');
    world.runtime.flush();
    assert.deepEqual(theatre.running, []);
  });

  test('a master that is killed while it starts has failed', () => {
    const theatre = new Theatre();
    const { world } = theatre;
    let master!: Pid;
    const outcome = asking(
      world.puppet(),
      Application.start({
        name: 'a',
        *start(self) {
          master = self;
          return yield* receive<Pid>('never');
        },
      }),
    );
    world.runtime.exit(master, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(outcome.value, {
      error: { type: 'start_failed', application: 'a', reason: ExitReason.killed },
    });
    assert.equal(Application.status(world.runtime, 'a')!.state, 'loaded');
  });
});

describe('start phases', () => {
  test('come in their order when the top process is there', () => {
    const theatre = new Theatre();
    const app = theatre.app('a', [], {
      startPhases: [['one', 1], ['two']],
      startPhase: (phase, { name }, argument) => void theatre.log.push([name, phase, argument]),
    });
    assert.deepEqual(ask(theatre.main, Application.start(app)), { ok: true });
    assert.deepEqual(theatre.takeLog(), [
      ['start', 'a', 'normal'],
      ['a', 'one', 1],
      ['a', 'two', undefined],
    ]);
  });

  test('one that fails is the failure of the start, and the top process is stopped', () => {
    const theatre = new Theatre();
    const failures: [() => unknown, unknown][] = [
      [() => ({ error: boom }), { type: 'start_failed', reason: boom }],
      [() => 'what', { type: 'bad_return', value: 'what' }],
    ];
    for (const [at, [phase, wanted]] of failures.entries()) {
      const name = `a${at}`;
      const app = theatre.app(name, [], {
        startPhases: [['one'], ['never']],
        startPhase: (which) => (which === 'one' ? phase() : assert.fail()) as undefined,
      });
      assert.deepEqual(ask(theatre.main, Application.start(app)).error, {
        ...(wanted as object),
        application: name,
        phase: 'one',
      });
      assert.deepEqual(theatre.takeLog().slice(1), [['top', name, 'EXIT', 'shutdown']]);
    }
    const throwing = theatre.app('t', [], {
      startPhases: [['one']],
      startPhase: () => {
        throw new Error('oops');
      },
    });
    const { error } = ask(theatre.main, Application.start(throwing));
    assert.equal(formatApplicationError(error!), 't: phase one failed: error: oops');
    assert.deepEqual(theatre.running, []);
  });
});

describe('stopping', () => {
  test('prepares, stops the top process, and is done when it has ended; nobody else is stopped', () => {
    const theatre = new Theatre();
    const { main, world } = theatre;
    ask(main, Application.ensureAllStarted(theatre.app('b', [theatre.app('a')])));
    theatre.takeLog();
    assert.deepEqual(ask(main, Application.stop('a')), { ok: true });
    assert.deepEqual(theatre.takeLog(), stopped('a'));
    assert.deepEqual(theatre.running, ['b']);
    assert.deepEqual(ask(main, Application.stop('a')), { error: { type: 'not_started', application: 'a' } });
    assert.deepEqual(
      world.eventsOf('application_exited').map(({ application, reason }) => [application, reasonOf(reason)]),
      [['a', 'normal']],
    );
    assert.deepEqual(world.eventsOf('crash'), []);
  });

  test('waits as long as it takes, and the controller with it', () => {
    const theatre = new Theatre();
    const { world } = theatre;
    let release!: () => void;
    const slow = theatre.app('slow', [], {
      start: (self) =>
        self.spawnLink<unknown>(
          (top) => ({
            receive: () => {
              release = () => world.runtime.finish(top, ExitReason.shutdown);
            },
          }),
          { trapExit: true },
        ),
    });
    ask(theatre.main, Application.start(slow));
    const stopping = asking(world.puppet(), Application.stop('slow'));
    const starting = asking(world.puppet(), Application.start(theatre.app('other')));
    world.advance(3_600_000);
    assert.deepEqual([stopping, starting], [{}, {}]);
    release();
    world.runtime.flush();
    assert.deepEqual([stopping.value, starting.value], [{ ok: true }, { ok: true }]);
  });

  test('what its callbacks throw does not keep it from stopping', () => {
    const theatre = new Theatre();
    const { world, main } = theatre;
    const fail = (what: string) => () => {
      throw new Error(what);
    };
    ask(main, Application.start(theatre.app('a', [], { prepStop: fail('one'), stop: fail('two') })));
    assert.deepEqual(ask(main, Application.stop('a')), { ok: true });
    assert.deepEqual(
      world
        .eventsOf('application_callback_failed')
        .map(({ callback, reason }) => [callback, reasonOf(reason)]),
      [
        ['prepStop', 'error: one'],
        ['stop', 'error: two'],
      ],
    );
  });

  test('callbacks may wait', () => {
    const theatre = new Theatre();
    const { main, world } = theatre;
    const app = Application.define({
      name: 'a',
      start: (self) => ({ ok: theatre.top(self, 'a'), state: 1 }),
      *prepStop(state: number) {
        yield* receive('never', 100);
        return state + 1;
      },
      stop: async (state) => void theatre.log.push(state),
    });
    ask(main, Application.start(app));
    const stopping = asking(world.puppet(), Application.stop(app));
    world.runtime.flush();
    assert.deepEqual(theatre.takeLog(), []);
    world.advance(100);
    assert.deepEqual(theatre.takeLog(), [['top', 'a', 'EXIT', 'shutdown'], 2]);
    assert.deepEqual(stopping, {});
  });
});

describe('when an application ends by itself', () => {
  const setUp = (type: 'permanent' | 'transient' | 'temporary') => {
    const theatre = new Theatre();
    const { main } = theatre;
    ask(main, Application.start(theatre.app('a')));
    ask(main, Application.start(theatre.app('b', ['a']), type));
    ask(main, Application.start(theatre.app('c', ['b']), 'permanent'));
    theatre.takeLog();
    return theatre;
  };
  const its = [
    ['prep_stop', 'b', 'state of b'],
    ['stop', 'b', 'prepared state of b'],
  ];

  for (const [type, reason] of [
    ['temporary', ExitReason.normal],
    ['temporary', ExitReason.shutdown],
    ['temporary', boom],
    ['transient', ExitReason.normal],
  ] as const) {
    test(`${type}, ${reason.type}: nothing happens to the others`, () => {
      const theatre = setUp(type);
      theatre.end('b', reason);
      assert.deepEqual(theatre.takeLog(), its);
      assert.deepEqual(theatre.running, ['c', 'a']);
      const { application, reason: seen, startType } = theatre.world.eventsOf('application_exited')[0]!;
      assert.deepEqual([application, seen, startType], ['b', reason, type]);
      // It can be started again.
      assert.deepEqual(ask(theatre.main, Application.start('b')), { ok: true });
    });
  }

  for (const [type, reason] of [
    ['transient', ExitReason.shutdown],
    ['transient', boom],
    ['permanent', ExitReason.normal],
    ['permanent', boom],
  ] as const) {
    test(`${type}, ${reason.type}: all others are stopped, the latest first, and the controller ends`, () => {
      const theatre = setUp(type);
      theatre.end('b', reason);
      assert.deepEqual(theatre.takeLog(), [...its, ...stopped('c'), ...stopped('a')]);
      assert.deepEqual(theatre.ended, { type: 'application_terminated', application: 'b', reason });
      assert.throws(() => theatre.running, /no application controller runs on scheduler 0/);
    });
  }

  for (const type of ['permanent', 'transient'] as const) {
    test(`a start that fails ends the controller, if it was to be ${type}`, () => {
      const theatre = setUp('temporary');
      const error = { type: 'start_failed', application: 'bad', reason: boom };
      const bad: ApplicationSpec = { name: 'bad', start: () => ({ error: boom }) };
      const { error: seen } = ask(theatre.main, Application.start(bad, type));
      assert.deepEqual(seen, error);
      assert.deepEqual(theatre.ended, {
        type: 'application_start_failure',
        application: 'bad',
        reason: error,
      });
      assert.deepEqual(theatre.takeLog(), [...stopped('c'), ...stopped('b'), ...stopped('a')]);
    });
  }

  test('a top process that was not linked, or had ended already, is noticed too', () => {
    const theatre = new Theatre();
    const { main, world } = theatre;
    let pid!: Pid;
    const start = () => {
      pid = world.runtime.spawn(() => ({ receive() {} }));
      return pid;
    };
    ask(main, Application.start(theatre.app('a', [], { start })));
    world.runtime.exit(pid, boom);
    world.runtime.flush();
    assert.deepEqual(theatre.running, []);
    const dead = theatre.app('d', [], {
      start: () => {
        world.runtime.exit(start(), ExitReason.kill);
        return pid;
      },
    });
    assert.deepEqual(ask(main, Application.start(dead)), { ok: true });
    assert.deepEqual(theatre.running, []);
    assert.deepEqual(
      world.eventsOf('application_exited').map(({ reason }) => reasonOf(reason)),
      ['boom', 'killed'],
    );
  });
});

describe('the controller', () => {
  test('stops everything when it is stopped, when its parent ends, and even when it is killed', () => {
    for (const how of ['stop', 'parent', 'kill'] as const) {
      const theatre = new Theatre();
      const { world, controller, main } = theatre;
      ask(main, Application.ensureAllStarted(theatre.app('b', [theatre.app('a')])));
      theatre.takeLog();
      if (how === 'stop') void world.runtime.stop(controller);
      else if (how === 'kill') world.runtime.exit(controller, ExitReason.kill);
      else world.runtime.exit(controller, ExitReason.shutdown);
      world.runtime.flush();
      const log = theatre.takeLog();
      if (how === 'parent') {
        // It has none: an exit signal of a stranger is nothing to it.
        assert.deepEqual(log, []);
        continue;
      }
      assert.equal(world.runtime.isAlive(controller), false);
      // Each by itself when it is killed: then there is no order between them.
      if (how === 'stop') assert.deepEqual(log, [...stopped('b'), ...stopped('a')]);
      else
        for (const name of ['a', 'b'])
          assert.deepEqual(
            log.filter((entry) => (entry as string[])[1] === name),
            stopped(name),
          );
    }
  });

  test('is a child of a supervisor, there is one for each scheduler, and it answers to sys', () => {
    const world = new World();
    const top = Supervisor.start(world.runtime, { children: [ApplicationController.child()] }).ok!;
    const controller = world.runtime.whereis('application_controller')!;
    assert.deepEqual(ApplicationController.start(world.runtime), {
      error: { type: 'already_started', pid: controller },
    });
    const main = world.puppet();
    const seen: string[] = [];
    ask(main, Application.start({ name: 'lib' }));
    ask(
      main,
      Application.start({
        name: 'a',
        start: (self) => self.spawnLink(() => ({ receive() {} })),
        stop: () => void seen.push('stopped'),
      }),
    );
    assert.deepEqual(ask(main, sys.getState('application_controller')), {
      loaded: ['lib', 'a'],
      starting: [],
      running: ['lib', 'a'],
    });
    void world.runtime.stop(top, ExitReason.shutdown);
    world.runtime.flush();
    assert.deepEqual(seen, ['stopped']);
    assert.equal(world.runtime.whereis('application_controller'), undefined);
  });

  test('without one nothing can be asked', () => {
    const world = new World();
    const main = world.puppet();
    main.run((self) => self.block(Application.start({ name: 'a' })));
    assert.deepEqual(reasonOf(world.runtime.exitReasonOf(main.pid)), ['noproc', 'call']);
    assert.throws(() => Application.whichApplications(world.runtime), BadArgument);
  });
});

describe('environments', () => {
  const chat = Application.define({
    name: 'chat',
    description: 'a chat',
    version: '1.2.3',
    env: { port: 80, hosts: ['a'], secure: false },
  });

  test('hold what the specification says, and before that the configuration', () => {
    const theatre = new Theatre({ chat: { port: 8080, extra: 'x' } });
    const { runtime } = theatre.world;
    assert.equal(Application.getEnv(runtime, chat, 'port'), undefined);
    ask(theatre.main, Application.load(chat));
    assert.equal(Application.getEnv(runtime, chat, 'port'), 8080);
    assert.deepEqual(Application.getEnv(runtime, 'chat', 'hosts'), ['a']);
    assert.equal(Application.getEnv(runtime, 'chat', 'nothing'), undefined);
    Application.setEnv(runtime, chat, 'secure', true);
    Application.unsetEnv(runtime, chat, 'hosts');
    assert.deepEqual(Application.getAllEnv(runtime, 'chat'), { port: 8080, secure: true, extra: 'x' });
    assert.deepEqual(Application.getAllEnv(runtime, 'nope'), {});
    assert.throws(() => Application.setEnv(runtime, 'nope', 'x', 1), /no application nope is loaded/);
    assert.deepEqual(Application.status(runtime, 'chat'), {
      name: 'chat',
      description: 'a chat',
      version: '1.2.3',
      state: 'loaded',
      startType: null,
      applications: [],
    });
    assert.deepEqual(Application.loadedApplications(runtime), [
      { name: 'chat', description: 'a chat', version: '1.2.3' },
    ]);
    assert.equal(Application.status(runtime, 'nope'), undefined);
    ask(theatre.main, Application.unload(chat));
    assert.equal(Application.getEnv(runtime, chat, 'port'), undefined);
  });

  test('are handed to start as they are then', () => {
    const theatre = new Theatre();
    const seen: unknown[] = [];
    const app = Application.define({
      name: 'a',
      env: { size: 1 },
      start: (self, { env }) => {
        seen.push(env.size);
        return theatre.top(self, 'a');
      },
    });
    ask(theatre.main, Application.load(app));
    Application.setEnv(theatre.world.runtime, app, 'size', 7);
    ask(theatre.main, Application.start(app));
    assert.deepEqual(seen, [7]);
  });

  test('a new configuration: those that run are told what is different', () => {
    const theatre = new Theatre({ a: { changes: 1, goes: 1 }, idle: { x: 1 } });
    const { main } = theatre;
    const seen: unknown[] = [];
    const app = (name: string): ApplicationSpec => ({
      ...theatre.app(name, [], { env: { same: { deep: [1] }, changes: 0 } }),
      *configChange(change) {
        yield* receive('never', 0);
        seen.push([name, change]);
      },
    });
    ask(main, Application.start(app('a')));
    ask(main, Application.start(app('untouched')));
    ask(main, Application.load(app('idle')));
    ask(
      main,
      Application.start({
        ...app('bad'),
        configChange: () => {
          throw new Error('oops');
        },
      }),
    );
    const failed = ask(
      main,
      Application.changeConfig({
        a: { changes: 2, comes: 1, same: { deep: [1] } },
        idle: { x: 2 },
        bad: { changes: 5 },
      }),
    );
    assert.deepEqual(seen, [['a', { changed: { changes: 2 }, added: { comes: 1 }, removed: ['goes'] }]]);
    assert.deepEqual(
      failed.map(({ application, reason }) => [application, reasonOf(reason)]),
      [['bad', 'error: oops']],
    );
    const { runtime } = theatre.world;
    assert.deepEqual(Application.getAllEnv(runtime, 'a'), { same: { deep: [1] }, changes: 2, comes: 1 });
    assert.equal(Application.getEnv(runtime, 'idle', 'x'), 2);
    assert.equal(Application.getEnv(runtime, 'untouched', 'changes'), 0);
  });
});
