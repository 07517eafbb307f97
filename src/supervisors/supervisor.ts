import {
  BadArgument,
  CallMessage,
  Exit,
  ExitMessage,
  ExitReason,
  type From,
  type Pid,
  type Process,
  type Receiver,
  type Runtime,
  type ServerPid,
  type StartResult,
  StopMessage,
} from '../actors/index.js';
import { Fifo } from '../structures/fifo.js';
import { type CheckedSpec, type ChildSpec, checkSpec, restarts } from './child-spec.js';
import {
  type ChildCounts,
  type ChildInfo,
  type DeleteChildResult,
  type RestartChildResult,
  type StopChildResult,
  type SupervisorCalls,
  type SupervisorReply,
  type SupervisorRequest,
  TryAgain,
} from './requests.js';
import { RestartIntensity } from './restart-intensity.js';
import { endedAsAsked, ShutdownSequence, type Stoppable } from './shutdown.js';
import { runStart } from './start-child.js';

/** What happens to the others when a child is restarted: nothing; all are; those started after it are. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** Whether the supervisor ends when one, or the last, of its significant children has ended by itself. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/**
 * A supervisor: starts children from left to right, restarts those that end, stops them in reverse. OTP's supervisor.
 *
 *     const spec: SupervisorSpec = {
 *       label: 'chat',
 *       strategy: 'rest_for_one',
 *       children: [
 *         { id: 'registry', start: (supervisor) => Registry.startLink(supervisor) },
 *         Supervisor.child('sessions', DynamicSupervisor.…),
 *       ],
 *     };
 *     const { ok } = Supervisor.start(runtime, spec);
 *
 * **Restarts.** More than `intensity` of them in `periodMs` and the supervisor stops everything and ends with
 * `shutdown`. A restart that fails is tried again by way of a message to itself, and each try counts.
 *
 * **Stopping.** A child is asked with `shutdown` and killed after its `shutdown` time. The supervisor cannot stand
 * still meanwhile as OTP's does; it keeps the messages that come and goes on with them afterwards, in order.
 *
 * **Asking it.** `Supervisor.startChild` works at once, on the caller's stack, and gives `{ error: busy }` while the
 * supervisor stops a child. The others give promises; a process sends the {@link SupervisorCalls} with `self.request`.
 */
export interface SupervisorSpec {
  readonly label?: string;
  readonly name?: string;
  /** Default one_for_one. */
  readonly strategy?: Strategy;
  /** Restarts that are allowed in `periodMs`. Default 1. */
  readonly intensity?: number;
  /** Default 5000. */
  readonly periodMs?: number;
  /** Default never. */
  readonly autoShutdown?: AutoShutdown;
  readonly children?: readonly ChildSpec[];
}

export type SupervisorPid = ServerPid<SupervisorCalls>;

/** What came of starting a supervisor. */
export type SupervisorStart =
  | { readonly ok: SupervisorPid; readonly ignore?: undefined; readonly error?: undefined }
  | Exclude<StartResult, { readonly ok: Pid }>;

export const Supervisor = {
  /** Starts a supervisor that nobody is linked with: the root of a tree. */
  start(runtime: Runtime, spec: SupervisorSpec): SupervisorStart {
    return startSupervisor(runtime, null, spec);
  },

  /** Starts a supervisor linked with `parent`. Throws a {@link BadArgument} for a bad specification. */
  startLink(parent: Process<never>, spec: SupervisorSpec): SupervisorStart {
    return startSupervisor(parent.runtime, parent, spec);
  },

  /** A supervisor as a child of another. */
  child(
    id: string,
    spec: SupervisorSpec,
    overrides: Partial<Omit<ChildSpec, 'id' | 'start'>> = {},
  ): ChildSpec {
    return {
      id,
      type: 'supervisor',
      start: (supervisor) => startSupervisor(supervisor.runtime, supervisor, { label: id, ...spec }),
      ...overrides,
    };
  },

  /** Adds and starts a child, at once. */
  startChild(runtime: Runtime, supervisor: SupervisorPid | string, spec: ChildSpec): StartResult {
    const outcome = runtime.callNow<StartResult>(supervisor, { op: 'start_child', spec });
    return outcome.ok ? outcome.value : { error: outcome.reason };
  },

  /** Stops a child. Its specification stays, unless it is temporary. */
  terminateChild(
    runtime: Runtime,
    supervisor: SupervisorPid | string,
    child: string | Pid,
  ): Promise<StopChildResult> {
    return runtime.call(supervisor, { op: 'terminate_child', child }, Number.POSITIVE_INFINITY);
  },

  /** Starts a child that was stopped or not restarted. */
  restartChild(
    runtime: Runtime,
    supervisor: SupervisorPid | string,
    id: string,
  ): Promise<RestartChildResult> {
    return runtime.call(supervisor, { op: 'restart_child', id }, Number.POSITIVE_INFINITY);
  },

  /** Forgets a child that does not run. */
  deleteChild(runtime: Runtime, supervisor: SupervisorPid | string, id: string): Promise<DeleteChildResult> {
    return runtime.call(supervisor, { op: 'delete_child', id }, Number.POSITIVE_INFINITY);
  },

  /** The children, the one added last first. */
  whichChildren(runtime: Runtime, supervisor: SupervisorPid | string): Promise<readonly ChildInfo[]> {
    return runtime.call(supervisor, { op: 'which_children' }, Number.POSITIVE_INFINITY);
  },

  countChildren(runtime: Runtime, supervisor: SupervisorPid | string): Promise<ChildCounts> {
    return runtime.call(supervisor, { op: 'count_children' }, Number.POSITIVE_INFINITY);
  },
} as const;

