import {
  BadArgument,
  type Blocking,
  type ExitReason,
  type Pid,
  type Process,
  type StartOutcome,
} from '../actors/index.js';

/**
 * What the end of an application means, unless it was stopped: with `temporary` nothing; with `permanent` all others are
 * stopped and the controller ends; with `transient` likewise, unless its reason was normal.
 */
export type StartType = 'permanent' | 'transient' | 'temporary';

/** What a callback returns: the result, or what it will be when it has waited. */
export type Waiting<T> = T | Blocking<T> | Promise<T>;

/** What the callbacks that start an application are handed. */
export interface ApplicationStart<Env extends object> {
  readonly name: string;
  /** There is no takeover or failover here. */
  readonly type: 'normal';
  /** Its environment as it is now. */
  readonly env: Readonly<Env>;
}

/** The top process of an application, and a state for `prepStop` and `stop`. */
export interface StartedWithState<State> {
  readonly ok: Pid;
  readonly state: State;
}

/** What has changed in the environment. */
export interface EnvChange<Env extends object> {
  /** Keys that have another value, with the new one. */
  readonly changed: Readonly<Partial<Env>>;
  readonly added: Readonly<Partial<Env>>;
  readonly removed: readonly (keyof Env)[];
}

/** An application: what it is called, what it needs, and how it starts and stops. See {@link Application}. */
export interface ApplicationSpec<Env extends object = object, State = unknown> {
  readonly name: string;
  readonly description?: string;
  /** OTP's vsn. Default `0.0.0`. */
  readonly version?: string;
  /** What must run before it is started: names, or specifications, which are loaded with it. */
  readonly applications?: readonly (string | ApplicationSpec)[];
  /** Those of `applications` that may be missing. */
  readonly optionalApplications?: readonly string[];
  /** Values for its environment. */
  readonly env?: Env;
  /** Called in this order, with these arguments, when `start` has returned. */
  readonly startPhases?: readonly (readonly [phase: string, argument?: unknown])[];

  /**
   * Starts its top process, a supervisor mostly, linked with `self`; it runs in the application's own process. Without it the
   * application is a library: it has an environment and can be needed, and that is all.
   */
  start?(
    self: Process<never>,
    how: ApplicationStart<Env>,
  ): Waiting<Pid | StartOutcome<Pid> | StartedWithState<State> | { readonly error: ExitReason }>;
  /** One of `startPhases`. The start has succeeded when the last one has. */
  startPhase?(
    phase: string,
    how: ApplicationStart<Env>,
    argument: unknown,
  ): Waiting<void | 'ok' | { readonly error: ExitReason }>;
  /** Before its processes are stopped, and when they have ended by themselves. Returns the state for `stop`. */
  prepStop?(state: State): Waiting<State>;
  /** When its processes have ended. */
  stop?(state: State): Waiting<unknown>;
  /** Its environment was changed while it runs: see `Application.changeConfig`. */
  configChange?(change: EnvChange<Env>): Waiting<unknown>;
}

/** What an environment is looked up with: the specification, which knows the types. */
export interface EnvOf<Env extends object> {
  readonly name: string;
  readonly env?: Env;
}

/** Throws a {@link BadArgument} that names the bad value. */
export function checkApplication(spec: ApplicationSpec): void {
  const { name, applications = [], startPhases = [], env = {} } = spec;
  if (typeof name !== 'string' || name === '')
    throw new BadArgument(`bad name of an application: ${String(name)}`);
  const bad = (field: string, value: unknown) =>
    new BadArgument(`application ${name}: bad ${field}: ${String(value)}`);
  if (spec.version !== undefined && typeof spec.version !== 'string') throw bad('version', spec.version);
  if (!Array.isArray(applications)) throw bad('applications', applications);
  for (const needed of applications) {
    if (typeof needed !== 'string' && typeof needed?.name !== 'string') throw bad('applications', needed);
  }
  if (typeof env !== 'object' || env === null) throw bad('env', env);
  if (!Array.isArray(startPhases)) throw bad('startPhases', startPhases);
  for (const phase of startPhases) {
    if (!Array.isArray(phase) || typeof phase[0] !== 'string') throw bad('startPhases', phase);
  }
  if (startPhases.length > 0 && spec.startPhase === undefined) throw bad('startPhase', spec.startPhase);
}

/** Names of what an application needs. */
export function neededBy({ applications = [] }: ApplicationSpec): string[] {
  return applications.map((needed) => (typeof needed === 'string' ? needed : needed.name));
}
