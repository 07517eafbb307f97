import type { Json, JsonObject } from '../oracle/json.js';
import type { Dice } from './dice.js';

const tuple = (...t: Json[]): Json => ({ t });
const pid = (label: string) => `<${label}>`;
const unordered = (op: readonly Json[]): Json => ({ op, unordered: true });

const STATES = ['start', 'one', 'two'];
const EVENTS = ['e1', 'e2', 'e3', 'e4', 'e5'];

/** Actions that any transition may have. Inserted events are numbered down, so that nothing goes on for ever. */
function actionsOf(dice: Dice, depth: number): Json[] {
  const actions: Json[] = [];
  while (dice.chance(0.4) && actions.length < 3) {
    actions.push(
      dice.weighted<Json>([
        [3, 'postpone'],
        [depth > 0 ? 3 : 0.01, tuple('next_event', dice.pick(['internal', 'cast', 'info']), `i${depth - 1}`)],
        [2, tuple('state_timeout', dice.pick<Json>([0, 600_000, 'infinity']), 'st')],
        [2, tuple('timeout', dice.pick<Json>([0, 600_000]), 'ev')],
        [
          2,
          tuple(
            tuple('timeout', dice.pick(['g1', 'g2'])),
            dice.pick<Json>([0, 600_000, 'infinity', 'cancel']),
            'gen',
          ),
        ],
        [1, tuple(dice.pick<Json>(['state_timeout', tuple('timeout', 'g1')]), 'update', 'up')],
        [1, 'hibernate'],
      ]),
    );
  }
  // A time is cancelled by an action without content.
  return actions.map((action) => {
    const items = (action as JsonObject)['t'] as readonly Json[] | undefined;
    return items?.[1] === 'cancel' ? tuple(items[0]!, 'cancel') : action;
  });
}

/**
 * What a clause does before it returns, and that it throws in the place of it. What it sends to its own machine is numbered
 * down as inserted events are.
 */
function clauseOf(dice: Dice, state: string, depth: number, call: boolean): JsonObject {
  const operations: Json[] = [];
  if (depth > 0 && dice.chance(0.2)) {
    const message = `i${depth - 1}`;
    operations.push(dice.chance(0.5) ? ['sm_cast', pid('m'), message] : ['send', pid('m'), message]);
  }
  const ret = transitionOf(dice, state, depth, call);
  if (dice.chance(0.02)) operations.push([dice.pick(['error', 'exit']), 'bad']);
  else if (!call && dice.chance(0.05)) return { do: [...operations, ['throw', ret]] };
  return operations.length === 0 ? { ret } : { do: operations, ret };
}

/** The states above this one: who only climbs comes to an end, also with an event that is postponed and comes back at once. */
function above(state: string): string[] {
  return STATES.slice(STATES.indexOf(state) + 1);
}

function transitionOf(dice: Dice, state: string, depth: number, call: boolean): Json {
  const reply: Json[] = call && dice.chance(0.7) ? [tuple('reply', '$from', tuple('re', '$msg'))] : [];
  const actions = [
    ...reply,
    ...actionsOf(dice, depth).filter((action) => !(reply.length > 0 && action === 'postpone')),
  ];
  // An event that is postponed and changes the state comes back at once, and could do so for ever.
  const lasting = actions.filter((action) => action !== 'postpone');
  const higher = above(state);
  if (higher.length > 0 && reply.length === 0 && dice.chance(0.1)) {
    return tuple('next_state', dice.pick(higher), 'climbed', [...lasting, 'postpone']);
  }
  return dice.weighted<Json>([
    [6, tuple('next_state', dice.pick(STATES), tuple('d', dice.below(3)), lasting)],
    [4, tuple('keep_state', tuple('k', dice.below(3)), actions)],
    [4, tuple('keep_state_and_data', actions)],
    [2, tuple('repeat_state', '$d', lasting)],
    [1, tuple('repeat_state_and_data', lasting)],
    [0.5, tuple('stop', dice.pick(['normal', 'why']))],
    [
      0.3,
      call
        ? tuple('stop_and_reply', 'normal', [tuple('reply', '$from', 'bye')])
        : tuple('stop', 'shutdown', 'end'),
    ],
    [0.3, 'garbage'],
  ]);
}

