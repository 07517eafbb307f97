/**
 * A guarded scheduler thread under load, with victims that run away: a thousand processes that pass numbered messages
 * around, timers, promises, a listener whose connections are answered by a process each.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Pid, type Process, Runtime, type RuntimeEvent } from '../../src/actors/index.js';
import { GuardMark } from '../../src/actors/slice-guard.js';
import { type GuardHandle, NativeGuard } from '../../src/schedulers/native-guard.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { listen } from '../../src/transport/uws/uws-listener.js';
import { testOptions } from '../transport/uws-world.js';
import { Wanted } from './wanted.js';

export interface RunawayData {
  /** Present: the victims ask it for their end themselves, until so many have been cut off. */
  readonly wanted: Int32Array | null;
  readonly cuts: number;
  /** How long a victim runs, in rounds of its loop; 0: for ever. */
  readonly roundsMax: number;
}

/** `loop`: one victim runs away. `outside…`: the thread does so outside of processes. `stop`: report and let go. */
export type ToRunaway =
  | 'loop'
  | 'outside promise'
  | 'outside async'
  | 'outside callback'
  | 'outside tick'
  | 'exit'
  | 'stop';

export interface RunawayReport {
  /** Messages of those that pass them around: sent and received. */
  readonly sent: number;
  readonly received: number;
  /** Messages that came in a wrong order, or twice. */
  readonly gaps: number;
  readonly timers: number;
  readonly promises: number;
  readonly cuts: number;
  readonly refused: number;
  /** Labels of the processes that were cut off, and how many of each. */
  readonly cutOff: Readonly<Record<string, number>>;
  /** Other crashes and failures. */
  readonly failures: readonly string[];
  /** Victims that were started in all; pieces of work that they began, and that came to their end. */
  readonly starts: number;
  readonly begun: number;
  readonly completed: number;
}

export type FromRunaway =
  | { readonly type: 'ready'; readonly port: number; readonly guard: GuardHandle }
  | {
      readonly type: 'crash';
      readonly label: string;
      readonly handler: string;
      readonly stack: readonly string[];
    }
  | { readonly type: 'restarted' }
  | { readonly type: 'ending'; readonly stack: readonly string[] }
  | { readonly type: 'report'; readonly report: RunawayReport };

const CHATTERERS = 1000;
const TOKENS = 200;

const { wanted: words, cuts, roundsMax } = workerData as RunawayData;
const wanted = words === null ? null : new Wanted(words);
const port = parentPort!;
const post = (message: FromRunaway): void => port.postMessage(message);
const random = new SeededRandom(3);
const clock = new SystemClock();
const guard = NativeGuard.attach({
  onEnd: (stack) => {
    post({ type: 'ending', stack });
    process.exit(3);
  },
});

const cutOff: Record<string, number> = {};
const failures: string[] = [];
const counts = { sent: 0, received: 0, gaps: 0, timers: 0, promises: 0, starts: 0, begun: 0, completed: 0 };
let stopping = false;

function told(event: RuntimeEvent): void {
  if (event.type === 'crash' && event.cut !== undefined) {
    cutOff[event.label] = (cutOff[event.label] ?? 0) + 1;
    if (wanted === null) {
      const { label } = event;
      post({ type: 'crash', label, handler: event.cut.handler, stack: event.cut.stack });
    }
    if (guard.marks[GuardMark.cuts]! >= cuts && wanted !== null) stop();
  } else if (event.type === 'crash' || event.type === 'hook_failed' || event.type === 'supervisor_gave_up') {
    failures.push(JSON.stringify(event));
  }
}

const runtime = new Runtime({ clock, random, guard, events: told });

// ---- those that must not notice --------------------------------------------------------------------------------

/** Each sends numbered messages to the next one. */
const chatterers: Pid<number>[] = [];
for (let at = 0; at < CHATTERERS; at++) {
  let sent = 0;
  let received = 0;
  const next = (): Pid<number> => chatterers[(at + 1) % CHATTERERS]!;
  chatterers.push(
    runtime.spawn<number>((self) => ({
      receive(message) {
        // 0: begin.
        if (message !== 0) {
          counts.received++;
          if (message !== ++received) counts.gaps++;
        }
        if (stopping) return;
        counts.sent++;
        self.send(next(), ++sent);
      },
    })),
  );
}
for (let at = 0; at < TOKENS; at++) runtime.send(chatterers[at * (CHATTERERS / TOKENS)]!, 0);

runtime.spawn<'tick'>((self) => {
  self.sendAfter(1, 'tick');
  return {
    receive() {
      counts.timers++;
      self.sendAfter(1, 'tick');
    },
  };
});

