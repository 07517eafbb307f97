import type { Process } from './process.js';

/** A ring of processes that can run; its size is a power of two and doubles when it is full. Bounded by the number of processes. */
export class RunQueue {
  length = 0;
  private slots: (Process<never> | null)[] = new Array<Process<never> | null>(1024).fill(null);
  private mask = 1023;
  private head = 0;

  push(process: Process<never>): void {
    if (this.length > this.mask) this.grow();
    this.slots[(this.head + this.length++) & this.mask] = process;
  }

  shift(): Process<never> | null {
    if (this.length === 0) return null;
    const { head } = this;
    const process = this.slots[head]!;
    this.slots[head] = null;
    this.head = (head + 1) & this.mask;
    this.length--;
    return process;
  }

  /** The one that is `place` places behind the first. */
  at(place: number): Process<never> {
    return this.slots[(this.head + place) & this.mask]!;
  }

  private grow(): void {
    const { slots, head, length } = this;
    const larger = new Array<Process<never> | null>(slots.length * 2).fill(null);
    for (let at = 0; at < length; at++) larger[at] = slots[(head + at) & this.mask]!;
    this.slots = larger;
    this.mask = larger.length - 1;
    this.head = 0;
  }
}