function tableOf(dice: Dice): JsonObject {
  const clauses: JsonObject[] = [];
  for (const state of STATES) {
    for (const match of EVENTS) {
      if (!dice.chance(0.8)) continue;
      const type = dice.pick(['call', 'cast', 'info']);
      clauses.push({ type, match, state, ...clauseOf(dice, state, 3, type === 'call') });
    }
    for (const depth of [2, 1, 0]) {
      clauses.push({ match: `i${depth}`, state, ...clauseOf(dice, state, depth, false) });
    }
    for (const type of ['timeout', 'state_timeout', tuple('timeout', 'g1'), tuple('timeout', 'g2')]) {
      // What follows a time may not begin another one of 0, or the machine would never come to rest.
      clauses.push({
        type,
        state,
        ret: dice.pick<Json>([tuple('next_state', dice.pick(STATES), 'timed'), 'keep_state_and_data']),
      });
    }
  }
  if (dice.chance(0.5)) return { handle_event: clauses };
  return {
    state_enter: true,
    handle_event: [...STATES.map((state) => enterClause(dice, state)), ...clauses],
  };
}

/** What an enter call returns; now and then what it must not. */
function enterClause(dice: Dice, state: string): JsonObject {
  const timeouts = actionsOf(dice, 0).filter((action) => action !== 'postpone' && !isInsertion(action));
  const ret = dice.weighted<Json>([
    [6, tuple('keep_state_and_data', timeouts)],
    [4, tuple('keep_state', tuple('entered', state), timeouts)],
    [1, tuple('next_state', state, 'same', timeouts)],
    [0.2, tuple('next_state', 'elsewhere', 'bad')],
    [0.2, tuple('keep_state_and_data', ['postpone'])],
    [0.2, tuple('stop', 'entered')],
  ]);
  return { type: 'enter', state, ret };
}

function isInsertion(action: Json): boolean {
  return ((action as JsonObject)['t'] as readonly Json[] | undefined)?.[0] === 'next_event';
}

/** A state machine with a random table that is called, cast, told, suspended and stopped at random. */
export function stateMachineSteps(dice: Dice, length: number): Json[] {
  const steps: Json[] = [
    ['main', 'trap', true],
    ['driver', 'spawn', 'w'],
  ];
  let references = 0;
  steps.push(['main', dice.pick(['sm_start', 'sm_start_link']), 'm', tableOf(dice)]);
  let callers = 0;
  while (steps.length < length) {
    const event = dice.pick(EVENTS);
    steps.push(
      ...dice.weighted<() => Json[]>([
        [
          8,
          () => {
            // Whoever calls may wait for ever: each call has a caller of its own.
            const caller = `c${++callers}`;
            return [
              ['driver', 'spawn', caller],
              [caller, 'sm_call', pid('m'), event, 'infinity'],
            ];
          },
        ],
        [8, () => [['main', 'sm_cast', pid('m'), event]]],
        [6, () => [['main', 'send', pid('m'), event]]],
        [2, () => [['main', 'sys_get_state', pid('m')]]],
        [
          1,
          () => [
            ['main', 'sys_suspend', pid('m')],
            ['main', 'sm_cast', pid('m'), event],
            ['main', 'sys_resume', pid('m')],
          ],
        ],
        [1, () => [['w', 'monitor', `r${++references}`, pid('m')]]],
        [1, () => [unordered(['w', 'dump'])]],
        [1, () => [['driver', 'alive', pid('m')]]],
      ])(),
    );
  }
  steps.push(
    ['main', 'sys_get_state', pid('m')],
    ['main', 'sm_stop', pid('m')],
    unordered(['w', 'dump']),
    unordered(['main', 'dump']),
  );
  return steps;
}
