import type { Name, Pid, Process, Runtime, Started, StartOutcome, Wait } from '../actors/index.js';
import type { ChildOverrides, ChildSpec } from './child-spec.js';
import { DynamicSupervision } from './dynamic-supervision.js';
import { type InitFunction, type Naming, startSupervising } from './initialize.js';
import type { StartChildResult, SupervisorPid } from './requests.js';
import * as calls from './supervisor-calls.js';
import { SupervisorProcess } from './supervisor-process.js';
import type { RestartLimits } from './supervisor-spec.js';

/** What the init of a dynamic supervisor returns. */
export interface DynamicSupervisorInit<Extra extends readonly unknown[] = []> extends RestartLimits {
  /** More are refused with `max_children`. Default: no limit but that of processes. */
  readonly maxChildren?: number;
  /** Handed to every start function behind the supervisor. */
  readonly extraArguments?: Extra;
}

export type DynamicSupervisorSpec<Extra extends readonly unknown[] = []> = DynamicSupervisorInit<Extra> &
  Naming;

/** A child to be started. Its `id` is for reports only and need not be unique. */
export type DynamicChildSpec<Extra extends readonly unknown[] = []> = ChildSpec<Extra>;

declare const extra: unique symbol;

/** A dynamic supervisor: it knows what start functions are handed. */
export interface DynamicSupervisorPid<out Extra extends readonly unknown[] = []> extends SupervisorPid {
  readonly [extra]?: Extra;
}

/** What came of starting a dynamic supervisor. */
export type DynamicSupervisorStart<Extra extends readonly unknown[] = []> = StartOutcome<
  DynamicSupervisorPid<Extra>
>;

/**
 * A supervisor of any number of children that come and go: one for each connection, say. Elixir's DynamicSupervisor:
 * every child brings its own specification.
 *
 * ```ts
 * import { DynamicSupervisor, Runtime, SystemClock, SystemRandom } from 'rookery';
 *
 * const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom() });
 * const { ok: sessions } = DynamicSupervisor.start(runtime, { label: 'sessions', maxChildren: 2 });
 * const start = () =>
 *   DynamicSupervisor.startChild(runtime, sessions!, {
 *     id: 'session',
 *     restart: 'temporary',
 *     start: (supervisor) => supervisor.spawnLink(() => ({ receive() {} })),
 *   });
 * start();
 * start();
 * console.log(start().error); // → { type: 'max_children' }
 * console.log((await DynamicSupervisor.countChildren(runtime, sessions!)).active); // → 2
 * await runtime.stop(sessions!);
 * ```
 *
 * **Starting** is O(1) and works at once, on the caller's stack; only a child whose init waits is waited for. A
 * temporary child costs the supervisor its place in two tables, about 65 bytes; its specification is not kept.
 *
 * **Order.** Children have none: they are stopped all at the same time, each with the time of its own `shutdown`, and
 * stopping one does not keep the supervisor from its other work (in Elixir it does).
 *
 * **Restarts.** As with `Supervisor`, one_for_one. While a child waits for another try it is known under its old pid;
 * one that has nothing to do any more (`ignore`) is forgotten.
 *
 * **When not to use it.** For children that need each other: a `Supervisor` keeps them in order.
 */
export const DynamicSupervisor = {
  /** Starts one that nobody is linked with. `error`: `bad_spec` names what is wrong with the specification. */
  start<Extra extends readonly unknown[] = []>(
    runtime: Runtime,
    spec: DynamicSupervisorSpec<Extra> | InitFunction<DynamicSupervisorInit<Extra>>,
    naming?: Naming,
  ): DynamicSupervisorStart<Extra> {
    return begin(runtime, null, spec, naming);
  },

  /** Starts one linked with `parent`, whose end ends it. */
  startLink<Extra extends readonly unknown[] = []>(
    parent: Process<never>,
    spec: DynamicSupervisorSpec<Extra> | InitFunction<DynamicSupervisorInit<Extra>>,
    naming?: Naming,
  ): DynamicSupervisorStart<Extra> {
    return begin(parent.runtime, parent, spec, naming);
  },

  /** One as a child of another supervisor. */
  child<Extra extends readonly unknown[] = []>(
    id: string,
    spec: DynamicSupervisorSpec<Extra>,
    overrides: ChildOverrides = {},
  ): ChildSpec {
    return {
      id,
      type: 'supervisor',
      start: (supervisor) => begin(supervisor.runtime, supervisor, { label: id, ...spec }),
      ...overrides,
    };
  },

  /** Starts a child. */
  startChild,

  /** Stops a child and forgets it. */
  terminateChild: calls.terminateChild,

  whichChildren: calls.whichChildren,

  countChildren: calls.countChildren,
} as const;

type AnyInit = (Naming & object) | InitFunction<object>;

function begin<Extra extends readonly unknown[]>(
  runtime: Runtime,
  parent: Process<never> | null,
  init: AnyInit,
  naming: Naming = typeof init === 'object' ? init : {},
): DynamicSupervisorStart<Extra> {
  return startSupervising<DynamicSupervisorPid<Extra>>(
    runtime,
    parent,
    naming,
    'dynamic_supervisor',
    (self, linked) =>
      new SupervisorProcess(
        self,
        linked,
        init,
        'DynamicSupervisor',
        (process, spec) => new DynamicSupervision(process, spec),
      ),
  );
}

function startChild<M = never, Extra extends readonly unknown[] = []>(
  runtime: Runtime,
  supervisor: DynamicSupervisorPid<Extra> | Name,
  spec: DynamicChildSpec<Extra>,
): StartChildResult<M>;
function startChild<M = never, Extra extends readonly unknown[] = []>(
  supervisor: DynamicSupervisorPid<Extra> | Name,
  spec: DynamicChildSpec<Extra>,
): Wait<Started<Pid<M>>>;
function startChild(...args: readonly unknown[]): StartChildResult | Wait<Started> {
  return (calls.startChild as (...args: readonly unknown[]) => StartChildResult | Wait<Started>)(...args);
}
