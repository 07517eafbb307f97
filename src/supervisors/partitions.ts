import { BadArgument, type Pid, type Via, type ViaTable } from '../actors/index.js';

/** By what something is routed to a partition. */
export type PartitionKey = string | number | bigint | Pid;

/**
 * Which process is which partition at the moment. Made before the supervisor, so that whoever sends to partitions can
 * have it, and kept up to date by it over all restarts.
 *
 * As a table of names it routes: `call(partitions.via(user), …)`, `{ via: partitions, key: user }`. Integers go round:
 * `|key| mod count`; other keys by a hash, the same in every process and run.
 */
export class Partitions<M = never> implements ViaTable<Pid<M>> {
  readonly #pids: (Pid<M> | undefined)[];
  #count: number;

  /** @param max how many there are, and the most that there can be */
  constructor(readonly max: number) {
    if (!Number.isInteger(max) || max < 1) throw new BadArgument(`bad number of partitions: ${max}`);
    this.#pids = new Array<Pid<M> | undefined>(max).fill(undefined);
    this.#count = max;
  }

  /** How many there are now: those that keys are routed to. */
  get count(): number {
    return this.#count;
  }

  /** The process of a partition; undefined before its first start. One that has just ended may still be there. */
  get(index: number): Pid<M> | undefined {
    return this.#pids[index];
  }

  /** The number of the partition for a key. */
  indexOf(key: PartitionKey): number {
    const count = this.#count;
    if (count === 0) throw new BadArgument('there are no partitions: all were taken away');
    if (typeof key === 'number' && Number.isInteger(key)) return Math.abs(key) % count;
    if (typeof key === 'bigint') return Number((key < 0n ? -key : key) % BigInt(count));
    return hash(keyText(key)) % count;
  }

  /** The process for a key. */
  of(key: PartitionKey): Pid<M> | undefined {
    return this.#pids[this.indexOf(key)];
  }

  /** The partition for a key as a name: for calls, casts, monitors. */
  via(key: PartitionKey): Via<Pid<M>> {
    return { via: this, key };
  }

  whereisName(key: unknown): Pid<M> | undefined {
    const pid = this.of(key as PartitionKey);
    return (pid as { readonly alive?: boolean } | undefined)?.alive === false ? undefined : pid;
  }

  /** Processes do not come to partitions by themselves: always throws. */
  registerName(): never {
    throw new BadArgument('only its supervisor starts a partition');
  }

  describeName(key: unknown): string {
    return `partition of ${String(key)}`;
  }

  /** @internal */
  set(index: number, pid: Pid<M> | undefined): void {
    this.#pids[index] = pid;
  }

  /** @internal Keys are routed to the first `count` from now on. */
  route(count: number): void {
    this.#count = count;
  }
}

function keyText(key: PartitionKey): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'object' && key !== null && 'scheduler' in key) return `${key.scheduler}.${key.id}`;
  if (typeof key === 'number') return String(key);
  throw new BadArgument(`a key of partitions is a string, a number or a pid, not ${String(key)}`);
}

/** FNV-1a over the code units, with a last mix, for the low bits count. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}
