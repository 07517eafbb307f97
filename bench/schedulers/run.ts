/** Two schedulers in two threads, beside postMessage: `npm run bench -- schedulers`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Runtime } from '../../src/actors/index.js';
import { RingRouter, SchedulerPool } from '../../src/schedulers/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { fixed, markdownTable, whole } from '../measure/markdown-table.js';
import { median } from '../measure/statistics.js';
import { benchCodecs, LETTER_BYTES } from './letter.js';
import type { Kind, Order } from './scheduler-thread.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { quick } = values;
const ROUNDS = quick ? 1 : 5;
const scale = quick ? 0.1 : 1;

function answer<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: T) => {
      worker.off('error', reject);
      resolve(message);
    });
  });
}

/** Processor time of the whole program: both threads. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Processor time of each thread in seconds, from Linux's books (ticks of 10 ms); none elsewhere. */
function threadSeconds(): Map<string, number> {
  const seconds = new Map<string, number>();
  if (!existsSync('/proc/self/task')) return seconds;
  for (const thread of readdirSync('/proc/self/task')) {
    const [, behindName] = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1').split(') ');
    const fields = behindName!.split(' ');
    seconds.set(thread, (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return seconds;
}

/** What the busiest thread has used since. */
function busiest(before: ReadonlyMap<string, number>): number {
  let most = Number.NaN;
  for (const [thread, seconds] of threadSeconds()) {
    const used = seconds - (before.get(thread) ?? 0);
    if (!(used <= most)) most = used;
  }
  return most;
}

interface Rate {
  readonly perSecond: number;
  /** Of both ends together, and of the busier one alone. */
  readonly cpuNs: number;
  readonly busierNs: number;
}

/** The middle of the rounds. */
function middle(rates: readonly Rate[]): Rate {
  return {
    perSecond: median(rates.map((rate) => rate.perSecond)),
    cpuNs: median(rates.map((rate) => rate.cpuNs)),
    busierNs: median(rates.map((rate) => rate.busierNs)),
  };
}

const pool = new SchedulerPool();
const router = new RingRouter({ links: pool.open(0), codecs: benchCodecs });
router.start(
  new Runtime({ clock: new SystemClock(), random: new SystemRandom(), router, names: router.names }),
);

async function startScheduler(place: number): Promise<Worker> {
  const links = pool.open(place);
  const worker = new Worker(new URL('./scheduler-thread.js', import.meta.url), {
    workerData: { links },
    transferList: [links.news],
    resourceLimits: { maxOldGenerationSizeMb: 4096 },
  });
  worker.on('exit', () => pool.close(links.number));
  await answer(worker);
  return worker;
}

function order<T>(worker: Worker, what: Order): Promise<T> {
  const answered = answer<T>(worker);
  worker.postMessage(what);
  return answered;
}

async function flood(from: Worker, to: Worker, kind: Kind, count: number): Promise<Rate> {
  const name = await order<string>(to, { op: 'take', count });
  return rated(count, () => {
    const done = answer<{ ms: number }>(to);
    from.postMessage({ op: 'send', count, kind, to: name } satisfies Order);
    return done;
  });
}

/** Does something with `count` messages that says how long it took. */
async function rated(count: number, work: () => Promise<{ ms: number }>): Promise<Rate> {
  const cpuBefore = cpuSeconds();
  const threadsBefore = threadSeconds();
  const { ms } = await work();
  return {
    perSecond: (count * 1000) / ms,
    cpuNs: ((cpuSeconds() - cpuBefore) * 1e9) / count,
    busierNs: (busiest(threadsBefore) * 1e9) / count,
  };
}

/** Two threads that post to one another; `work` says when they begin and what comes of it. */
async function posting<T>(
  roles: readonly ['take', 'send'] | readonly ['echo', 'ping'],
  count: number,
  work: (first: Worker, second: Worker) => Promise<T>,
): Promise<T> {
  const { port1, port2 } = new MessageChannel();
  const start = async (role: string, peer: typeof port1) => {
    const worker = new Worker(new URL('./post-message-thread.js', import.meta.url), {
      workerData: { count, role, peer },
      transferList: [peer],
    });
    await answer(worker);
    return worker;
  };
  const first = await start(roles[0], port1);
  const second = await start(roles[1], port2);
  const result = await work(first, second);
  first.postMessage('end');
  second.postMessage('end');
  return result;
}

function percentiles(times: Float64Array): readonly [number, number] {
  const sorted = times.slice(times.length / 10).sort();
  return [sorted[Math.floor(sorted.length * 0.5)]! * 1000, sorted[Math.floor(sorted.length * 0.99)]! * 1000];
}

// ---- memory of a thread ----------------------------------------------------------------------------------------

const THREADS = 4;
const before = process.memoryUsage().rss;
const idle: Worker[] = [];
for (let place = 10; place < 10 + THREADS; place++) idle.push(await startScheduler(place));
const grown = (process.memoryUsage().rss - before) / THREADS / 2 ** 20;
for (const worker of idle) worker.postMessage('end');

const one = await startScheduler(1);
const two = await startScheduler(2);

// ---- one direction ---------------------------------------------------------------------------------------------

const kinds: readonly (readonly [string, Kind, number])[] = [
  [`${LETTER_BYTES} bytes, by a codec, handled in the ring`, 'postcard', 4_000_000],
  [`${LETTER_BYTES} bytes, by a codec`, 'letter', 3_000_000],
  [`${LETTER_BYTES} bytes, a Uint8Array`, 'bytes', 2_000_000],
  ['a text of 68 characters', 'text', 2_000_000],
  ['an object, as MessagePack', 'object', 500_000],
];
const rates = new Map<string, Rate[]>();
const posted: Rate[] = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, kind, count] of kinds) {
    const rate = await flood(one, two, kind, Math.round(count * scale));
    rates.set(name, [...(rates.get(name) ?? []), rate]);
  }
  const count = Math.round(200_000 * scale);
  posted.push(
    await posting(['take', 'send'], count, (first, second) =>
      rated(count, () => {
        const done = answer<{ ms: number }>(first);
        second.postMessage('go');
        return done;
      }),
    ),
  );
}
rates.set('the object, by postMessage', posted);
const table = Array.from(rates, ([name, all]) => {
  const { perSecond, cpuNs, busierNs } = middle(all);
  const best = Math.max(...all.map((rate) => rate.perSecond));
  return [name, whole(perSecond), whole(best), whole(cpuNs), whole(1e9 / busierNs)];
});
const columns = [
  'one direction',
  'messages/s',
  'best round',
  'CPU ns, both ends',
  'per CPU-second of the busier end',
];
console.log(markdownTable(columns, table));
console.log();

