import { formatReason } from '../../src/actors/exit-reason.js';
import type { ClientSocketFactory } from '../../src/client/client-socket.js';
import { decodeRanges } from '../../src/protocol/index.js';
import { DiskError } from '../../src/storage/memory/disk.js';
import { MemoryStore } from '../../src/storage/memory/memory-store.js';
import {
  AppendStatus,
  CommandKind,
  EntryKind,
  type Store,
  type StoreEvents,
  type UserId,
} from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import type { Chat, ChatWorld, Ended } from './chat.js';
import { HeldEvents } from './held-events.js';
import { Ledger, type Violation } from './ledger.js';
import { LibraryClient } from './library-client.js';
import { ModelClient } from './model-client.js';
import { ObservedTables } from './observed-tables.js';
import { Broken, type Sabotage } from './sabotage.js';
import { ScopedClock } from './scoped-clock.js';
import { SimulatedDisk } from './simulated-disk.js';
import { type SimulatedConnection, SimulatedNetwork } from './simulated-network.js';
import { SimulatedServer } from './simulated-server.js';
import { SimulatedWriter } from './simulated-writer.js';
import { drawSwarm, type Fault, type Habit, type Swarm } from './swarm.js';
import { Trace } from './trace.js';
import { Vandal } from './vandal.js';

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
const FIRST_NUMBER = 491_520_000_001;

interface Person {
  readonly user: UserId;
  chat: Chat;
  /** Devices that were replaced and do not know it yet. */
  readonly zombies: Chat[];
}

/** Runs one history: the same seed, the same history. */
export function runHistory(options: HistoryOptions): Outcome {
  return new History(options).run();
}

class History implements ChatWorld {
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly ledger: Ledger;
  readonly #options: HistoryOptions;
  readonly #swarm: Swarm;
  readonly #clock = new SimulatedClock();
  readonly #network: SimulatedNetwork;
  readonly #disk: SimulatedDisk;
  readonly #secret: Uint8Array;
  readonly #broken: Broken;
  readonly #people: Person[] = [];
  readonly #pins = new Map<UserId, string>();
  readonly #verifiedAt = new Map<UserId, number>();
  readonly #registeredAt = new Map<number, number>();
  readonly #connections = new Map<Chat, Set<SimulatedConnection>>();
  readonly #users = new WeakMap<SimulatedConnection, UserId>();
  readonly #counts: Record<string, number> = {};
  #instances = 0;
  #phase: 'trouble' | 'quiet' | 'over' = 'trouble';

  // What dies with the machine or one of its processes.
  #writerClock: ScopedClock | null = null;
  #writer: SimulatedWriter | null = null;
  #store: MemoryStore | null = null;
  #held: HeldEvents | null = null;
  #tables: ObservedTables | null = null;
  #server: SimulatedServer | null = null;
  #serverSeed = 0;
  /** Crashes at the next commit, between it and its events. */
  #crashAtCommit: Fault | null = null;
  #backup: Uint8Array | null = null;

