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
import { HeldEvents } from './held-events.js';
import { ObservedTables } from './observed-tables.js';
import { ScopedClock } from './scoped-clock.js';
import { SimulatedDisk } from './simulated-disk.js';
import { SimulatedSchedulers } from './simulated-schedulers.js';
import { SimulatedWriter } from './simulated-writer.js';
import type { Fault } from './swarm.js';
import type { World } from './world.js';

/**
 * The machine that the server runs on: its disk, its process with the threads, and what becomes of them when one of
 * them ends. The ledger sees each commit here, and what each start finds.
 */
export class SimulatedMachine {
  readonly disk: SimulatedDisk;
  /** The last PIN of each number, as its phone shows it. */
  readonly pins = new Map<UserId, string>();
  readonly #world: World;
  readonly #secret: Uint8Array;
  #writerClock: ScopedClock | null = null;
  #writer: SimulatedWriter | null = null;
  #store: MemoryStore | null = null;
  #held: HeldEvents | null = null;
  #tables: ObservedTables | null = null;
  #schedulers: SimulatedSchedulers | null = null;
  #backup: Uint8Array | null = null;
  /** What ends at the next commit, between it and its events. */
  crashAtCommit: Fault | null = null;

  constructor(world: World) {
    this.#world = world;
    this.disk = new SimulatedDisk(new SeededRandom(world.seed + 3e9), world.trace, world.sabotage === 'sync');
    this.#secret = new SeededRandom(world.seed + 4e9).bytes(32);
  }

  /** Null: the process is being started. */
  get schedulers(): SimulatedSchedulers | null {
    return this.#schedulers;
  }

  get hasWriter(): boolean {
    return this.#writer !== null;
  }

  /** Commands that wait for the writer. */
  get waiting(): number {
    return this.#writer?.waiting ?? 0;
  }

  /** Entries and their bytes in an inbox, by the store's own count; null: it does not know the user. */
  pending(user: UserId): { readonly count: number; readonly bytes: number } | null {
    const state = this.#tables?.user(user) ?? null;
    return state === null ? null : { count: state.pendingCount, bytes: state.pendingBytes };
  }

  /** The disk has no faults from now on. */
  heal(): void {
    this.crashAtCommit = null;
    this.disk.room = Number.POSITIVE_INFINITY;
    this.disk.failAppend = 0;
    this.disk.failSync = 0;
    this.disk.dieInSync = 0;
  }

  /** The first time a backup is made; the second time it takes the database's place. */
  backupOrRestore(): void {
    if (this.#schedulers === null) return;
    if (this.#backup === null) {
      this.#backup = this.disk.backup();
      this.#world.count('backup');
      return;
    }
    this.#world.count('restored');
    this.dies('restore', 200);
  }

  start(): void {
    try {
      this.#openStore();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#world.trace.note('start-refused', 0, 0, () => error.message);
      if (this.disk.isDead) this.disk.crash();
      this.#world.clock.setTimer(() => {
        if (this.#schedulers === null) this.start();
      }, 500);
      return;
    }
    this.#startSchedulers();
  }

  #openStore(): void {
    this.#store = this.#makeStore();
    const clock = new ScopedClock(this.#world.clock);
    this.#writerClock = clock;
    this.#writer = new SimulatedWriter(
      clock,
      new SeededRandom(this.#world.nextSeed()),
      this.#world.trace,
      this.#world.swarm.writer,
      {
        store: () => this.#world.broken.store(this.#store as Store, this.#tables as ObservedTables),
        from: (place) => this.#held?.from(place),
        passed: (events) => this.#world.broken.passed(events),
        applied: () => this.#writer?.publishEarly(this.#world.broken.applied(this.#held?.held ?? [])),
        committed: () => this.#committed(),
        overloaded: (from, ref) => this.#world.ledger.refusedForNow(from, ref),
      },
    );
  }

  /** @throws DiskError */
  #makeStore(): MemoryStore {
    const { ledger } = this.#world;
    const { sabotage } = this.#world;
    const events = new HeldEvents((held) => {
      for (const event of held) event.tell(this.#observer);
      this.#observedAll();
      // A writer that ends here may have told all and not yet given back the room of the commands: they come twice.
      const isLost = this.crashAtCommit === 'writerCrash' && this.#world.random.next() < 0.7;
      if (isLost) this.#world.count('events lost with the writer');
      else this.#writer?.publish(held);
    });
    this.#held = events;
    this.disk.reopened();
    ledger.replayBegins();
    let store: MemoryStore;
    try {
      store = new MemoryStore({
        disk: this.disk,
        limits: this.#world.swarm.store,
        now: this.#world.clock.wall(),
        events,
        past: this.#observer,
        tables: () => {
          this.#tables = new ObservedTables(sabotage);
          return this.#tables;
        },
      });
    } catch (error) {
      ledger.replayFails();
      throw error;
    }
    this.#observedAll();
    ledger.replayEnds();
    return store;
  }

