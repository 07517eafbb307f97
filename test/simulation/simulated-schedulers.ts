import { formatReason } from '../../src/actors/exit-reason.js';
import { Placement } from '../../src/app/placement.js';
import { schedulerNumber } from '../../src/schedulers/index.js';
import { PARTITIONS, type UserId } from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { ScopedClock } from './scoped-clock.js';
import { HOME_PORTS } from './simulated-network.js';
import { SimulatedRings } from './simulated-rings.js';
import { SimulatedServer } from './simulated-server.js';
import type { SimulatedInlet, SimulatedWriter } from './simulated-writer.js';
import type { World } from './world.js';

export interface SchedulersParts {
  readonly writer: SimulatedWriter;
  readonly epoch: number;
  /** Survives restarts, as the file that it is in. */
  readonly secret: Uint8Array;
  /** The last PIN of each number. */
  readonly pins: Map<UserId, string>;
}

interface Running {
  readonly server: SimulatedServer;
  readonly inlet: SimulatedInlet;
  /** The main thread knows that it serves. */
  isKnown: boolean;
}

/**
 * The scheduler threads of one process, and the main thread that places the partitions on them: the production's
 * placement over ports that take their time, each in order.
 */
export class SimulatedSchedulers {
  readonly placement: Placement;
  readonly rings: SimulatedRings;
  readonly #world: World;
  readonly #parts: SchedulersParts;
  /** Of the main thread. */
  readonly #clock: ScopedClock;
  readonly #random: SeededRandom;
  readonly #count: number;
  readonly #running = new Map<number, Running>();
  readonly #incarnations = new Map<number, number>();
  /** When the last message on each port arrives. */
  readonly #arriveAt = new Map<string, number>();
  /** Of the writer's thread: what was posted to an earlier one is lost. */
  #writerLife = 0;
  #hasBegun = false;
  #isLeaving = false;

