import { GuardMark } from '../../src/actors/slice-guard.js';
import {
  type NativeGuard as Guard,
  GuardRequest,
  guardMissing,
  interrupt,
  NativeGuard,
} from '../../src/schedulers/native-guard.js';
import { World } from '../actors/world.js';

/** For the `skip` of a test: false where the native guard was built, else why not. */
export const skip: string | false = (() => {
  const missing = guardMissing();
  return missing === null ? false : `no native guard: ${missing.message}`;
})();

/**
 * A world whose processes can be cut off, without a second thread and without time: a process asks itself for the cut,
 * which is carried out at its next stack check as if a watchdog had asked.
 */
export class GuardedWorld extends World {
  readonly guard: Guard;

  constructor() {
    const guard = NativeGuard.attach();
    super({ guard });
    this.guard = guard;
  }

  /** Asks for whatever runs on the top level now. */
  ask(request: GuardRequest, ranMs = 1234): void {
    const level = this.guard.marks[GuardMark.depth]! - 1;
    const work = this.guard.marks[GuardMark.levels + level]!;
    interrupt(this.guard.handle, request, level, work, ranMs);
  }

  /** Asks for the end of whatever runs on the top level now. */
  cut(): void {
    this.ask(GuardRequest.cut);
  }

  /** An endless loop that is cut off. */
  loop(): never {
    this.cut();
    for (;;);
  }

  /** Runs turns until nobody has anything to do. */
  turns(): void {
    while (this.clock.runOne());
  }

  /** The crashes so far, as `label reason handler`. */
  get crashes(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'crash' ? [`${event.label} ${event.reason.type} ${event.cut?.handler ?? '-'}`] : [],
    );
  }

  close(): void {
    this.guard.detach();
  }
}
