import { Process } from './process.js';
import { CallMessage, CastMessage } from './request.js';

/**
 * A process that freezes what it is sent, for debugging: private heaps cannot be had here, so sender and receiver hold the
 * same object, and whoever changes it afterwards changes it for both. Frozen, the change is a TypeError where it is made.
 *
 * Plain objects and arrays are frozen, with all that they hold; instances of classes, pids and buffers are not.
 */
export class FrozenProcess<in M> extends Process<M> {
  override deliver(message: unknown): void {
    if (message instanceof CallMessage) deepFreeze(message.request);
    else if (message instanceof CastMessage) deepFreeze(message.message);
    else deepFreeze(message);
    super.deliver(message);
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