function startSupervisor(
  runtime: Runtime,
  parent: Process<never> | null,
  spec: SupervisorSpec,
): SupervisorStart {
  if (spec.name !== undefined) {
    const holder = runtime.whereis(spec.name);
    if (holder !== undefined) return { error: { type: 'already_started', pid: holder } };
  }
  const checked = checkSupervisorSpec(spec);
  const intensity = new RestartIntensity(spec.intensity ?? 1, spec.periodMs ?? 5000);
  let failed: ExitReason | null = null;
  const pid = runtime.spawn<never>(
    (self) => {
      const supervisor = new SupervisorReceiver(self, parent, spec, intensity, checked);
      failed = supervisor.startChildren();
      return supervisor;
    },
    {
      label: spec.label ?? spec.name ?? 'supervisor',
      trapExit: true,
      ...(spec.name === undefined ? {} : { name: spec.name }),
      ...(parent === null ? {} : { link: parent }),
    },
  );
  const error = failed ?? runtime.exitReasonOf(pid);
  return error === null ? { ok: pid } : { error };
}

/** Throws a {@link BadArgument} that names the bad value. */
function checkSupervisorSpec(spec: SupervisorSpec): CheckedSpec[] {
  const { strategy = 'one_for_one', autoShutdown = 'never' } = spec;
  if (strategy !== 'one_for_one' && strategy !== 'one_for_all' && strategy !== 'rest_for_one') {
    throw new BadArgument(`bad strategy: ${String(strategy)}`);
  }
  if (autoShutdown !== 'never' && autoShutdown !== 'any_significant' && autoShutdown !== 'all_significant') {
    throw new BadArgument(`bad autoShutdown: ${String(autoShutdown)}`);
  }
  const children = (spec.children ?? []).map((child) => checkChild(child, autoShutdown));
  const ids = new Set<string>();
  for (const { id } of children) {
    if (ids.has(id)) throw new BadArgument(`two children have the id ${id}`);
    ids.add(id);
  }
  return children;
}

function checkChild(spec: ChildSpec, autoShutdown: AutoShutdown): CheckedSpec {
  const checked = checkSpec(spec);
  if (checked.significant && (checked.restart === 'permanent' || autoShutdown === 'never')) {
    const why =
      checked.restart === 'permanent' ? 'it is permanent' : 'the supervisor never shuts down by itself';
    throw new BadArgument(`child ${checked.id}: bad significant: ${why}`);
  }
  return checked;
}

class Child {
  pid: Pid | null = null;
  /** A restart failed, and a message to try again is under way. */
  restarting = false;

  constructor(readonly spec: CheckedSpec) {}
}

class SupervisorReceiver implements Receiver<never> {
  readonly #self: Process<never>;
  readonly #parent: Process<never> | null;
  readonly #strategy: Strategy;
  readonly #autoShutdown: AutoShutdown;
  readonly #intensity: RestartIntensity;
  /** In the order of starting. */
  readonly #children = new Map<string, Child>();
  readonly #byPid = new Map<Pid, Child>();
  readonly #shutdown: ShutdownSequence;
  /** What came while a child was being stopped. */
  readonly #later = new Fifo<unknown>();
  #ending = false;

  constructor(
    self: Process<never>,
    parent: Process<never> | null,
    spec: SupervisorSpec,
    intensity: RestartIntensity,
    children: CheckedSpec[],
  ) {
    this.#self = self;
    this.#parent = parent;
    this.#strategy = spec.strategy ?? 'one_for_one';
    this.#autoShutdown = spec.autoShutdown ?? 'never';
    this.#intensity = intensity;
    for (const child of children) this.#children.set(child.id, new Child(child));
    this.#shutdown = new ShutdownSequence(self, (child, reason) => this.#stopped(child, reason));
  }

