import {
  BadArgument,
  Behaviour,
  type Blocking,
  CallMessage,
  Exit,
  ExitMessage,
  ExitReason,
  type From,
  isBlocking,
  isPromise,
  type Pid,
  type Process,
  type Runtime,
  receive,
  type ServerPid,
  type StartOutcome,
  settled,
  startProcess,
} from '../actors/index.js';
import type { ChildSpec } from '../supervisors/index.js';
import type { ApplicationError } from './application-error.js';
import { ApplicationMaster, MasterReport, StopApplication } from './application-master.js';
import { type ApplicationSpec, neededBy, type StartType } from './application-spec.js';
import {
  type ApplicationConfig,
  ApplicationTable,
  CONTROLLER,
  LoadedApplication,
  type RunningApplication,
  setTable,
} from './application-table.js';

export type Result =
  | { readonly ok: true; readonly error?: undefined }
  | { readonly ok?: undefined; readonly error: ApplicationError };

/** What the controller can be asked, with the types of the answers. {@link Application} has functions for it. */
export type ApplicationCalls =
  | [{ readonly op: 'load'; readonly spec: ApplicationSpec }, Result]
  | [{ readonly op: 'unload'; readonly name: string }, Result]
  | [{ readonly op: 'start'; readonly name: string; readonly type: StartType }, Result]
  | [{ readonly op: 'stop'; readonly name: string }, Result]
  | [{ readonly op: 'change_config'; readonly config: ApplicationConfig }, readonly ConfigChangeFailed[]];

/** An application whose `configChange` threw. */
export interface ConfigChangeFailed {
  readonly application: string;
  readonly reason: ExitReason;
}

export interface ApplicationControllerOptions {
  /** Values for the environments of applications, before those in their specifications. */
  readonly config?: ApplicationConfig;
}

/** A start under way: who waits for it. */
interface Starting {
  readonly application: LoadedApplication;
  readonly type: StartType;
  readonly master: Pid;
  readonly froms: From<Result>[];
}

const OK: Result = { ok: true };

/**
 * Starts and stops applications: the process behind {@link Application}. OTP's application_controller, one for each
 * scheduler, registered as `application_controller` there.
 *
 * It ends when an application does that must not: one that was started as permanent, or as transient and ended otherwise than
 * normal, or either whose start failed. Its reason is `custom` with an {@link ApplicationTerminated} then. However it ends,
 * all applications are stopped before, the latest first.
 */
export const ApplicationController = {
  /** Starts the controller; nobody is linked with it. */
  start(
    runtime: Runtime,
    options: ApplicationControllerOptions = {},
  ): StartOutcome<ServerPid<ApplicationCalls>> {
    return startController(runtime, null, options);
  },

  startLink(
    parent: Process<never>,
    options: ApplicationControllerOptions = {},
  ): StartOutcome<ServerPid<ApplicationCalls>> {
    return startController(parent.runtime, parent, options);
  },

  /** As a child of a supervisor. */
  child(
    options: ApplicationControllerOptions = {},
    overrides: Partial<Omit<ChildSpec, 'start'>> = {},
  ): ChildSpec {
    return {
      id: CONTROLLER,
      type: 'supervisor',
      start: (supervisor) => startController(supervisor.runtime, supervisor, options),
      ...overrides,
    };
  },
} as const;

/** Why a controller ended: an application that must not has ended, or could not be started. */
export interface ApplicationTerminated {
  readonly type: 'application_terminated' | 'application_start_failure';
  readonly application: string;
  readonly reason: ExitReason | ApplicationError;
}

function startController(
  runtime: Runtime,
  parent: Process<never> | null,
  { config = {} }: ApplicationControllerOptions,
): StartOutcome<ServerPid<ApplicationCalls>> {
  return startProcess<never>(
    runtime,
    {
      name: CONTROLLER,
      localName: true,
      label: CONTROLLER,
      trapExit: true,
      ...(parent === null ? {} : { parent, link: true }),
    },
    (self, ack) => {
      const controller = new ControllerProcess(self, parent, config);
      setTable(self, controller.table);
      ack.ok();
      return controller;
    },
  );
}