  /** The writer's thread ends and another one goes on with its rings. */
  writerDies(): void {
    this.#world.trace.note('writer-dies', 0, 0);
    this.#store = null;
    try {
      this.#store = this.#makeStore();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      // It cannot begin: then the server cannot go on.
      this.dies(this.disk.isDead ? 'machineCrash' : 'processCrash', 300);
      return;
    }
    const schedulers = this.#schedulers;
    if (schedulers === null) return;
    this.#writer?.restarted(schedulers.inlets(), schedulers.placement.routes());
    schedulers.writerRestarted();
  }

  #startSchedulers(): void {
    this.#schedulers = new SimulatedSchedulers(this.#world, {
      writer: this.#writer as SimulatedWriter,
      // A restored backup gets an epoch of its own.
      epoch: (this.#store as MemoryStore).epoch + this.#world.broken.epochs(this.#world.ledger.restores),
      secret: this.#secret,
      pins: this.pins,
    });
    this.#world.trace.note('start-all', this.#world.swarm.schedulers, this.disk.size);
  }

  /** What each commit and each replay shows to the ledger. */
  readonly #observer: StoreEvents = {
    appended: (requester, ref, status) => {
      if (status !== AppendStatus.stored && status !== AppendStatus.duplicate)
        this.#refusedForNow(requester, ref);
    },
    wiped: (_requester, inbox, upTo, count) => {
      if (count > 0) this.#world.ledger.wipedUpTo(inbox, upTo);
    },
    controlled() {},
    page() {},
    account() {},
    failed: (_partition, requester, command, ref) => {
      if (command === CommandKind.append) this.#refusedForNow(requester, ref);
    },
    entry: (_partition, inbox, seq, _time, kind, from, ref, source, start, end) => {
      if (kind === EntryKind.receiptDelivered) {
        this.#world.ledger.wiped(inbox, from, expand(decodeRanges(source, start, end)), seq);
      } else this.#world.ledger.stored(inbox, seq, from, ref, source.subarray(start, end));
    },
    deviceReplaced: (_partition, user, device) => this.#world.ledger.deviceReplaced(user, device),
    truncated: (_partition, inbox, upTo) => {
      this.#world.count('truncated');
      this.#world.trace.note('truncated', inbox, upTo, () => `up to ${upTo}`);
      this.#world.ledger.truncated(inbox, upTo);
    },
  };

  /** All events of a batch, or of a log, were seen. */
  #observedAll(): void {
    this.#world.ledger.countDropped((inbox) => new Set(this.#tables?.pendingSeqs(inbox)));
  }

  #refusedForNow(requester: number, ref: number): void {
    if (this.#writer !== null) this.#world.ledger.refusedForNow(this.#writer.userOf(requester), ref);
  }

  /** Between a commit and its events. */
  #committed(): void {
    if (this.disk.isDead) {
      this.#world.count('power failed in a sync');
      this.dies('machineCrash', 300);
    } else if (this.crashAtCommit !== null) {
      const fault = this.crashAtCommit;
      this.crashAtCommit = null;
      this.#world.count(`${fault} at a commit`);
      if (fault === 'writerCrash') this.writerDies();
      else this.dies(fault, 300);
    }
  }

  /** The process or the machine ends; a new one comes after a while. */
  dies(how: Fault, restartMs: number): void {
    this.#world.trace.note('dies', restartMs, 0, () => how);
    this.#schedulers?.end();
    this.#schedulers = null;
    this.#writerClock?.end();
    this.#writer = null;
    this.#store = null;
    if (how === 'machineCrash') this.disk.crash();
    if (how === 'restore' && this.#backup !== null) {
      this.disk.restore(this.#backup);
      this.#backup = null;
      this.#world.ledger.restored();
    }
    this.#world.clock.setTimer(() => {
      if (this.#schedulers === null && this.#store === null) this.start();
    }, restartMs);
  }

  /** An orderly restart: GOAWAY, a grace, then the end. */
  restart(): void {
    const schedulers = this.#schedulers;
    const graceMs = 200 + this.#world.random.next() * 2000;
    schedulers?.leave(graceMs);
    this.#world.clock.setTimer(() => {
      if (this.#schedulers !== schedulers) return;
      this.#store?.close();
      this.dies('restart', 100);
    }, graceMs + 500);
  }
}

function expand(ranges: readonly number[]): number[] {
  const ids: number[] = [];
  for (let at = 0; at + 1 < ranges.length; at += 2) {
    for (let id = ranges[at] as number; id <= (ranges[at + 1] as number); id++) ids.push(id);
  }
  return ids;
}
