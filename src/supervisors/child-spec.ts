import {
  type Blocking,
  type ExitReason,
  isOrderly,
  type Pid,
  type Process,
  type StartResult,
} from '../actors/index.js';

/**
 * When a child that ended by itself is started again: `permanent` always; `transient` unless it ended with normal or
 * shutdown; `temporary` never, and it is forgotten.
 */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How a child is stopped: killed at once, or asked to (`shutdown`) and killed after that many ms. */
export type Shutdown = 'brutal_kill' | 'infinity' | number;

/** What a start function may return; it may wait (`function*`) or be async, and its supervisor waits with it. */
export type StartReturn<M = never> =
  | Pid<M>
  | StartResult<M>
  | Blocking<Pid<M> | StartResult<M>>
  | Promise<Pid<M> | StartResult<M>>;

/** What all child specifications have; the fields are OTP's. `Args` are what a template's start is given beside. */
export interface ChildFields<Args extends readonly unknown[] = []> {
  readonly id: string;
  /**
   * Starts the child, linked with the supervisor, in which it runs: `(supervisor) => supervisor.spawnLink(…)`,
   * `(supervisor) => GenServer.startLink(supervisor, …)`.
   *
   * - A pid: a process that has ended when it is returned has failed; it is linked if that was forgotten.
   * - `{ ok }`, `{ ok, info }`: it is started, as it stands: whoever did not link it will not hear of its end.
   * - `{ ignore: true }`: there is nothing to do; the specification stays.
   * - `{ error }`, or it throws: it failed.
   */
  readonly start: (supervisor: Process<never>, ...args: Args) => StartReturn;
  /** Default 5000 for a worker, infinity for a supervisor. */
  readonly shutdown?: Shutdown;
  /** Default worker. */
  readonly type?: 'worker' | 'supervisor';
  /** Names of the modules that make the child, for whoever asks; `dynamic` if nobody can know. Default none. */
  readonly modules?: readonly string[] | 'dynamic';
}

/** How a supervisor starts, restarts and stops one child. */
export interface ChildSpec<Args extends readonly unknown[] = []> extends ChildFields<Args> {
  /** Default permanent. */
  readonly restart?: Restart;
  readonly significant?: false;
}

/** A child whose own end may end its supervisor: see `autoShutdown`. It cannot be permanent. */
export interface SignificantChildSpec extends ChildFields {
  readonly restart: 'transient' | 'temporary';
  readonly significant: true;
}

export type AnyChildSpec = ChildSpec | SignificantChildSpec;

/** What may be said otherwise of a specification made by somebody else. */
export type ChildOverrides = Partial<Omit<ChildSpec, 'significant'>>;
/** The same, making the child significant. */
export type SignificantOverrides = Partial<ChildFields> &
  Pick<SignificantChildSpec, 'restart' | 'significant'>;

/** A specification with some fields said otherwise: Elixir's Supervisor.child_spec. */
export function childSpec(spec: AnyChildSpec, overrides: SignificantOverrides): SignificantChildSpec;
export function childSpec(spec: SignificantChildSpec, overrides?: Partial<ChildFields>): SignificantChildSpec;
export function childSpec(spec: ChildSpec, overrides?: ChildOverrides): ChildSpec;
export function childSpec(
  spec: AnyChildSpec,
  overrides: ChildOverrides | SignificantOverrides = {},
): AnyChildSpec {
  return { ...spec, ...overrides } as AnyChildSpec;
}

/** A child specification with everything filled in. */
export interface CheckedSpec {
  readonly id: string;
  readonly start: (supervisor: Process<never>, ...args: never[]) => StartReturn;
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  readonly significant: boolean;
  readonly modules: readonly string[] | 'dynamic';
}

/** Whether a child that ended with `reason` by itself is to be started again. */
export function restarts(restart: Restart, reason: ExitReason): boolean {
  return restart === 'permanent' || (restart === 'transient' && !isOrderly(reason));
}

/** Whether the end of a child by itself is worth a report. */
export function isReported(restart: Restart, reason: ExitReason): boolean {
  return restart === 'permanent' || !isOrderly(reason);
}

/** Whether a child that was asked to end ended as asked; if not it is reported. */
export function endedAsAsked(spec: CheckedSpec, reason: ExitReason): boolean {
  if (spec.restart !== 'permanent' && isOrderly(reason)) return true;
  if (spec.shutdown === 'brutal_kill') return reason.type === 'killed';
  return reason.type === 'shutdown' && reason.detail === undefined;
}
