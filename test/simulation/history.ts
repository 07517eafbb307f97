import { Faults } from './faults.js';
import type { Violation } from './ledger.js';
import { People } from './people.js';
import type { Sabotage } from './sabotage.js';
import { SimulatedMachine } from './simulated-machine.js';
import type { Swarm } from './swarm.js';
import { World } from './world.js';

export interface HistoryOptions {
  readonly seed: number;
  readonly sabotage?: Sabotage | null;
  /** Keep the last lines of what happens. */
  readonly verbose?: boolean;
  readonly print?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  /** Of everything that happened: the same for the same seed, always. */
  readonly hash: string;
  readonly events: number;
  readonly lines: readonly string[];
  readonly swarm: Swarm;
  /** How often each thing happened, to see that a campaign does what it is meant to do. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How long, in simulated ms, nothing may get better after the last fault until all is well. */
const QUIET_MS_MAX = 5 * 60_000;

/** Runs one history: the same seed, the same history. */
export function runHistory(options: HistoryOptions): Outcome {
  const { seed, sabotage = null, verbose = false, print = null } = options;
  const world = new World(seed, sabotage, verbose, print);
  new History(world).run();
  const { ledger, trace, swarm, counts } = world;
  const { hash, events, lines } = trace;
  return { seed, violation: ledger.violation, hash, events, lines, swarm, counts };
}

/** The three parts of a history: trouble, quiet, and the end. */
class History {
  readonly #world: World;
  readonly #machine: SimulatedMachine;
  readonly #people: People;

  constructor(world: World) {
    this.#world = world;
    this.#machine = new SimulatedMachine(world);
    this.#people = new People(world, this.#machine);
  }

  run(): void {
    const { ledger } = this.#world;
    try {
      this.#trouble();
      if (ledger.violation === null) this.#quiet();
      if (ledger.violation === null) this.#end();
    } catch (error) {
      ledger.violate('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  #trouble(): void {
    this.#machine.start();
    this.#people.begin();
    new Faults(this.#world, this.#machine, this.#people).begin();
    this.#world.advance(this.#world.swarm.troubleMs);
  }

  /** Nothing goes wrong any more: everything must come to rest. */
  #quiet(): void {
    const { trace, network, ledger, clock } = this.#world;
    this.#world.phase = 'quiet';
    trace.note('quiet', 0, 0);
    this.#machine.heal();
    if (this.#machine.schedulers === null) this.#machine.start();
    for (const connection of [...network.connections]) {
      connection.read(Number.POSITIVE_INFINITY);
      if (connection.isGhost) connection.cut(1000, 1000);
    }
    this.#world.advance(3000);
    let until = clock.now() + QUIET_MS_MAX;
    let open = Number.POSITIVE_INFINITY;
    let stepMs = 250;
    while (ledger.violation === null) {
      for (const { chat } of this.#people.people) if (!chat.isOnline) chat.connect();
      this.#world.advance(stepMs);
      stepMs = Math.min(10_000, stepMs * 1.1);
      if (this.#isSettled()) return;
      const left = ledger.openCount((instance) => this.#people.isCurrent(instance));
      if (left < open) {
        // A small inbox that many want to write to takes its time.
        open = left;
        until = clock.now() + QUIET_MS_MAX;
      }
      if (clock.now() >= until) this.#neverSettled();
    }
  }

  #isSettled(): boolean {
    return (
      this.#machine.schedulers?.isSettled === true &&
      this.#people.people.every(
        ({ chat, user }) => chat.isSettled && this.#machine.pending(user)?.count === 0,
      ) &&
      this.#world.ledger.missing((instance) => this.#people.isCurrent(instance)) === null
    );
  }

  #neverSettled(): void {
    const { ledger } = this.#world;
    const missing = ledger.missing((instance) => this.#people.isCurrent(instance));
    const people = this.#people.people.map(({ chat, user }) => {
      const pending = this.#machine.pending(user)?.count ?? 0;
      return `${chat.describe}, ${pending} pending${chat.isSettled ? ' (at rest)' : ''}`;
    });
    const what = missing?.what ?? 'not everybody is at rest';
    const waited = `nothing went on for ${QUIET_MS_MAX / 60_000} minutes after the last fault`;
    ledger.violate(missing?.invariant ?? 'progress', `${what} (${waited}); ${people.join('; ')}`);
  }

  /** Everybody goes; then nothing may be left. */
  #end(): void {
    const { trace, network, ledger } = this.#world;
    this.#world.phase = 'over';
    trace.note('leave', 0, 0);
    for (const { chat, zombies } of this.#people.people) {
      chat.disconnect();
      for (const zombie of zombies) if (!zombie.isGone) zombie.retire();
    }
    this.#world.advance(5_000);
    // Ghosts: connections that only one end remembers.
    for (const connection of [...network.connections]) connection.cut(0, 0);
    this.#world.advance(2_000);
    if (ledger.violation !== null) return;
    const { schedulers, waiting } = this.#machine;
    if (schedulers === null) ledger.violate('leftovers', 'there is no server');
    for (const server of schedulers?.servers ?? []) {
      const leftovers = server.leftovers();
      if (leftovers !== null) ledger.violate('leftovers', `scheduler ${server.place}: ${leftovers}`);
    }
    if (waiting > 0) ledger.violate('leftovers', `${waiting} commands wait at the store`);
    for (const { user } of this.#people.people) {
      const pending = this.#machine.pending(user);
      if (pending === null) ledger.violate('leftovers', `the store does not know ${user}`);
      else if (pending.count !== 0 || pending.bytes !== 0) {
        ledger.violate('leftovers', `${pending.count} entries (${pending.bytes} bytes) wait for ${user}`);
      }
    }
  }
}
