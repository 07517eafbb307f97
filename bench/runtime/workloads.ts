/** The workloads on our runtime. Processes are callbacks unless the name says otherwise. */
import {
  call,
  DownMessage,
  ExitMessage,
  ExitReason,
  GenServer,
  type Pid,
  type Process,
  RUNTIME_STATS,
  Runtime,
  receive,
} from '../../src/actors/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { DynamicSupervisor, Supervisor } from '../../src/supervisors/index.js';
import { bytesEach, type Workload, type Workloads } from './measure.js';

const idle = { receive() {} };

function make(): Runtime {
  const stats = new Float64Array(RUNTIME_STATS.length);
  return new Runtime({ clock: new SystemClock(), random: new SystemRandom(), stats });
}

function times(scale: number, full: number): number {
  return Math.max(1, Math.round(scale * full));
}

function expect(what: string, is: number, shall: number): void {
  if (is !== shall) throw new Error(`${what}: ${is} instead of ${shall}`);
}

/** A process that counts what it gets, perhaps together with others. */
function counting(runtime: Runtime, count: { handled: number }): Pid<number> {
  return runtime.spawn<number>(() => ({
    receive() {
      count.handled++;
    },
  }));
}

function pingPong(messages: number): Workload {
  return {
    events: messages,
    work() {
      const runtime = make();
      let left = messages;
      const player = (peer: () => Pid<number>): Pid<number> =>
        runtime.spawn<number>((self) => ({
          receive(message) {
            if (--left > 0) self.send(peer(), message as number);
          },
        }));
      const a: Pid<number> = player(() => b);
      const b: Pid<number> = player(() => a);
      runtime.send(a, 1);
      runtime.flush();
      expect('messages left', left, 0);
    },
  };
}

/** The same with generators that receive. */
function pingPongGenerators(messages: number): Workload {
  return {
    events: messages,
    work() {
      const runtime = make();
      let handled = 0;
      function* pong(self: Process<Pid<string>>) {
        for (;;) self.send((yield* receive()) as Pid<string>, 'pong');
      }
      const b = runtime.spawn<Pid<string>>(pong);
      runtime.spawn<string>(function* (self) {
        for (let left = messages / 2; left > 0; left--) {
          self.send(b, self);
          yield* receive();
          handled += 2;
        }
      });
      runtime.flush();
      expect('messages', handled, messages);
    },
  };
}

function ring(processes: number, hops: number): Workload {
  return {
    events: hops,
    work() {
      const runtime = make();
      let next!: Pid<number>;
      let last = -1;
      const first = runtime.spawn<number>((self) => ({
        receive(left) {
          if ((left as number) > 0) self.send(next, (left as number) - 1);
          else last = left as number;
        },
      }));
      next = first;
      for (let at = 1; at < processes; at++) {
        const following = next;
        next = runtime.spawn<number>((self) => ({
          receive(left) {
            if ((left as number) > 0) self.send(following, (left as number) - 1);
            else last = left as number;
          },
        }));
      }
      runtime.send(first, hops);
      runtime.flush();
      expect('hops left', last, 0);
    },
  };
}

function fanIn(senders: number, each: number): Workload {
  return {
    events: senders * each,
    work() {
      const runtime = make();
      let sum = 0;
      const sink = runtime.spawn<number>(() => ({
        receive(message) {
          sum += message as number;
        },
      }));
      for (let at = 0; at < senders; at++) {
        let left = each;
        const sender = runtime.spawn<number>((self) => ({
          receive() {
            // As many as a process may handle at a time: then the others have their turn.
            for (let burst = Math.min(64, left); burst > 0; burst--, left--) self.send(sink, 1);
            if (left > 0) self.send(self, 0);
          },
        }));
        runtime.send(sender, 0);
      }
      runtime.flush();
      expect('messages', sum, senders * each);
    },
  };
}

function fanOut(receivers: number, each: number): Workload {
  return {
    events: receivers * each,
    work() {
      const runtime = make();
      const count = { handled: 0 };
      const pids = Array.from({ length: receivers }, () => counting(runtime, count));
      let left = each;
      const source = runtime.spawn<number>((self) => ({
        receive() {
          for (const pid of pids) self.send(pid, 1);
          if (--left > 0) self.send(self, 0);
        },
      }));
      runtime.send(source, 0);
      runtime.flush();
      expect('messages', count.handled, receivers * each);
    },
  };
}

function startCounter(runtime: Runtime) {
  return GenServer.start<number, [string, number], never, never, never>(runtime, {
    init: () => GenServer.ok(0),
    handleCall: (_request, _from, state) => GenServer.reply(state, state + 1),
  }).ok!;
}

