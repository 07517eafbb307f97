/**
 * A backlog in one process of a scheduler that has much else to remember: built, while its process is suspended, and
 * drained. One run for each start of the program, told by its one argument (an {@link Order} as JSON); prints a
 * {@link Report} as JSON.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { Runtime } from '../../src/actors/index.js';
import { SchedulerCollector } from '../../src/app/scheduler-collector.js';
import type { EntryMessage } from '../../src/chat/messages.js';
import { ownedEntry } from '../../src/chat/store-dispatch.js';
import { GC_COUNTERS, type GcCounter } from '../../src/metrics/gc/gc-counters.js';
import { V8Collector } from '../../src/metrics/gc/v8-heap.js';
import { createStats, StatsBlock } from '../../src/schedulers/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';

export type Mode = 'off' | 'spill' | 'spill+defer';

export interface Order {
  readonly mode: Mode;
  readonly message: keyof typeof MESSAGES;
  readonly sessions: number;
  readonly messages: number;
  /** Linux and root: what is measured has precedence over all that other programs do. */
  readonly realtime: boolean;
}

export interface Report {
  readonly buildMs: number;
  readonly drainMs: number;
  /** Of all threads of the program. */
  readonly cpuMs: number;
  readonly heapMiB: number;
  readonly peakMiB: number;
  /** The longest time between two looks at the clock, 32 messages apart, in one turn. */
  readonly gapMs: number;
  readonly gc: Readonly<Record<GcCounter, number>>;
}

/** What is not counted up. */
const GAUGES = new Set<GcCounter>(['longestMs', 'canDefer', 'deferring', 'spilledMessages', 'spillBytes']);

/** The message that stands in the store's ring, its body of 120 bytes somewhere within. */
const borrowed: EntryMessage = {
  type: 'entry',
  inbox: 0,
  seq: 0,
  time: 0,
  kind: 1,
  from: 0,
  ref: 0,
  partition: 0,
  source: new Uint8Array(4096).fill(7),
  bodyStart: 1000,
  bodyEnd: 1120,
};

/** Messages as a scheduler has them waiting. */
const MESSAGES = {
  /** What a session is sent for each message of the chat, copied as it is when it must wait. */
  entry(at: number): EntryMessage {
    borrowed.inbox = 15_550_000_000 + (at % 1000);
    borrowed.seq = at;
    borrowed.time = 1.7e12 + at;
    borrowed.from = 15_550_000_000 + (at % 977);
    borrowed.ref = at;
    borrowed.partition = at & 63;
    return ownedEntry(borrowed);
  },
  /** Five fields. */
  plain: (at: number) => ({
    type: 'receipt',
    user: 15_550_000_000 + (at % 1000),
    seq: at,
    time: 1.7e12 + at,
    kind: 2,
  }),
  text: (at: number) => ({ type: 'note', at, text: `message ${at} of a long conversation` }),
  number: (at: number) => at,
};

/** What a server remembers of a connection. */
class Session {
  readonly sent: number[] = [];
  readonly window = { acked: 0, seqs: [0, 0, 0], sizes: [0, 0, 0], bytes: 0 };
  readonly limits: { ops: number; bytes: number; at: number };
  readonly name: string;
  phase = 2;
  lastSeen = 0;

  constructor(readonly user: number) {
    this.limits = { ops: 1000.5, bytes: 65_536.25, at: user / 3 };
    this.name = `user ${user}`;
  }

  receive(message: unknown): void {
    this.sent.push(message === null ? 0 : 1);
  }
}

const order = JSON.parse(process.argv[2] ?? '') as Order;
const { mode } = order;
const clock = new SystemClock();
const counters = createStats(GC_COUNTERS);
const stats = new StatsBlock<GcCounter>(counters);
const collector = new SchedulerCollector(
  {
    gcMode: mode,
    mailboxSpillAt: 4096,
    mailboxSpillBytesMax: 2 ** 31,
    gcDeferMsMax: 30_000,
    gcDeferHeapPercentMax: 70,
    gcWhenIdle: false,
  },
  clock,
  counters,
  null,
);
const runtime = new Runtime({
  clock,
  random: new SystemRandom(),
  spill: (runtime) => collector.start(runtime),
});
for (let user = 0; user < order.sessions; user++) {
  const session = new Session(user);
  runtime.spawn(() => session);
}

const make = MESSAGES[order.message] as (at: number) => unknown;
let handled = 0;
let gapMs = 0;
let looked = 0;
/** In one turn of the event loop only: between turns nobody is kept waiting. */
function look(first: boolean): void {
  const now = clock.now();
  if (!first && now - looked > gapMs) gapMs = now - looked;
  looked = now;
}
let done: () => void = () => {};
let wanted = 0;
let turn = 0;
const sink = runtime.spawn<unknown>(() => ({
  receive() {
    if ((++handled & 31) === 0) {
      look(turn !== runtime.turns.turns);
      turn = runtime.turns.turns;
    }
    if (handled === wanted) done();
  },
}));

const tick = () => new Promise<void>((resolve) => clock.defer(resolve));

async function backlog(messages: number): Promise<{ buildMs: number; drainMs: number }> {
  handled = 0;
  wanted = messages;
  const drained = new Promise<void>((resolve) => {
    done = resolve;
  });
  runtime.suspend(sink);
  const start = clock.now();
  for (let sent = 0; sent < messages; ) {
    for (const end = Math.min(messages, sent + 8192); sent < end; sent++) {
      if ((sent & 31) === 0) look((sent & 8191) === 0);
      runtime.send(sink, make(sent));
    }
    await tick();
  }
  const built = clock.now();
  runtime.resume(sink);
  await drained;
  return { buildMs: built - start, drainMs: clock.now() - built };
}

/** Messages that are handled as they come. */
async function traffic(messages: number): Promise<void> {
  for (let sent = 0; sent < messages; ) {
    for (const end = sent + 64; sent < end; sent++) runtime.send(sink, make(sent));
    await tick();
  }
}

// A server that has been running for a while: its messages have died young so far, and V8 has found out. (Else it decides
// by the beginning of the backlog that they live long, and makes them in the old generation from then on.)
await traffic(400_000);
for (let round = 0; round < 3; round++) await backlog(50_000);
await traffic(100_000);
new V8Collector().full();
await pause(200);
const heapMiB = process.memoryUsage().heapUsed / 2 ** 20;
const before = stats.snapshot();
stats.values[stats.names.indexOf('longestRead')]! += 1;
gapMs = 0;
if (order.realtime) execFileSync('chrt', ['--all-tasks', '--rr', '--pid', '1', String(process.pid)]);
const cpu = process.cpuUsage();
const { buildMs, drainMs } = await backlog(order.messages);
const { user, system } = process.cpuUsage(cpu);
// V8 tells of collections a moment later.
await pause(200);
const after = stats.snapshot();
const gc = Object.fromEntries(
  GC_COUNTERS.map((name) => [name, GAUGES.has(name) ? after[name] : after[name] - before[name]]),
) as Record<GcCounter, number>;
const report: Report = {
  buildMs,
  drainMs,
  cpuMs: (user + system) / 1000,
  heapMiB,
  peakMiB: process.resourceUsage().maxRSS / 1024,
  gapMs,
  gc: { ...gc, longestMs: after.longestOf === after.longestRead ? after.longestMs : 0 },
};
console.log(JSON.stringify(report));
process.exit();
