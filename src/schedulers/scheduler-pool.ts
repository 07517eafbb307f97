import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BadArgument } from '../actors/index.js';
import { DOORBELL_BYTES } from '../structures/doorbell.js';
import { createRing, type RingCounters, ringCounters } from '../structures/spsc-ring.js';
import {
  type LinkNews,
  type PeerLink,
  RING_STATS,
  type RingLink,
  type RingStat,
  ROUTER_STATS,
  type RouterStat,
  type SchedulerLinks,
} from './scheduler-links.js';
import { PLACES_MAX, placeOf, schedulerNumber } from './scheduler-number.js';
import { createNameTable, type NameTableMemory, SharedNameTable } from './shared-name-table.js';
import { createStats, StatsBlock, type StatsMemory } from './stats-block.js';

export interface SchedulerPoolOptions {
  /** Bytes of each ring, a power of two from 64 KiB. Default 1 MiB. */
  readonly ringBytes?: number;
  /** Names that the node can have at a time, a power of two. Default 4096. */
  readonly nameCapacity?: number;
}

/** Figures of the ring from one scheduler to another. */
export interface RingReport {
  readonly from: number;
  readonly to: number;
  readonly ring: RingCounters;
  readonly stats: Readonly<Record<RingStat, number>>;
}

export interface RouterReport {
  readonly scheduler: number;
  readonly stats: Readonly<Record<RouterStat, number>>;
}

/** A scheduler that there is. */
interface Member {
  readonly number: number;
  readonly bell: SharedArrayBuffer;
  readonly stats: StatsMemory<RouterStat>;
  /** To its router. */
  readonly news: MessagePort;
  /** Rings to the others, by their numbers. */
  readonly rings: Map<number, RingLink>;
}

/**
 * On the main thread: makes the shared memory that joins the schedulers, and tells each of the coming and going of
 * the others. Every thread that is started gets rings of its own and a number that nobody had before it.
 *
 *     const pool = new SchedulerPool();
 *     const main = new RingRouter({ links: pool.open(0) });             // the main thread is place 0
 *     const links = pool.open(1);                                       // before the thread is started
 *     const worker = new Worker(entry, { workerData: { links, … }, transferList: [links.news] });
 *     worker.on('exit', () => pool.close(links.number));                // when it has ended, however it did
 */
export class SchedulerPool {
  readonly #ringBytes: number;
  readonly #names: NameTableMemory;
  readonly #table: SharedNameTable;
  readonly #members = new Map<number, Member>();
  /** How many were opened at each place. */
  readonly #incarnations: number[] = [];

  /** Throws a {@link BadArgument} for a bad option. */
  constructor(options: SchedulerPoolOptions = {}) {
    const { ringBytes = 1024 * 1024, nameCapacity = 4096 } = options;
    if (!(ringBytes >= 64 * 1024) || ringBytes > 2 ** 29 || (ringBytes & (ringBytes - 1)) !== 0)
      throw new BadArgument(`bad ringBytes: ${ringBytes}; a power of two from 64 KiB to 512 MiB`);
    this.#ringBytes = ringBytes;
    this.#names = createNameTable(nameCapacity);
    this.#table = new SharedNameTable(this.#names, 0);
  }

  /** The names of the node. */
  get names(): SharedNameTable {
    return this.#table;
  }

  /** Numbers of the schedulers that there are. */
  get schedulers(): number[] {
    return [...this.#members.keys()];
  }

  /** The number of the scheduler at a place now. */
  at(place: number): number | undefined {
    for (const number of this.#members.keys()) if (placeOf(number) === place) return number;
    return undefined;
  }

  /**
   * Everything that a new scheduler at `place` needs. Whoever was there before is closed. From here on it can be sent
   * to; what is sent waits in its rings until it has begun.
   */
  open(place: number): SchedulerLinks {
    if (!Number.isInteger(place) || place < 0 || place >= PLACES_MAX)
      throw new BadArgument(`bad place: ${place}; a whole number from 0 to ${PLACES_MAX - 1}`);
    const before = this.at(place);
    if (before !== undefined) this.close(before);
    const incarnation = this.#incarnations[place] ?? 0;
    this.#incarnations[place] = incarnation + 1;
    const { port1, port2 } = new MessageChannel();
    const member: Member = {
      number: schedulerNumber(place, incarnation),
      bell: new SharedArrayBuffer(DOORBELL_BYTES),
      stats: createStats(ROUTER_STATS),
      news: port1,
      rings: new Map(),
    };
    // Nothing comes from there, and it must not keep the thread.
    port1.unref();
    const peers: PeerLink[] = [];
    for (const other of this.#members.values()) {
      const to = this.#ring();
      const from = this.#ring();
      member.rings.set(other.number, to);
      other.rings.set(member.number, from);
      peers.push({ number: other.number, to, from, bell: other.bell });
      const peer: PeerLink = { number: member.number, to: from, from: to, bell: member.bell };
      other.news.postMessage({ type: 'up', peer } satisfies LinkNews);
    }
    this.#members.set(member.number, member);
    const { number, bell, stats } = member;
    return { number, bell, stats, peers, news: port2, names: this.#names };
  }

  /**
   * A scheduler has ended, or is given up: its names are free, and the others are told. A thread that was given up and is
   * still there ends when it hears of it; call this again when it has ended, for names that it took meanwhile.
   */
  close(scheduler: number): void {
    const member = this.#members.get(scheduler);
    // Before anybody hears of its end.
    this.#table.releaseScheduler(scheduler);
    if (member === undefined) return;
    this.#members.delete(scheduler);
    for (const other of this.#members.values()) {
      other.rings.delete(scheduler);
      other.news.postMessage({ type: 'down', scheduler } satisfies LinkNews);
    }
    member.news.close();
  }

  /** The figures of all rings; nobody is asked for them. */
  ringReports(): RingReport[] {
    const reports: RingReport[] = [];
    for (const member of this.#members.values()) {
      for (const [to, { ring, stats }] of member.rings) {
        reports.push({
          from: member.number,
          to,
          ring: ringCounters(ring),
          stats: StatsBlock.of(stats).snapshot(),
        });
      }
    }
    return reports;
  }

  /** Times that a scheduler was woken by another one; null: there is no such scheduler. */
  wakesOf(scheduler: number): number | null {
    const member = this.#members.get(scheduler);
    return member === undefined ? null : StatsBlock.of(member.stats).read('wakes');
  }

  routerReports(): RouterReport[] {
    return Array.from(this.#members.values(), ({ number, stats }) => ({
      scheduler: number,
      stats: StatsBlock.of(stats).snapshot(),
    }));
  }

  #ring(): RingLink {
    return { ring: createRing(this.#ringBytes), stats: createStats(RING_STATS) };
  }
}
