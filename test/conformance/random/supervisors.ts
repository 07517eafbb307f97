import type { Json, JsonObject } from '../oracle/json.js';
import type { Dice } from './dice.js';

const tuple = (...t: Json[]): Json => ({ t });
const pid = (label: string) => `<${label}>`;
const unordered = (op: readonly Json[]): Json => ({ op, unordered: true });

type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

function childOf(dice: Dice, id: string, auto: AutoShutdown): JsonObject {
  const restart = dice.weighted<Json>([
    [5, 'permanent'],
    [3, 'transient'],
    [2, 'temporary'],
  ]);
  const traps = dice.chance(0.5);
  return {
    id,
    restart,
    ...(dice.chance(0.3) ? { shutdown: dice.pick<Json>(['brutal_kill', 'infinity', 1000]) } : {}),
    ...(auto !== 'never' && restart !== 'permanent' && dice.chance(0.5) ? { significant: true } : {}),
    ...(traps ? { trap: true, on_stop: [['mark', tuple('stop', id)]] } : {}),
    ...(dice.chance(0.1) ? { info: tuple('info', id) } : {}),
    ...(dice.chance(0.3) ? { starts: failingStarts(dice) } : {}),
  };
}

/** One of its later starts fails, in one of the ways in which a start can. */
function failingStarts(dice: Dice): JsonObject {
  const failing = dice.pick<JsonObject>([
    { ret: tuple('error', 'no') },
    { ret: 'garbage' },
    { ret: 'ignore' },
    { do: [['exit', 'in_start']] },
    { do: [['error', 'bad_start']] },
    { do: [['throw', 'thrown']] },
  ]);
  return { [String(2 + dice.below(3))]: failing };
}

interface Supervised {
  readonly spec: JsonObject;
  readonly labels: readonly string[];
}

function supervisorOf(dice: Dice, ids: readonly string[], prefix: string, nested: boolean): Supervised {
  const auto = dice.weighted<AutoShutdown>([
    [4, 'never'],
    [1, 'any_significant'],
    [1, 'all_significant'],
  ]);
  const children = ids.map((id) => childOf(dice, id, auto));
  let inner: readonly string[] = [];
  if (nested) {
    const below = supervisorOf(dice, ['x', 'y'].slice(0, 1 + dice.below(2)), `${prefix}/n`, false);
    const restart = dice.pick(['permanent', 'transient', 'temporary']);
    children.splice(dice.below(children.length + 1), 0, {
      id: 'n',
      kind: 'sup',
      type: 'supervisor',
      restart,
      spec: below.spec,
    });
    inner = below.labels;
  }
  const flags = {
    strategy: dice.pick(['one_for_one', 'one_for_all', 'rest_for_one']),
    intensity: nested ? 3 + dice.below(6) : 1 + dice.below(6),
    period: 600,
    ...(auto === 'never' ? {} : { auto_shutdown: auto }),
  };
  return { spec: { flags, children }, labels: [...ids.map((id) => `${prefix}/${id}`), ...inner] };
}

/** A supervisor, perhaps with another below it, whose children end and are managed at random. */
export function supervisorSteps(dice: Dice, length: number): Json[] {
  const steps: Json[] = [
    ['main', 'trap', true],
    ['driver', 'spawn', 'w'],
  ];
  const simple = dice.chance(0.2);
  const ids = ['a', 'b', 'c', 'd'].slice(0, 2 + dice.below(3));
  let labels: readonly string[];
  if (simple) {
    const { on_stop: _stop, starts: _starts, ...child } = childOf(dice, 'any', 'never');
    const flags = { strategy: 'simple_one_for_one', intensity: 1 + dice.below(6), period: 600 };
    steps.push(['main', 'sup_start_link', 's', { flags, children: [child] }]);
    for (const id of ids) steps.push(['main', 'start_child', '<s>', [id]]);
    labels = ids.map((id) => `s/${id}`);
  } else {
    const nested = dice.chance(0.5);
    const top = supervisorOf(dice, ids, 's', nested);
    if (nested) ids.push('n');
    steps.push(['main', 'sup_start_link', 's', top.spec]);
    labels = top.labels;
  }
  let references = 0;
  let extra = 0;
  const reason = () =>
    dice.weighted<Json>([
      [2, 'normal'],
      [1, 'shutdown'],
      [1, tuple('shutdown', 'x')],
      [4, 'boom'],
    ]);
  const target = (): Json => (simple ? pid(dice.pick(labels)) : dice.pick(ids));
  const startChild = (): Json => {
    if (simple) return ['main', 'start_child', '<s>', [`e${++extra}`]];
    const id = dice.chance(0.5) ? dice.pick(ids) : `e${++extra}`;
    if (!ids.includes(id)) ids.push(id);
    return ['main', 'start_child', '<s>', childOf(dice, id, 'never')];
  };
  while (steps.length < length) {
    const step = dice.weighted<() => Json>([
      [12, () => [dice.pick(labels), 'exit', reason()]],
      [3, () => ['main', 'signal', pid(dice.pick(labels)), 'kill']],
      [2, () => [dice.pick(labels), 'error', 'bad']],
      [3, () => ['main', 'terminate_child', '<s>', target()]],
      [4, () => ['main', 'restart_child', '<s>', target()]],
      [2, () => ['main', 'delete_child', '<s>', target()]],
      [3, startChild],
      [4, () => unordered(['main', 'which_children', '<s>'])],
      [2, () => ['main', 'count_children', '<s>']],
      [1, () => ['main', 'get_childspec', '<s>', target()]],
      [3, () => ['w', 'monitor', `m${++references}`, pid(dice.pick(labels))]],
      [2, () => unordered(['w', 'dump'])],
    ]);
    steps.push(step());
  }
  steps.push(
    unordered(['main', 'which_children', '<s>']),
    ['main', 'signal', '<s>', 'shutdown'],
    unordered(['w', 'dump']),
    unordered(['main', 'dump']),
  );
  return steps;
}
