import {
  BadArgument,
  CallMessage,
  DownMessage,
  Exit,
  ExitMessage,
  ExitReason,
  type From,
  type Pid,
  type Process,
  type Receiver,
  type Ref,
  type Runtime,
  type StartResult,
  StopMessage,
  TimeoutMessage,
  type Timer,
} from '../actors/index.js';
import { type CheckedSpec, type ChildSpec, checkSpec, restarts, type Shutdown } from './child-spec.js';
import {
  type ChildCounts,
  type ChildInfo,
  type StopChildResult,
  type SupervisorReply,
  type SupervisorRequest,
  TryAgain,
} from './requests.js';
import { RestartIntensity } from './restart-intensity.js';
import { endedAsAsked } from './shutdown.js';
import { runStart } from './start-child.js';
import type { SupervisorPid, SupervisorStart } from './supervisor.js';

/**
 * A supervisor of any number of like children that come and go: one for each connection, say. OTP's
 * simple_one_for_one as Elixir's DynamicSupervisor improved it: every child brings its own specification.
 *
 *     const { ok: sessions } = DynamicSupervisor.start(runtime, { label: 'sessions', maxChildren: 100_000 });
 *     const child = DynamicSupervisor.startChild(runtime, sessions, {
 *       id: 'session', restart: 'temporary', start: (supervisor) => supervisor.spawnLink((self) => new Session(self, socket)),
 *     });
 *
 * Starting is O(1) and works at once, on the caller's stack. A temporary child costs the supervisor its place in two
 * tables, about 100 bytes; its specification is not kept. Children have no order: they are stopped all at the same
 * time, each with the time of its own `shutdown`, and stopping one does not keep the supervisor from its other work.
 */
export interface DynamicSupervisorSpec {
  readonly label?: string;
  readonly name?: string;
  /** Restarts that are allowed in `periodMs`. Default 1. */
  readonly intensity?: number;
  /** Default 5000. */
  readonly periodMs?: number;
  /** More are refused with `max_children`. Default: no limit but that of processes. */
  readonly maxChildren?: number;
}

export const DynamicSupervisor = {
  /** Starts one that nobody is linked with. */
  start(runtime: Runtime, spec: DynamicSupervisorSpec): SupervisorStart {
    return startDynamic(runtime, null, spec);
  },

  /** Starts one linked with `parent`. Throws a {@link BadArgument} for a bad specification. */
  startLink(parent: Process<never>, spec: DynamicSupervisorSpec): SupervisorStart {
    return startDynamic(parent.runtime, parent, spec);
  },

  /** One as a child of another supervisor. */
  child(
    id: string,
    spec: DynamicSupervisorSpec,
    overrides: Partial<Omit<ChildSpec, 'id' | 'start'>> = {},
  ): ChildSpec {
    return {
      id,
      type: 'supervisor',
      start: (supervisor) => startDynamic(supervisor.runtime, supervisor, { label: id, ...spec }),
      ...overrides,
    };
  },

  /** Starts a child, at once. Its `id` is for reports only and need not be unique. */
  startChild<M = never>(
    runtime: Runtime,
    supervisor: SupervisorPid | string,
    spec: Omit<ChildSpec, 'significant'>,
  ): StartResult<M> {
    const outcome = runtime.callNow<StartResult<M>>(supervisor, { op: 'start_child', spec });
    return outcome.ok ? outcome.value : { error: outcome.reason };
  },

  /** Stops a child and forgets it. */
  terminateChild(runtime: Runtime, supervisor: SupervisorPid | string, child: Pid): Promise<StopChildResult> {
    return runtime.call(supervisor, { op: 'terminate_child', child }, Number.POSITIVE_INFINITY);
  },

  whichChildren(runtime: Runtime, supervisor: SupervisorPid | string): Promise<readonly ChildInfo[]> {
    return runtime.call(supervisor, { op: 'which_children' }, Number.POSITIVE_INFINITY);
  },

  countChildren(runtime: Runtime, supervisor: SupervisorPid | string): Promise<ChildCounts> {
    return runtime.call(supervisor, { op: 'count_children' }, Number.POSITIVE_INFINITY);
  },
} as const;

function startDynamic(
  runtime: Runtime,
  parent: Process<never> | null,
  spec: DynamicSupervisorSpec,
): SupervisorStart {
  if (spec.name !== undefined) {
    const holder = runtime.whereis(spec.name);
    if (holder !== undefined) return { error: { type: 'already_started', pid: holder } };
  }
  const { maxChildren = Number.POSITIVE_INFINITY } = spec;
  if (!(maxChildren >= 0)) throw new BadArgument(`bad maxChildren: ${String(maxChildren)}`);
  const intensity = new RestartIntensity(spec.intensity ?? 1, spec.periodMs ?? 5000);
  const pid = runtime.spawn<never>((self) => new DynamicReceiver(self, parent, intensity, maxChildren), {
    label: spec.label ?? spec.name ?? 'dynamic_supervisor',
    trapExit: true,
    ...(spec.name === undefined ? {} : { name: spec.name }),
    ...(parent === null ? {} : { link: parent }),
  });
  const error = runtime.exitReasonOf(pid);
  return error === null ? { ok: pid } : { error };
}

