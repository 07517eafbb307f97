import type { RuntimeOptions } from '../../src/actors/index.js';
import { type SpillOptions, SpillStore } from '../../src/schedulers/index.js';
import { World } from '../actors/world.js';

/** A world whose long mailboxes leave the heap, as early as can be. */
export class SpillingWorld extends World {
  readonly spill: SpillStore;

  constructor(options: SpillOptions = {}, runtime: Partial<RuntimeOptions> = {}) {
    const spill = new SpillStore({ spillAt: 128, ...options });
    super({ ...runtime, spill: (runtime) => spill.start(runtime) });
    this.spill = spill;
  }
}
