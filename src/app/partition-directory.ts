import type { Pid } from '../actors/pid.js';
import type { PartitionMessage } from '../chat/messages.js';

/** Where each partition is, as one scheduler knows it. */
export class PartitionDirectory {
  readonly #pids: (Pid<PartitionMessage> | undefined)[];
  readonly #own: (Pid<PartitionMessage> | undefined)[];
  readonly #homePorts: number[];

  constructor(count: number) {
    this.#pids = new Array<Pid<PartitionMessage> | undefined>(count).fill(undefined);
    this.#own = new Array<Pid<PartitionMessage> | undefined>(count).fill(undefined);
    this.#homePorts = new Array<number>(count).fill(0);
  }

  /** On whatever scheduler. One that has just ended may still be there. */
  get(index: number): Pid<PartitionMessage> | undefined {
    return this.#pids[index];
  }

  /** On this scheduler. */
  own(index: number): Pid<PartitionMessage> | undefined {
    return this.#own[index];
  }

  /** The port of the scheduler that it is on; 0: it is here, or that has none. */
  homePort(index: number): number {
    return this.#own[index] === undefined ? (this.#homePorts[index] as number) : 0;
  }

  startedHere(index: number, pid: Pid<PartitionMessage>): void {
    this.#pids[index] = pid;
    this.#own[index] = pid;
  }

  stoppedHere(index: number): void {
    this.#own[index] = undefined;
  }

  /** It is on another scheduler. Returns whether it is not where it was believed to be. */
  startedElsewhere(index: number, pid: Pid<PartitionMessage>, homePort: number): boolean {
    this.#homePorts[index] = homePort;
    if (this.#pids[index] === pid) return false;
    this.#pids[index] = pid;
    return true;
  }
}