// ---- round trips -----------------------------------------------------------------------------------------------

const trips: string[][] = [];
const ringTrips: (readonly [number, number])[] = [];
const postTrips: (readonly [number, number])[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const name = await order<string>(two, { op: 'echo' });
  ringTrips.push(
    percentiles(await order<Float64Array>(one, { op: 'ping', count: Math.round(20_000 * scale), to: name })),
  );
  postTrips.push(
    await posting(['echo', 'ping'], Math.round(20_000 * scale), async (_first, second) => {
      const done = answer<Float64Array>(second);
      second.postMessage('go');
      return percentiles(await done);
    }),
  );
}
for (const [name, all] of [
  ['rings, both ends asleep in between', ringTrips],
  ['postMessage', postTrips],
] as const) {
  trips.push([name, fixed(median(all.map(([p50]) => p50))), fixed(median(all.map(([, p99]) => p99)))]);
}
console.log(markdownTable(['round trip', 'p50 µs', 'p99 µs'], trips));
console.log();

// ---- a million processes ---------------------------------------------------------------------------------------

interface Populated {
  readonly ms: number;
  readonly first: number;
  readonly bytes: number;
  readonly pauseMs: number;
  readonly collectionMs: number;
}
one.postMessage('end');
two.postMessage('end');
// New ones: there the processes' numbers follow one another.
const left = await startScheduler(1);
const right = await startScheduler(2);
const each = Math.round(500_000 * scale);
const populated = await Promise.all([
  order<Populated>(left, { op: 'populate', count: each }),
  order<Populated>(right, { op: 'populate', count: each }),
]);
const numbers = [pool.at(1)!, pool.at(2)!] as const;
const visits = await Promise.all([
  order<Populated>(left, { op: 'visit', scheduler: numbers[1], first: populated[1].first, count: each }),
  order<Populated>(right, { op: 'visit', scheduler: numbers[0], first: populated[0].first, count: each }),
]);
const most = (all: readonly Populated[], key: 'ms' | 'bytes' | 'pauseMs' | 'collectionMs') =>
  Math.max(...all.map((one) => one[key]));
console.log(
  markdownTable(
    [
      `${whole(2 * each)} processes on two schedulers`,
      'ms',
      'each a second',
      'longest pause ms',
      'longest collection ms',
    ],
    [
      ['spawned', populated],
      ['each sent a message by the other scheduler', visits],
    ].map(([name, all]) => {
      const results = all as Populated[];
      const ms = most(results, 'ms');
      return [
        name as string,
        whole(ms),
        whole((2 * each * 1000) / ms),
        fixed(most(results, 'pauseMs')),
        fixed(most(results, 'collectionMs')),
      ];
    }),
  ),
);
console.log(`\nBytes of heap for each process: ${fixed(most(populated, 'bytes'), 0)}\n`);
left.postMessage('end');
right.postMessage('end');

console.log(
  `Resident memory of a scheduler thread without work: ${fixed(grown)} MiB (mean of ${THREADS}, with its rings untouched)`,
);
router.close();