async function promises(): Promise<void> {
  while (!stopping) {
    await new Promise<void>((resolve) => setTimeout(resolve, 1));
    await null;
    counts.promises++;
  }
}
void promises();

// ---- those that run away ---------------------------------------------------------------------------------------

/** What a victim does in each round of its loop. */
const ways: readonly ((self: Process<unknown>, sink: Pid<unknown>) => void)[] = [
  () => {},
  (self, sink) => self.send(sink, 1),
  (_self, sink) => void runtime.dispatch(sink, 1),
  (self) => void self.cancelTimer(self.sendAfter(1000, 1)),
  (self, sink) => void self.demonitor(self.monitor(sink)),
  (self, sink) => {
    self.link(sink);
    self.unlink(sink);
  },
  (self) =>
    runtime.exit(
      self.spawn(() => ({ receive() {} })),
      { type: 'kill' },
    ),
  () => {
    try {
      throw new Error('again');
    } catch {}
  },
];

function victim(self: Process<unknown>): { receive(): void } {
  counts.starts++;
  let hasRun = false;
  const sink = self.spawn<unknown>(() => ({ receive() {} }), { label: 'sink', trapExit: true });
  self.onExit({ processExited: () => runtime.exit(sink, { type: 'kill' }) });
  // The next one runs away when the others have had a turn, or two.
  if (wanted !== null) self.sendAfter(1 + random.next() * 2, 'loop');
  return {
    receive() {
      // Whoever gets another message has lived through the one before.
      if (hasRun) counts.completed++;
      hasRun = false;
      if (stopping) return;
      const way = ways[Math.floor(random.next() * ways.length)]!;
      const rounds = roundsMax === 0 ? Number.POSITIVE_INFINITY : random.next() * roundsMax;
      counts.begun++;
      wanted?.cut(guard.marks);
      for (let round = 0; round < rounds; round++) way(self, sink);
      wanted?.nothing();
      hasRun = true;
      self.sendAfter(1, 'loop');
    },
  };
}

let current!: Pid<unknown>;
Supervisor.start(runtime, {
  intensity: 1_000_000,
  periodMs: 1000,
  children: [
    {
      id: 'victim',
      start: (supervisor) => {
        wanted?.nothing();
        if (current !== undefined && wanted === null) post({ type: 'restarted' });
        current = supervisor.spawnLink<unknown>(victim, { label: 'victim' });
        return current;
      },
    },
  ],
});

const listener = listen(
  {
    ...testOptions,
    onHandlerError: (error) => void failures.push(String(error)),
  },
  {
    opened: (socket) => {
      const session = runtime.spawn<Uint8Array>(() => ({
        receive: (message) => void socket.send(message as Uint8Array),
      }));
      return {
        message: (bytes) => void runtime.dispatch(session, bytes.slice()),
        drained: () => {},
        closed: () => runtime.exit(session, { type: 'kill' }),
      };
    },
  },
  clock,
);

// ---- orders ----------------------------------------------------------------------------------------------------

function stop(): void {
  if (stopping) return;
  stopping = true;
  wanted?.nothing();
  // What is under way arrives first.
  const quiet = (): void => {
    if (counts.received === counts.sent) report();
    else if (--left === 0) report();
    else clock.setTimer(quiet, 10);
  };
  let left = 500;
  clock.setTimer(quiet, 10);
}

function report(): void {
  const { marks } = guard;
  post({
    type: 'report',
    report: { ...counts, cuts: marks[GuardMark.cuts]!, refused: marks[GuardMark.refused]!, cutOff, failures },
  });
}

function spin(): never {
  for (;;);
}

function turnAgain(): void {
  void Promise.resolve().then(turnAgain);
}

function tickAgain(): void {
  process.nextTick(tickAgain);
}

async function awaitAgain(): Promise<void> {
  for (;;) await null;
}

port.on('message', (order: ToRunaway) => {
  switch (order) {
    case 'loop':
      runtime.send(current, 'loop');
      break;
    case 'outside promise':
      turnAgain();
      break;
    case 'outside async':
      void awaitAgain();
      break;
    case 'outside tick':
      tickAgain();
      break;
    case 'outside callback':
      spin();
      break;
    case 'exit':
      // From within a guarded call: a termination that is not ours.
      runtime.dispatch(
        runtime.spawn<unknown>(() => ({ receive: () => process.exit(5) })),
        'x',
      );
      break;
    case 'stop':
      stop();
      break;
  }
});
post({ type: 'ready', port: listener.port, guard: guard.handle });
