import {
  BadArgument,
  type Blocking,
  call,
  current,
  type ReplyTo,
  type Runtime,
  type Wait,
} from '../actors/index.js';
import type { ApplicationCalls, ConfigChangeFailed, Result } from './application-controller.js';
import type { ApplicationError } from './application-error.js';
import {
  type ApplicationSpec,
  checkApplication,
  type EnvOf,
  neededBy,
  type StartType,
} from './application-spec.js';
import { type ApplicationConfig, CONTROLLER, tableOf } from './application-table.js';

/** What came of {@link Application.start} and its like. */
export type ApplicationResult = Result;

/** What came of {@link Application.ensureAllStarted}: those that were started, in order, or which one failed and why. */
export type AllStarted =
  | { readonly ok: readonly string[]; readonly error?: undefined }
  | { readonly ok?: undefined; readonly error: ApplicationError };

/** An application, as it is listed. */
export interface ApplicationInfo {
  readonly name: string;
  readonly description: string;
  readonly version: string;
}

/** The same with what it is doing. */
export interface ApplicationStatus extends ApplicationInfo {
  readonly state: 'loaded' | 'starting' | 'running';
  /** While it runs. */
  readonly startType: StartType | null;
  /** What it needs. */
  readonly applications: readonly string[];
}

type App = string | ApplicationSpec;

/**
 * Parts of a program that are started and stopped as a whole, in the order in which they need each other: OTP's application.
 *
 * ```ts
 * import { Application, ApplicationController, defaultRuntime, GenServer, Supervisor } from 'rookery';
 *
 * const storage = Application.define({
 *   name: 'storage',
 *   env: { folder: './data' },
 *   start: (self, { env }) => {
 *     console.log('storage in', env.folder);
 *     return Supervisor.startLink(self, { label: 'storage' });
 *   },
 * });
 * const chat = Application.define({
 *   name: 'chat',
 *   version: '1.2.0',
 *   applications: [storage],
 *   start: (self) => Supervisor.startLink(self, { label: 'chat' }),
 *   stop: () => console.log('chat has stopped'),
 * });
 *
 * const runtime = defaultRuntime();
 * ApplicationController.start(runtime, { config: { storage: { folder: '/srv/data' } } });
 * console.log((await runtime.wait(Application.ensureAllStarted(chat, 'permanent'))).ok); // → storage in /srv/data
 * // → [ 'storage', 'chat' ]
 * console.log(Application.whichApplications(runtime).map(({ name, version }) => `${name} ${version}`));
 * // → [ 'chat 1.2.0', 'storage 0.0.0' ]
 * console.log(Application.getEnv(runtime, storage, 'folder')); // → /srv/data
 * await runtime.wait(Application.stop('chat')); // → chat has stopped
 * ```
 *
 * **An application** is a name, what it needs, an environment, and a `start` that returns its top process; without `start` it
 * is a library, which can be needed and configured. Each that runs has a process of its own, which is the parent of the top
 * process: if `start` waits, nobody else does.
 *
 * **Starting.** `start` starts one, if what it needs runs (`not_started` names what does not); `ensureAllStarted` starts
 * what it needs before it, and stops again what it started if one fails. Two who start the same at the same time get the same
 * answer. With `startPhases` the start goes on, phase by phase, when the top process is there.
 *
 * **Stopping.** `prepStop`, then the top process is asked to end (`shutdown`) and waited for, then `stop`. Those that need
 * it are not stopped: that is for whoever stops it to know. An application whose top process ends by itself goes the same
 * way, from `prepStop` on; what that means for the others is its {@link StartType}.
 *
 * **Waiting.** What asks the controller is waited for: `yield* Application.start(…)` in a process that waits,
 * `self.block(Application.start(…))` in one of callbacks, `await runtime.wait(Application.start(…))` from outside. What
 * reads asks nobody.
 *
 * **Unlike in OTP** there are no application files (`load` takes the specification itself), no included applications and no
 * takeover, and a start that fails in one of its phases stops its top process in order.
 */