class ControllerProcess extends Behaviour {
  readonly table = new ApplicationTable();
  readonly #starting = new Map<string, Starting>();
  #config: ApplicationConfig;

  constructor(self: Process<never>, parent: Pid | null, config: ApplicationConfig) {
    super(self, parent);
    this.#config = config;
  }

  protected handle(message: unknown): void {
    if (message instanceof CallMessage) {
      this.#asked(message.request as ApplicationCalls[0], message.from as From<ApplicationCalls[1]>);
    } else if (message instanceof MasterReport) {
      this.#reported(message);
    } else if (message instanceof ExitMessage) {
      this.#exited(message.from, message.reason);
    }
  }

  #asked(request: ApplicationCalls[0], from: From<ApplicationCalls[1]>): void {
    switch (request.op) {
      case 'load':
        from.reply(this.#load(request.spec));
        return;
      case 'unload':
        from.reply(this.#unload(request.name));
        return;
      case 'start':
        this.#start(request.name, request.type, from);
        return;
      case 'stop':
        this.self.block(this.#stop(request.name), (result) => from.reply(result));
        return;
      case 'change_config':
        this.self.block(this.#changeConfig(request.config), (failed) => from.reply(failed));
        return;
      default:
        throw new BadArgument(`the application controller cannot be asked this: ${String(request)}`);
    }
  }

  // ---- loading -------------------------------------------------------------------------------------------------

  /** With those that it needs and brings itself. */
  #load(spec: ApplicationSpec): Result {
    const { loaded } = this.table;
    if (loaded.has(spec.name)) return { error: { type: 'already_loaded', application: spec.name } };
    loaded.set(spec.name, new LoadedApplication(spec, this.#config[spec.name] ?? {}));
    for (const needed of spec.applications ?? []) {
      if (typeof needed === 'object' && !loaded.has(needed.name)) this.#load(needed);
    }
    return OK;
  }

  #unload(name: string): Result {
    const { loaded, running } = this.table;
    if (running.has(name) || this.#starting.has(name))
      return { error: { type: 'running', application: name } };
    return loaded.delete(name) ? OK : { error: { type: 'not_loaded', application: name } };
  }

  // ---- starting ------------------------------------------------------------------------------------------------

  #start(name: string, type: StartType, from: From<Result>): void {
    const { loaded, running } = this.table;
    const under = this.#starting.get(name);
    if (under !== undefined) {
      under.froms.push(from);
      return;
    }
    const application = loaded.get(name);
    if (application === undefined) {
      from.reply({ error: { type: 'unknown_application', application: name } });
      return;
    }
    if (running.has(name)) {
      from.reply({ error: { type: 'already_started', application: name } });
      return;
    }
    const optional = new Set(application.spec.optionalApplications);
    const missing = neededBy(application.spec).find(
      (needed) => !running.has(needed) && !optional.has(needed),
    );
    if (missing !== undefined) {
      from.reply({ error: { type: 'not_started', application: missing } });
      return;
    }
    if (application.spec.start === undefined) {
      this.#runs({ application, type, master: null });
      from.reply(OK);
      return;
    }
    const controller = this.self as Pid<never> as Pid<unknown>;
    const master = this.self.spawnLink<never>(
      (self) => new ApplicationMaster(self, controller, application).run(),
      { label: name },
    );
    this.#starting.set(name, { application, type, master, froms: [from] });
    this.table.starting.add(name);
  }

  #reported({ master, error }: MasterReport): void {
    const starting = this.#startingOf(master);
    if (starting === undefined) return;
    const { application, type, froms } = starting;
    const { name } = application.spec;
    this.#starting.delete(name);
    this.table.starting.delete(name);
    if (error === null) this.#runs({ application, type, master });
    for (const from of froms) from.reply(error === null ? OK : { error });
    if (error !== null && type !== 'temporary') this.#giveUp('application_start_failure', name, error);
  }

  #runs(running: RunningApplication): void {
    const { name, version = '0.0.0' } = running.application.spec;
    this.table.running.set(name, running);
    this.self.runtime.emit({
      type: 'application_started',
      application: name,
      version,
      startType: running.type,
    });
  }

  #startingOf(master: Pid): Starting | undefined {
    for (const starting of this.#starting.values()) if (starting.master === master) return starting;
    return undefined;
  }

  // ---- ending --------------------------------------------------------------------------------------------------

  #exited(master: Pid, reason: ExitReason): void {
    const starting = this.#startingOf(master);
    if (starting !== undefined) {
      // Somebody killed it before it could say anything.
      const { name } = starting.application.spec;
      this.#reported(new MasterReport(master, { type: 'start_failed', application: name, reason }));
      return;
    }
    for (const [name, running] of this.table.running) {
      if (running.master !== master) continue;
      this.#ended(name, running, reason);
      const { type } = running;
      const harmless = type === 'temporary' || (type === 'transient' && reason.type === 'normal');
      if (!harmless) this.#giveUp('application_terminated', name, reason);
    }
  }

