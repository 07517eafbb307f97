/** proc_lib: starts that are acknowledged, and crash reports; the themes of OTP's proc_lib_SUITE. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ExitReason,
  formatReport,
  GenServer,
  type InitAck,
  procLib,
  type RuntimeEvent,
  receive,
  sleep,
  started,
} from '../../src/actors/index.js';
import { reasonOf, World } from './world.js';

const boom = ExitReason.custom('boom');

describe('starts', () => {
  test('of a process of callbacks: the result is there when the start returns', () => {
    const world = new World();
    const start = (word: (ack: InitAck) => void) =>
      procLib.start(world.runtime, (_self, ack) => {
        word(ack);
        return { receive() {} };
      });
    assert.ok(world.runtime.isAlive(start((ack) => ack.ok()).ok!));
    assert.equal(start((ack) => ack.ok('port')).info, 'port');
    assert.equal(start((ack) => ack.fail('ignore', ExitReason.normal)).ignore, true);
    const failed = start((ack) => ack.fail({ error: boom }, ExitReason.shutdown));
    assert.deepEqual(failed.error, boom);
    // The first word counts.
    const twice = start((ack) => {
      ack.ok(1);
      ack.ok(2);
      ack.error(boom);
    });
    assert.equal(twice.info, 1);
    assert.equal(world.runtime.processCount, 3);
    assert.deepEqual(world.events, []);
  });

  test('what fails ends with the reason that it says, and its starter hears the other', () => {
    const world = new World();
    const a = world.puppet({ trapExit: true });
    a.run((self) => {
      const result = procLib.startLink(
        self,
        (_child, ack) => ack.fail({ error: ExitReason.custom('for the starter') }, boom),
        { name: 'x' },
      );
      assert.deepEqual(reasonOf(result.error!), 'for the starter');
      assert.equal(self.runtime.whereis('x'), undefined);
    });
    assert.deepEqual(a.inbox, []);
    assert.deepEqual(
      world.eventsOf('crash').map(({ reason }) => reason),
      [boom],
    );
  });

  test('monitored: the DOWN comes also when it failed', () => {
    const world = new World();
    const a = world.puppet();
    a.run((self) => {
      const { result, ref } = procLib.startMonitor(self, (_child, ack) =>
        ack.fail('ignore', ExitReason.normal),
      );
      assert.equal(result.ignore, true);
      assert.equal(ref?.isMonitor, false);
      self.register('taken');
      const { result: taken, ref: none } = procLib.startMonitor(self, () => ({ receive() {} }), {
        name: 'taken',
      });
      assert.deepEqual(taken.error, { type: 'already_started', pid: self });
      assert.equal(none, null);
    });
    assert.deepEqual(
      a.inbox.map((message) => (message as unknown[])[2]),
      ['normal'],
    );
  });

  test('from outside, with a time', async () => {
    const world = new World();
    const slow = (ms: number) =>
      procLib.start(
        world.runtime,
        function* (_self, ack) {
          yield* sleep(ms);
          ack.ok();
          yield* receive();
        },
        { timeoutMs: 100 },
      );
    const [fine, late] = [50, 200].map((ms) => world.runtime.wait(started(slow(ms))));
    for (let step = 0; step < 30; step++) world.advance(10);
    assert.ok((await fine)!.ok !== undefined);
    assert.deepEqual((await late)!.error, ExitReason.timeout);
  });

  test('stop from a process and from outside', async () => {
    const world = new World();
    const servers = [1, 2].map(() => GenServer.start(world.runtime, { init: () => GenServer.ok(0) }).ok!);
    const stopping = [
      world.runtime.wait(procLib.stop(servers[0]!, ExitReason.shutdownWith('x'))),
      world.runtime.stop(servers[1]!, ExitReason.shutdownWith({ a: 1 })),
    ];
    world.runtime.flush();
    await Promise.all(stopping);
    assert.equal(world.runtime.processCount, 0);
  });
});

describe('crash reports', () => {
  test('who, why, whose child, what waited, who is linked', () => {
    const world = new World();
    const linked = world.puppet({ trapExit: true, label: 'linked' });
    const top = world.puppet({ label: 'top' });
    top.run((self) => {
      const middle = self.spawn<string>(
        (process) => ({
          receive() {
            process.spawn<number>(
              (child) => ({
                receive() {
                  child.link(linked.pid);
                  child.trapExit = true;
                  for (let n = 0; n < 20; n++) child.send(child, n);
                  throw new Error('oops');
                },
              }),
              { label: 'bottom', name: 'bottom' },
            );
            process.runtime.sendNamed('bottom', 0);
          },
        }),
        { label: 'middle' },
      );
      self.send(middle, 'go');
    });
    const [crash] = world.eventsOf('crash');
    assert.ok(crash !== undefined);
    const { label, name, path, ancestors, reason, mailboxLength, messages, links, trapExit } = crash;
    assert.deepEqual([label, name, path], ['bottom', 'bottom', ['top', 'middle']]);
    assert.deepEqual(
      ancestors.map((pid) => (pid as { label?: string }).label),
      ['middle', 'top'],
    );
    assert.deepEqual([mailboxLength, messages], [20, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    assert.deepEqual(links, [linked.pid]);
    assert.equal(trapExit, true);
    assert.equal(reasonOf(reason), 'error: oops');
  });

  test('none for normal, shutdown and {shutdown, _}, nor for who dies of a signal', () => {
    const world = new World();
    for (const reason of [ExitReason.normal, ExitReason.shutdown, ExitReason.shutdownWith('x')]) {
      world.puppet().run((self) => self.exit(reason));
    }
    const a = world.puppet();
    world.runtime.exit(a.pid, boom);
    world.runtime.exit(world.puppet().pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(world.events, []);
    world.puppet().run((self) => self.exit(ExitReason.kill));
    assert.equal(world.eventsOf('crash').length, 1);
  });

  test('what a process has put aside while it waits belongs to what waited', () => {
    const world = new World();
    const pid = world.runtime.spawn<unknown>(function* (self) {
      yield* receive('go');
      self.exit(boom);
    });
    for (const message of ['a', 'b', 'go', 'c']) world.runtime.send(pid, message);
    world.runtime.flush();
    const [crash] = world.eventsOf('crash');
    assert.deepEqual([crash?.mailboxLength, crash?.messages], [3, ['a', 'b', 'c']]);
  });

  test('as a text', () => {
    const world = new World();
    const long = 'x'.repeat(1000);
    const server = GenServer.start<unknown, readonly [unknown, unknown], never, unknown, never>(
      world.runtime,
      {
        init: () => GenServer.ok({ n: 1n, long }),
        handleCall: (_request, _from, state) => GenServer.stop(boom, state),
      },
      { name: 'server' },
    ).ok!;
    const caller = world.puppet({ label: 'caller' });
    caller.run((self) => {
      self.request(server, { get: 1 }, () => {});
      self.send(server as never, 'waits' as never);
    });
    const texts = world.events.map((event) =>
      formatReport(event as Extract<RuntimeEvent, { type: 'crash' }>),
    );
    assert.equal(texts.length, 2);
    const [terminating, crash] = texts as [string, string];
    assert.match(terminating, /^GenServer server <0\.\d+\.\d+> terminating$/m);
    assert.match(terminating, /^ {2}last message: call \{"get":1\} from <0\.\d+\.\d+>$/m);
    assert.match(terminating, /^ {2}state: \{"n":"1n","long":"x+…$/m);
    assert.match(terminating, /^ {2}reason: boom$/m);
    assert.match(crash, /^crash of server <0\.\d+\.\d+>$/m);
    assert.match(crash, /^ {2}messages: "waits"$/m);
    assert.ok(Math.max(...texts.map((text) => text.length)) < 2000);
  });
});
