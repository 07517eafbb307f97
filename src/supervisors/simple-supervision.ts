import { type Blocking, Exit, ExitReason, type Pid, type Process, type Started } from '../actors/index.js';
import { type CheckedFlags, checkedFlags, checkedTemplate } from './check-spec.js';
import { type CheckedSpec, endedAsAsked, isReported, restarts } from './child-spec.js';
import { ParallelStop } from './parallel-stop.js';
import { Reports } from './reports.js';
import {
  type ChildCounts,
  type ChildInfo,
  done,
  type GetChildSpecResult,
  refused,
  type StartChildResult,
  type SupervisorReply,
  type SupervisorRequest,
  type TerminateChildResult,
  TryAgain,
  UnknownRequest,
} from './requests.js';
import { RestartIntensity } from './restart-intensity.js';
import { checkedArguments, isWaiting, runStart } from './start-child.js';
import { stopNow, stopWaiting } from './stop-child.js';
import type { Supervision } from './supervision.js';

const NO_ARGUMENTS: readonly unknown[] = [];

/** Children of one template that come and go: simple_one_for_one. */
export class SimpleSupervision implements Supervision {
  readonly #self: Process<never>;
  readonly #intensity: RestartIntensity;
  readonly #reports: Reports;
  #flags: CheckedFlags;
  #template: CheckedSpec;
  /** Running children with the arguments of their start; of temporary ones nothing is kept. */
  readonly #children = new Map<Pid, readonly unknown[]>();
  /** Those that are to be tried again, under the pid that they had. */
  readonly #restarting = new Map<Pid, readonly unknown[]>();

  /** Throws an Exit if something is wrong with the specification. */
  constructor(self: Process<never>, spec: object) {
    const flags = checkedFlags(spec);
    this.#self = self;
    this.#flags = flags;
    this.#template = checkedTemplate(spec, flags);
    this.#intensity = new RestartIntensity(flags.intensity, flags.periodMs);
    this.#reports = new Reports(self);
  }

  start(): null {
    return null;
  }

  *terminate(): Blocking<void> {
    const template = this.#template;
    const stop = new ParallelStop(this.#self, (pid, spec, reason) => this.#stopped(pid, spec, reason));
    const children = Array.from(this.#children.keys(), (pid) => [pid, template] as const);
    this.#children.clear();
    this.#restarting.clear();
    yield* stop.stopAll(children);
  }

  update(spec: object): void {
    const flags = checkedFlags(spec);
    this.#template = checkedTemplate(spec, flags);
    this.#flags = flags;
    this.#intensity.change(flags.intensity, flags.periodMs);
  }

  state(): object {
    return { ...this.#flags, restarts: this.#intensity.count, children: this.#whichChildren() };
  }

  // ---- ends and restarts ---------------------------------------------------------------------------------------

  *exited(from: Pid, reason: ExitReason): Blocking<void> {
    const args = this.#children.get(from);
    if (args === undefined) return;
    const { restart, id } = this.#template;
    if (isReported(restart, reason)) this.#reports.terminated(id, from, reason);
    this.#children.delete(from);
    if (restarts(restart, reason)) yield* this.#restart(from, args);
  }

  *tryAgain(old: string | Pid): Blocking<void> {
    const args = typeof old === 'string' ? undefined : this.#restarting.get(old);
    if (args === undefined) return;
    this.#restarting.delete(old as Pid);
    yield* this.#restart(old as Pid, args);
  }

  *#restart(old: Pid, args: readonly unknown[]): Blocking<void> {
    const self = this.#self;
    const { id, start } = this.#template;
    if (!this.#intensity.add(self.runtime.clock.now())) {
      this.#reports.gaveUp(id, ExitReason.shutdown);
      throw new Exit(ExitReason.shutdown);
    }
    const begun = runStart(self, start, args);
    const result = isWaiting(begun) ? yield* begun : begun;
    if (result.error === undefined) {
      this.#add(args, result);
      return;
    }
    this.#reports.startFailed(id, result.error);
    this.#restarting.set(old, args);
    self.deliver(new TryAgain(old));
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  asked(request: SupervisorRequest): SupervisorReply | Blocking<SupervisorReply> {
    switch (request.op) {
      case 'start_child':
        return this.#startChild(request.spec);
      case 'terminate_child':
        return this.#terminateChild(request.child);
      case 'restart_child':
      case 'delete_child':
      case 'which_child':
        return refused('simple_one_for_one');
      case 'which_children':
        return this.#whichChildren();
      case 'count_children':
        return this.#count();
      case 'get_childspec':
        return this.#specOf(request.child);
    }
    throw new UnknownRequest(request);
  }

  #startChild(unchecked: unknown): StartChildResult | Blocking<StartChildResult> {
    let args: readonly unknown[];
    try {
      args = checkedArguments(unchecked);
    } catch (thrown) {
      return { error: { type: 'start_crashed', reason: ExitReason.ofThrown(thrown) } };
    }
    const begun = runStart(this.#self, this.#template.start, args);
    return isWaiting(begun) ? this.#addLater(args, begun) : this.#add(args, begun);
  }

  *#addLater(args: readonly unknown[], begun: Blocking<Started>): Blocking<StartChildResult> {
    return this.#add(args, yield* begun);
  }

  /** One that has nothing to do is not kept. */
  #add(args: readonly unknown[], result: Started): Started {
    if (result.ok !== undefined)
      this.#children.set(result.ok, this.#template.restart === 'temporary' ? NO_ARGUMENTS : args);
    return result;
  }

  #terminateChild(pid: string | Pid): TerminateChildResult | Blocking<TerminateChildResult> {
    if (typeof pid === 'string') return refused('simple_one_for_one');
    if (!this.#children.has(pid)) {
      // As in OTP: one that has ended may have been a child.
      return this.#restarting.delete(pid) || !this.#self.runtime.isAlive(pid) ? done : refused('not_found');
    }
    const reason = stopNow(this.#self, pid, this.#template);
    if (reason === null) return this.#terminateLater(pid);
    this.#children.delete(pid);
    this.#stopped(pid, this.#template, reason);
    return done;
  }

  *#terminateLater(pid: Pid): Blocking<TerminateChildResult> {
    const reason = yield* stopWaiting(this.#self, pid, this.#template);
    this.#children.delete(pid);
    this.#stopped(pid, this.#template, reason);
    return done;
  }

  #stopped(pid: Pid, spec: CheckedSpec, reason: ExitReason): void {
    if (!endedAsAsked(spec, reason)) this.#reports.shutdownFailed(spec.id, pid, reason);
  }

  #whichChildren(): readonly ChildInfo[] {
    const { id, type, modules } = this.#template;
    const running = Array.from(this.#children.keys(), (pid): ChildInfo => ({ id, pid, type, modules }));
    const others = Array.from(this.#restarting, (): ChildInfo => ({ id, pid: 'restarting', type, modules }));
    return [...running, ...others];
  }

  #count(): ChildCounts {
    const active = this.#children.size;
    const all = active + this.#restarting.size;
    const supervisors = this.#template.type === 'supervisor' ? all : 0;
    return { specs: 1, active, supervisors, workers: all - supervisors };
  }

  #specOf(child: string | Pid): GetChildSpecResult {
    const known =
      typeof child === 'string'
        ? child === this.#template.id
        : this.#children.has(child) || this.#restarting.has(child) || !this.#self.runtime.isAlive(child);
    return known ? { ok: this.#template } : refused('not_found');
  }
}