  constructor(world: World, parts: SchedulersParts) {
    this.#world = world;
    this.#parts = parts;
    this.#clock = new ScopedClock(world.clock);
    this.#random = new SeededRandom(world.nextSeed());
    this.#count = world.swarm.schedulers;
    this.rings = new SimulatedRings(
      world.clock,
      new SeededRandom(world.nextSeed()),
      world.swarm.writer.ringMsMax,
    );
    this.placement = new Placement(PARTITIONS, {
      stop: (place, partitions) =>
        this.#toScheduler(place, ({ server }) =>
          server.chat.stopPartitions(partitions, () =>
            this.#fromScheduler(place, () => this.placement.stopped(place, partitions)),
          ),
        ),
      route: (transfer, place, partitions) =>
        this.#toWriter((writer) =>
          writer.route(partitions, place, () =>
            this.#post('writer>main', () => this.placement.routed(transfer)),
          ),
        ),
      start: (place, partitions) =>
        this.#toScheduler(place, ({ server }) => server.chat.startPartitions(partitions)),
      announce: (to, partition, place, address) => {
        for (const one of to) {
          this.#toScheduler(one, ({ server }) => {
            const pid = server.runtime.pid(address.scheduler, address.id);
            server.chat.partitionAt(partition, pid, this.#count > 1 ? HOME_PORTS + place : 0);
          });
        }
      },
      moved: (partitions, from, to) => {
        if (from !== 0) world.count('partitions moved');
        world.trace.note('moved', from, to, () => partitions.join(' '));
      },
    });
    for (let place = 1; place <= this.#count; place++) this.#start(place);
  }

  /** Those that run. */
  get servers(): SimulatedServer[] {
    return [...this.#running.values()].map(({ server }) => server);
  }

  /** One of those that run. */
  someServer(random: SeededRandom): SimulatedServer | null {
    const { servers } = this;
    return servers[random.below(Math.max(1, servers.length))] ?? null;
  }

  /** All run, and nothing is moving. */
  get isSettled(): boolean {
    return this.#running.size === this.#count && this.placement.isSettled;
  }

  /** For a writer that begins now. */
  inlets(): Map<number, SimulatedInlet> {
    return new Map([...this.#running].map(([place, { inlet }]) => [place, inlet]));
  }

  /** The writer's thread has ended, and another one has begun with the present state. */
  writerRestarted(): void {
    this.#writerLife++;
    this.#post('writer>main', () => this.placement.writerRestarted());
  }

  /** The process has ended. */
  end(): void {
    this.#clock.end();
    for (const { server } of this.#running.values()) server.clock.end();
    this.#running.clear();
    this.#world.network.serverGone();
  }

  /** Everybody is sent away; nobody new is let in. */
  leave(graceMs: number): void {
    this.#isLeaving = true;
    this.#world.network.acceptors.clear();
    for (const { server } of this.#running.values()) server.chat.leave(graceMs, 1000);
  }

  /** A scheduler's thread ends, and another takes its place. */
  dies(place: number, restartMs: number): void {
    const running = this.#running.get(place);
    if (running === undefined) return;
    const { server } = running;
    this.#world.trace.note('scheduler-dies', place, restartMs);
    server.clock.end();
    this.#running.delete(place);
    this.#world.network.serverGone(place);
    // What it said last comes first.
    this.#fromScheduler(place, () => {
      this.rings.gone(server.runtime.scheduler);
      this.#toWriter((writer) => writer.detach(place));
      this.placement.schedulerDown(place);
      this.#clock.setTimer(() => {
        if (!this.#isLeaving) this.#start(place);
      }, restartMs);
    });
  }

  #start(place: number): void {
    const incarnation = this.#incarnations.get(place) ?? 0;
    this.#incarnations.set(place, incarnation + 1);
    const number = schedulerNumber(place, incarnation);
    const { writer, epoch, secret, pins } = this.#parts;
    const { network, trace, swarm, ledger } = this.#world;
    const clock = new ScopedClock(this.#world.clock);
    const inlet = writer.inlet();
    this.#toWriter((now) => now.attach(place, inlet));
    const server = new SimulatedServer({
      clock,
      seed: this.#world.nextSeed(),
      trace,
      swarm,
      number,
      place,
      router: this.rings.router(number),
      store: inlet.port,
      epoch,
      incarnation: incarnation * this.#count + place,
      secret,
      gateway: {
        name: 'simulated',
        send: (user, pin, _expiresMs, done) => {
          clock.setTimer(() => {
            pins.set(user, pin);
            done(null);
          }, 5);
        },
      },
      onPartition: (index, { scheduler, id }) =>
        this.#fromScheduler(place, () => this.placement.started(place, index, { scheduler, id })),
      onEnd: (reason) => {
        if (!clock.isAlive) return;
        trace.note('gave-up', place, 0, () => formatReason(reason));
        this.#world.count('gave up');
        this.#world.clock.defer(() => {
          if (clock.isAlive) this.dies(place, 200);
        });
      },
      onCrash: (label, reason) => ledger.violate('crashes', `${label} crashed: ${reason}`),
    });
    this.rings.join(server.runtime, clock);
    inlet.listen(server.chat.events);
    const running: Running = { server, inlet, isKnown: false };
    this.#running.set(place, running);
    network.acceptors.set(place, this.#world.broken.acceptor(server.chat));
    trace.note('start', place, server.chat.node.epoch);
    this.#fromScheduler(place, () => {
      if (this.#running.get(place) !== running) return;
      running.isKnown = true;
      this.placement.schedulerUp(place);
      if (this.#hasBegun) return;
      this.#hasBegun = [...this.#running.values()].filter(({ isKnown }) => isKnown).length === this.#count;
      if (this.#hasBegun) this.placement.begin();
    });
  }

  // ---- ports -------------------------------------------------------------------------------------------------

  #toScheduler(place: number, order: (running: Running) => void): void {
    const running = this.#running.get(place);
    if (running === undefined) return;
    this.#post(`main>${place} ${running.server.runtime.scheduler}`, () => {
      if (this.#running.get(place) === running) order(running);
    });
  }

  #fromScheduler(place: number, answer: () => void): void {
    this.#post(`${place}>main`, answer);
  }

  #toWriter(order: (writer: SimulatedWriter) => void): void {
    const life = this.#writerLife;
    this.#post('main>writer', () => {
      if (life === this.#writerLife) order(this.#parts.writer);
    });
  }

  #post(port: string, callback: () => void): void {
    const now = this.#clock.now();
    const delay = this.#random.next() * this.#world.swarm.portMsMax;
    const at = Math.max(this.#arriveAt.get(port) ?? 0, now + delay);
    this.#arriveAt.set(port, at);
    this.#clock.setTimer(callback, at - now);
  }
}
