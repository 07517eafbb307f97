import {
  type Blocking,
  DownMessage,
  ExitMessage,
  type ExitReason,
  isBlocking,
  type Pid,
  type Process,
  Runtime,
  TimeoutMessage,
} from '../../../src/actors/index.js';
import { SeededRandom } from '../../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';
import { ScenarioError } from './errors.js';
import { isObject, type Json } from './json.js';
import type { Operations } from './operation.js';
import { Puppets } from './puppet.js';
import { Raised } from './raised.js';
import { reasonOf, termOf } from './reason.js';
import { equal, isTuple, Opaque, type Term, Tuple, tuple } from './term.js';

/** Variables of a reaction. */
export type Env = ReadonlyMap<string, Term>;
export const NO_VARIABLES: Env = new Map();

/** What a process logged: its kind and its parts; a part may be a {@link Raised}. */
export type LoggedEvent = readonly [kind: string, ...parts: unknown[]];

/** How messages and opaque things look as terms; areas add theirs. Undefined for what they do not know. */
type ToTerm = (world: World, message: unknown) => Term | undefined;
const messageTerms: ToTerm[] = [];

export function addMessages(toTerm: ToTerm): void {
  messageTerms.push(toTerm);
}

/** How things that no term stands for look in a trace; areas add theirs. */
type ToJson = (world: World, thing: unknown) => Json | undefined;
const thingJson: ToJson[] = [];

export function addThings(toJson: ToJson): void {
  thingJson.push(toJson);
}

/**
 * One running scenario: its runtime, which process carries which label, the named references, the kept terms, and what
 * was logged since the last step.
 */
