/** Where the process of a partition is: numbers, since pids stay on their schedulers. */
export interface PartitionAddress {
  /** Number of the scheduler's incarnation, as in pids. */
  readonly scheduler: number;
  readonly id: number;
}

/** What a placement has others do. Each of them answers later, by the method that is named. */
export interface PlacementOrders {
  /** The scheduler at `place` ends these partitions. Then {@link Placement.stopped}. */
  stop(place: number, partitions: readonly number[]): void;
  /**
   * The store sends what concerns these partitions to the scheduler at `place` from now on. Then
   * {@link Placement.routed} with the same `transfer`.
   */
  route(transfer: number, place: number, partitions: readonly number[]): void;
  /** The scheduler at `place` starts these partitions. Then {@link Placement.started} for each. */
  start(place: number, partitions: readonly number[]): void;
  /** Every scheduler in `to` hears where a partition is. */
  announce(to: readonly number[], partition: number, place: number, address: PartitionAddress): void;
  /** A transfer has come to its end. `from`: 0 for partitions that had lost their scheduler. */
  moved(partitions: readonly number[], from: number, to: number): void;
}

/** Partitions that planned moves take at a time: so many users wait for a moment, the others do not. */
const TRANSFER_MAX = 8;

/**
 * Some partitions on their way from one scheduler to another:
 *
 *     stopping ── stopped ──▶ routing ── routed ──▶ starting ── started, each ──▶ over
 *
 * In this order, so that a partition never runs twice, and what it reads of the store comes to where it runs. A
 * partition keeps nothing; its sessions attach anew when they hear where it is.
 */
interface Transfer {
  readonly id: number;
  /** 0: nobody has them. */
  readonly from: number;
  to: number;
  readonly partitions: readonly number[];
  phase: 'stopping' | 'routing' | 'starting';
  readonly waiting: Set<number>;
}

interface Partition {
  /** Place of the scheduler that runs it, or will when its transfer is over; 0: none. */
  owner: number;
  address: PartitionAddress | null;
  transfer: Transfer | null;
}

/**
 * Which scheduler runs which partition. Pure: it hears what has happened, and gives orders. One for the whole server,
 * on the main thread.
 *
 * - At the beginning the partitions are spread evenly.
 * - When a scheduler is lost its partitions go to the others at once, to those with the fewest.
 * - When one has come (again) partitions move to it until the numbers differ by one at most, a few at a time.
 * - {@link move} moves some as the operator wishes; they stay until the next scheduler comes or goes.
 */
export class Placement {
  readonly #orders: PlacementOrders;
  readonly #partitions: readonly Partition[];
  /** Schedulers that serve. */
  readonly #up = new Set<number>();
  readonly #transfers = new Map<number, Transfer>();
  /** Planned moves that have not begun, in order. */
  #planned: { readonly partition: number; readonly to: number }[] = [];
  #lastTransfer = 0;
  #hasBegun = false;
  /** A scheduler has come since the partitions were last spread. */
  #wantsBalance = false;

  /** @param count of partitions. */
  constructor(count: number, orders: PlacementOrders) {
    this.#orders = orders;
    this.#partitions = Array.from({ length: count }, () => ({ owner: 0, address: null, transfer: null }));
  }

  /** Place of the scheduler that runs a partition or is about to; 0: there is none. */
  ownerOf(partition: number): number {
    return this.#partitions[partition]?.owner ?? 0;
  }

  /** It is on its way, or will be. */
  isMoving(partition: number): boolean {
    const transfer = this.#partitions[partition]?.transfer ?? null;
    return transfer !== null || this.#planned.some((move) => move.partition === partition);
  }

  /** Owners of all partitions, by their number. */
  owners(): number[] {
    return this.#partitions.map(({ owner }) => owner);
  }

