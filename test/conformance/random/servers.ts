import type { Json, JsonObject } from '../oracle/json.js';
import type { Dice } from './dice.js';

const tuple = (...t: Json[]): Json => ({ t });
const pid = (label: string) => `<${label}>`;
const unordered = (op: readonly Json[]): Json => ({ op, unordered: true });

/** What a server does when it is told so, whatever the callback: every result that OTP has, and wrong ones. */
function resultOf(dice: Dice, callback: 'call' | 'cast'): JsonObject {
  const next = () => dice.pick<Json>([tuple('continue', 'more'), 'hibernate', 'infinity', 0]);
  const call: readonly (readonly [number, () => Json])[] = [
    [6, () => tuple('reply', tuple('ok', '$msg'), '$s')],
    [3, () => tuple('reply', 'then', tuple('state', '$s'), next())],
    [2, () => tuple('stop', 'stopped', 'last', '$s')],
    [1, () => tuple('stop', 'normal', 'last', '$s')],
  ];
  const both: readonly (readonly [number, () => Json])[] = [
    [6, () => tuple('noreply', 'changed')],
    [3, () => tuple('noreply', '$s', next())],
    [1, () => tuple('stop', dice.pick<Json>(['normal', 'shutdown', 'why', tuple('shutdown', 'x')]), 'end')],
    [1, () => 'garbage'],
  ];
  const ret = dice.weighted<() => Json>(callback === 'call' ? [...call, ...both] : both)();
  const before = dice.weighted<Json[]>([
    [6, []],
    [1, [['mark', tuple('in', '$msg')]]],
    [1, [['send', pid('w'), tuple('from_server', '$msg')]]],
    [1, [['exit', 'left']]],
    [1, [['error', 'bad']]],
    [1, [['throw', ret]]],
  ]);
  return before.length === 0 ? { ret } : { do: before, ret };
}

const MESSAGES = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'];

function tableOf(dice: Dice, traps: boolean): JsonObject {
  const clauses = (callback: 'call' | 'cast') =>
    MESSAGES.slice(0, 4).map((match) => ({ match, ...resultOf(dice, callback) }));
  const init: JsonObject = {
    ...(traps ? { do: [['trap', true]] } : {}),
    ret: dice.weighted<Json>([
      [8, tuple('ok', 's0')],
      [1, tuple('ok', 's0', tuple('continue', 'begin'))],
      [1, tuple('ok', 's0', 0)],
    ]),
  };
  return {
    init,
    handle_call: clauses('call'),
    handle_cast: clauses('cast'),
    handle_info: [{ match: 'timeout', ret: tuple('noreply', tuple('timed', '$s')) }, ...clauses('cast')],
    ...(dice.chance(0.3)
      ? {
          terminate: [
            {
              do: [
                dice.pick<Json>([
                  ['mark', 'terminate'],
                  ['exit', 'in_terminate'],
                  ['error', 'oops'],
                ]),
              ],
            },
          ],
        }
      : {}),
  };
}

/** Servers with random tables that are called, cast, told, suspended, stopped and killed at random. */
export function serverSteps(dice: Dice, length: number): Json[] {
  const steps: Json[] = [
    ['main', 'trap', true],
    ['driver', 'spawn', 'w'],
    ['w', 'trap', true],
    ['driver', 'spawn', 'c'],
  ];
  let references = 0;
  let suspended = false;
  const start = () => {
    suspended = false;
    const table = tableOf(dice, dice.chance(0.4));
    const op = dice.pick(['gs_start', 'gs_start_link']);
    steps.push(['main', op, 's', table, dice.chance(0.3) ? { name: 'server' } : {}]);
  };
  start();
  while (steps.length < length) {
    const message = dice.pick(MESSAGES);
    steps.push(
      ...dice.weighted<() => Json[]>([
        [
          10,
          () =>
            [['main', 'try', 'call', pid('s'), message, 600_000]].map((step) =>
              suspended ? ['c', 'whereis', 'server'] : step,
            ),
        ],
        [6, () => [['main', 'cast', pid('s'), message]]],
        [6, () => [['main', 'send', pid('s'), message]]],
        [2, () => [['w', 'monitor', `m${++references}`, pid('s')]]],
        [2, () => [['w', 'link', pid('s')]]],
        [1, () => [['w', 'signal', pid('s'), dice.pick<Json>(['normal', 'shutdown', 'boo', 'kill'])]]],
        [1, () => [['main', 'signal', pid('s'), dice.pick<Json>(['normal', 'shutdown', 'boo'])]]],
        [1, () => [['main', 'stop', pid('s'), dice.pick<Json>(['normal', 'shutdown', 'bye']), 600_000]]],
        [2, () => [['main', 'sys_get_state', pid('s')]]],
        [1, () => [['main', 'sys_replace_state', pid('s'), tuple('replaced', references)]]],
        [
          1,
          () => {
            suspended = true;
            return [['main', 'sys_suspend', pid('s')]];
          },
        ],
        [
          suspended ? 4 : 0.5,
          () => {
            suspended = false;
            return [['main', 'sys_resume', pid('s')]];
          },
        ],
        [2, () => [unordered(['w', 'dump'])]],
        [2, () => [unordered(['main', 'dump'])]],
        [2, () => [['driver', 'alive', pid('s')]]],
        [
          1,
          () => {
            const before = steps.length;
            start();
            return steps.splice(before);
          },
        ],
      ])(),
    );
  }
  steps.push(unordered(['w', 'dump']), unordered(['main', 'dump']), ['driver', 'alive', pid('s')]);
  return steps;
}
