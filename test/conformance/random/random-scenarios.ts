import type { Json, JsonObject } from '../oracle/json.js';
import { Dice } from './dice.js';
import { eventManagerSteps } from './event-managers.js';
import { processGroupSteps } from './process-groups.js';
import { serverSteps } from './servers.js';
import { signalSteps } from './signals.js';
import { stateMachineSteps } from './state-machines.js';
import { supervisorSteps } from './supervisors.js';

/** What a random scenario is about, and how it is made. */
const KINDS: { readonly [kind: string]: (dice: Dice, length: number) => Json[] } = {
  signals: signalSteps,
  servers: serverSteps,
  supervisors: supervisorSteps,
  'state-machines': stateMachineSteps,
  'event-managers': eventManagerSteps,
  'process-groups': processGroupSteps,
};

export const RANDOM_KINDS: readonly string[] = Object.keys(KINDS);

const LENGTH = 40;

/** `count` scenarios of a kind, the same for the same seed. Throws a RangeError for an unknown kind. */
export function randomScenarios(kind: string, seed: number, count: number): JsonObject[] {
  const make = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (make === undefined) throw new RangeError(`unknown kind ${kind}: ${RANDOM_KINDS.join(', ')}`);
  return Array.from({ length: count }, (_, at) => ({
    name: `random_${kind}_${seed + at}`,
    about: `Random scenario, seed ${seed + at}.`,
    steps: make(new Dice(seed + at), LENGTH),
  }));
}