/** What of a specification is kept for a temporary child: shared by all of the same kind. */
function forgetful(): never {
  throw new BadArgument('a temporary child is not started again');
}

/** A child that was asked to end. */
interface Stopping {
  readonly ref: Ref;
  readonly timer: Timer | null;
  readonly from: From<SupervisorReply> | null;
}

class DynamicReceiver implements Receiver<never> {
  readonly #self: Process<never>;
  readonly #parent: Process<never> | null;
  readonly #intensity: RestartIntensity;
  readonly #maxChildren: number;
  /** Running children; and those that wait for another try, under the pid that they had. */
  readonly #children = new Map<Pid, CheckedSpec>();
  readonly #restarting = new Set<Pid>();
  readonly #stopping = new Map<Pid, Stopping>();
  /** The kinds of temporary children seen. */
  readonly #kinds: CheckedSpec[] = [];
  #ending: ExitReason | null = null;

  constructor(
    self: Process<never>,
    parent: Process<never> | null,
    intensity: RestartIntensity,
    maxChildren: number,
  ) {
    this.#self = self;
    this.#parent = parent;
    this.#intensity = intensity;
    this.#maxChildren = maxChildren;
  }

  receive(message: unknown): void {
    if (message instanceof ExitMessage) this.#exited(message.from, message.reason);
    else if (message instanceof DownMessage) this.#down(message);
    else if (message instanceof TimeoutMessage) this.#timeIsOver(message);
    else if (message instanceof CallMessage) this.#asked(message.request as SupervisorRequest, message.from);
    else if (message instanceof TryAgain) this.#tryAgain(message.child as Pid);
    else if (message instanceof StopMessage) this.#end(message.reason);
  }

  // ---- ends of children ----------------------------------------------------------------------------------------

  #exited(from: Pid, reason: ExitReason): void {
    if (from === (this.#parent as unknown)) {
      this.#end(reason);
      return;
    }
    const spec = this.#children.get(from);
    // Of those that were asked to end the DOWN is waited for.
    if (spec === undefined || this.#stopping.has(from) || this.#restarting.has(from)) return;
    const again = restarts(spec.restart, reason);
    if (again || (reason.type !== 'normal' && reason.type !== 'shutdown')) {
      this.#emit({ type: 'child_terminated', id: idOf(spec, from), pid: from, reason });
    }
    if (again) this.#restart(from, spec);
    else this.#children.delete(from);
  }

  #restart(old: Pid, spec: CheckedSpec): void {
    const self = this.#self;
    if (!this.#intensity.add(self.runtime.clock.now())) {
      this.#emit({ type: 'supervisor_gave_up', id: spec.id, reason: ExitReason.shutdown });
      this.#forget(old);
      this.#end(ExitReason.shutdown);
      return;
    }
    const result = this.#start(spec);
    if (result.error !== undefined) {
      this.#restarting.add(old);
      self.deliver(new TryAgain(old));
      return;
    }
    this.#forget(old);
    if (result.ok !== undefined) this.#children.set(result.ok, spec);
  }

  #tryAgain(old: Pid): void {
    if (this.#ending === null && this.#restarting.has(old)) this.#restart(old, this.#children.get(old)!);
  }

