/** Small tools of the runtime's benchmarks. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Best of `rounds` runs: the machine is shared, and noise only ever slows down. */
export function best(rounds: number, run: () => number): number {
  let most = 0;
  for (let round = 0; round < rounds; round++) most = Math.max(most, run());
  return most;
}

/** The same for something asynchronous. */
export async function bestOf(rounds: number, run: () => Promise<number>): Promise<number> {
  let most = 0;
  for (let round = 0; round < rounds; round++) most = Math.max(most, await run());
  return most;
}

/** Microseconds of processor time that this program has used, the collector's and the compiler's threads included. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** How many of `count` events, done by `work`, take a second of processor time: other programs do not show in it. */
export function rate(count: number, work: () => void): number {
  const start = cpuMicros();
  work();
  return (count * 1e6) / Math.max(1, cpuMicros() - start);
}

/** Bytes of heap that `make` leaves behind for each of `count` things that it returns. NaN without a `gc` function. */
export function bytesEach<T>(count: number, make: (index: number) => T): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) return Number.NaN;
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
  return (after - before) / count;
}

export function show(value: number, unit: string): string {
  if (Number.isNaN(value)) return '–';
  if (unit === 'bytes') return `${value.toFixed(0)} bytes`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} M${unit}` : `${(value / 1e3).toFixed(0)} K${unit}`;
}