  constructor(options: HistoryOptions) {
    this.#options = options;
    const { seed } = options;
    this.random = new SeededRandom(seed);
    this.#swarm = drawSwarm(new SeededRandom(seed + 1e9));
    this.trace = new Trace(this.#clock, options.verbose ?? false, options.print ?? null);
    this.ledger = new Ledger(this.#clock, this.#swarm.store.inboxAgeMsMax);
    this.#network = new SimulatedNetwork(
      this.#clock,
      new SeededRandom(seed + 2e9),
      this.trace,
      this.#swarm.network,
    );
    this.#disk = new SimulatedDisk(new SeededRandom(seed + 3e9), this.trace, options.sabotage === 'sync');
    this.#broken = new Broken(options.sabotage ?? null);
    this.#network.swallowed = ({ id }) => {
      this.ledger.violate('ghosts', `connection ${id} is open although it dropped something`);
    };
    this.#network.refused = (connection, id) => {
      const user = this.#users.get(connection);
      if (user !== undefined) this.ledger.refusedForNow(user, id);
    };
    this.#secret = new SeededRandom(seed + 4e9).bytes(32);
  }

  run(): Outcome {
    try {
      this.#trouble();
      if (this.ledger.violation === null) this.#quiet();
      if (this.ledger.violation === null) this.#leave();
    } catch (error) {
      this.ledger.violate('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    return {
      seed: this.#options.seed,
      violation: this.ledger.violation,
      hash: this.trace.hash,
      events: this.trace.events,
      lines: this.trace.lines,
      swarm: this.#swarm,
      counts: this.#counts,
    };
  }

  // ---- the three parts of a history --------------------------------------------------------------------------

  #trouble(): void {
    const { people, troubleMs, faults } = this.#swarm;
    this.#startServer();
    for (let n = 0; n < people; n++) {
      const user = FIRST_NUMBER + n * 7919;
      const person: Person = { user, chat: null as unknown as Chat, zombies: [] };
      this.#people.push(person);
      person.chat = this.#makeChat(user);
      person.chat.connect();
      this.#actLater(person);
    }
    for (const [fault, meanMs] of faults) this.#faultLater(fault, meanMs);
    this.#vandalLater();
    this.#advance(troubleMs);
  }

  #quiet(): void {
    this.#phase = 'quiet';
    this.trace.note('quiet', 0, 0);
    this.#crashAtCommit = null;
    const disk = this.#disk;
    disk.room = Number.POSITIVE_INFINITY;
    disk.failAppend = 0;
    disk.failSync = 0;
    disk.dieInSync = 0;
    if (this.#server === null) this.#startServer();
    for (const connection of [...this.#network.connections]) {
      connection.read(Number.POSITIVE_INFINITY);
      if (connection.isGhost) connection.cut(1000, 1000);
    }
    this.#advance(3000);
    let until = this.#clock.now() + QUIET_MS_MAX;
    let open = Number.POSITIVE_INFINITY;
    let stepMs = 250;
    while (this.ledger.violation === null) {
      for (const { chat } of this.#people) if (!chat.isOnline) chat.connect();
      this.#advance(stepMs);
      stepMs = Math.min(10_000, stepMs * 1.1);
      if (this.#isSettled()) return;
      const left = this.ledger.openCount((instance) => this.#isCurrent(instance));
      if (left < open) {
        // A small inbox that many want to write to takes its time.
        open = left;
        until = this.#clock.now() + QUIET_MS_MAX;
      }
      if (this.#clock.now() < until) continue;
      const missing = this.ledger.missing((instance) => this.#isCurrent(instance));
      const people = this.#people.map(({ chat, user }) => {
        const pending = this.#tables?.user(user)?.pendingCount ?? 0;
        return `${chat.describe}, ${pending} pending${chat.isSettled ? ' (at rest)' : ''}`;
      });
      const what = missing?.what ?? 'not everybody is at rest';
      const waited = `nothing went on for ${QUIET_MS_MAX / 60_000} minutes after the last fault`;
      this.ledger.violate(missing?.invariant ?? 'progress', `${what} (${waited}); ${people.join('; ')}`);
    }
  }

  #isSettled(): boolean {
    return (
      this.#server !== null &&
      this.#people.every(
        ({ chat, user }) => chat.isSettled && (this.#tables?.user(user)?.pendingCount ?? 0) === 0,
      ) &&
      this.ledger.missing((instance) => this.#isCurrent(instance)) === null
    );
  }

  /** Everybody goes; then nothing may be left. */
  #leave(): void {
    this.#phase = 'over';
    this.trace.note('leave', 0, 0);
    for (const { chat, zombies } of this.#people) {
      chat.disconnect();
      for (const zombie of zombies) if (!zombie.isGone) zombie.retire();
    }
    this.#advance(5_000);
    // Ghosts: connections that only one end remembers.
    for (const connection of [...this.#network.connections]) connection.cut(0, 0);
    this.#advance(2_000);
    if (this.ledger.violation !== null) return;
    const leftovers = this.#server === null ? 'there is no server' : this.#server.leftovers();
    if (leftovers !== null) this.ledger.violate('leftovers', leftovers);
    if (this.#writer !== null && this.#writer.waiting > 0) {
      this.ledger.violate('leftovers', `${this.#writer.waiting} commands wait at the store`);
    }
    for (const { user } of this.#people) {
      const state = this.#tables?.user(user);
      if (state === undefined || state === null)
        this.ledger.violate('leftovers', `the store does not know ${user}`);
      else if (state.pendingCount !== 0 || state.pendingBytes !== 0) {
        this.ledger.violate(
          'leftovers',
          `${state.pendingCount} entries (${state.pendingBytes} bytes) wait for ${user}`,
        );
      }
    }
  }

  /** Lets time pass, or stops at the first violation. */
  #advance(ms: number): void {
    const until = this.#clock.now() + ms;
    while (this.ledger.violation === null && this.#clock.nextDeadline() <= until) this.#clock.step();
    const left = until - this.#clock.now();
    if (left > 0) this.#clock.advance(left);
  }

  // ---- the server --------------------------------------------------------------------------------------------

  #startServer(): void {
    try {
      this.#openStore();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.trace.note('start-refused', 0, 0, () => error.message);
      if (this.#disk.isDead) this.#disk.crash();
      this.#clock.setTimer(() => {
        if (this.#server === null) this.#startServer();
      }, 500);
      return;
    }
    this.#startScheduler();
  }

  #openStore(): void {
    this.#store = this.#makeStore();
    const clock = new ScopedClock(this.#clock);
    this.#writerClock = clock;
    this.#writer = new SimulatedWriter(
      clock,
      new SeededRandom(this.#nextSeed()),
      this.trace,
      this.#swarm.writer,
      {
        store: () => this.#broken.store(this.#store as Store, this.#tables as ObservedTables),
        target: () => this.#server?.chat.events ?? null,
        passed: (events) => this.#broken.passed(events),
        applied: () => this.#writer?.publishEarly(this.#broken.applied(this.#held?.held ?? [])),
        committed: () => this.#committed(),
        overloaded: (from, ref) => this.ledger.refusedForNow(from, ref),
      },
    );
  }

  /** @throws DiskError */
  #makeStore(): MemoryStore {
    const { ledger } = this;
    const { sabotage = null } = this.#options;
    const events = new HeldEvents((held) => {
      for (const event of held) event.tell(this.#observer);
      this.#observedAll();
      if (this.#crashAtCommit === 'writerCrash') this.#count('events lost with the writer');
      else this.#writer?.publish(held);
    });
    this.#held = events;
    this.#disk.reopened();
    ledger.replayBegins();
    const store = new MemoryStore({
      disk: this.#disk,
      limits: this.#swarm.store,
      now: this.#clock.wall(),
      events,
      past: this.#observer,
      tables: () => {
        this.#tables = new ObservedTables(sabotage);
        return this.#tables;
      },
    });
    this.#observedAll();
    ledger.replayEnds();
    return store;
  }

  /** The writer's thread ends and another one goes on with its rings. */
  #writerDies(): void {
    this.trace.note('writer-dies', 0, 0);
    this.#store = null;
    try {
      this.#store = this.#makeStore();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      // It cannot begin: then the server cannot go on.
      this.#dies(this.#disk.isDead ? 'machineCrash' : 'processCrash', 300);
      return;
    }
    this.#writer?.restarted();
  }

  #startScheduler(): void {
    const clock = new ScopedClock(this.#clock);
    const server = new SimulatedServer({
      clock,
      seed: this.#nextSeed(),
      trace: this.trace,
      swarm: this.#swarm,
      store: this.#writer as SimulatedWriter,
      // A restored backup gets an epoch of its own.
      epoch: (this.#store as MemoryStore).epoch + this.#broken.epochs(this.ledger.restores),
      secret: this.#secret,
      gateway: {
        name: 'simulated',
        send: (user, pin, _expiresMs, done) => {
          clock.setTimer(() => {
            this.#pins.set(user, pin);
            done(null);
          }, 5);
        },
      },
      onEnd: (reason) => {
        if (this.#server?.clock !== clock) return;
        this.trace.note('gave-up', 0, 0, () => formatReason(reason));
        this.#count('gave up');
        this.#clock.defer(() => {
          if (this.#server?.clock === clock) this.#dies('schedulerCrash', 200);
        });
      },
      onCrash: (label, reason) => this.ledger.violate('crashes', `${label} crashed: ${reason}`),
    });
    this.#server = server;
    this.#network.acceptor = this.#broken.acceptor(server.chat);
    this.trace.note('start', server.chat.node.epoch, this.#disk.size);
  }

  /** What each commit and each replay shows to the ledger. */
  readonly #observer: StoreEvents = {
    appended: (requester, ref, status) => {
      if (status !== AppendStatus.stored && status !== AppendStatus.duplicate)
        this.#refusedForNow(requester, ref);
    },
    wiped: (_requester, inbox, upTo, count) => {
      if (count > 0) this.ledger.wipedUpTo(inbox, upTo);
    },
    controlled() {},
    page() {},
    account() {},
    failed: (_partition, requester, command, ref) => {
      if (command === CommandKind.append) this.#refusedForNow(requester, ref);
    },
    entry: (_partition, inbox, seq, _time, kind, from, ref, source, start, end) => {
      if (kind === EntryKind.receiptDelivered) {
        this.ledger.wiped(inbox, from, expand(decodeRanges(source, start, end)), seq);
      } else this.ledger.stored(inbox, seq, from, ref, source.subarray(start, end));
    },
    deviceReplaced: (_partition, user, device) => this.ledger.deviceReplaced(user, device),
    truncated: (_partition, inbox, upTo) => {
      this.#count('truncated');
      this.trace.note('truncated', inbox, upTo, () => `up to ${upTo}`);
      this.ledger.truncated(inbox, upTo);
    },
  };

  /** All events of a batch, or of a log, were seen. */
  #observedAll(): void {
    this.ledger.countDropped((inbox) => new Set(this.#tables?.pendingSeqs(inbox)));
  }

  #refusedForNow(requester: number, ref: number): void {
    if (this.#writer !== null) this.ledger.refusedForNow(this.#writer.userOf(requester), ref);
  }

  /** Between a commit and its events. */
  #committed(): void {
    if (this.#disk.isDead) {
      this.#count('power failed in a sync');
      this.#dies('machineCrash', 300);
    } else if (this.#crashAtCommit !== null) {
      const fault = this.#crashAtCommit;
      this.#crashAtCommit = null;
      this.#count(`${fault} at a commit`);
      if (fault === 'writerCrash') this.#writerDies();
      else this.#dies(fault, 300);
    }
  }

  /** A thread, the process or the machine ends; a new one comes after a while. */
  #dies(how: Fault, restartMs: number): void {
    this.trace.note('dies', restartMs, 0, () => how);
    this.#server?.clock.end();
    this.#server = null;
    this.#network.serverGone();
    if (how === 'schedulerCrash') {
      this.#writer?.schedulerGone();
      this.#clock.setTimer(() => {
        if (this.#server !== null) return;
        if (this.#store === null) this.#startServer();
        else this.#startScheduler();
      }, restartMs);
      return;
    }
    this.#writerClock?.end();
    this.#writer = null;
    this.#store = null;
    if (how === 'machineCrash') this.#disk.crash();
    if (how === 'restore' && this.#backup !== null) {
      this.#disk.restore(this.#backup);
      this.#backup = null;
      this.ledger.restored();
    }
    this.#clock.setTimer(() => {
      if (this.#server === null && this.#store === null) this.#startServer();
    }, restartMs);
  }

  // ---- faults ------------------------------------------------------------------------------------------------

  #faultLater(fault: Fault, meanMs: number): void {
    const delay = -Math.log(1 - this.random.next()) * meanMs;
    this.#clock.setTimer(() => {
      if (this.#phase !== 'trouble') return;
      this.#fault(fault);
      this.#faultLater(fault, meanMs);
    }, delay);
  }

  #fault(fault: Fault): void {
    const { random } = this;
    const disk = this.#disk;
    const server = this.#server;
    this.trace.note('fault', 0, 0, () => fault);
    this.#count(fault);
    switch (fault) {
      case 'sessionCrash':
        server?.crashSession();
        break;
      case 'partitionCrash':
        if (server === null) break;
        // More often one that somebody's inbox is in; sometimes again and again.
        for (let times = random.next() < 0.05 ? 30 : 1; times > 0; times--) {
          const { user } = this.#somebody();
          if (random.next() < 0.8) server.crashPartitionOf(user);
          else server.crashPartition();
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
            this.#crashAtCommit = fault;
            break;
          case 1:
            this.#dies(fault, 100 + random.next() * 2000);
            break;
          default:
            disk.dieInSync = 1;
            break;
        }
        if (fault === 'machineCrash')
          this.#clock.setTimer(() => {
            disk.dieInSync = 0;
          }, 2000);
        break;
      case 'schedulerCrash':
        if (server !== null) this.#dies(fault, 50 + random.next() * 500);
        break;
      case 'writerCrash':
        if (this.#writer === null) break;
        if (random.next() < 0.7) this.#crashAtCommit = fault;
        else this.#writerDies();
        break;
      case 'restart':
        if (server !== null) this.#restart(server);
        break;
      case 'restore':
        this.#restore();
        break;
      case 'cut':
        this.#cutOne();
        break;
      case 'diskFull': {
        disk.room = disk.size + random.below(2000);
        this.#clock.setTimer(
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
        this.#clock.setTimer(
          () => {
            disk.failAppend = 0;
            disk.failSync = 0;
          },
          200 + random.next() * 4000,
        );
        break;
      }
      case 'wallJump':
        this.#clock.jumpWall(Math.round((random.next() - 0.4) * (random.next() < 0.5 ? 5_000 : 100_000)));
        break;
      case 'stall':
        this.#clock.stall(random.next() * (random.next() < 0.2 ? 20_000 : 500));
        break;
    }
  }

  /** An orderly restart: GOAWAY, a grace, then the end. */
  #restart(server: SimulatedServer): void {
    const graceMs = 200 + this.random.next() * 2000;
    this.#network.acceptor = null;
    server.chat.leave(graceMs, 1000);
    this.#clock.setTimer(() => {
      if (this.#server !== server) return;
      this.#store?.close();
      this.#dies('restart', 100);
    }, graceMs + 500);
  }

  /** The first time a backup is made; the second time it takes the database's place. */
  #restore(): void {
    if (this.#server === null) return;
    if (this.#backup === null) {
      this.#backup = this.#disk.backup();
      this.#count('backup');
      return;
    }
    this.#count('restored');
    this.#dies('restore', 200);
  }

  #cutOne(): void {
    const open = [...this.#network.connections].filter((connection) => connection.isOpen);
    const victim = open[this.random.below(Math.max(1, open.length))];
    const delay = () => (this.random.next() < 0.2 ? Number.POSITIVE_INFINITY : this.random.next() * 5000);
    victim?.cut(delay(), delay());
  }

  // ---- people ------------------------------------------------------------------------------------------------

  #vandalLater(): void {
    const { vandalMs } = this.#swarm;
    if (vandalMs === Number.POSITIVE_INFINITY) return;
    this.#clock.setTimer(
      () => {
        if (this.#phase !== 'trouble') return;
        this.#count('vandal');
        new Vandal(
          this.random,
          this.ledger,
          this.#somebody().user,
          this.#network.from('0b000001', () => {}),
        );
        this.#vandalLater();
      },
      -Math.log(1 - this.random.next()) * vandalMs,
    );
  }

  #actLater(person: Person): void {
    const delay = -Math.log(1 - this.random.next()) * this.#swarm.actMs;
    this.#clock.setTimer(() => {
      if (this.#phase !== 'trouble') return;
      this.#act(person);
      this.#actLater(person);
    }, delay);
  }

  #act(person: Person): void {
    const { random } = this;
    const { habits } = this.#swarm;
    let total = 2;
    for (const weight of habits.values()) total += weight;
    let pick = random.next() * total;
    for (const [habit, weight] of habits) {
      pick -= weight;
      if (pick < 0) {
        this.#count(habit);
        this.#habit(person, habit);
        return;
      }
    }
    this.#count('send');
    const zombie = person.zombies.find((each) => !each.isGone);
    const chat = zombie !== undefined && random.next() < 0.3 ? zombie : person.chat;
    const { user } = this.#somebody();
    for (let n = 1 + random.below(this.#swarm.burstMax); n > 0; n--) chat.send(user, this.#body(chat));
  }

  #habit(person: Person, habit: Habit): void {
    const { random } = this;
    const { chat } = person;
    switch (habit) {
      case 'read':
        chat.markRead();
        break;
      case 'stopReading':
        this.#slow(chat, 0);
        break;
      case 'readSlowly':
        this.#slow(chat, 20 + random.below(500));
        break;
      case 'leave':
        if (random.next() < 0.5) chat.disconnect();
        else this.#cutAll(chat);
        this.#comesBack(person, random.next() * 6000);
        break;
      case 'crash':
        this.#cutAll(chat);
        chat.crash();
        this.#comesBack(person, random.next() * 3000);
        break;
      case 'connectAgain':
        chat.connectAgain();
        break;
      case 'loseCursor':
        this.#cutAll(chat);
        chat.loseCursor();
        this.#comesBack(person, random.next() * 1000);
        break;
      case 'replace':
        this.#replace(person, random.next() < 0.5);
        break;
      case 'block':
        chat.block(this.#somebody().user, random.next() < 0.5);
        break;
      case 'unknownNumber':
        chat.send(FIRST_NUMBER - 1 - random.below(3), this.#body(chat));
        break;
      case 'flood':
        chat.flood(50 + random.below(300));
        break;
      case 'presence':
        chat.watch(this.#somebody().user, random.next() < 0.7);
        break;
      case 'typing':
        chat.typing(this.#somebody().user);
        break;
      case 'activity':
        chat.setActive(random.next() < 0.5);
        break;
      case 'ask':
        chat.ask();
        break;
      case 'badSend':
        if (random.next() < 0.5) chat.send(12, this.#body(chat));
        else
          chat.send(this.#somebody().user, new Uint8Array(this.#swarm.bodyBytesMax + 1 + random.below(100)));
        break;
    }
  }

  #slow(chat: Chat, bytesPerSecond: number): void {
    const connections = this.#connectionsOf(chat);
    for (const connection of connections) connection.read(bytesPerSecond);
    this.#clock.setTimer(() => {
      for (const connection of connections) connection.read(Number.POSITIVE_INFINITY);
    }, this.random.next() * 10_000);
  }

  #comesBack(person: Person, delayMs: number): void {
    const { chat } = person;
    this.#clock.setTimer(() => {
      if (person.chat === chat && this.#phase !== 'over') chat.connect();
    }, delayMs);
  }

  /** The number is registered on another device; the old one may go on for a while. */
  #replace(person: Person, isOldOn: boolean): void {
    const old = person.chat;
    if (!old.isRegistered) return;
    if (isOldOn) person.zombies.push(old);
    else {
      this.#cutAll(old);
      old.retire();
    }
    person.chat = this.#makeChat(person.user);
    person.chat.connect();
  }

  #somebody(): Person {
    return this.#people[this.random.below(this.#people.length)] as Person;
  }

  #body(chat: Chat): Uint8Array {
    const { bodyBytesMax } = this.#swarm;
    // Long enough that no two are the same; empty ones only of first devices, which share their ids with nobody.
    if (this.random.next() < 0.02 && chat.instance <= this.#swarm.people) return new Uint8Array(0);
    return this.random.bytes(6 + this.random.below(bodyBytesMax - 5));
  }

  #cutAll(chat: Chat): void {
    for (const connection of this.#connectionsOf(chat)) {
      connection.cut(Number.POSITIVE_INFINITY, this.random.next() * 8000);
    }
  }

  #connectionsOf(chat: Chat): SimulatedConnection[] {
    const connections = this.#connections.get(chat);
    if (connections === undefined) return [];
    for (const connection of connections) if (connection.isOver) connections.delete(connection);
    return [...connections].filter((connection) => !connection.isGhost);
  }

  #makeChat(user: UserId): Chat {
    const instance = ++this.#instances;
    let chat: Chat | null = null;
    const sockets: ClientSocketFactory = this.#network.from(
      `0a0000${(instance % 256).toString(16).padStart(2, '0')}`,
      (connection) => {
        this.#users.set(connection, user);
        if (chat !== null) this.#connections.get(chat)?.add(connection);
      },
    );
    const isLibrary = this.random.next() < this.#swarm.library;
    chat = isLibrary
      ? new LibraryClient(this, user, instance, sockets)
      : new ModelClient(this, user, instance, sockets);
    this.#connections.set(chat, new Set());
    return chat;
  }

  #isCurrent(instance: number): boolean {
    return this.#people.some(({ chat }) => chat.instance === instance);
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }

  #nextSeed(): number {
    return this.#options.seed * 1000 + ++this.#serverSeed;
  }

  // ---- what clients ask of their world -----------------------------------------------------------------------

  machineClock(): ScopedClock {
    return new ScopedClock(this.#clock);
  }

  noteDelayMs(): number {
    const { noteDelayMs } = this.#swarm;
    return noteDelayMs === 0 ? 0 : this.random.next() * noteDelayMs;
  }

  ackDelayMs(): number {
    const { ackDelayMs } = this.#swarm;
    return ackDelayMs === 0 ? 0 : this.random.next() * ackDelayMs;
  }

  pinOf(user: UserId): string | undefined {
    return this.#pins.get(user);
  }

  verifying(user: UserId): void {
    this.ledger.registering(user);
    this.#verifiedAt.set(user, this.#clock.now());
  }

  registered(chat: Chat, device: number): void {
    this.#registeredAt.set(chat.instance, this.#clock.now());
    this.ledger.deviceRegistered(chat.user, chat.instance, device);
  }

  online(): void {}

  mayLoseDevice(chat: Chat, ended: Ended): boolean {
    if (this.ledger.restores > 0) return true;
    const registered = this.#registeredAt.get(chat.instance) ?? 0;
    return ended === 'replaced' && (this.#verifiedAt.get(chat.user) ?? -1) > registered;
  }

  lostDevice(chat: Chat): void {
    this.#count('lost device');
    const person = this.#people.find((each) => each.chat === chat);
    if (person === undefined) return;
    this.#clock.setTimer(() => {
      if (person.chat === chat && this.#phase !== 'over') {
        person.chat = this.#makeChat(person.user);
        person.chat.connect();
      }
    }, 100);
  }

  closed(_chat: Chat, code: number): void {
    this.#count(`close ${code}`);
  }
}

function expand(ranges: readonly number[]): number[] {
  const ids: number[] = [];
  for (let at = 0; at + 1 < ranges.length; at += 2) {
    for (let id = ranges[at] as number; id <= (ranges[at + 1] as number); id++) ids.push(id);
  }
  return ids;
}
