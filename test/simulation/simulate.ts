/**
 * `npm run simulate -- [--seed N] [--rounds M] [--verbose] [--hashes] [--keep-going] [--sabotage NAME]`: runs histories of
 * the whole server, each from one seed, and says which promise was broken first, if any was. README.md says more.
 */
import { parseArgs } from 'node:util';
import { type Outcome, runHistory } from './history.js';
import { isSabotage, SABOTAGES, type Sabotage } from './sabotage.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1000' },
    sabotage: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    hashes: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
});

const seed = wholeNumber('seed', values.seed);
const rounds = wholeNumber('rounds', values.rounds);
let sabotage: Sabotage | null = null;
if (values.sabotage !== undefined) {
  if (!isSabotage(values.sabotage)) {
    console.error(`there is no sabotage "${values.sabotage}": ${SABOTAGES.join(', ')}`);
    process.exit(2);
  }
  sabotage = values.sabotage;
}

const print = values.verbose ? (line: string) => console.log(line) : null;
const counts: Record<string, number> = {};
const began = process.hrtime.bigint();
let failures = 0;
let events = 0;
let done = 0;
for (let round = 0; round < rounds; round++) {
  const outcome = runHistory({ seed: seed + round, sabotage, ...(print === null ? {} : { print }) });
  done++;
  if (values.hashes) console.log(`seed ${outcome.seed} hash ${outcome.hash}`);
  events += outcome.events;
  for (const [what, count] of Object.entries(outcome.counts)) counts[what] = (counts[what] ?? 0) + count;
  if (outcome.violation === null) continue;
  failures++;
  report(outcome);
  if (!values['keep-going']) break;
}
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
const happened = Object.entries(counts)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([what, count]) => `${what} ${count}`)
  .join(', ');
console.log(
  `${done} histories in ${seconds.toFixed(1)} s (${(done / seconds).toFixed(0)} a second, ${events} events), ${failures} failed`,
);
console.log(`what happened: ${happened}`);
process.exit(failures === 0 ? 0 : 1);

function report(outcome: Outcome): void {
  const { violation } = outcome;
  if (violation === null) return;
  console.log(
    `seed ${outcome.seed} broke "${violation.invariant}" at ${violation.time.toFixed(2)} ms: ${violation.what}`,
  );
  if (print === null && !values['keep-going']) {
    // The same history once more, this time with its words.
    const again = runHistory({ seed: outcome.seed, sabotage, verbose: true });
    console.log(
      `its last events (hash ${again.hash}${again.hash === outcome.hash ? '' : `, NOT the first run's ${outcome.hash}`}):`,
    );
    for (const line of again.lines.slice(-60)) console.log(line);
  }
  const how = sabotage === null ? '' : ` --sabotage ${sabotage}`;
  console.log(`replay: npm run simulate -- --seed ${outcome.seed} --rounds 1 --verbose${how}`);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} must be a whole number, not "${text}"`);
  process.exit(2);
}