export class World {
  readonly clock = new SimulatedClock();
  readonly runtime = new Runtime({ clock: this.clock, random: new SeededRandom(1), mailboxMax: 100_000 });
  readonly #byLabel = new Map<string, Pid[]>();
  readonly #labels = new Map<Pid, { readonly full: string; readonly label: string }>();
  readonly #references = new Map<string, unknown>();
  readonly #referenceNames = new Map<unknown, string>();
  readonly #kept = new Map<string, Term>();
  readonly #attempts = new Map<string, number>();
  #events: { readonly label: string; readonly event: LoggedEvent }[] = [];
  #marks: Term[] = [];
  readonly puppets = new Puppets(this);
  readonly #operations: Operations;
  /** The first mistake of the scenario that showed inside of a process. */
  failure: ScenarioError | null = null;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  /** Runs an op in the current process. */
  *perform(operation: readonly Json[], env: Env = NO_VARIABLES): Blocking<Term> {
    const [name, ...args] = operation;
    const run =
      typeof name === 'string' && Object.hasOwn(this.#operations, name) ? this.#operations[name] : undefined;
    if (run === undefined) throw new ScenarioError(`unknown op: ${JSON.stringify(name)}`);
    const result = run(this, args, env);
    return isBlocking(result) ? yield* result as Blocking<Term> : result;
  }

  *performAll(operations: readonly Json[], env: Env = NO_VARIABLES): Blocking<void> {
    for (const operation of operations) yield* this.perform(operation as readonly Json[], env);
  }

  /** The process that runs. */
  get self(): Process<unknown> {
    return this.runtime.current as Process<unknown>;
  }

  /** Lets time pass: each timer fires at its time, and the world comes to rest before the next. */
  sleep(ms: number): void {
    this.clock.advance(ms);
    this.runtime.flush();
  }

  // ---- labels --------------------------------------------------------------------------------------------------

  /** Labels a process: the second one with a label is called `label#2`. Its end will be its last event. */
  enter(label: string, pid: Pid): void {
    let pids = this.#byLabel.get(label);
    if (pids === undefined) {
      pids = [];
      this.#byLabel.set(label, pids);
    }
    pids.push(pid);
    this.#labels.set(pid, { full: pids.length === 1 ? label : `${label}#${pids.length}`, label });
    const process = this.runtime.process(pid.id);
    process?.onExit({ processExited: (dead, reason) => this.#ended(dead, reason) });
  }

  #ended(pid: Pid, reason: ExitReason): void {
    try {
      this.#log(pid, ['exit', termOf(reason)]);
    } catch (thrown) {
      if (!(thrown instanceof ScenarioError)) throw thrown;
      this.failure ??= thrown;
    }
  }

  /** `a`: the latest with that label; `a#2`: the second. */
  pid(label: string): Pid {
    const [base, number] = label.split('#') as [string, string | undefined];
    const pids = this.#byLabel.get(base);
    const pid = number === undefined ? pids?.at(-1) : pids?.[Number(number) - 1];
    if (pid === undefined) throw new ScenarioError(`no process has the label ${label}`);
    return pid;
  }

  /** The label without its number; undefined if it has none. */
  baseLabel(pid: Pid): string | undefined {
    return this.#labels.get(pid)?.label;
  }

  // ---- references and kept terms -------------------------------------------------------------------------------

  /** Names a reference. A name may be used again; a reference keeps its first. */
  nameReference<T>(name: string, reference: T): T {
    this.#references.set(name, reference);
    if (!this.#referenceNames.has(reference)) this.#referenceNames.set(reference, name);
    return reference;
  }

  reference<T = unknown>(name: string): T {
    if (!this.#references.has(name)) throw new ScenarioError(`no reference has the name ${name}`);
    return this.#references.get(name) as T;
  }

  /** Whether something is a reference that was given a name. */
  isReference(thing: unknown): boolean {
    return this.#referenceNames.has(thing);
  }

  keep(name: string, term: Term): void {
    this.#kept.set(name, term);
  }

  kept<T = Term>(name: string): T {
    if (!this.#kept.has(name)) throw new ScenarioError(`nothing is kept under ${name}`);
    return this.#kept.get(name) as T;
  }

  /** 1 on the first call with a key, then 2, … */
  attempt(key: string): number {
    const count = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, count);
    return count;
  }

  // ---- what is seen --------------------------------------------------------------------------------------------

  /** Logs an event of the running process. Of one without a label nothing is seen. */
  log(event: LoggedEvent): void {
    this.#log(this.self, event);
  }

  #log(pid: Pid, event: LoggedEvent): void {
    // One that was ended while it ran gets to the end of its callback: nothing of that would be seen in Erlang.
    if (this.runtime.isAlive(pid) === (event[0] === 'exit')) return;
    const full = this.#labels.get(pid)?.full;
    if (full !== undefined) this.#events.push({ label: full, event });
  }

  mark(term: Term): void {
    this.#marks.push(term);
  }

  takeEvents(): { [label: string]: Json } {
    const byLabel: { [label: string]: Json[] } = {};
    for (const { label, event } of this.#events) {
      byLabel[label] ??= [];
      byLabel[label].push(event.map((part) => this.resultJson(part)));
    }
    this.#events = [];
    return byLabel;
  }

  takeMarks(): Json[] {
    const marks = this.#marks.map((mark) => this.toJson(mark));
    this.#marks = [];
    return marks;
  }

  // ---- terms ---------------------------------------------------------------------------------------------------

  /** A term of a scenario. */
  toTerm(json: Json, env: Env = NO_VARIABLES): Term {
    if (typeof json === 'string') {
      if (json.startsWith('<')) return this.pid(json.slice(1, -1));
      if (json.startsWith('#')) return this.reference(json.slice(1));
      if (json.startsWith('$')) {
        const name = json.slice(1);
        return env.has(name) ? env.get(name) : this.kept(name);
      }
      return json;
    }
    if (Array.isArray(json)) return json.map((item) => this.toTerm(item, env));
    if (!isObject(json)) return json;
    if (Array.isArray(json['t'])) return new Tuple(json['t'].map((item: Json) => this.toTerm(item, env)));
    if (isObject(json['m'])) {
      return new Map(Object.entries(json['m']).map(([key, value]) => [key, this.toTerm(value, env)]));
    }
    throw new ScenarioError(`not a term: ${JSON.stringify(json)}`);
  }

  /** A message of a scenario. One that looks like an EXIT is one: in Erlang they cannot be told apart. */
  toMessage(json: Json, env: Env = NO_VARIABLES): unknown {
    const term = this.toTerm(json, env);
    if (!isTuple(term, 'EXIT') || term.items.length !== 3 || !isPid(term.items[1])) return term;
    return new ExitMessage(term.items[1], reasonOf(term.items[2]));
  }

  /** Matches a term with a pattern: the variables with those that it binds, or null. */
  match(pattern: Json, term: Term, env: Env): Env | null {
    if (pattern === '_') return env;
    if (typeof pattern === 'string' && pattern.startsWith('$')) {
      const name = pattern.slice(1);
      if (env.has(name)) return equal(env.get(name), term) ? env : null;
      return new Map(env).set(name, term);
    }
    if (isObject(pattern) && Array.isArray(pattern['t'])) {
      return term instanceof Tuple ? this.#matchAll(pattern['t'], term.items, env) : null;
    }
    if (Array.isArray(pattern)) return Array.isArray(term) ? this.#matchAll(pattern, term, env) : null;
    return equal(this.toTerm(pattern, env), term) ? env : null;
  }

  #matchAll(patterns: readonly Json[], terms: readonly Term[], env: Env): Env | null {
    if (patterns.length !== terms.length) return null;
    let bound: Env | null = env;
    for (let at = 0; at < patterns.length && bound !== null; at++)
      bound = this.match(patterns[at]!, terms[at], bound);
    return bound;
  }

  /** A message as the process sees it in Erlang. */
  messageTerm(message: unknown): Term {
    for (const toTerm of messageTerms) {
      const term = toTerm(this, message);
      if (term !== undefined) return term;
    }
    if (message instanceof ExitMessage) return tuple('EXIT', message.from, termOf(message.reason));
    if (message instanceof DownMessage) {
      const from = typeof message.from === 'string' ? tuple(message.from, Opaque.node) : message.from;
      return tuple(message.tag ?? 'DOWN', message.ref, 'process', from, termOf(message.reason));
    }
    if (message instanceof TimeoutMessage) return tuple('timeout', message.ref, message.message);
    return message;
  }

  /** The result of an op, or a part of an event. */
  resultJson(result: unknown): Json {
    if (result instanceof Raised) return { raise: [result.errorClass, this.toJson(result.reason)] };
    return this.toJson(result);
  }

  toJson(term: Term): Json {
    if (typeof term === 'string' || typeof term === 'number' || typeof term === 'boolean') return term;
    if (typeof term === 'function') return '#fun';
    if (term instanceof Tuple) return { t: term.items.map((item) => this.toJson(item)) };
    if (term instanceof Opaque) return term.text;
    if (Array.isArray(term)) return term.map((item) => this.toJson(item));
    if (term instanceof Map) {
      return { m: Object.fromEntries([...term].map(([key, value]) => [String(key), this.toJson(value)])) };
    }
    const name = this.#referenceNames.get(term);
    if (name !== undefined) return `#${name}`;
    for (const toJson of thingJson) {
      const json = toJson(this, term);
      if (json !== undefined) return json;
    }
    if (isPid(term)) {
      const label = this.#labels.get(term);
      return label === undefined ? '<?>' : `<${label.full}>`;
    }
    throw new Error(`nothing in the notation stands for ${String(term)}`);
  }
}

export function isPid(thing: unknown): thing is Pid {
  return typeof thing === 'object' && thing !== null && 'scheduler' in thing && 'id' in thing;
}
