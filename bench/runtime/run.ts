/** The runtime's benchmarks beside nact's, in one run: `node dist/bench/runtime/run.js`. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { show } from './measure.js';
import { nactFigures } from './nact.js';
import { rookeryFigures } from './rookery.js';

// Bytes are only worth something when the garbage is gone.
setFlagsFromString('--expose-gc');
(globalThis as { gc?: unknown }).gc ??= runInNewContext('gc');

const ours = rookeryFigures();
const nact = new Map((await nactFigures()).map((figure) => [figure.name, figure]));
console.log(`| work, for each CPU-second | rookery | nact | ratio |\n| --- | --- | --- | --- |`);
for (const { name, unit, value } of ours) {
  const other = nact.get(name);
  const ratio = other === undefined ? '–' : unit === 'bytes' ? value / other.value : value / other.value;
  const shown = typeof ratio === 'number' ? `${ratio.toFixed(unit === 'bytes' ? 2 : 0)}×` : ratio;
  console.log(
    `| ${name} | ${show(value, unit)} | ${other === undefined ? '–' : show(other.value, unit)} | ${shown} |`,
  );
}
process.exit(0);
