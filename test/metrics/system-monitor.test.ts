/** Erlang's system_monitor: who is told of long mailboxes, and when. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BadArgument,
  ExitReason,
  MonitorMessage,
  type Pid,
  Runtime,
  type RuntimeEvent,
  receive,
  sleep,
} from '../../src/actors/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

function make() {
  const clock = new SimulatedClock();
  const runtime = new Runtime({ clock, random: new SeededRandom(1), longScheduleMs: 10 });
  const told: MonitorMessage[] = [];
  const monitor = runtime.spawn<unknown>(() => ({
    receive(message) {
      if (message instanceof MonitorMessage) told.push(message);
    },
  }));
  /** Since the last call. */
  const news = () => {
    runtime.flush();
    return told.splice(0).map(({ subject, event, info }) => [subject, event, info]);
  };
  return { clock, runtime, monitor, news };
}

function sink({ runtime }: ReturnType<typeof make>): Pid<number> {
  return runtime.spawn<number>(() => ({ receive() {} }));
}

describe('long_message_queue', () => {
  for (const enable of [2, 3, 64, 100, 777, 4096]) {
    test(`a mailbox that reaches ${enable} is told of once, and once more when it has fallen`, () => {
      const world = make();
      const { runtime, monitor, news } = world;
      const pid = sink(world);
      runtime.systemMonitor(monitor, { longMessageQueue: { disable: 0, enable } });
      for (let round = 0; round < 3; round++) {
        // Nothing is handled: what was told is in the monitor's mailbox at once.
        runtime.suspend(pid);
        for (let length = 1; length < enable; length++) runtime.send(pid, length);
        assert.deepEqual(news(), [], 'not before');
        runtime.send(pid, enable);
        assert.deepEqual(news(), [[pid, 'long_message_queue', true]]);
        for (let more = 0; more < 3 * enable; more++) runtime.send(pid, more);
        assert.deepEqual(news(), []);
        runtime.resume(pid);
        assert.deepEqual(news(), [[pid, 'long_message_queue', false]]);
      }
    });
  }

  test('it has to fall to disable, and to rise to enable again', () => {
    const world = make();
    const { runtime, monitor, news, clock } = world;
    let left = 0;
    // One message at a time, and only as many as it may.
    const pid = runtime.spawn<number>(function* () {
      for (;;) {
        if (left-- > 0) yield* receive();
        else yield* sleep(1);
      }
    });
    const handle = (count: number) => {
      left = count;
      runtime.flush();
      clock.advance(1);
      clock.advance(1);
    };
    runtime.flush();
    runtime.systemMonitor(monitor, { longMessageQueue: { disable: 10, enable: 128 } });
    for (let sent = 0; sent < 127; sent++) runtime.send(pid, sent);
    assert.deepEqual(news(), []);
    runtime.send(pid, 0);
    assert.deepEqual(news(), [[pid, 'long_message_queue', true]], 'what is put aside counts');
    handle(100);
    assert.deepEqual(news(), [], 'above disable');
    for (let sent = 0; sent < 100; sent++) runtime.send(pid, sent);
    assert.deepEqual(news(), [], 'it was long all the time');
    handle(125);
    assert.deepEqual(news(), [[pid, 'long_message_queue', false]]);
    for (let sent = 0; sent < 100; sent++) runtime.send(pid, sent);
    assert.deepEqual(news(), []);
    for (let sent = 0; sent < 128; sent++) runtime.send(pid, sent);
    assert.deepEqual(news(), [[pid, 'long_message_queue', true]]);
  });

  test('the monitor is not told of itself, nor of those that ended, nor after its own end', () => {
    const world = make();
    const { runtime, monitor, news } = world;
    const pid = sink(world);
    const options = { longMessageQueue: { disable: 0, enable: 64 } };
    assert.equal(runtime.systemMonitor(monitor, options), null);
    assert.deepEqual(runtime.systemMonitorSettings, { monitor, options });
    for (let sent = 0; sent < 200; sent++) runtime.send(monitor, sent);
    assert.deepEqual(news(), []);
    for (let sent = 0; sent < 200; sent++) runtime.send(pid, sent);
    runtime.exit(pid, ExitReason.kill);
    assert.deepEqual(news(), [[pid, 'long_message_queue', true]], 'and no false');
    runtime.exit(monitor, ExitReason.kill);
    runtime.flush();
    assert.equal(runtime.systemMonitorSettings, null);
    const other = sink(world);
    for (let sent = 0; sent < 200; sent++) runtime.send(other, sent);
    runtime.flush();
  });

  test('the next monitor begins anew; the one before hears no more', () => {
    const world = make();
    const { runtime, monitor, news } = world;
    const pid = sink(world);
    const options = { longMessageQueue: { disable: 0, enable: 64 } };
    runtime.systemMonitor(monitor, options);
    for (let sent = 0; sent < 64; sent++) runtime.send(pid, sent);
    const heard: MonitorMessage[] = [];
    const second = runtime.spawn<MonitorMessage>(() => ({
      receive: (message) => heard.push(message as MonitorMessage),
    }));
    assert.deepEqual(runtime.systemMonitor(second, options), { monitor, options });
    assert.deepEqual(news(), [[pid, 'long_message_queue', true]], 'what was sent before');
    assert.deepEqual(heard, []);
    for (let sent = 0; sent < 64; sent++) runtime.send(pid, sent);
    runtime.flush();
    assert.deepEqual(
      heard.map(({ info }) => info),
      [true, false],
    );
    assert.deepEqual(news(), []);
    assert.deepEqual(runtime.systemMonitor(null), { monitor: second, options });
    for (let sent = 0; sent < 64; sent++) runtime.send(pid, sent);
    runtime.flush();
    assert.equal(heard.length, 2);
  });

  test('refuses what makes no sense', () => {
    const { runtime, monitor } = make();
    const of = (disable: number, enable: number) => () =>
      runtime.systemMonitor(monitor, { longMessageQueue: { disable, enable } });
    assert.throws(of(0, 0), /bad enable: 0/);
    assert.throws(of(0, 1.5), /bad enable: 1.5/);
    assert.throws(of(5, 5), /bad disable: 5/);
    assert.throws(of(-1, 5), /bad disable: -1/);
    assert.throws(() => runtime.systemMonitor(monitor, { longSchedule: 0 }), /bad longSchedule: 0/);
    runtime.exit(monitor, ExitReason.kill);
    assert.throws(of(0, 1), BadArgument);
    assert.equal(runtime.systemMonitorSettings, null);
  });
});

test('long_schedule and busy_dist_port', () => {
  const world = make();
  const { runtime, monitor, news, clock } = world;
  const slow = runtime.spawn<number>(() => ({ receive: (ms) => clock.stall(ms as number) }));
  const run = (ms: number) => {
    runtime.send(slow, ms);
    return news();
  };
  runtime.systemMonitor(monitor, { longSchedule: 50 });
  assert.deepEqual(run(20), [], 'reported by the runtime, but not long for this monitor');
  assert.deepEqual(run(60), [[slow, 'long_schedule', 60]]);
  const full: RuntimeEvent = { type: 'busy_port', scheduler: 7, waitingBytes: 1000 };
  runtime.emit(full);
  assert.deepEqual(news(), []);
  runtime.systemMonitor(monitor, { busyDistPort: true });
  runtime.emit(full);
  assert.deepEqual(news(), [[7, 'busy_dist_port', 1000]]);
  assert.deepEqual(run(60), []);
});
