import type { Process, Runtime, StartOutcome } from '../actors/index.js';
import type { ChildOverrides, ChildSpec, SignificantChildSpec, SignificantOverrides } from './child-spec.js';
import { type Ignore, type InitFunction, type Naming, startSupervising } from './initialize.js';
import { OrderedSupervision } from './ordered-supervision.js';
import { SimpleSupervision } from './simple-supervision.js';
import type { Supervision } from './supervision.js';
import * as calls from './supervisor-calls.js';
import { SupervisorProcess } from './supervisor-process.js';
import type {
  SimpleSupervisorInit,
  SimpleSupervisorPid,
  SimpleSupervisorSpec,
  SupervisorInit,
  SupervisorSpec,
  SupervisorStart,
} from './supervisor-spec.js';

/**
 * A supervisor: starts children from left to right, restarts those that end, stops them in reverse. OTP's supervisor.
 *
 * ```ts
 * import { ExitReason, GenServer, Runtime, Supervisor, SystemClock, SystemRandom } from 'rookery';
 *
 * const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom() });
 * const counter = {
 *   init: () => GenServer.ok(0),
 *   handleCast: (by: number, count: number) => GenServer.noreply(count + by),
 * };
 * const started = Supervisor.start(runtime, {
 *   strategy: 'rest_for_one',
 *   intensity: 3,
 *   children: [
 *     { id: 'first', start: (supervisor) => GenServer.startLink(supervisor, counter) },
 *     { id: 'second', start: (supervisor) => GenServer.startLink(supervisor, counter, { name: 'second' }) },
 *   ],
 * });
 * const top = started.ok!;
 * const { ok: before } = await Supervisor.whichChild(runtime, top, 'first');
 * runtime.exit(before!.pid as never, ExitReason.kill); // and both are started again
 * const { ok: after } = await Supervisor.whichChild(runtime, top, 'first');
 * console.log(after!.pid !== before!.pid); // → true
 * await runtime.stop(top);
 * ```
 *
 * **Strategies.** When a child is restarted: `one_for_one` nothing happens to the others; `one_for_all` they are stopped
 * in reverse, and all are started in order; `rest_for_one` the same with those behind it. `simple_one_for_one`: any
 * number of children of one template, each started by `startChild(runtime, top, [arguments])` and stopped by its pid.
 *
 * **Restarts.** More than `intensity` of them in `periodMs` and the supervisor stops everything and ends with
 * `shutdown`. A restart that fails is tried again by way of a message to itself, and each try counts.
 *
 * **Stopping.** A child is asked with `shutdown` and killed after its `shutdown` time. The supervisor waits for it, and
 * for a child whose init waits: meanwhile it does nothing else.
 *
 * **Automatic shutdown.** With `autoShutdown` it ends, with `shutdown`, when one (or the last) of its `significant`
 * children has ended by itself and is not started again.
 *
 * **Asking it.** From outside of processes give the runtime: `await Supervisor.whichChildren(runtime, top)`. A process
 * that waits leaves it out: `yield* Supervisor.whichChildren(top)`. `startChild` with a runtime works at once, on the
 * caller's stack: it gives `{ error: busy }` while the supervisor waits for something, and `{ pending }` when the child
 * does.
 *
 * **Changing it.** `sys.changeCode(top, { callbacks: newSpec })`, while it is suspended: flags and specifications are
 * replaced, nothing is started or stopped; children that the new one does not name stay, behind the others.
 *
 * **When not to use it.** For one child for each connection a `DynamicSupervisor`; for a shard of something each the
 * `PartitionSupervisor`.
 */