function calls(count: number): Workload {
  return {
    events: count,
    work() {
      const runtime = make();
      const server = startCounter(runtime);
      let left = count;
      const client = runtime.spawn<string>((self) => {
        const ask = () => GenServer.request(self, server, 'x', done);
        const done = () => {
          if (--left > 0) ask();
        };
        return { receive: ask };
      });
      runtime.send(client, 'go');
      runtime.flush();
      expect('calls left', left, 0);
    },
  };
}

function callsOfGenerator(count: number, noise: number): Workload {
  return {
    events: count,
    work() {
      const runtime = make();
      const server = startCounter(runtime);
      let last = -1;
      runtime.spawn<unknown>(function* (self) {
        for (let at = 0; at < noise; at++) self.send(self, { type: 'noise', at });
        for (let left = count; left > 0; left--) last = yield* call(server, 'x');
      });
      runtime.flush();
      expect('replies', last, count - 1);
    },
  };
}

/** In batches: what spawns must give the others their turn. */
const BATCH = 1000;

function spawnExit(processes: number): Workload {
  return {
    events: processes,
    work() {
      const runtime = make();
      const count = { handled: 0 };
      const counter = counting(runtime, count);
      for (let left = processes; left > 0; left -= BATCH) {
        for (let at = Math.min(BATCH, left); at > 0; at--) {
          const pid = runtime.spawn<number>((self) => ({
            receive() {
              self.send(counter, 1);
              self.finish();
            },
          }));
          runtime.send(pid, 0);
        }
        runtime.flush();
      }
      expect('processes', count.handled, processes);
    },
  };
}

function spawnExitGenerators(processes: number): Workload {
  return {
    events: processes,
    work() {
      const runtime = make();
      const count = { handled: 0 };
      const counter = counting(runtime, count);
      // biome-ignore lint/correctness/useYield: it ends without waiting
      function* short(self: Process<never>): Generator<never, void, unknown> {
        self.send(counter, 1);
      }
      for (let left = processes; left > 0; left -= BATCH) {
        for (let at = Math.min(BATCH, left); at > 0; at--) runtime.spawn<never>(short);
        runtime.flush();
      }
      expect('processes', count.handled, processes);
    },
  };
}

function backlog(length: number): Workload {
  return {
    events: length,
    work() {
      const runtime = make();
      const count = { handled: 0 };
      const sink = counting(runtime, count);
      for (let message = 0; message < length; message++) runtime.send(sink, message);
      runtime.flush();
      expect('messages', count.handled, length);
    },
  };
}

/** Each message in a turn of its own, as when they come from sockets one at a time. */
function turns(count: number): Workload {
  return {
    events: count,
    work() {
      const clock = new SystemClock();
      const stats = new Float64Array(RUNTIME_STATS.length);
      const runtime = new Runtime({ clock, random: new SystemRandom(), stats });
      return new Promise<void>((resolve) => {
        let left = count;
        const send = () => runtime.send(pid, left);
        const pid = runtime.spawn<number>(() => ({
          receive() {
            if (--left > 0) clock.defer(send);
            else resolve();
          },
        }));
        send();
      });
    },
  };
}

function timersCancel(count: number): Workload {
  return {
    events: count,
    work() {
      const runtime = make();
      const pid = runtime.spawn<number>(() => idle);
      const timers = Array.from({ length: count }, (_, at) =>
        runtime.sendAfter(30_000 + (at & 1023), pid, at),
      );
      for (const timer of timers) if (runtime.cancelTimer(timer) === false) throw new Error('it has fired');
    },
  };
}

function timersFire(count: number): Workload {
  return {
    events: count,
    async work() {
      const runtime = make();
      await new Promise<void>((resolve) => {
        let left = count;
        const pid = runtime.spawn<number>(() => ({
          receive() {
            if (--left === 0) resolve();
          },
        }));
        for (let at = 0; at < count; at++) runtime.sendAfter(1 + (at & 63), pid, at);
      });
    },
  };
}

function die(kind: 'link' | 'monitor', count: number): Workload {
  return {
    events: count,
    work() {
      const runtime = make();
      let told = 0;
      const hub = runtime.spawn<number>(() => idle);
      const followers = {
        receive(message: unknown) {
          if (message instanceof ExitMessage || message instanceof DownMessage) told++;
        },
      };
      for (let at = 0; at < count; at++) {
        runtime.spawn<number>(
          (self) => {
            if (kind === 'link') self.link(hub);
            else self.monitor(hub);
            return followers;
          },
          { trapExit: true },
        );
      }
      runtime.exit(hub, ExitReason.custom('boom'));
      runtime.flush();
      expect('told', told, count);
    },
  };
}

