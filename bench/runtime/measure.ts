/** What a contender of the runtime's benchmark measures and prints, one workload for each start of the program. */

/** Some work that can be done again and again: how many events it is, and the work. */
export interface Workload {
  readonly events: number;
  readonly work: () => void | Promise<void>;
}

/** Bytes for each of many things. */
export interface Size {
  readonly bytes: number;
}

/** Makes the workloads of a contender; `scale` 1 is the full size. Undefined: it has nothing like that. */
export type Workloads = { readonly [name: string]: (scale: number) => Workload | Size };

/** Events of the best round for each second, and for each second of processor time of all threads; or bytes. */
export interface Measured {
  readonly wall?: number;
  readonly cpu?: number;
  readonly bytes?: number;
}

const ROUNDS_MIN = 3;
const TIME_MIN_MS = 2000;
const ROUNDS_MAX = 200;

/** Runs a workload in rounds; the best counts: the machine is shared, and noise only ever slows down. */
export async function measure(workload: Workload | Size): Promise<Measured> {
  if ('bytes' in workload) return { bytes: workload.bytes };
  const { events, work } = workload;
  const collect = (globalThis as { gc?: () => void }).gc;
  let wall = 0;
  let cpu = 0;
  const began = performance.now();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (round >= ROUNDS_MIN && performance.now() - began > TIME_MIN_MS) break;
    collect?.();
    const usage = process.cpuUsage();
    const start = performance.now();
    await work();
    const elapsedMs = Math.max(0.001, performance.now() - start);
    const { user, system } = process.cpuUsage(usage);
    wall = Math.max(wall, (events * 1e3) / elapsedMs);
    cpu = Math.max(cpu, (events * 1e6) / Math.max(1, user + system));
  }
  return { wall, cpu };
}

/** Bytes of heap that `make` leaves behind for each of `count` things that it returns. Needs `--expose-gc`. */
export function bytesEach<T>(count: number, make: (index: number) => T): Size {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('start with --expose-gc: sizes need a collection');
  const kept = new Array<T>(count);
  make(0);
  collect();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < count; index++) kept[index] = make(index);
  collect();
  collect();
  const after = process.memoryUsage().heapUsed;
  if (kept.length !== count) throw new Error('unreachable: keeps the array alive until here');
  return { bytes: (after - before) / count };
}

/** The whole program of a contender: `node contender.js WORKLOAD SCALE` prints one line of JSON. */
export async function contend(workloads: Workloads): Promise<void> {
  const [name = '', scale = '1'] = process.argv.slice(2);
  const make = Object.hasOwn(workloads, name) ? workloads[name] : undefined;
  const measured = make === undefined ? {} : await measure(make(Number(scale)));
  console.log(JSON.stringify(measured));
  process.exit(0);
}
