import type { Process } from '../actors/process.js';
import type { Runtime } from '../actors/runtime.js';
import { HotProcess } from './hot-process.js';
import type { ModuleSlot } from './module-slot.js';
import type { ChangeableProcess } from './module-table.js';

/** The {@link HotProcess}es of a runtime that run a module, in a stable order. Goes through all processes if it is not left early. */
export function processesOf(runtime: Runtime): (slot: ModuleSlot) => Iterable<ChangeableProcess> {
  return function* (slot) {
    for (const process of runtime.processes()) {
      const { receiver } = process as Process<unknown>;
      if (receiver instanceof HotProcess && receiver.slot === slot) yield receiver;
    }
  };
}
