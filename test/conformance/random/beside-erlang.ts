/** Runs random scenarios here and on a real Erlang, and compares: `npm run -s conformance:random -- --help`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { difference } from '../compare.js';
import type { JsonObject } from '../oracle/json.js';
import { traceOf } from '../oracle/scenario.js';
import { RANDOM_KINDS, randomScenarios } from './random-scenarios.js';

const recorder = fileURLToPath(new URL('../../../../test/conformance/recorder/record', import.meta.url));

/** Whether a real Erlang is installed. */
export function erlangIsHere(): boolean {
  return spawnSync('erlc', ['-h']).error === undefined && spawnSync('erl', ['-version']).error === undefined;
}

export interface Outcome {
  readonly scenarios: number;
  readonly differences: readonly { readonly scenario: JsonObject; readonly difference: string }[];
}

/** Compares `count` random scenarios with what the real Erlang makes of them. Throws an Error if it cannot be run. */
export function compareWithErlang(kind: string, seed: number, count: number): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-conformance-'));
  try {
    const scenarios = randomScenarios(kind, seed, count);
    const file = join(folder, `${kind}.json`);
    writeFileSync(file, JSON.stringify(scenarios));
    const { status, stderr } = spawnSync(recorder, ['-o', join(folder, 'golden'), file], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the recorder failed: ${stderr}`);
    const golden = JSON.parse(readFileSync(join(folder, 'golden', `${kind}.json`), 'utf8')) as JsonObject[];
    const differences = golden.flatMap((wanted, at) => {
      const scenario = scenarios[at]!;
      // What the machine was too busy to record says nothing.
      if (wanted['slow'] === true || JSON.stringify(wanted).includes('"unquiet":true')) return [];
      const differs = difference(wanted, JSON.parse(traceOf(scenario)) as JsonObject);
      return differs === null ? [] : [{ scenario, difference: differs }];
    });
    return { scenarios: golden.length, differences };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(): void {
  const integer = (text: string) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new InvalidArgumentError(`not a number ≥ 0: ${text}`);
    return value;
  };
  new Command('conformance:random')
    .description(
      'Runs random scenarios on this runtime and on a real Erlang/OTP, and prints where they differ.',
    )
    .option('--kind <kind>', `one of ${RANDOM_KINDS.join(', ')}; all by default`)
    .option('--seed <n>', 'of the first scenario', integer, 1)
    .option('--count <n>', 'scenarios of each kind', integer, 20)
    .action(({ kind, seed, count }: { kind?: string; seed: number; count: number }) => {
      if (!erlangIsHere()) {
        console.error('erl and erlc are not installed (Debian: erlang-nox): nothing to compare with');
        process.exitCode = 2;
        return;
      }
      for (const one of kind === undefined ? RANDOM_KINDS : [kind]) {
        const { scenarios, differences } = compareWithErlang(one, seed, count);
        for (const { scenario, difference: differs } of differences) {
          console.log(`${String(scenario['name'])}: ${differs}`);
        }
        console.log(`${one}: ${scenarios - differences.length} of ${scenarios} the same`);
        if (differences.length > 0) process.exitCode = 1;
      }
    })
    .parse();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