export const Application = {
  /** The specification as it is: for the compiler, which finds out the types of its environment and state. */
  define<const Env extends object = object, State = undefined>(
    spec: ApplicationSpec<Widened<Env>, State> & { readonly env?: Env },
  ): ApplicationSpec<Widened<Env>, State> {
    checkApplication(spec as ApplicationSpec);
    return spec as ApplicationSpec<Widened<Env>, State>;
  },

  /** Makes an application known, with those that it names by their specifications. Throws a {@link BadArgument} for a bad one. */
  *load(application: ApplicationSpec): Blocking<ApplicationResult> {
    checkApplication(application);
    return yield* ask({ op: 'load', spec: application });
  },

  /** Forgets an application that does not run, and its environment. */
  *unload(application: App): Blocking<ApplicationResult> {
    return yield* ask({ op: 'unload', name: nameOf(application) });
  },

  /** Starts an application; one that is given by its specification and not known is loaded before. Default temporary. */
  *start(application: App, type: StartType = 'temporary'): Blocking<ApplicationResult> {
    checkType(type);
    const loaded = yield* loadIfNew(application);
    return loaded ?? (yield* ask({ op: 'start', name: nameOf(application), type }));
  },

  /** The same, but fine if it runs already. */
  *ensureStarted(application: App, type: StartType = 'temporary'): Blocking<ApplicationResult> {
    const result = yield* Application.start(application, type);
    return isAlreadyStarted(result.error, nameOf(application)) ? { ok: true } : result;
  },

  /** Starts applications and all that they need, what is needed first. If one fails those that were started are stopped again. */
  *ensureAllStarted(applications: App | readonly App[], type: StartType = 'temporary'): Blocking<AllStarted> {
    checkType(type);
    const begun: string[] = [];
    for (const application of Array.isArray(applications)
      ? (applications as readonly App[])
      : [applications as App]) {
      const error =
        (yield* loadIfNew(application))?.error ??
        (yield* startWithNeeded(nameOf(application), type, [], begun));
      if (error === null) continue;
      for (const name of begun.reverse()) yield* Application.stop(name);
      return { error };
    }
    return { ok: begun };
  },

  /** Stops an application, however long that takes. */
  *stop(application: App): Blocking<ApplicationResult> {
    return yield* ask({ op: 'stop', name: nameOf(application) });
  },

  /** Those that run, the latest first. Throws a {@link BadArgument} if there is no controller, as all that follow. */
  whichApplications(runtime: Runtime): ApplicationInfo[] {
    return [...tableOf(runtime).running.values()]
      .map(({ application }) => infoOf(application.spec))
      .reverse();
  },

  /** Those that are known. */
  loadedApplications(runtime: Runtime): ApplicationInfo[] {
    return [...tableOf(runtime).loaded.values()].map(({ spec }) => infoOf(spec));
  },

  /** What an application is and does; undefined if it is not known. */
  status(runtime: Runtime, application: App): ApplicationStatus | undefined {
    const name = nameOf(application);
    const { loaded, running, starting } = tableOf(runtime);
    const spec = loaded.get(name)?.spec;
    if (spec === undefined) return undefined;
    const startType = running.get(name)?.type ?? null;
    const state = startType !== null ? 'running' : starting.has(name) ? 'starting' : 'loaded';
    return { ...infoOf(spec), state, startType, applications: neededBy(spec) };
  },

  // ---- environments --------------------------------------------------------------------------------------------

  getEnv,
  setEnv,

  /** Takes a value out of an environment. */
  unsetEnv(runtime: Runtime, application: App, key: string): void {
    tableOf(runtime).get(nameOf(application)).env.delete(key);
  },

  /** A copy of an environment; empty if the application is not known. */
  getAllEnv(runtime: Runtime, application: App): Readonly<Record<string, unknown>> {
    return tableOf(runtime).loaded.get(nameOf(application))?.environment ?? {};
  },

  /**
   * Puts another configuration in the place of that of the controller's start: every environment becomes what the
   * specification says and these values. Those that run and are concerned are told (`configChange`), one after the other.
   * Returns those whose callback threw.
   */
  *changeConfig(config: ApplicationConfig): Blocking<readonly ConfigChangeFailed[]> {
    return yield* ask({ op: 'change_config', config });
  },
} as const;

