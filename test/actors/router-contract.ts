/** What every Router has to keep, run against each of them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CallOutcome,
  Exit,
  ExitReason,
  type From,
  GenServer,
  multiCall,
  type Pid,
  receiveResponse,
  sendRequest,
  stop,
  waitResponse,
} from '../../src/actors/index.js';
import { reasonOf, type World } from './world.js';

/** Nothing that travelled is still in the tables of either side. */
function assertForgotten(pair: RouterPair): void {
  for (const { runtime } of pair.worlds)
    assert.deepEqual(runtime.signals.remoteCounts, { exported: 0, watches: 0 });
}

/** Two schedulers, 0 and 1, in one thread. */
export interface RouterPair {
  readonly worlds: readonly [World, World];
  /** Until nothing runs and nothing is under way. */
  settle(): void;
  /** Scheduler 1 is lost, and 0 learns of it. */
  lose(): void;
}

const boom = ExitReason.custom('boom');

/** A pid of the other world as this one knows it. */
function seen(world: World, pid: Pid): Pid<unknown> {
  return world.runtime.pid(pid.scheduler, pid.id);
}

function setUpWith(makePair: () => RouterPair) {
  const pair = makePair();
  const [here, there] = pair.worlds;
  const a = here.puppet({ trapExit: true, label: 'a' });
  const b = there.puppet({ label: 'b' });
  const advance = (ms: number) => {
    for (const world of pair.worlds) world.advance(ms);
    pair.settle();
  };
  return { pair, here, there, a, b, advance, remoteB: seen(here, b.pid), remoteA: seen(there, a.pid) };
}

