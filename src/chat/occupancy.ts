import { PARTITIONS } from '../storage/stores.js';

/** How many users of each partition of this scheduler are online, and how many of them have their session here, too. */
export class Occupancy {
  readonly users = new Int32Array(PARTITIONS);
  readonly atHome = new Int32Array(PARTITIONS);

  count(partition: number, isAtHome: boolean, change: 1 | -1): void {
    this.users[partition]! += change;
    if (isAtHome) this.atHome[partition]! += change;
  }
}