  /** The first start of all children. If one fails, what was started is stopped, and the reason returned. */
  startChildren(): ExitReason | null {
    const failed = this.#startAll([...this.#children.values()]);
    if (failed === null) return null;
    const reason: ExitReason = {
      type: 'shutdown',
      detail: { type: 'failed_to_start_child', id: failed.child.spec.id, reason: failed.reason },
    };
    this.#self.unlink(this.#parent ?? this.#self);
    this.#end(reason);
    return reason;
  }

  receive(message: unknown): void {
    if (this.#shutdown.active) {
      if (this.#shutdown.handle(message)) this.#goOn();
      else this.#postpone(message);
      return;
    }
    this.#handle(message);
    this.#goOn();
  }

  #goOn(): void {
    while (!this.#shutdown.active && this.#later.length > 0) this.#handle(this.#later.shift());
  }

  #postpone(message: unknown): void {
    if (message instanceof CallMessage && message.from.immediate) return;
    // Its mailbox is being emptied into this queue, so the mailbox's own bound has to hold for it.
    if (this.#later.length >= this.#self.runtime.mailboxMax) throw new Exit(ExitReason.mailboxOverflow);
    this.#later.push(message);
  }

  #handle(message: unknown): void {
    if (message instanceof ExitMessage) this.#exited(message.from, message.reason);
    else if (message instanceof CallMessage) this.#asked(message.request as SupervisorRequest, message.from);
    else if (message instanceof TryAgain) this.#tryAgain(message.child as Child);
    else if (message instanceof StopMessage) this.#end(message.reason);
  }

  // ---- ends of children ----------------------------------------------------------------------------------------

  #exited(from: Pid, reason: ExitReason): void {
    if (from === (this.#parent as unknown)) {
      this.#end(reason);
      return;
    }
    const child = this.#byPid.get(from);
    if (child === undefined) return;
    this.#byPid.delete(from);
    child.pid = null;
    const again = restarts(child.spec.restart, reason);
    if (again || (reason.type !== 'normal' && reason.type !== 'shutdown'))
      this.#report('child_terminated', child, from, reason);
    if (again) {
      this.#restart(child);
      return;
    }
    this.#forgetTemporary(child);
    if (this.#endsWith(child)) this.#end(ExitReason.shutdown);
  }

  #endsWith(child: Child): boolean {
    if (!child.spec.significant || this.#autoShutdown === 'never') return false;
    if (this.#autoShutdown === 'any_significant') return true;
    for (const other of this.#children.values()) {
      if (other.spec.significant && (other.pid !== null || other.restarting)) return false;
    }
    return true;
  }

  #tryAgain(child: Child): void {
    // It may have been stopped, started or forgotten since.
    if (child.restarting && this.#children.get(child.spec.id) === child) this.#restart(child);
  }

  #restart(child: Child): void {
    const self = this.#self;
    if (!this.#intensity.add(self.runtime.clock.now())) {
      this.#emit({ type: 'supervisor_gave_up', id: child.spec.id, reason: ExitReason.shutdown });
      child.restarting = false;
      this.#forgetTemporary(child);
      this.#end(ExitReason.shutdown);
      return;
    }
    if (this.#strategy === 'one_for_one') {
      this.#startAgain([child]);
      return;
    }
    const all = [...this.#children.values()];
    const affected = this.#strategy === 'one_for_all' ? all : all.slice(all.indexOf(child));
    this.#stop(affected, () => {
      this.#startAgain(affected.filter((one) => this.#children.get(one.spec.id) === one));
    });
  }