export const Supervisor = {
  /** What an init returns that has nothing to do. */
  ignore: { ignore: true } as Ignore,

  /**
   * Starts a supervisor that nobody is linked with: the root of a tree. An init function instead of a specification is
   * run in the new process, and again when its code is changed. `error`: `bad_spec`, `bad_return`, or `shutdown` with
   * the child that failed.
   */
  start,

  /** Starts a supervisor linked with `parent`, whose end ends it. */
  startLink,

  /** A supervisor as a child of another. */
  child,

  /** Adds and starts a child. See {@link StartChildResult}. */
  startChild: calls.startChild,

  /**
   * Stops a child; its specification stays, unless it is temporary. Of the children of a template the pid is given, of
   * others the id.
   */
  terminateChild: calls.terminateChild,

  /** Starts a child that was stopped or not restarted. */
  restartChild: calls.restartChild,

  /** Forgets a child that does not run. */
  deleteChild: calls.deleteChild,

  /** The children, the one added last first. */
  whichChildren: calls.whichChildren,

  /** One child. */
  whichChild: calls.whichChild,

  countChildren: calls.countChildren,

  /** The specification of a child, with everything filled in. */
  getChildSpec: calls.getChildSpec,
} as const;

function supervise(self: Process<never>, spec: object): Supervision {
  const simple = (spec as Partial<SimpleSupervisorInit<never>>).strategy === 'simple_one_for_one';
  return simple ? new SimpleSupervision(self, spec) : new OrderedSupervision(self, spec);
}

type AnyInit = (Naming & object) | InitFunction<object>;

function begin(
  runtime: Runtime,
  parent: Process<never> | null,
  init: AnyInit,
  naming: Naming = typeof init === 'object' ? init : {},
): StartOutcome<never> {
  return startSupervising<never>(
    runtime,
    parent,
    naming,
    'supervisor',
    (self, linked) => new SupervisorProcess(self, linked, init, 'Supervisor', supervise),
  );
}

function start(runtime: Runtime, spec: SupervisorSpec): SupervisorStart;
function start<Args extends readonly unknown[]>(
  runtime: Runtime,
  spec: SimpleSupervisorSpec<Args>,
): StartOutcome<SimpleSupervisorPid<Args>>;
function start(runtime: Runtime, init: InitFunction<SupervisorInit>, naming?: Naming): SupervisorStart;
function start<Args extends readonly unknown[]>(
  runtime: Runtime,
  init: InitFunction<SimpleSupervisorInit<Args>>,
  naming?: Naming,
): StartOutcome<SimpleSupervisorPid<Args>>;
function start(runtime: Runtime, init: AnyInit, naming?: Naming): StartOutcome<never> {
  return begin(runtime, null, init, naming);
}

function startLink(parent: Process<never>, spec: SupervisorSpec): SupervisorStart;
function startLink<Args extends readonly unknown[]>(
  parent: Process<never>,
  spec: SimpleSupervisorSpec<Args>,
): StartOutcome<SimpleSupervisorPid<Args>>;
function startLink(
  parent: Process<never>,
  init: InitFunction<SupervisorInit>,
  naming?: Naming,
): SupervisorStart;
function startLink<Args extends readonly unknown[]>(
  parent: Process<never>,
  init: InitFunction<SimpleSupervisorInit<Args>>,
  naming?: Naming,
): StartOutcome<SimpleSupervisorPid<Args>>;
function startLink(parent: Process<never>, init: AnyInit, naming?: Naming): StartOutcome<never> {
  return begin(parent.runtime, parent, init, naming);
}

type SpecOrInit = SupervisorSpec | SimpleSupervisorSpec<never> | InitFunction<SupervisorInit>;

function child(id: string, spec: SpecOrInit, overrides: SignificantOverrides): SignificantChildSpec;
function child(id: string, spec: SpecOrInit, overrides?: ChildOverrides): ChildSpec;
function child(
  id: string,
  spec: SpecOrInit,
  overrides: ChildOverrides | SignificantOverrides = {},
): ChildSpec | SignificantChildSpec {
  return {
    id,
    type: 'supervisor',
    start: (supervisor: Process<never>) =>
      typeof spec === 'function'
        ? begin(supervisor.runtime, supervisor, spec, { label: id })
        : begin(supervisor.runtime, supervisor, spec, { label: id, ...spec }),
    ...overrides,
  } as ChildSpec | SignificantChildSpec;
}