/** `80` becomes `number`: a value of an environment is there to be changed. */
type Widened<Env> = Env extends string
  ? string
  : Env extends number
    ? number
    : Env extends boolean
      ? boolean
      : Env extends (...args: never[]) => unknown
        ? Env
        : Env extends readonly (infer Item)[]
          ? readonly Widened<Item>[]
          : Env extends object
            ? { -readonly [Key in keyof Env]: Widened<Env[Key]> }
            : Env;

/**
 * A value of an environment. By the specification its type is known; by name it is not, and undefined if there is no such
 * application.
 */
function getEnv<Env extends object, Key extends keyof Env & string>(
  runtime: Runtime,
  application: EnvOf<Env>,
  key: Key,
): Env[Key] | undefined;
function getEnv(runtime: Runtime, application: string, key: string): unknown;
function getEnv(runtime: Runtime, application: string | EnvOf<object>, key: string): unknown {
  return tableOf(runtime).loaded.get(nameOf(application))?.env.get(key);
}

/** Changes a value at once; nobody is told. Throws a {@link BadArgument} if the application is not known. */
function setEnv<Env extends object, Key extends keyof Env & string>(
  runtime: Runtime,
  application: EnvOf<Env>,
  key: Key,
  value: Env[Key],
): void;
function setEnv(runtime: Runtime, application: string, key: string, value: unknown): void;
function setEnv(runtime: Runtime, application: string | EnvOf<object>, key: string, value: unknown): void {
  tableOf(runtime).get(nameOf(application)).env.set(key, value);
}

function ask<const Q extends ApplicationCalls[0]>(request: Q): Wait<ReplyTo<ApplicationCalls, Q>> {
  return call(CONTROLLER, request, Number.POSITIVE_INFINITY);
}

/** Loads what is given by its specification, unless it is loaded. Another one of the same name is an error. */
function* loadIfNew(application: App): Blocking<{ readonly error: ApplicationError } | null> {
  if (typeof application === 'string') return null;
  const { runtime } = yield* current();
  const known =
    runtime.names.local(CONTROLLER) === undefined ? undefined : tableOf(runtime).loaded.get(application.name);
  if (known?.spec === application) return null;
  const { error } = yield* Application.load(application);
  return error === undefined ? null : { error };
}

function* startWithNeeded(
  name: string,
  type: StartType,
  path: readonly string[],
  begun: string[],
): Blocking<ApplicationError | null> {
  const { runtime } = yield* current();
  const { loaded, running } = tableOf(runtime);
  if (running.has(name)) return null;
  const spec = loaded.get(name)?.spec;
  if (spec === undefined) return { type: 'unknown_application', application: name };
  if (path.includes(name))
    return { type: 'circular', application: name, path: [...path.slice(path.indexOf(name)), name] };
  const optional = new Set(spec.optionalApplications);
  for (const needed of neededBy(spec)) {
    if (optional.has(needed) && !loaded.has(needed)) continue;
    const error = yield* startWithNeeded(needed, type, [...path, name], begun);
    if (error !== null) return error;
  }
  const { error } = yield* ask({ op: 'start', name, type });
  if (error === undefined) begun.push(name);
  else if (!isAlreadyStarted(error, name)) return error;
  return null;
}

function isAlreadyStarted(error: ApplicationError | undefined, name: string): boolean {
  return error?.type === 'already_started' && error.application === name;
}

function checkType(type: StartType): void {
  if (type !== 'permanent' && type !== 'transient' && type !== 'temporary')
    throw new BadArgument(`bad start type: ${String(type)}`);
}

function nameOf(application: string | { readonly name: string }): string {
  return typeof application === 'string' ? application : application.name;
}

function infoOf({ name, description = '', version = '0.0.0' }: ApplicationSpec): ApplicationInfo {
  return { name, description, version };
}
