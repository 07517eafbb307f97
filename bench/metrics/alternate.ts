/**
 * One workload of two builds of the same program, in turns, in one process: `node --expose-gc alternate.js A B WORKLOAD SCALE
 * SECONDS` prints the seconds of processor time of each round as JSON. What else happens on the machine hits both.
 */
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { Workload, Workloads } from '../runtime/measure.js';

const [a = '', b = '', name = '', scale = '1', seconds = '5'] = process.argv.slice(2);
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error('start with --expose-gc');

async function workloadOf(file: string): Promise<Workload> {
  const { workloads } = (await import(pathToFileURL(file).href)) as { readonly workloads: Workloads };
  const workload = workloads[name]?.(Number(scale));
  if (workload === undefined || 'bytes' in workload) throw new Error(`no such workload: ${name}`);
  return workload;
}

const WARM_ROUNDS = 3;
const contenders = [await workloadOf(a), await workloadOf(b)] as const;
const spent: [number[], number[]] = [[], []];
const began = performance.now();
for (let round = 0; round < WARM_ROUNDS + 4 || performance.now() - began < Number(seconds) * 1000; round++) {
  // Who begins changes: what one leaves behind for the collector is not always the other's.
  const first = round & 1;
  for (const which of [first, 1 - first] as const) {
    collect();
    const usage = process.cpuUsage();
    await contenders[which as 0 | 1].work();
    const { user, system } = process.cpuUsage(usage);
    if (round >= WARM_ROUNDS) spent[which as 0 | 1].push((user + system) / 1e6);
  }
}
console.log(JSON.stringify(spent));
process.exit(0);