  #ended(name: string, { application, type }: RunningApplication, reason: ExitReason): void {
    this.table.running.delete(name);
    const { version = '0.0.0' } = application.spec;
    this.self.runtime.emit({
      type: 'application_exited',
      application: name,
      version,
      startType: type,
      reason,
    });
  }

  #giveUp(
    type: ApplicationTerminated['type'],
    application: string,
    reason: ExitReason | ApplicationError,
  ): never {
    const why: ApplicationTerminated = { type, application, reason };
    throw new Exit(ExitReason.custom(why));
  }

  /** While it waits for the application to stop the controller does nothing else, as in OTP. */
  *#stop(name: string): Blocking<Result> {
    const running = this.table.running.get(name);
    if (running === undefined) return { error: { type: 'not_started', application: name } };
    yield* this.#stopMaster(running);
    this.#ended(name, running, ExitReason.normal);
    return OK;
  }

  *#stopMaster({ master }: RunningApplication): Blocking<void> {
    if (master === null) return;
    this.self.send(master as Pid<unknown>, new StopApplication());
    yield* receive(
      (message): message is ExitMessage => message instanceof ExitMessage && message.from === master,
    );
  }

  override *terminate(): Blocking<void> {
    for (const [name, running] of [...this.table.running].reverse()) {
      yield* this.#stopMaster(running);
      this.#ended(name, running, ExitReason.shutdown);
    }
  }

  // ---- configuration -------------------------------------------------------------------------------------------

  *#changeConfig(config: ApplicationConfig): Blocking<readonly ConfigChangeFailed[]> {
    this.#config = config;
    const failed: ConfigChangeFailed[] = [];
    for (const [name, application] of this.table.loaded) {
      const change = application.changeEnv(config[name] ?? {});
      const { spec } = application;
      if (change === null || spec.configChange === undefined || !this.table.running.has(name)) continue;
      try {
        const result = spec.configChange(change as never);
        if (isBlocking(result)) yield* result;
        else if (isPromise(result)) yield* settled(result);
      } catch (thrown) {
        failed.push({ application: name, reason: ExitReason.ofThrown(thrown) });
      }
    }
    return failed;
  }

  // ---- as a behaviour ------------------------------------------------------------------------------------------

  protected getState(): unknown {
    const { loaded, running, starting } = this.table;
    return { loaded: [...loaded.keys()], starting: [...starting], running: [...running.keys()] };
  }

  protected replaceState(): never {
    throw new BadArgument('the applications are what they are: start and stop them');
  }

  protected changeCode(): void {}
}
