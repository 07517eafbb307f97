import { partitionOf } from '../../src/storage/partition-of.js';
import { PARTITIONS } from '../../src/storage/stores.js';
import type { People } from './people.js';
import type { SimulatedMachine } from './simulated-machine.js';
import type { Fault } from './swarm.js';
import type { World } from './world.js';

/** What goes wrong, and when: each fault that the seed has switched on comes again and again until the trouble is over. */
export class Faults {
  readonly #world: World;
  readonly #machine: SimulatedMachine;
  readonly #people: People;

  constructor(world: World, machine: SimulatedMachine, people: People) {
    this.#world = world;
    this.#machine = machine;
    this.#people = people;
    world.network.swallowed = ({ id }) => {
      world.ledger.violate('ghosts', `connection ${id} is open although it dropped something`);
    };
  }

  begin(): void {
    for (const [fault, meanMs] of this.#world.swarm.faults)
      this.#world.often(meanMs, () => this.#fault(fault));
  }

  #fault(fault: Fault): void {
    const { random } = this.#world;
    const { disk } = this.#machine;
    const { schedulers } = this.#machine;
    const server = schedulers?.someServer(random) ?? null;
    this.#world.trace.note('fault', 0, 0, () => fault);
    this.#world.count(fault);
    switch (fault) {
      case 'sessionCrash':
        server?.crashSession();
        break;
      case 'partitionCrash':
        if (server === null) break;
        // More often one that somebody's inbox is in; sometimes again and again.
        for (let times = random.next() < 0.05 ? 30 : 1; times > 0; times--) {
          const { user } = this.#people.somebody();
          // Whoever has it.
          const index = random.next() < 0.8 ? partitionOf(user) : random.below(PARTITIONS);
          for (const one of schedulers?.servers ?? []) one.crashPartition(index);
        }
        break;
      case 'registrarCrash':
        server?.crashRegistrar();
        break;
      case 'processCrash':
      case 'machineCrash':
        if (server === null) break;
        switch (random.below(fault === 'machineCrash' ? 3 : 2)) {
          case 0:
            this.#machine.crashAtCommit = fault;
            break;
          case 1:
            this.#machine.dies(fault, 100 + random.next() * 2000);
            break;
          default:
            disk.dieInSync = 1;
            break;
        }
        if (fault === 'machineCrash')
          this.#world.clock.setTimer(() => {
            disk.dieInSync = 0;
          }, 2000);
        break;
      case 'schedulerCrash':
        if (server !== null) schedulers?.dies(server.place, 50 + random.next() * 500);
        break;
      case 'partitionsMove':
        this.#move(random.next() < 0.2 ? [...Array(PARTITIONS).keys()] : this.#theirs());
        break;
      case 'busyRing': {
        if (server === null) break;
        const { scheduler } = server.runtime;
        schedulers?.rings.refuse(scheduler, 0.3 + random.next() * 0.7);
        this.#world.clock.setTimer(() => schedulers?.rings.refuse(scheduler, 0), 100 + random.next() * 2000);
        break;
      }
      case 'slowRings': {
        if (schedulers === null || server === null) break;
        // What one scheduler says is late, while the others are as quick as ever.
        const { scheduler } = server.runtime;
        schedulers.rings.slow(scheduler, 100 + random.next() * 1500);
        this.#world.clock.setTimer(() => schedulers.rings.slow(scheduler, null), 200 + random.next() * 3000);
        if (random.next() < 0.5) {
          this.#world.clock.setTimer(() => this.#move(this.#theirs()), random.next() * 1000);
        }
        break;
      }
      case 'writerCrash':
        if (!this.#machine.hasWriter) break;
        if (random.next() < 0.7) this.#machine.crashAtCommit = fault;
        else this.#machine.writerDies();
        break;
      case 'restart':
        if (server !== null) this.#machine.restart();
        break;
      case 'restore':
        this.#machine.backupOrRestore();
        break;
      case 'cut':
        this.#cutOne();
        break;
      case 'diskFull': {
        disk.room = disk.size + random.below(2000);
        this.#world.clock.setTimer(
          () => {
            disk.room = Number.POSITIVE_INFINITY;
          },
          200 + random.next() * 4000,
        );
        break;
      }
      case 'diskErrors': {
        disk.failAppend = random.next() < 0.5 ? 0.3 : 0;
        disk.failSync = 0.3;
        this.#world.clock.setTimer(
          () => {
            disk.failAppend = 0;
            disk.failSync = 0;
          },
          200 + random.next() * 4000,
        );
        break;
      }
      case 'wallJump':
        this.#world.clock.jumpWall(
          Math.round((random.next() - 0.4) * (random.next() < 0.5 ? 5_000 : 100_000)),
        );
        break;
      case 'stall':
        this.#world.clock.stall(random.next() * (random.next() < 0.2 ? 20_000 : 500));
        break;
    }
  }

  /** Partitions of people. */
  #theirs(): number[] {
    return [...Array(3)].map(() => partitionOf(this.#people.somebody().user));
  }

  #move(partitions: readonly number[]): void {
    const { schedulers } = this.#machine;
    const server = schedulers?.someServer(this.#world.random);
    if (schedulers === null || server === null || server === undefined) return;
    try {
      schedulers.placement.move(partitions, server.place);
    } catch (error) {
      // The main thread has not heard of that scheduler yet.
      if (!(error instanceof RangeError)) throw error;
    }
  }

  #cutOne(): void {
    const open = [...this.#world.network.connections].filter((connection) => connection.isOpen);
    const victim = open[this.#world.random.below(Math.max(1, open.length))];
    const delay = () =>
      this.#world.random.next() < 0.2 ? Number.POSITIVE_INFINITY : this.#world.random.next() * 5000;
    victim?.cut(delay(), delay());
  }
}