  /** Where the store is to send what concerns each partition, for a writer that begins now; 0: nowhere. */
  routes(): number[] {
    return this.#partitions.map(({ owner, transfer }) =>
      transfer?.phase === 'stopping' ? transfer.from : owner,
    );
  }

  /** Every partition runs, and nothing is moving. */
  get isSettled(): boolean {
    return (
      this.#transfers.size === 0 &&
      this.#planned.length === 0 &&
      this.#partitions.every(({ address }) => address !== null)
    );
  }

  /** Partitions run, or are about to, on some scheduler. */
  get isServing(): boolean {
    return this.#hasBegun && this.#up.size > 0;
  }

  /** The first schedulers are up: from now on partitions run. */
  begin(): void {
    this.#hasBegun = true;
    this.#adopt();
  }

  /**
   * A scheduler serves. It knows nothing yet. Without `balance` it is given only what nobody has: {@link balance} may come
   * later.
   */
  schedulerUp(place: number, balance = true): void {
    this.#up.add(place);
    for (const [index, { address, owner }] of this.#partitions.entries()) {
      if (address !== null) this.#orders.announce([place], index, owner, address);
    }
    if (!this.#hasBegun) return;
    this.#adopt();
    if (balance) this.balance();
    else this.#next();
  }

  /** Spreads the partitions evenly again. */
  balance(): void {
    this.#wantsBalance = true;
    this.#next();
  }

  /** A scheduler was lost, and with it its partitions. */
  schedulerDown(place: number): void {
    if (!this.#up.delete(place)) return;
    this.#planned = this.#planned.filter(({ to }) => to !== place);
    for (const partition of this.#partitions) {
      if (partition.transfer !== null || partition.owner !== place) continue;
      partition.address = null;
      partition.owner = 0;
    }
    for (const transfer of [...this.#transfers.values()]) {
      const isRunning = transfer.phase === 'stopping' && transfer.from !== place;
      if (transfer.to !== place) {
        if (transfer.from === place && transfer.phase === 'stopping') this.#route(transfer);
      } else if (isRunning) {
        // They were told to stop, and will: somebody else gets them then, perhaps the same.
        this.#aim(transfer, fewest(this.#counts()));
      } else {
        this.#end(transfer);
        for (const index of transfer.partitions) {
          this.#partitions[index]!.address = null;
          this.#partitions[index]!.owner = 0;
        }
      }
    }
    if (this.#hasBegun) this.#adopt();
    this.#next();
  }

  /** These partitions do not run on the scheduler at `place` any more. */
  stopped(place: number, partitions: readonly number[]): void {
    for (const index of partitions) {
      const transfer = this.#partitions[index]?.transfer;
      if (transfer?.phase !== 'stopping' || transfer.from !== place) continue;
      transfer.waiting.delete(index);
      if (transfer.waiting.size === 0) this.#route(transfer);
    }
  }

  /** The store has done as it was told. */
  routed(id: number): void {
    const transfer = this.#transfers.get(id);
    if (transfer?.phase !== 'routing') return;
    transfer.phase = 'starting';
    for (const index of transfer.partitions) transfer.waiting.add(index);
    this.#orders.start(transfer.to, transfer.partitions);
  }

  /** The store's thread is a new one, which has heard of no transfer that it was not started with: asks again. */
  writerRestarted(): void {
    for (const { id, to, phase, partitions } of this.#transfers.values()) {
      if (phase === 'routing') this.#orders.route(id, to, partitions);
    }
  }

  /** A partition runs on the scheduler at `place`: as it was told, or again because its process had ended. */
  started(place: number, index: number, address: PartitionAddress): void {
    const partition = this.#partitions[index];
    if (partition === undefined || !this.#up.has(place)) return;
    const { transfer } = partition;
    if (transfer !== null && (transfer.phase !== 'starting' || transfer.to !== place)) return;
    if (transfer === null && partition.owner !== place) return;
    partition.address = address;
    this.#orders.announce([...this.#up], index, place, address);
    if (transfer === null) return;
    transfer.waiting.delete(index);
    if (transfer.waiting.size > 0) return;
    this.#end(transfer);
    this.#orders.moved(transfer.partitions, transfer.from, transfer.to);
    this.#next();
  }

  /**
   * Moves partitions as the operator wishes. Returns those that will move: the others are there already.
   *
   * @throws RangeError when there is no such scheduler or partition.
   */
  move(partitions: readonly number[], to: number): number[] {
    if (!this.#up.has(to)) throw new RangeError(`there is no scheduler ${to}`);
    for (const index of partitions) {
      if (this.#partitions[index] === undefined) throw new RangeError(`there is no partition ${index}`);
    }
    const moving = [...new Set(partitions)].filter((index) => this.#finalOwner(index) !== to);
    // Balancing that is still planned must not undo it.
    this.#planned = this.#planned.filter(({ partition }) => !partitions.includes(partition));
    for (const partition of moving) this.#planned.push({ partition, to });
    this.#next();
    return moving;
  }

  #finalOwner(index: number): number {
    const planned = this.#planned.findLast(({ partition }) => partition === index);
    return planned?.to ?? this.ownerOf(index);
  }

  /** Partitions that nobody has go to those with the fewest. */
  #adopt(): void {
    if (this.#up.size === 0) return;
    const counts = this.#counts();
    const groups = new Map<number, number[]>();
    for (const [index, { owner }] of this.#partitions.entries()) {
      if (owner !== 0) continue;
      const to = fewest(counts);
      counts.set(to, counts.get(to)! + 1);
      const group = groups.get(to);
      if (group === undefined) groups.set(to, [index]);
      else group.push(index);
    }
    for (const [to, partitions] of groups) this.#begin(0, to, partitions);
  }

  /** Plans moves until no scheduler will have two more than another. */
  #balance(): void {
    const counts = this.#counts();
    for (const { partition, to } of this.#planned) {
      counts.set(this.ownerOf(partition), counts.get(this.ownerOf(partition))! - 1);
      counts.set(to, counts.get(to)! + 1);
    }
    for (;;) {
      const to = fewest(counts);
      const from = most(counts);
      if (counts.get(from)! - counts.get(to)! < 2) return;
      const planned = new Set(this.#planned.map(({ partition }) => partition));
      const partition = this.#partitions.findLastIndex(
        ({ owner }, index) => owner === from && !planned.has(index),
      );
      if (partition < 0) return;
      this.#planned.push({ partition, to });
      counts.set(from, counts.get(from)! - 1);
      counts.set(to, counts.get(to)! + 1);
    }
  }

  /** Begins what is planned, one transfer at a time, so that few users wait at once. */
  #next(): void {
    if (this.#transfers.size > 0 || this.#up.size === 0) return;
    this.#planned = this.#planned.filter(({ partition, to }) => this.ownerOf(partition) !== to);
    if (this.#wantsBalance) {
      this.#wantsBalance = false;
      this.#balance();
    }
    const [first] = this.#planned;
    if (first === undefined) return;
    const from = this.ownerOf(first.partition);
    const moves = this.#planned
      .filter(({ partition, to }) => to === first.to && this.ownerOf(partition) === from)
      .slice(0, TRANSFER_MAX);
    this.#planned = this.#planned.filter((move) => !moves.includes(move));
    this.#begin(
      from,
      first.to,
      moves.map(({ partition }) => partition),
    );
  }

  #begin(from: number, to: number, partitions: readonly number[]): void {
    const transfer: Transfer = {
      id: ++this.#lastTransfer,
      from,
      to,
      partitions,
      phase: 'stopping',
      waiting: new Set(partitions),
    };
    this.#transfers.set(transfer.id, transfer);
    for (const index of partitions) this.#partitions[index]!.transfer = transfer;
    this.#aim(transfer, to);
    if (from === 0) this.#route(transfer);
    else this.#orders.stop(from, partitions);
  }

  #route(transfer: Transfer): void {
    transfer.phase = 'routing';
    transfer.waiting.clear();
    for (const index of transfer.partitions) this.#partitions[index]!.address = null;
    this.#orders.route(transfer.id, transfer.to, transfer.partitions);
  }

  #aim(transfer: Transfer, to: number): void {
    transfer.to = to;
    for (const index of transfer.partitions) this.#partitions[index]!.owner = to;
  }

  #end(transfer: Transfer): void {
    this.#transfers.delete(transfer.id);
    for (const index of transfer.partitions) this.#partitions[index]!.transfer = null;
  }

  /** Partitions of each scheduler that is up. */
  #counts(): Map<number, number> {
    const counts = new Map([...this.#up].sort((a, b) => a - b).map((place) => [place, 0]));
    for (const { owner } of this.#partitions) {
      const count = counts.get(owner);
      if (count !== undefined) counts.set(owner, count + 1);
    }
    return counts;
  }
}

function fewest(counts: ReadonlyMap<number, number>): number {
  let best = 0;
  for (const [place, count] of counts) if (best === 0 || count < counts.get(best)!) best = place;
  return best;
}

function most(counts: ReadonlyMap<number, number>): number {
  let best = 0;
  for (const [place, count] of counts) if (best === 0 || count > counts.get(best)!) best = place;
  return best;
}