export function routerContract(name: string, makePair: () => RouterPair): void {
  const setUp = () => setUpWith(makePair);
  describe(`across schedulers: ${name}`, () => {
    test('one address is one object', () => {
      const { here, b, remoteB, a } = setUp();
      assert.equal(seen(here, b.pid), remoteB);
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
      const { pair, here, there, a, b, remoteA, remoteB } = setUp();
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
        self.link(seen(here, c.pid));
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
      const { pair, here, there, a, b, remoteB } = setUp();
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
        self.monitor(seen(here, c.pid));
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
      const { pair, here, there, a, advance } = setUp();
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
      const remote = seen(here, server);
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
      advance(5000);
      late!();
      pair.settle();
      ask('crash');
      ask('gone');
      assert.deepEqual(outcomes, ['hello!', 'timeout', 'error: oops', 'noproc']);
      assert.deepEqual(a.inbox, []);
      assert.equal(here.runtime.info(a.pid)!.monitoring.length, 0);
      assertForgotten(pair);
    });

    test('stop: heard, or not; nobody there; too late; a scheduler that is lost', () => {
      const { pair, here, there, advance } = setUp();
      const server = (terminate: () => void = () => {}) =>
        GenServer.start<number, never, string, never, never>(there.runtime, {
          init: () => GenServer.ok(0),
          handleCast(message, state) {
            if (message === 'stop') return GenServer.stop(ExitReason.shutdown, state);
            if (message === 'boom') throw new Exit(boom);
            return GenServer.noreply(state);
          },
          terminate,
        }).ok!;
      const ends: unknown[] = [];
      const stopping = (target: Pid, reason = ExitReason.shutdown, timeoutMs = 1000) => {
        here.runtime.spawn<unknown>(function* () {
          try {
            yield* stop(seen(here, target), reason, timeoutMs);
            ends.push('stopped');
          } catch (thrown) {
            ends.push((thrown as Exit).reason);
          }
        });
        here.runtime.flush();
      };
      const ended = () => ends.splice(0);

      const quiet = server();
      stopping(quiet);
      pair.settle();
      assert.deepEqual(ended(), ['stopped']);
      stopping(quiet);
      pair.settle();
      assert.deepEqual(ended(), [ExitReason.noproc], 'nobody there any more: bare');

      // It ends before it comes to the request: with the very reason that was asked for, and with another.
      for (const [message, reason] of [
        ['stop', ExitReason.shutdown],
        ['boom', boom],
      ] as const) {
        const busy = server();
        there.runtime.suspend(busy);
        there.runtime.cast(busy, message);
        stopping(busy);
        pair.settle();
        there.runtime.resume(busy);
        pair.settle();
        const target = seen(here, busy);
        assert.deepEqual(ended(), [{ type: 'call', reason, target }]);
      }

      // It has come to it, and fails.
      const failing = server(() => {
        throw new Exit(boom);
      });
      stopping(failing);
      pair.settle();
      assert.deepEqual(ended(), [boom]);

      // Suspended processes hear nothing.
      const held = server();
      there.runtime.suspend(held);
      stopping(held, ExitReason.shutdown, 50);
      pair.settle();
      advance(50);
      assert.deepEqual(ended(), [ExitReason.timeout]);
      there.runtime.resume(held);
      pair.settle();
      assert.equal(there.runtime.isAlive(held), false, 'the request stands');
      assertForgotten(pair);

      const lost = server();
      there.runtime.suspend(lost);
      stopping(lost);
      pair.settle();
      pair.lose();
      pair.settle();
      assert.deepEqual(ended(), [
        { type: 'call', reason: ExitReason.noconnection, target: seen(here, lost) },
      ]);
    });

    test('requests with ids: reply, end, a late reply to one abandoned; several servers at once', () => {
      const { pair, here, there, advance } = setUp();
      const waiting: From<unknown>[] = [];
      const server = (world: World) =>
        GenServer.start<number, readonly [string, unknown], never, never, never>(world.runtime, {
          init: () => GenServer.ok(0),
          handleCall(request, from, state) {
            if (request === 'crash') return GenServer.stop(boom, state);
            if (request === 'slow') waiting.push(from);
            return request === 'slow' ? GenServer.noreply(state) : GenServer.reply(`${request}!`, state);
          },
        }).ok!;
      const [near, far, doomed] = [server(here), server(there), server(there)];
      const [remote, remoteDoomed] = [seen(here, far), seen(here, doomed)] as [typeof far, typeof far];
      const results: unknown[] = [];
      const client = here.runtime.spawn<unknown>(function* (self) {
        results.push(yield* receiveResponse(sendRequest(self, remote, 'hello'), 1000));
        results.push(yield* receiveResponse(sendRequest(self, remote, 'slow'), 100));
        const kept = sendRequest(self, remote, 'slow');
        results.push(yield* waitResponse(kept, 100), yield* waitResponse(kept, 1000));
        results.push(yield* receiveResponse(sendRequest(self, remoteDoomed, 'crash'), 1000));
        results.push(yield* multiCall([near, remote, remoteDoomed], 'all', 1000));
        results.push(self.messageQueueLength);
      });
      pair.settle();
      advance(100);
      waiting.shift()!.reply('late');
      pair.settle();
      advance(100);
      waiting.shift()!.reply('in time');
      pair.settle();
      assert.ok(!here.runtime.isAlive(client), JSON.stringify(results));
      assert.deepEqual(results, [
        { type: 'reply', value: 'hello!' },
        'timeout',
        'timeout',
        { type: 'reply', value: 'in time' },
        { type: 'error', reason: boom, server: remoteDoomed },
        {
          replies: [near, remote].map((server) => ({ server, value: 'all!' })),
          failed: [{ server: remoteDoomed, reason: ExitReason.noproc }],
        },
        0,
      ]);
      assertForgotten(pair);
    });

    test('a lost scheduler: noconnection, once, over every link, monitor and call', () => {
      const { pair, here, a, b, remoteA, remoteB } = setUp();
      const outcomes: unknown[] = [];
      a.run((self) => {
        self.link(remoteB);
        self.monitor(remoteB);
        self.request(remoteB, 'x', (outcome) => outcomes.push(outcome.ok || reasonOf(outcome.reason)));
      });
      b.run((self) => self.monitor(remoteA));
      pair.settle();
      pair.lose();
      pair.settle();
      assert.deepEqual(outcomes, ['noconnection']);
      assert.deepEqual(
        new Set(a.inbox.map((message) => String(message))),
        new Set([`EXIT,${remoteB},noconnection`, `DOWN,${remoteB},noconnection`]),
      );
      assert.equal(here.runtime.info(a.pid)!.monitoredBy.length, 0);
      assert.deepEqual(here.runtime.signals.remoteCounts, { exported: 0, watches: 0 });
      // And from now on at once.
      a.run((self) => {
        self.monitor(remoteB);
        self.link(remoteB);
      });
      assert.deepEqual(a.inbox.slice(2), [
        ['DOWN', remoteB, 'noconnection'],
        ['EXIT', remoteB, 'noconnection'],
      ]);
    });
  });
}
