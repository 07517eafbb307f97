import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { Ledger } from './ledger.js';
import { Broken, type Sabotage } from './sabotage.js';
import { SimulatedNetwork } from './simulated-network.js';
import { drawSwarm, type Swarm } from './swarm.js';
import { Trace } from './trace.js';

/** What all parts of one history share. */
export class World {
  readonly seed: number;
  readonly sabotage: Sabotage | null;
  readonly clock = new SimulatedClock();
  /** For whatever people and faults decide; networks, disks and servers have their own. */
  readonly random: SeededRandom;
  readonly swarm: Swarm;
  readonly trace: Trace;
  readonly ledger: Ledger;
  readonly network: SimulatedNetwork;
  readonly broken: Broken;
  /** How often each thing happened. */
  readonly counts: Record<string, number> = {};
  /** Things go wrong in `trouble` only; in the end nobody comes back. */
  phase: 'trouble' | 'quiet' | 'over' = 'trouble';
  #seeds = 0;

  constructor(
    seed: number,
    sabotage: Sabotage | null,
    verbose: boolean,
    print: ((line: string) => void) | null,
  ) {
    this.seed = seed;
    this.sabotage = sabotage;
    this.random = new SeededRandom(seed);
    this.swarm = drawSwarm(new SeededRandom(seed + 1e9));
    this.trace = new Trace(this.clock, verbose, print);
    this.ledger = new Ledger(this.clock, this.swarm.store.inboxAgeMsMax);
    this.network = new SimulatedNetwork(
      this.clock,
      new SeededRandom(seed + 2e9),
      this.trace,
      this.swarm.network,
    );
    this.broken = new Broken(sabotage);
  }

  /** A seed for one more part. */
  nextSeed(): number {
    return this.seed * 1000 + ++this.#seeds;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** Lets time pass, or stops at the first violation. */
  advance(ms: number): void {
    const until = this.clock.now() + ms;
    while (this.ledger.violation === null && this.clock.nextDeadline() <= until) this.clock.step();
    const left = until - this.clock.now();
    if (left > 0) this.clock.advance(left);
  }

  /** Calls back again and again during the trouble, after random times around `meanMs`. */
  often(meanMs: number, callback: () => void): void {
    const delay = -Math.log(1 - this.random.next()) * meanMs;
    this.clock.setTimer(() => {
      if (this.phase !== 'trouble') return;
      callback();
      this.often(meanMs, callback);
    }, delay);
  }
}
