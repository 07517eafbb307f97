import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Outcome, runHistory } from './history.js';
import { SABOTAGES, type Sabotage } from './sabotage.js';
import { FAULTS, HABITS } from './swarm.js';

const HISTORIES = 400;
/** Each sabotage shows within so many histories: a few seconds. */
const SABOTAGED_HISTORIES_MAX = 600;
const command = fileURLToPath(new URL('./simulate.js', import.meta.url));

function story(outcome: Outcome): string {
  const { seed, violation } = outcome;
  return `seed ${seed} broke "${violation?.invariant}": ${violation?.what}; replay: npm run simulate -- --seed ${seed} --rounds 1 --verbose`;
}

function simulate(...args: string[]) {
  return spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
}

describe('the whole server in one thread', () => {
  it(`keeps its promises in ${HISTORIES} histories, in which all that can go wrong does`, () => {
    const counts: Record<string, number> = {};
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const outcome = runHistory({ seed });
      assert.equal(outcome.violation, null, story(outcome));
      for (const [what, count] of Object.entries(outcome.counts)) counts[what] = (counts[what] ?? 0) + count;
    }
    const happens = [
      ...FAULTS,
      ...HABITS,
      'vandal',
      'machineCrash at a commit',
      'processCrash at a commit',
      'power failed in a sync',
      'events lost with the writer',
      'restored',
      'truncated',
      'gave up',
      'partitions moved',
      'lost device',
      // going away, slow, overloaded, above the rate, a crash, no acks, another device, a newer connection
      ...[4000, 4001, 4003, 4004, 4005, 4006, 4402, 4407].map((code) => `close ${code}`),
    ];
    for (const what of happens) assert.ok((counts[what] ?? 0) > 0, `${what} never happened`);
  });

  it('is the same history for the same seed, in one process and in another', () => {
    const hashes = new Map<number, string>();
    for (let seed = 1; seed <= 20; seed++) hashes.set(seed, runHistory({ seed }).hash);
    assert.equal(new Set(hashes.values()).size, hashes.size, 'two seeds have the same history');
    for (const [seed, hash] of hashes) assert.equal(runHistory({ seed }).hash, hash, `seed ${seed}`);
    // Watching does not change it.
    assert.equal(runHistory({ seed: 7, verbose: true }).hash, hashes.get(7));
    const { stdout } = simulate('--seed', '1', '--rounds', '20', '--hashes');
    for (const [seed, hash] of hashes) assert.match(stdout, new RegExp(`^seed ${seed} hash ${hash}$`, 'm'));
  });
});

describe('its teeth', () => {
  for (const sabotage of SABOTAGES) {
    it(`shows when "${sabotage}" is broken`, () => {
      const outcome = firstViolation(sabotage);
      assert.ok(outcome !== null, `${SABOTAGED_HISTORIES_MAX} histories saw nothing`);
      const again = runHistory({ seed: outcome.seed, sabotage });
      assert.deepEqual(again.violation, outcome.violation);
      assert.equal(again.hash, outcome.hash);
    });
  }

  it('names the seed, the promise, the last events and the way to see it again, and exits with 1', () => {
    const { stdout, status } = simulate('--rounds', '50', '--sabotage', 'sync');
    assert.equal(status, 1);
    assert.match(stdout, /^seed \d+ broke "[a-z ]+" at [\d.]+ ms: /m);
    assert.match(stdout, /^its last events \(hash [0-9a-f]{16}\):\n +\d+\.\d\d {2}\S+/m);
    assert.match(stdout, /^replay: npm run simulate -- --seed \d+ --rounds 1 --verbose --sabotage sync$/m);
  });

  it('refuses what it does not know', () => {
    const { stderr, status } = simulate('--sabotage', 'nothing');
    assert.equal(status, 2);
    assert.match(stderr, /there is no sabotage "nothing": sync, dedupe/);
  });
});

function firstViolation(sabotage: Sabotage): Outcome | null {
  for (let seed = 1; seed <= SABOTAGED_HISTORIES_MAX; seed++) {
    const outcome = runHistory({ seed, sabotage });
    if (outcome.violation !== null) return outcome;
  }
  return null;
}
