import { GenServer, type Pid, Runtime } from '../../src/actors/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { DynamicSupervisor } from '../../src/supervisors/index.js';
import { best, bytesEach, type Figure, rate } from './measure.js';

/** Short rounds, so that on a busy machine one of them finds it quiet. */
const ROUNDS = 12;
const idle = { receive() {} };

function make(): Runtime {
  return new Runtime({ clock: new SystemClock(), random: new SystemRandom(), longScheduleMs: 0 });
}

function pingPong(messages: number): number {
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
  return rate(messages, () => runtime.flush());
}

function ring(processes: number, hops: number): number {
  const runtime = make();
  let next: Pid<number>;
  const first = runtime.spawn<number>((self) => ({
    receive(left) {
      if ((left as number) > 0) self.send(next, (left as number) - 1);
    },
  }));
  next = first;
  for (let at = 1; at < processes; at++) {
    const following = next;
    next = runtime.spawn<number>((self) => ({
      receive(left) {
        if ((left as number) > 0) self.send(following, (left as number) - 1);
      },
    }));
  }
  runtime.send(first, hops);
  return rate(hops, () => runtime.flush());
}

function fanIn(senders: number, each: number): number {
  const runtime = make();
  let sum = 0;
  const sink = runtime.spawn<number>(() => ({
    receive(message) {
      sum += message as number;
    },
  }));
  for (let at = 0; at < senders; at++) {
    const sender = runtime.spawn<number>((self) => ({
      receive() {
        for (let message = 0; message < 64; message++) self.send(sink, 1);
        if (--left > 0) self.send(self, 0);
      },
    }));
    let left = each / 64;
    runtime.send(sender, 0);
  }
  const result = rate(senders * each, () => runtime.flush());
  if (sum !== senders * each) throw new Error(`lost messages: ${sum}`);
  return result;
}

function backlog(length: number): number {
  const runtime = make();
  let handled = 0;
  const sink = runtime.spawn<number>(() => ({
    receive() {
      handled++;
    },
  }));
  const result = rate(length, () => {
    for (let message = 0; message < length; message++) runtime.send(sink, message);
    runtime.flush();
  });
  if (handled !== length) throw new Error(`lost messages: ${handled}`);
  return result;
}

function dispatches(count: number): number {
  const runtime = make();
  const sink = runtime.spawn<number>(() => idle);
  return rate(count, () => {
    for (let message = 0; message < count; message++) runtime.dispatch(sink, message);
  });
}

function spawns(count: number): number {
  const runtime = make();
  return rate(count, () => {
    for (let at = 0; at < count; at++) {
      runtime.send(
        runtime.spawn<number>((self) => ({ receive: () => self.exit({ type: 'normal' }) })),
        0,
      );
      if ((at & 1023) === 0) runtime.flush();
    }
    runtime.flush();
  });
}

function supervised(count: number): number {
  const runtime = make();
  const supervisor = DynamicSupervisor.start(runtime, {}).ok!;
  const spec = {
    id: 'c',
    restart: 'temporary' as const,
    start: (self: { spawnLink: (s: () => typeof idle) => Pid }) => self.spawnLink(() => idle),
  };
  return rate(count, () => {
    for (let at = 0; at < count; at++) DynamicSupervisor.startChild(runtime, supervisor, spec);
  });
}

function calls(count: number): number {
  const runtime = make();
  const server = GenServer.start<number, [string, number], never, never, never>(runtime, {
    init: () => GenServer.ok(0),
    handleCall: (_request, _from, state) => GenServer.reply(state, state + 1),
  }).ok!;
  let left = count;
  const client = runtime.spawn<string>((self) => {
    const ask = () => GenServer.request(self, server, 'x', done);
    const done = () => {
      if (--left > 0) ask();
    };
    return { receive: ask };
  });
  runtime.send(client, 'go');
  return rate(count, () => runtime.flush());
}

function timers(count: number): number {
  const runtime = make();
  const pid = runtime.spawn<number>(() => idle);
  return rate(count, () => {
    for (let at = 0; at < count; at++) runtime.cancelTimer(runtime.sendAfter(30_000 + (at & 1023), pid, at));
  });
}

/** Figures of the runtime alone. */
export function rookeryFigures(): Figure[] {
  const figure = (name: string, unit: string, run: () => number): Figure => ({
    name,
    unit,
    value: best(ROUNDS, run),
  });
  const runtime = make();
  const supervisor = DynamicSupervisor.start(runtime, {}).ok!;
  const temporary = {
    id: 'c',
    restart: 'temporary' as const,
    start: (self: { spawnLink: (s: () => typeof idle) => Pid }) => self.spawnLink(() => idle),
  };
  return [
    figure('ping-pong', ' messages', () => pingPong(1_000_000)),
    figure('ring of 1000', ' hops', () => ring(1000, 1_000_000)),
    figure('fan-in of 100', ' messages', () => fanIn(100, 12_800)),
    figure('backlog of 100 K', ' messages', () => backlog(100_000)),
    { name: 'backlog of 10 M', unit: ' messages', value: backlog(10_000_000) },
    figure('dispatch', ' messages', () => dispatches(1_000_000)),
    figure('gen_server calls', ' calls', () => calls(100_000)),
    figure('spawn and exit', '', () => spawns(100_000)),
    figure('supervised starts', '', () => supervised(50_000)),
    figure('timer set and cancel', '', () => timers(100_000)),
    {
      name: 'idle process, shared receiver',
      unit: 'bytes',
      value: bytesEach(200_000, () => runtime.spawn(() => idle)),
    },
    {
      name: 'idle process, own receiver',
      unit: 'bytes',
      value: bytesEach(200_000, () =>
        runtime.spawn<number>((self) => ({ receive: (message) => self.send(self, message as number) })),
      ),
    },
    {
      name: 'idle temporary child',
      unit: 'bytes',
      value: bytesEach(200_000, () => DynamicSupervisor.startChild(runtime, supervisor, temporary).ok),
    },
  ];
}
