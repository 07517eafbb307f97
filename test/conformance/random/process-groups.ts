import type { Json } from '../oracle/json.js';
import type { Dice } from './dice.js';

const GROUPS = ['g', 'h', 'i'];
const MEMBERS = ['a', 'b', 'c', 'd'];
/** Others than the members: in release 25 a scope falls over a member that monitors and dies. */
const WATCHERS = ['v', 'w'];

const pids = (dice: Dice): Json => Array.from({ length: dice.below(4) }, () => `<${dice.pick(MEMBERS)}>`);

/** Joins, leaves, ends and monitors of process groups. What several monitors tell comes in any order. */
export function processGroupSteps(dice: Dice, length: number): Json[] {
  const steps: Json[] = [
    ['main', 'trap', true],
    ['main', 'pg_start_link', 'pg', 'sc'],
  ];
  for (const label of [...MEMBERS, ...WATCHERS]) steps.push(['driver', 'spawn', label]);
  let monitors = 0;
  // Once a watcher is dead no reference gets its name.
  const watchers = new Set(WATCHERS);
  for (let at = 0; at < length; at++) {
    const watcher = dice.pick([...watchers, 'main']);
    const caller = dice.pick(['main', watcher, ...MEMBERS]);
    const group = dice.pick(GROUPS);
    const named = watcher === 'main' ? 0 : 1;
    const step = dice.weighted<() => Json[]>([
      [6, () => [[caller, 'pg_join', 'sc', group, pids(dice)]]],
      [4, () => [[caller, 'pg_leave', 'sc', group, pids(dice)]]],
      [3, () => [[caller, 'pg_members', 'sc', group]]],
      [1, () => [{ op: [caller, 'pg_groups', 'sc'], unordered: true }]],
      [named, () => [[watcher, 'pg_monitor', `m${monitors++}`, 'sc', group]]],
      [named, () => [[watcher, 'pg_monitor_scope', `m${monitors++}`, 'sc']]],
      [monitors > 0 ? 1 : 0, () => [[watcher, 'pg_demonitor', 'sc', `m${dice.below(monitors)}`]]],
      [3, () => [{ op: [watcher, 'dump'], unordered: true }]],
      [1, () => [['main', 'signal', `<${dice.pick(MEMBERS)}>`, dice.pick(['kill', 'boom', 'normal'])]]],
      [0.5, () => [['driver', 'spawn', dice.pick(MEMBERS)]]],
      [
        watcher === 'main' ? 0 : 0.3,
        () => {
          watchers.delete(watcher);
          return [['main', 'signal', `<${watcher}>`, 'kill']];
        },
      ],
      [
        0.1,
        () => [
          ['main', 'signal', '<pg>', 'kill'],
          ['main', 'pg_start_link', 'pg', 'sc'],
        ],
      ],
    ]);
    steps.push(...step());
  }
  for (const group of GROUPS) steps.push(['driver', 'alive', '<pg>'], ['main', 'pg_members', 'sc', group]);
  return steps;
}
