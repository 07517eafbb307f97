import type { Json, JsonObject } from '../oracle/json.js';
import type { Dice } from './dice.js';

const tuple = (...t: Json[]): Json => ({ t });
const unordered = (op: readonly Json[]): Json => ({ op, unordered: true });

const EVENTS = ['e1', 'e2', 'e3'];
const HANDLERS = ['h1', 'h2', 'h3'];
const OWNERS = ['main', 'p', 'q'];

/** What makes a callback end in an unusual way: as a reaction. */
function mishap(dice: Dice): JsonObject {
  return dice.pick<JsonObject>([
    { do: [['error', 'bad']] },
    { do: [['exit', dice.pick(['normal', 'odd', 'shutdown'])]] },
    { do: [['throw', 'thrown']] },
    { ret: 'garbage' },
    { ret: tuple('error', 'no') },
  ]);
}

function swapTo(dice: Dice, ...before: Json[]): Json {
  return tuple('swap_handler', ...before, 'leaving', tuple('s', '$s'), dice.pick(HANDLERS), 'x');
}

function eventClause(dice: Dice, match: string, depth: number): JsonObject {
  const ret = dice.weighted<Json | null>([
    [5, tuple('ok', tuple('after', match))],
    [2, tuple('ok', tuple('after', match), 'hibernate')],
    [1, 'remove_handler'],
    [depth > 0 ? 1.5 : 0, swapTo(dice)],
    [1.5, null],
  ]);
  return { match, ...(ret === null ? mishap(dice) : { ret }) };
}

function callClause(dice: Dice, match: string, depth: number): JsonObject {
  const ret = dice.weighted<Json | null>([
    [5, tuple('ok', tuple('answer', match), tuple('called', match))],
    [1, tuple('remove_handler', 'bye')],
    [depth > 0 ? 1.5 : 0, swapTo(dice, 'answer')],
    [1, null],
  ]);
  return { match, ...(ret === null ? mishap(dice) : { ret }) };
}

/** The table of a handler, with those of the handlers that it may swap itself for. */
function tableOf(dice: Dice, depth = 2): JsonObject {
  const some = (clause: (dice: Dice, match: string, depth: number) => JsonObject) =>
    EVENTS.filter(() => dice.chance(0.5)).map((match) => clause(dice, match, depth));
  return {
    ...(dice.chance(0.2) ? { init: [dice.chance(0.5) ? { ret: tuple('ok', 'begun') } : mishap(dice)] } : {}),
    handle_event: some(eventClause),
    handle_call: some(callClause),
    handle_info: some(eventClause),
    ...(dice.chance(0.5)
      ? { terminate: [dice.chance(0.6) ? { ret: tuple('left', '$s') } : mishap(dice)] }
      : {}),
    ...(depth > 0 ? { next: Object.fromEntries(HANDLERS.map((id) => [id, tableOf(dice, depth - 1)])) } : {}),
  };
}

/** A manager whose random handlers are added, swapped, told, asked and removed by owners that may die. */
export function eventManagerSteps(dice: Dice, length: number): Json[] {
  const steps: Json[] = [
    ['main', 'trap', true],
    ['main', 'ev_start', 'e'],
  ];
  for (const owner of ['p', 'q']) steps.push(['driver', 'spawn', owner], [owner, 'trap', true]);
  const who = () => dice.pick(OWNERS);
  const handler = () => dice.pick(HANDLERS);
  const event = () => dice.pick(EVENTS);
  const table = () => tableOf(dice) as Json;
  while (steps.length < length) {
    steps.push(
      ...dice.weighted<() => Json[]>([
        [4, () => [[who(), 'ev_add', '<e>', handler(), table(), dice.pick<Json>(['arg', 1])]]],
        [4, () => [[who(), 'ev_add_sup', '<e>', handler(), table()]]],
        [2, () => [[who(), 'ev_delete', '<e>', handler(), 'why']]],
        [2, () => [[who(), 'ev_swap', '<e>', handler(), 'a', handler(), table()]]],
        [2, () => [[who(), 'ev_swap_sup', '<e>', handler(), 'a', handler(), table()]]],
        [8, () => [['main', 'ev_notify', '<e>', event()]]],
        [3, () => [[who(), 'ev_sync_notify', '<e>', event()]]],
        [5, () => [[who(), 'ev_call', '<e>', handler(), event()]]],
        [3, () => [['main', 'send', '<e>', event()]]],
        [2, () => [['main', 'ev_which', '<e>']]],
        [2, () => [['main', 'sys_get_state', '<e>']]],
        [3, () => [unordered([who(), 'dump'])]],
        [
          1,
          () => [
            ['main', 'sys_suspend', '<e>'],
            ['main', 'ev_notify', '<e>', event()],
            ['main', 'sys_resume', '<e>'],
          ],
        ],
        [0.7, () => [dice.chance(0.5) ? ['q', 'return'] : ['q', 'exit', 'gone']]],
        [0.3, () => [['main', 'ev_stop', '<e>', dice.pick(['normal', 'odd']), 'infinity']]],
      ])(),
    );
  }
  steps.push(
    ['main', 'ev_which', '<e>'],
    ['main', 'ev_stop', '<e>'],
    ...OWNERS.map((one) => unordered([one, 'dump'])),
  );
  return steps;
}
