/**
 * What the figures of mailboxes and schedulers cost: the runtime's workloads on two builds of the core, one as it is and one
 * without the statements labelled `METRICS`, in turns in the same process.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { median } from '../measure/statistics.js';

const HELP = `node dist/bench/metrics/run.js [options]

  --only A,B    workloads (${'`'}ping_pong,fan_in${'`'}); those below by default
  --seconds N   for each of them (5)
  --repeat N    pairs of processes for each workload, of which the median counts (3)
  --scale X     share of the full sizes (0.5)
  --none        both builds are as they are: shows the noise
`;

const WORKLOADS = [
  'ping_pong',
  'ring',
  'fan_in',
  'fan_out',
  'calls',
  'ping_pong_generators',
  'backlog',
  'turns',
];

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    only: { type: 'string', default: WORKLOADS.join(',') },
    seconds: { type: 'string', default: '5' },
    repeat: { type: 'string', default: '3' },
    scale: { type: 'string', default: '0.5' },
    none: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), 'rookery-metrics-'));
const entry = fileURLToPath(new URL('../runtime/workloads.js', import.meta.url));

async function bundle(name: string, dropLabels: string[]): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    dropLabels,
    logLevel: 'error',
  });
  return outfile;
}

/** Seconds of processor time of the first build, over those of the second. */
function ratioOf(workload: string, first: string, second: string): number {
  const child = fileURLToPath(new URL('./alternate.js', import.meta.url));
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--expose-gc', child, first, second, workload, values.scale, values.seconds],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0) throw new Error(`${workload} ended with ${status}`);
  const [ofFirst, ofSecond] = JSON.parse(stdout) as [number[], number[]];
  // Noise only ever slows down: the quickest rounds of each say more than all.
  return quickest(ofFirst) / quickest(ofSecond);
}

function quickest(seconds: readonly number[]): number {
  const sorted = [...seconds].sort((a, b) => a - b);
  return median(sorted.slice(0, Math.max(1, Math.ceil(sorted.length / 5))));
}

try {
  const all = await bundle('with', []);
  const none = await bundle('without', values.none ? [] : ['METRICS']);
  console.log('| work | throughput with the figures, of that without | of single pairs |');
  console.log('| --- | --- | --- |');
  for (const workload of values.only.split(',')) {
    // The build that is loaded first may be compiled to something else than the second: each is the first once.
    const ratios = Array.from({ length: Number(values.repeat) }, () =>
      Math.sqrt(ratioOf(workload, none, all) / ratioOf(workload, all, none)),
    );
    const each = ratios.map((ratio) => ratio.toFixed(3)).join(', ');
    console.log(`| ${workload} | ${(median(ratios) * 100).toFixed(1)} % | ${each} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
