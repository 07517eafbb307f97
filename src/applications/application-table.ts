import { BadArgument, type Pid, type Runtime, sameState } from '../actors/index.js';
import type { ApplicationSpec, EnvChange, StartType } from './application-spec.js';

/** The registered name of the controller. */
export const CONTROLLER = 'application_controller';

/** Values of environments by application: what a configuration file holds. */
export type ApplicationConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** An application that is known. */
export class LoadedApplication {
  readonly env = new Map<string, unknown>();

  constructor(
    readonly spec: ApplicationSpec,
    config: Readonly<Record<string, unknown>>,
  ) {
    for (const [key, value] of Object.entries({ ...spec.env, ...config })) this.env.set(key, value);
  }

  /** The environment as an object. */
  get environment(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.env);
  }

  /** Puts the specification's values and these in the place of all that is there. Null if nothing is different. */
  changeEnv(config: Readonly<Record<string, unknown>>): EnvChange<Record<string, unknown>> | null {
    const values: Record<string, unknown> = { ...this.spec.env, ...config };
    const changed: Record<string, unknown> = {};
    const added: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(values)) {
      if (!this.env.has(key)) added[key] = value;
      else if (!sameState(this.env.get(key), value)) changed[key] = value;
    }
    const removed = [...this.env.keys()].filter((key) => !Object.hasOwn(values, key));
    this.env.clear();
    for (const [key, value] of Object.entries(values)) this.env.set(key, value);
    if (removed.length + Object.keys(changed).length + Object.keys(added).length === 0) return null;
    return { changed, added, removed };
  }
}

/** An application that runs. */
export interface RunningApplication {
  readonly application: LoadedApplication;
  readonly type: StartType;
  /** Its process; null for a library. */
  readonly master: Pid | null;
}

/** What everybody can read of the applications; only the controller changes which there are. */
export class ApplicationTable {
  readonly loaded = new Map<string, LoadedApplication>();
  /** In the order in which they were started. */
  readonly running = new Map<string, RunningApplication>();
  readonly starting = new Set<string>();

  /** Throws a {@link BadArgument} if it is not loaded. */
  get(name: string): LoadedApplication {
    const application = this.loaded.get(name);
    if (application === undefined) throw new BadArgument(`no application ${name} is loaded`);
    return application;
  }
}

/** The tables by controller: they go with it. */
const tables = new WeakMap<Pid, ApplicationTable>();

export function setTable(controller: Pid, table: ApplicationTable): void {
  tables.set(controller, table);
}

/** The table of a scheduler's controller. Throws a {@link BadArgument} if none runs. */
export function tableOf(runtime: Runtime): ApplicationTable {
  const controller = runtime.names.local(CONTROLLER);
  const table = controller === undefined ? undefined : tables.get(controller);
  if (table === undefined)
    throw new BadArgument(`no application controller runs on scheduler ${runtime.scheduler}`);
  return table;
}
