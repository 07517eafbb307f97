/** Two schedulers joined by a router that keeps order and copies, as a ring would. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CallMessage,
  type CallOutcome,
  ExitReason,
  GenServer,
  type Pid,
  type RemoteSignal,
  type Router,
} from '../../src/actors/index.js';
import { Fifo } from '../../src/structures/fifo.js';
import { reasonOf, World } from './world.js';

/** Nothing that travelled is still in the tables of either side. */
function assertForgotten(pair: Pair): void {
  for (const { runtime } of pair.worlds)
    assert.deepEqual(runtime.signals.remoteCounts, { exported: 0, watches: 0 });
}

class Call {
  constructor(
    readonly caller: Pid,
    readonly ref: number,
    readonly request: unknown,
  ) {}
}

class Pair {
  readonly worlds: readonly [World, World];
  up = true;
  readonly #wire = new Fifo<() => void>();

  constructor() {
    this.worlds = [
      new World({ scheduler: 0, router: this.#from(0) }),
      new World({ scheduler: 1, router: this.#from(1) }),
    ];
  }

  /** Until nothing runs and nothing is on the wire. */
  settle(): void {
    do {
      this.#wire.shift()?.();
      for (const world of this.worlds) world.runtime.flush();
    } while (this.#wire.length > 0);
  }

  advance(ms: number): void {
    for (const world of this.worlds) world.advance(ms);
    this.settle();
  }

  /** A pid of world 0 as world 1 knows it, or the other way round. */
  seen(pid: Pid, by: 0 | 1): Pid<unknown> {
    return this.worlds[by].runtime.pid(pid.scheduler, pid.id);
  }

  #from(sender: 0 | 1): Router {
    const receiver = () => this.worlds[1 - sender]!.runtime;
    const here = () => this.worlds[sender].runtime;
    const again = (pid: Pid) => receiver().pid(pid.scheduler, pid.id);
    return {
      message: (target, message) => {
        const { id } = target;
        const wired =
          message instanceof CallMessage
            ? new Call(message.from.caller, here().exportFrom(message.from), message.request)
            : message;
        if (this.up) {
          this.#wire.push(() => {
            const arrived =
              wired instanceof Call
                ? new CallMessage(receiver().importFrom(again(wired.caller), wired.ref), wired.request)
                : wired;
            receiver().deliver(id, arrived);
          });
        }
        return this.up;
      },
      signal: (target, signal: RemoteSignal) => {
        const { id } = target;
        if (this.up) {
          this.#wire.push(() => {
            const arrived = 'from' in signal ? { ...signal, from: again(signal.from) } : signal;
            receiver().deliverSignal(id, arrived as RemoteSignal);
          });
        }
        return this.up;
      },
    };
  }
}

const boom = ExitReason.custom('boom');

function setUp() {
  const pair = new Pair();
  const [here, there] = pair.worlds;
  const a = here.puppet({ trapExit: true, label: 'a' });
  const b = there.puppet({ label: 'b' });
  return { pair, here, there, a, b, remoteB: pair.seen(b.pid, 0), remoteA: pair.seen(a.pid, 1) };
}