  #startAgain(children: readonly Child[]): void {
    const failed = this.#startAll(children);
    if (failed === null) return;
    failed.child.restarting = true;
    this.#self.deliver(new TryAgain(failed.child));
  }

  // ---- starting and stopping -----------------------------------------------------------------------------------

  #startAll(children: readonly Child[]): { readonly child: Child; readonly reason: ExitReason } | null {
    for (const child of children) {
      const result = this.#start(child);
      if (result.error !== undefined) return { child, reason: result.error };
    }
    return null;
  }

  #start(child: Child): StartResult {
    const result = runStart(this.#self, child.spec);
    if (result.error !== undefined) {
      this.#emit({ type: 'child_start_failed', id: child.spec.id, reason: result.error });
      return result;
    }
    child.restarting = false;
    child.pid = result.ok ?? null;
    if (child.pid === null) {
      this.#forgetTemporary(child);
    } else {
      this.#byPid.set(child.pid, child);
    }
    this.#emit({ type: 'child_started', id: child.spec.id, pid: child.pid });
    return result;
  }

  /** Stops those of the children that run, in reverse, then calls `done`. Temporary ones are forgotten. */
  #stop(children: readonly Child[], done: () => void): void {
    const running: Stoppable[] = [];
    for (const child of children) {
      child.restarting = false;
      if (child.pid !== null) running.push({ pid: child.pid, spec: child.spec });
      else this.#forgetTemporary(child);
    }
    this.#shutdown.stop(running.reverse(), done);
  }

  #stopped({ pid, spec }: Stoppable, reason: ExitReason): void {
    const child = this.#byPid.get(pid)!;
    this.#byPid.delete(pid);
    child.pid = null;
    if (!endedAsAsked(spec, reason)) this.#report('child_shutdown_failed', child, pid, reason);
    this.#forgetTemporary(child);
  }

  #forgetTemporary(child: Child): void {
    if (child.spec.restart === 'temporary') this.#children.delete(child.spec.id);
  }

  /** Stops everything, then ends. */
  #end(reason: ExitReason): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#later.clear();
    this.#stop([...this.#children.values()], () => {
      throw new Exit(reason);
    });
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  #asked(request: SupervisorRequest, from: From<SupervisorReply>): void {
    switch (request.op) {
      case 'start_child':
        from.reply(this.#startChild(request.spec));
        return;
      case 'terminate_child': {
        const child = this.#find(request.child);
        if (child === undefined) from.reply('not_found');
        else this.#stop([child], () => from.reply('ok'));
        return;
      }
      case 'restart_child':
        from.reply(this.#restartChild(request.id));
        return;
      case 'delete_child':
        from.reply(this.#deleteChild(request.id));
        return;
      case 'which_children':
        from.reply([...this.#children.values()].reverse().map(describe));
        return;
      case 'count_children':
        from.reply(this.#count());
        return;
      case 'get_childspec':
        from.reply(this.#find(request.child)?.spec ?? 'not_found');
        return;
    }
  }

  #find(child: string | Pid): Child | undefined {
    return typeof child === 'string' ? this.#children.get(child) : this.#byPid.get(child);
  }

  #startChild(spec: ChildSpec): StartResult {
    let checked: CheckedSpec;
    try {
      checked = checkChild(spec, this.#autoShutdown);
    } catch (thrown) {
      return { error: ExitReason.ofThrown(thrown) };
    }
    const known = this.#children.get(checked.id);
    if (known !== undefined) {
      return {
        error: known.pid === null ? ExitReason.alreadyPresent : { type: 'already_started', pid: known.pid },
      };
    }
    const child = new Child(checked);
    this.#children.set(checked.id, child);
    const result = this.#start(child);
    if (result.error !== undefined) this.#children.delete(checked.id);
    return result;
  }

  #restartChild(id: string): RestartChildResult {
    const child = this.#children.get(id);
    if (child === undefined) return 'not_found';
    if (child.restarting) return 'restarting';
    if (child.pid !== null) return 'running';
    return this.#start(child);
  }

  #deleteChild(id: string): DeleteChildResult {
    const child = this.#children.get(id);
    if (child === undefined) return 'not_found';
    if (child.restarting) return 'restarting';
    if (child.pid !== null) return 'running';
    this.#children.delete(id);
    return 'ok';
  }

  #count(): ChildCounts {
    let supervisors = 0;
    for (const child of this.#children.values()) if (child.spec.type === 'supervisor') supervisors++;
    const specs = this.#children.size;
    return { specs, active: this.#byPid.size, supervisors, workers: specs - supervisors };
  }

  // ---- reports -------------------------------------------------------------------------------------------------

  #report(
    type: 'child_terminated' | 'child_shutdown_failed',
    child: Child,
    pid: Pid,
    reason: ExitReason,
  ): void {
    this.#emit({ type, id: child.spec.id, pid, reason });
  }

  #emit(event: SupervisorReport): void {
    const self = this.#self;
    self.runtime.emit({ supervisor: self, label: self.label, ...event });
  }
}

type SupervisorReport =
  | { readonly type: 'child_started'; readonly id: string; readonly pid: Pid | null }
  | {
      readonly type: 'child_terminated' | 'child_shutdown_failed';
      readonly id: string;
      readonly pid: Pid;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'child_start_failed' | 'supervisor_gave_up';
      readonly id: string;
      readonly reason: ExitReason;
    };

function describe(child: Child): ChildInfo {
  return { id: child.spec.id, pid: child.restarting ? 'restarting' : child.pid, type: child.spec.type };
}