  #forget(pid: Pid): void {
    this.#children.delete(pid);
    this.#restarting.delete(pid);
  }

  // ---- starting and stopping -----------------------------------------------------------------------------------

  #startChild(spec: ChildSpec): StartResult {
    if (this.#ending !== null) return { error: ExitReason.busy };
    if (this.#children.size >= this.#maxChildren) return { error: ExitReason.maxChildren };
    let checked: CheckedSpec;
    try {
      checked = checkSpec(spec);
    } catch (thrown) {
      return { error: ExitReason.ofThrown(thrown) };
    }
    const result = this.#start(checked);
    if (result.ok !== undefined) {
      this.#children.set(result.ok, checked.restart === 'temporary' ? this.#kindOf(checked) : checked);
    }
    return result;
  }

  #start(spec: CheckedSpec): StartResult {
    const result = runStart(this.#self, spec);
    if (result.error !== undefined)
      this.#emit({ type: 'child_start_failed', id: spec.id, reason: result.error });
    return result;
  }

  /** One object for all temporary children that are to be stopped alike. */
  #kindOf(spec: CheckedSpec): CheckedSpec {
    for (const kind of this.#kinds) {
      if (kind.shutdown === spec.shutdown && kind.type === spec.type && kind.id === spec.id) return kind;
    }
    const kind: CheckedSpec = { ...spec, start: forgetful };
    // Ids are meant to be few; if they are not, the specifications are kept after all.
    if (this.#kinds.length < KINDS_MAX) this.#kinds.push(kind);
    return kind;
  }

  #stop(pid: Pid, spec: CheckedSpec, from: From<SupervisorReply> | null): void {
    const { runtime } = this.#self;
    runtime.exit(pid, spec.shutdown === 'brutal_kill' ? ExitReason.kill : ExitReason.shutdown);
    const reason = pid.scheduler === runtime.scheduler ? runtime.exitReasonOf(pid) : null;
    if (reason !== null) {
      this.#stopped(pid, spec, reason);
      from?.reply('ok');
      return;
    }
    // Alone it has a timer of its own; when all are stopped, all those with the same time share one.
    const timer =
      typeof spec.shutdown === 'number' && this.#ending === null
        ? this.#self.startTimer(spec.shutdown, new KillOne(pid))
        : null;
    this.#stopping.set(pid, { ref: this.#self.monitor(pid), timer, from });
  }

  #stopped(pid: Pid, spec: CheckedSpec, reason: ExitReason): void {
    this.#forget(pid);
    this.#self.unlink(pid);
    if (!endedAsAsked(spec, reason)) {
      this.#emit({ type: 'child_shutdown_failed', id: idOf(spec, pid), pid, reason });
    }
  }

  #down({ ref, from, reason }: DownMessage): void {
    const pid = from as Pid;
    const stopping = this.#stopping.get(pid);
    if (stopping === undefined || stopping.ref !== ref) return;
    this.#stopping.delete(pid);
    if (stopping.timer !== null) this.#self.cancelTimer(stopping.timer);
    this.#stopped(pid, this.#children.get(pid)!, reason);
    stopping.from?.reply('ok');
    this.#endIfDone();
  }

  #timeIsOver({ message }: TimeoutMessage): void {
    const { runtime } = this.#self;
    if (message instanceof KillOne) {
      if (this.#stopping.has(message.pid)) runtime.exit(message.pid, ExitReason.kill);
      return;
    }
    for (const pid of this.#stopping.keys()) {
      if (this.#children.get(pid)!.shutdown === message) runtime.exit(pid, ExitReason.kill);
    }
  }

  /** Stops everything at the same time, then ends. */
  #end(reason: ExitReason): void {
    if (this.#ending !== null) return;
    this.#ending = reason;
    for (const old of [...this.#restarting]) this.#forget(old);
    const times = new Set<Shutdown>();
    for (const [pid, spec] of [...this.#children]) {
      if (this.#stopping.has(pid)) continue;
      this.#stop(pid, spec, null);
      if (typeof spec.shutdown === 'number' && this.#stopping.has(pid)) times.add(spec.shutdown);
    }
    for (const time of times) this.#self.startTimer(time as number, time);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#ending !== null && this.#stopping.size === 0) throw new Exit(this.#ending);
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  #asked(request: SupervisorRequest, from: From<SupervisorReply>): void {
    switch (request.op) {
      case 'start_child':
        from.reply(this.#startChild(request.spec));
        return;
      case 'terminate_child':
        this.#terminateChild(request.child, from);
        return;
      case 'which_children':
        from.reply(
          [...this.#children].reverse().map(([pid, spec]) => ({
            id: idOf(spec, pid),
            pid: this.#restarting.has(pid) ? 'restarting' : pid,
            type: spec.type,
          })),
        );
        return;
      case 'count_children':
        from.reply(this.#count());
        return;
      case 'get_childspec':
        from.reply(
          (typeof request.child === 'string' ? undefined : this.#children.get(request.child)) ?? 'not_found',
        );
        return;
      default:
        // restart_child and delete_child: children that do not run are not known.
        from.reply('not_found');
        return;
    }
  }

  #terminateChild(pid: string | Pid, from: From<SupervisorReply>): void {
    const spec = typeof pid === 'string' ? undefined : this.#children.get(pid);
    if (typeof pid === 'string' || spec === undefined || this.#stopping.has(pid)) {
      from.reply('not_found');
    } else if (this.#restarting.has(pid)) {
      this.#forget(pid);
      from.reply('ok');
    } else {
      this.#stop(pid, spec, from);
    }
  }

  #count(): ChildCounts {
    let supervisors = 0;
    for (const spec of this.#children.values()) if (spec.type === 'supervisor') supervisors++;
    const specs = this.#children.size;
    return { specs, active: specs - this.#restarting.size, supervisors, workers: specs - supervisors };
  }

  #emit(event: DynamicReport): void {
    const self = this.#self;
    self.runtime.emit({ supervisor: self, label: self.label, ...event });
  }
}

const KINDS_MAX = 64;

class KillOne {
  constructor(readonly pid: Pid) {}
}

type DynamicReport =
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

function idOf(spec: CheckedSpec, pid: Pid): string {
  return spec.id === '' ? String(pid) : spec.id;
}