describe('across schedulers', () => {
  test('one address is one object', () => {
    const { pair, here, b, remoteB, a } = setUp();
    assert.equal(pair.seen(b.pid, 0), remoteB);
    assert.equal(here.runtime.pid(0, a.pid.id), a.pid);
    assert.equal(here.runtime.isAlive(remoteB), false);
    assert.equal(String(remoteB), String(b.pid));
  });

  test('messages arrive in order, and those to the dead vanish', () => {
    const { pair, here, there, b, remoteB } = setUp();
    for (let at = 0; at < 5; at++) here.runtime.send(remoteB, at);
    pair.settle();
    assert.deepEqual(b.inbox, [0, 1, 2, 3, 4]);
    there.runtime.exit(b.pid, ExitReason.kill);
    here.runtime.send(remoteB, 'x');
    pair.settle();
  });

  test('a link takes ends in both directions, after the messages before it', () => {
    const { pair, there, a, b, remoteA, remoteB } = setUp();
    a.run((self) => self.link(remoteB));
    pair.settle();
    b.run((self) => {
      self.send(remoteA, 'last words');
      self.exit(boom);
    });
    pair.settle();
    assert.deepEqual(a.inbox, ['last words', ['EXIT', remoteB, 'boom']]);

    const c = there.puppet();
    a.run((self) => {
      self.link(pair.seen(c.pid, 0));
      self.exit(boom);
    });
    pair.settle();
    assert.equal(reasonOf(there.runtime.exitReasonOf(c.pid)), 'boom');
  });

  test('after an unlink nothing comes, even if the other end had died before it heard', () => {
    const { pair, here, there, a, b, remoteB } = setUp();
    a.run((self) => self.link(remoteB));
    pair.settle();
    there.runtime.exit(b.pid, boom);
    a.run((self) => self.unlink(remoteB));
    pair.settle();
    assert.deepEqual(a.inbox, []);
    assert.deepEqual(here.runtime.info(a.pid)!.links, []);
  });

  test('linking to, and monitoring, one that is dead', () => {
    const { pair, there, a, b, remoteB } = setUp();
    there.runtime.exit(b.pid, ExitReason.kill);
    a.run((self) => {
      self.link(remoteB);
      self.monitor(remoteB);
    });
    pair.settle();
    assert.deepEqual(a.inbox, [
      ['EXIT', remoteB, 'noproc'],
      ['DOWN', remoteB, 'noproc'],
    ]);
  });

  test('monitors fire once, and not after demonitor', () => {
    const { pair, there, a, b, remoteB } = setUp();
    a.run((self) => {
      self.monitor(remoteB);
      self.demonitor(self.monitor(remoteB));
    });
    pair.settle();
    assert.equal(there.runtime.info(b.pid)!.monitoredBy.length, 1);
    there.runtime.exit(b.pid, boom);
    pair.settle();
    assert.deepEqual(a.inbox, [['DOWN', remoteB, 'boom']]);
    // The end of a watcher takes its monitors away there.
    const c = there.puppet();
    a.run((self) => {
      self.monitor(pair.seen(c.pid, 0));
      self.exit(boom);
    });
    pair.settle();
    assert.equal(there.runtime.info(c.pid)!.monitoredBy.length, 0);
    assertForgotten(pair);
  });

  test('exit signals', () => {
    const { pair, there, a, b, remoteA, remoteB } = setUp();
    b.run(() => there.runtime.exit(remoteA, boom));
    pair.settle();
    assert.deepEqual(a.inbox, [['EXIT', remoteB, 'boom']]);
    b.run(() => there.runtime.exit(remoteA, ExitReason.kill));
    pair.settle();
    assert.equal(a.self.alive, false);
  });

  test('calls: reply, crash, timeout with a late reply', () => {
    const { pair, here, there, a } = setUp();
    let late: (() => void) | undefined;
    const server = GenServer.start<number, [string, unknown], never, never, never>(there.runtime, {
      init: () => GenServer.ok(0),
      handleCall(request, from, state) {
        if (request === 'crash') throw new Error('oops');
        if (request === 'slow') {
          late = () => from.reply('late');
          return GenServer.noreply(state);
        }
        return GenServer.reply(`${request}!`, state);
      },
    }).ok!;
    const remote = pair.seen(server, 0);
    const outcomes: unknown[] = [];
    const ask = (request: string) => {
      a.run((self) =>
        self.request(remote, request, (outcome: CallOutcome<unknown>) =>
          outcomes.push(outcome.ok ? outcome.value : reasonOf(outcome.reason)),
        ),
      );
      pair.settle();
    };
    ask('hello');
    ask('slow');
    pair.advance(5000);
    late!();
    pair.settle();
    ask('crash');
    ask('gone');
    assert.deepEqual(outcomes, ['hello!', 'timeout', 'error: oops', 'noproc']);
    assert.deepEqual(a.inbox, []);
    assert.equal(here.runtime.info(a.pid)!.monitoring.length, 0);
    assertForgotten(pair);
  });

  test('a lost scheduler: noconnection, once, over every link, monitor and call', () => {
    const { pair, here, there, a, b, remoteA, remoteB } = setUp();
    const outcomes: unknown[] = [];
    a.run((self) => {
      self.link(remoteB);
      self.monitor(remoteB);
      self.request(remoteB, 'x', (outcome) => outcomes.push(outcome.ok || reasonOf(outcome.reason)));
    });
    b.run((self) => self.monitor(remoteA));
    pair.settle();
    pair.up = false;
    here.runtime.schedulerDown(1);
    there.runtime.schedulerDown(0);
    pair.settle();
    assert.deepEqual(outcomes, ['noconnection']);
    assert.deepEqual(
      new Set(a.inbox.map((message) => String(message))),
      new Set([`EXIT,${remoteB},noconnection`, `DOWN,${remoteB},noconnection`]),
    );
    assert.equal(here.runtime.info(a.pid)!.monitoredBy.length, 0);
    assertForgotten(pair);
    // And from now on at once.
    a.run((self) => self.monitor(remoteB));
    assert.equal(a.inbox.length, 3);
    assert.equal(reasonOf(there.runtime.exitReasonOf(b.pid)), 'noconnection');
  });
});
