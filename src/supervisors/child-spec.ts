import {
  BadArgument,
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

/** How a supervisor starts, restarts and stops one child. Shared by all kinds of supervisor; the fields are OTP's. */
export interface ChildSpec {
  readonly id: string;
  /**
   * Starts the child, linked with the supervisor, in which it runs: `(supervisor) => supervisor.spawnLink(…)`,
   * `(supervisor) => GenServer.startLink(supervisor, …)`. A process that has ended when it returns has failed.
   */
  readonly start: (supervisor: Process<never>) => Pid | StartResult;
  /** Default permanent. */
  readonly restart?: Restart;
  /** Default 5000 for a worker, infinity for a supervisor. */
  readonly shutdown?: Shutdown;
  /** Default worker. */
  readonly type?: 'worker' | 'supervisor';
  /** Its end may end the supervisor: see `autoShutdown`. Default false. */
  readonly significant?: boolean;
}

/** A child specification with everything filled in. */
export interface CheckedSpec {
  readonly id: string;
  readonly start: (supervisor: Process<never>) => Pid | StartResult;
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  readonly significant: boolean;
}

/** Fills in the defaults. Throws a {@link BadArgument} that names the bad value. */
export function checkSpec(spec: ChildSpec): CheckedSpec {
  const { id, start, restart = 'permanent', type = 'worker', significant = false } = spec;
  const { shutdown = type === 'supervisor' ? 'infinity' : 5000 } = spec;
  const bad = (field: string, value: unknown) =>
    new BadArgument(`child ${String(id)}: bad ${field}: ${String(value)}`);
  if (typeof id !== 'string') throw bad('id', id);
  if (typeof start !== 'function') throw bad('start', start);
  if (restart !== 'permanent' && restart !== 'transient' && restart !== 'temporary')
    throw bad('restart', restart);
  if (type !== 'worker' && type !== 'supervisor') throw bad('type', type);
  if (typeof significant !== 'boolean') throw bad('significant', significant);
  if (
    shutdown !== 'brutal_kill' &&
    shutdown !== 'infinity' &&
    !(Number.isFinite(shutdown) && shutdown >= 0)
  ) {
    throw bad('shutdown', shutdown);
  }
  return { id, start, restart, shutdown, type, significant };
}

/** Whether a child that ended with `reason` by itself is to be started again. */
export function restarts(restart: Restart, reason: ExitReason): boolean {
  return restart === 'permanent' || (restart === 'transient' && !isOrderly(reason));
}
