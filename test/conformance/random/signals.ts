import type { Json } from '../oracle/json.js';
import type { Dice } from './dice.js';

const tuple = (...t: Json[]): Json => ({ t });
const pid = (label: string) => `<${label}>`;
/** What comes from several senders has no order. */
const unordered = (op: readonly Json[]): Json => ({ op, unordered: true });

/** A rough picture of who lives, traps and is linked. It only guides the choice of steps, so that few go to the dead. */
class Picture {
  readonly #processes = new Map<string, { traps: boolean; readonly links: Set<string> }>();

  add(label: string): void {
    this.#processes.set(label, { traps: false, links: new Set() });
  }

  get alive(): readonly string[] {
    return [...this.#processes.keys()];
  }

  has(label: string): boolean {
    return this.#processes.has(label);
  }

  traps(label: string, flag?: boolean): boolean {
    const process = this.#processes.get(label);
    if (process !== undefined && flag !== undefined) process.traps = flag;
    return process?.traps ?? false;
  }

  link(one: string, other: string): void {
    if (one === other || !this.has(one) || !this.has(other)) return;
    this.#processes.get(one)!.links.add(other);
    this.#processes.get(other)!.links.add(one);
  }

  unlink(one: string, other: string): void {
    this.#processes.get(one)?.links.delete(other);
    this.#processes.get(other)?.links.delete(one);
  }

  die(label: string, normal: boolean): void {
    const process = this.#processes.get(label);
    if (process === undefined) return;
    this.#processes.delete(label);
    for (const other of process.links) {
      const linked = this.#processes.get(other);
      if (linked === undefined) continue;
      linked.links.delete(label);
      if (!normal && !linked.traps) this.die(other, false);
    }
  }
}

/**
 * Puppets that link, monitor, alias, trap, receive, register and end at random. Each step has one cause, so on a correct
 * runtime the outcome is fixed but for the order of messages from different senders.
 */
export function signalSteps(dice: Dice, length: number): Json[] {
  const picture = new Picture();
  const labels: string[] = [];
  const names = ['n1', 'n2'];
  const monitors = new Map<string, string[]>();
  const aliases: string[] = [];
  const aliasesOf = new Map<string, string[]>();
  const timers: string[] = [];
  /** Who waits in a receive: it takes no ops, so none are given to it. */
  const waiting = new Set<string>();
  const steps: Json[] = [];
  let references = 0;

  const spawn = (parent: string | null) => {
    const label = String.fromCharCode(97 + labels.length);
    labels.push(label);
    picture.add(label);
    if (parent === null) {
      steps.push(['driver', 'spawn', label]);
    } else if (dice.chance(0.5)) {
      picture.link(parent, label);
      steps.push([parent, 'spawn_link', label]);
    } else {
      steps.push([parent, 'spawn_monitor', reference(monitors, parent), label]);
    }
  };
  const reference = (of: Map<string, string[]>, owner: string) => {
    const name = `r${++references}`;
    of.set(owner, [...(of.get(owner) ?? []), name]);
    return name;
  };
  const reason = () =>
    dice.pick<Json>(['normal', 'shutdown', 'boom', tuple('shutdown', 'x'), tuple('odd', 1)]);
  const end = (label: string, op: string, why: Json) => {
    picture.die(label, why === 'normal');
    steps.push([label, op, why]);
  };
  const signal = (from: string, to: string, why: Json) => {
    if (why === 'kill' || (!picture.traps(to) && (why !== 'normal' || from === to)))
      picture.die(to, why === 'normal');
    steps.push([from, 'signal', pid(to), why]);
  };

  for (let at = 0; at < 5; at++) spawn(null);
  for (const label of labels) {
    if (!dice.chance(0.4)) continue;
    picture.traps(label, true);
    steps.push([label, 'trap', true]);
  }
  while (steps.length < length) {
    const able = () => picture.alive.filter((label) => !waiting.has(label));
    while (able().length < 3 && labels.length < 20)
      spawn(dice.chance(0.5) && able().length > 0 ? dice.pick(able()) : null);
    if (able().length === 0) break;
    const me = dice.pick(able());
    const other = dice.chance(0.85) ? dice.pick(picture.alive) : dice.pick(labels);
    dice.weighted<() => void>([
      [
        9,
        () => {
          picture.link(me, other);
          steps.push([me, 'link', pid(other)]);
        },
      ],
      [
        3,
        () => {
          picture.unlink(me, other);
          steps.push([me, 'unlink', pid(other)]);
        },
      ],
      [
        7,
        () => {
          const target = dice.chance(0.2) ? dice.pick(names) : pid(other);
          const step: Json[] = [me, 'monitor', reference(monitors, me), target];
          if (dice.chance(0.25)) {
            step.push({ alias: dice.pick(['explicit_unalias', 'demonitor', 'reply_demonitor']) });
            aliases.push(`r${references}`);
          } else if (dice.chance(0.15)) {
            step.push({ tag: tuple('gone', references) });
          }
          steps.push(step);
        },
      ],
      [
        4,
        () => {
          const mine = monitors.get(me);
          if (mine === undefined) return;
          steps.push([
            me,
            'demonitor',
            dice.pick(mine),
            dice.pick<Json>([[], ['flush'], ['info'], ['flush', 'info']]),
          ]);
        },
      ],
      [
        3,
        () => {
          steps.push([me, 'alias', reference(aliasesOf, me), dice.chance(0.4) ? ['reply'] : []]);
          aliases.push(`r${references}`);
        },
      ],
      [
        2,
        () => {
          const mine = aliasesOf.get(me);
          if (mine !== undefined) steps.push([me, 'unalias', dice.pick(mine)]);
        },
      ],
      [
        4,
        () => {
          if (aliases.length > 0)
            steps.push([me, 'send', `#${dice.pick(aliases)}`, tuple('to_alias', dice.below(100))]);
        },
      ],
      [
        3,
        () => {
          const flag = dice.chance(0.7);
          picture.traps(me, flag);
          steps.push([me, 'trap', flag]);
        },
      ],
      [
        4,
        () =>
          steps.push([
            me,
            'send',
            pid(other),
            dice.chance(0.5) ? tuple('msg', dice.below(5)) : dice.pick(['go', 'x']),
          ]),
      ],
      [3, () => steps.push([me, 'recv', dice.pick<Json>(['go', 'msg', '_', 'EXIT', 'DOWN']), 0])],
      [
        2,
        () => {
          // It waits until somebody sends it `go`, or for ever.
          waiting.add(me);
          steps.push([me, 'recv', 'go', 'infinity']);
        },
      ],
      [
        4,
        () => {
          const woken = [...waiting].filter((label) => picture.has(label));
          if (woken.length === 0) return;
          const one = dice.pick(woken);
          waiting.delete(one);
          steps.push(['main', 'send', pid(one), 'go']);
        },
      ],
      [4, () => signal(me, other, reason())],
      [2, () => signal(me, other, 'kill')],
      [2, () => end(me, 'exit', reason())],
      [1, () => end(me, 'exit', 'kill')],
      [1, () => end(me, 'error', 'bad')],
      [1, () => end(me, 'throw', 'ball')],
      [1, () => end(me, 'return', 'normal')],
      [2, () => steps.push([me, 'register', dice.pick(names), pid(other)])],
      [1, () => steps.push([me, 'unregister', dice.pick(names)])],
      [2, () => steps.push(['main', 'whereis', dice.pick(names)])],
      [2, () => steps.push([me, 'send', dice.pick(names), 'by_name'])],
      [
        2,
        () => {
          timers.push(`r${++references}`);
          const op = dice.pick(['send_after', 'start_timer']);
          steps.push([
            me,
            op,
            `r${references}`,
            600_000,
            dice.chance(0.2) ? dice.pick(names) : pid(other),
            'late',
          ]);
        },
      ],
      [
        1,
        () => {
          if (timers.length > 0)
            steps.push([me, dice.pick(['cancel_timer', 'read_timer']), dice.pick(timers)]);
        },
      ],
      [1, () => steps.push([me, 'send_after', `r${++references}`, 0, pid(other), 'at_once'])],
      [5, () => steps.push(unordered([me, 'dump']))],
      [
        1,
        () =>
          steps.push([
            me,
            'process_info',
            pid(other),
            dice.pick(['trap_exit', 'message_queue_len', 'registered_name']),
          ]),
      ],
      [
        1,
        () =>
          steps.push(
            unordered([me, 'process_info', pid(other), dice.pick(['links', 'monitors', 'monitored_by'])]),
          ),
      ],
      [2, () => steps.push(['driver', 'alive', pid(other)])],
    ])();
  }
  for (const label of picture.alive) if (!waiting.has(label)) steps.push(unordered([label, 'dump']));
  for (const label of labels) steps.push(['driver', 'alive', pid(label)]);
  return steps.map((step) => (Array.isArray(step) && step[1] === 'return' ? [step[0]!, 'return'] : step));
}
