/** Two schedulers in two threads, beside postMessage: `npm run bench -- schedulers`. */
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

interface Rate {
  readonly perSecond: number;
  readonly cpuNs: number;
}

/** The middle of the rounds. */
function middle(rates: readonly Rate[]): Rate {
  return {
    perSecond: median(rates.map((rate) => rate.perSecond)),
    cpuNs: median(rates.map((rate) => rate.cpuNs)),
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
  const cpuBefore = cpuSeconds();
  const done = answer<{ ms: number }>(to);
  from.postMessage({ op: 'send', count, kind, to: name } satisfies Order);
  const { ms } = await done;
  return { perSecond: (count * 1000) / ms, cpuNs: ((cpuSeconds() - cpuBefore) * 1e9) / count };
}

async function posting(roles: readonly ['take', 'send'] | readonly ['echo', 'ping'], count: number) {
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
  const cpuBefore = cpuSeconds();
  const told = roles[0] === 'take' ? answer<unknown>(first) : null;
  const second = await start(roles[1], port2);
  const result = await (told ?? answer<unknown>(second));
  const cpu = cpuSeconds() - cpuBefore;
  first.postMessage('end');
  second.postMessage('end');
  return { result, cpu };
}

function percentiles(times: Float64Array): readonly [number, number] {
  const sorted = times.slice(times.length / 10).sort();
  return [sorted[Math.floor(sorted.length * 0.5)]! * 1000, sorted[Math.floor(sorted.length * 0.99)]! * 1000];
}

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
  const { result, cpu } = await posting(['take', 'send'], count);
  posted.push({ perSecond: (count * 1000) / (result as { ms: number }).ms, cpuNs: (cpu * 1e9) / count });
}
const table: string[][] = [...rates].map(([name, all]) => {
  const { perSecond, cpuNs } = middle(all);
  return [name, whole(perSecond), whole(Math.max(...all.map((rate) => rate.perSecond))), whole(cpuNs)];
});
const post = middle(posted);
table.push([
  'the object, by postMessage',
  whole(post.perSecond),
  whole(Math.max(...posted.map((rate) => rate.perSecond))),
  whole(post.cpuNs),
]);
console.log(markdownTable(['one direction', 'messages/s', 'best round', 'CPU ns each, both ends'], table));
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
  const { result } = await posting(['echo', 'ping'], Math.round(20_000 * scale));
  postTrips.push(percentiles(result as Float64Array));
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

// ---- memory of a thread ----------------------------------------------------------------------------------------

const THREADS = 4;
const before = process.memoryUsage().rss;
const idle: Worker[] = [];
for (let place = 10; place < 10 + THREADS; place++) idle.push(await startScheduler(place));
const grown = (process.memoryUsage().rss - before) / THREADS / 2 ** 20;
console.log(`Resident memory of a scheduler thread without work: ${fixed(grown)} MiB (mean of ${THREADS})`);
for (const worker of idle) worker.postMessage('end');
router.close();
