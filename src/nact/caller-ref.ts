import type { From } from '../actors/index.js';
import { Address } from './address.js';

/** Who calls an actor, as its sender: what is dispatched to it first is the reply. */
export function callerRef(from: From<unknown>): Address {
  return new Address('caller', { dispatch: (message) => from.reply(message) });
}