function restarts(count: number): Workload {
  return {
    events: count,
    work() {
      const runtime = make();
      let starts = 0;
      const supervisor = Supervisor.start(runtime, {
        intensity: count + 10,
        periodMs: 3_600_000,
        children: [
          {
            id: 'child',
            start: (parent) => {
              starts++;
              const pid = parent.spawnLink<string>((self) => ({
                receive: () => self.exit(ExitReason.custom('boom')),
              }));
              if (starts <= count) runtime.send(pid, 'die');
              return pid;
            },
          },
        ],
      }).ok!;
      runtime.flush();
      expect('starts', starts, count + 1);
      runtime.exit(supervisor, ExitReason.kill);
    },
  };
}

function lookups(names: number): Workload {
  const runtime = make();
  const all = Array.from({ length: names }, (_, at) => `name${at}`);
  for (const name of all) runtime.spawn(() => idle, { name });
  return {
    events: names * 10,
    work() {
      for (let round = 0; round < 10; round++) {
        for (const name of all) if (runtime.whereis(name) === undefined) throw new Error(`nobody is ${name}`);
      }
    },
  };
}

function selective(length: number, looks: number): Workload {
  return {
    events: length * looks,
    work() {
      const runtime = make();
      let found = 0;
      runtime.spawn<{ readonly type: string; readonly n: number }>(function* (self) {
        for (let n = 0; n < length; n++) self.send(self, { type: 'noise', n });
        for (let n = 0; n < looks; n++) {
          self.send(self, { type: 'wanted', n });
          yield* receive((message) => {
            const { type, n: number } = message as { readonly type: string; readonly n: number };
            return type === 'wanted' && number === n;
          });
          found++;
        }
      });
      runtime.flush();
      expect('found', found, looks);
    },
  };
}

function supervisedStarts(count: number): Workload {
  const spec = {
    id: 'c',
    restart: 'temporary' as const,
    start: (self: Process<never>) => self.spawnLink(() => idle),
  };
  return {
    events: count,
    work() {
      const runtime = make();
      const supervisor = DynamicSupervisor.start(runtime, {}).ok!;
      for (let at = 0; at < count; at++) DynamicSupervisor.startChild(runtime, supervisor, spec);
    },
  };
}

export const workloads: Workloads = {
  ping_pong: (scale) => pingPong(times(scale, 1_000_000)),
  ping_pong_generators: (scale) => pingPongGenerators(2 * times(scale, 500_000)),
  ring: (scale) => ring(1000, times(scale, 1_000_000)),
  fan_in: (scale) => fanIn(100, times(scale, 10_000)),
  fan_out: (scale) => fanOut(100, times(scale, 10_000)),
  calls: (scale) => calls(times(scale, 300_000)),
  calls_generators: (scale) => callsOfGenerator(times(scale, 300_000), 0),
  calls_long_mailbox: (scale) => callsOfGenerator(times(scale, 100_000), 10_000),
  spawn_exit: (scale) => spawnExit(times(scale, 300_000)),
  spawn_exit_generators: (scale) => spawnExitGenerators(times(scale, 300_000)),
  turns: (scale) => turns(times(scale, 200_000)),
  backlog: (scale) => backlog(times(scale, 10_000_000)),
  timers_cancel: (scale) => timersCancel(times(scale, 1_000_000)),
  timers_fire: (scale) => timersFire(times(scale, 1_000_000)),
  links_die: (scale) => die('link', times(scale, 100_000)),
  monitors_die: (scale) => die('monitor', times(scale, 100_000)),
  restarts: (scale) => restarts(times(scale, 20_000)),
  lookups: (scale) => lookups(times(scale, 100_000)),
  selective: (scale) => selective(10_000, times(scale, 200)),
  supervised_starts: (scale) => supervisedStarts(times(scale, 50_000)),
  idle_bytes(scale) {
    const runtime = make();
    return bytesEach(times(scale, 200_000), () => runtime.spawn(() => idle));
  },
  idle_bytes_own_state(scale) {
    const runtime = make();
    return bytesEach(times(scale, 200_000), () =>
      runtime.spawn<number>((self) => ({ receive: (message) => self.send(self, message as number) })),
    );
  },
  idle_bytes_generator(scale) {
    const runtime = make();
    function* wait() {
      yield* receive();
    }
    const size = times(scale, 200_000);
    return bytesEach(size, (at) => {
      const pid = runtime.spawn<number>(wait);
      if (at % 1000 === 0 || at === size - 1) runtime.flush();
      return pid;
    });
  },
  idle_bytes_supervised(scale) {
    const runtime = make();
    const supervisor = DynamicSupervisor.start(runtime, {}).ok!;
    const temporary = {
      id: 'c',
      restart: 'temporary' as const,
      start: (self: Process<never>) => self.spawnLink(() => idle),
    };
    return bytesEach(
      times(scale, 200_000),
      () => DynamicSupervisor.startChild(runtime, supervisor, temporary).ok,
    );
  },
};
