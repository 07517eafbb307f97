import { type Blocking, Exit, ExitReason, type Pid, type Process, type Started } from '../actors/index.js';
import { badSpec, type CheckedFlags, checkedFlags, checkedSpecs, checkSpec } from './check-spec.js';
import { type CheckedSpec, endedAsAsked, isReported, restarts } from './child-spec.js';
import { type Child, Children } from './children.js';
import { Reports } from './reports.js';
import {
  type ChildInfo,
  type DeleteChildResult,
  done,
  type GetChildSpecResult,
  type RestartChildResult,
  refused,
  type StartChildResult,
  type SupervisorReply,
  type SupervisorRequest,
  type TerminateChildResult,
  TryAgain,
  UnknownRequest,
  type WhichChildResult,
} from './requests.js';
import { RestartIntensity } from './restart-intensity.js';
import { isWaiting, runStart } from './start-child.js';
import { stopNow, stopWaiting } from './stop-child.js';
import type { Supervision } from './supervision.js';

const NO_ARGUMENTS: readonly unknown[] = [];

/** A child that could not be started. */
interface Failed {
  readonly child: Child;
  readonly reason: ExitReason;
}

/** Children in an order: one_for_one, one_for_all, rest_for_one. */
export class OrderedSupervision implements Supervision {
  readonly #self: Process<never>;
  readonly #children: Children;
  readonly #intensity: RestartIntensity;
  readonly #reports: Reports;
  #flags: CheckedFlags;

  /** Throws an Exit if something is wrong with the specification. */
  constructor(self: Process<never>, spec: object) {
    const flags = checkedFlags(spec);
    const specs = checkedSpecs(spec, flags);
    this.#self = self;
    this.#flags = flags;
    this.#children = new Children(self.runtime);
    this.#intensity = new RestartIntensity(flags.intensity, flags.periodMs);
    this.#reports = new Reports(self);
    for (const spec of specs) this.#children.add(spec);
  }

  *start(): Blocking<ExitReason | null> {
    const failed = yield* this.#startAll([...this.#children.from(this.#children.first)]);
    if (failed === null) return null;
    yield* this.terminate();
    return ExitReason.shutdownWith(failedToStart(failed.child.spec, failed.reason));
  }

  *terminate(): Blocking<void> {
    yield* this.#stopAll([...this.#children.youngestFirst()]);
  }

  update(spec: object): void {
    const flags = checkedFlags(spec);
    const specs = checkedSpecs(spec, flags);
    this.#flags = flags;
    this.#intensity.change(flags.intensity, flags.periodMs);
    this.#children.update(specs);
  }

  state(): object {
    return { ...this.#flags, restarts: this.#intensity.count, children: this.#whichChildren() };
  }

  // ---- ends and restarts ---------------------------------------------------------------------------------------

  exited(from: Pid, reason: ExitReason): Blocking<void> | undefined {
    const child = this.#children.ofPid(from);
    if (child === undefined) return undefined;
    const { restart, id } = child.spec;
    if (isReported(restart, reason)) this.#reports.terminated(id, from, reason);
    if (restarts(restart, reason)) {
      this.#children.setPid(child, null);
      return this.#restart(child);
    }
    this.#children.ended(child);
    if (this.#endsWith(child)) throw new Exit(ExitReason.shutdown);
    return undefined;
  }

  tryAgain(id: string | Pid): Blocking<void> | undefined {
    const child = typeof id === 'string' ? this.#children.get(id) : undefined;
    // It may have been stopped or forgotten, or started with others, since.
    return child?.restarting ? this.#restart(child) : undefined;
  }

  /** Whether the supervisor ends since this child has ended by itself. */
  #endsWith({ spec }: Child): boolean {
    const { autoShutdown } = this.#flags;
    if (!spec.significant || autoShutdown === 'never') return false;
    return autoShutdown === 'any_significant' || this.#children.significant === 0;
  }

  #restart(child: Child): Blocking<void> | undefined {
    if (!this.#intensity.add(this.#self.runtime.clock.now())) {
      this.#reports.gaveUp(child.spec.id, ExitReason.shutdown);
      this.#children.ended(child);
      throw new Exit(ExitReason.shutdown);
    }
    const { strategy } = this.#flags;
    if (strategy !== 'one_for_one') {
      return this.#restartFrom(strategy === 'one_for_all' ? this.#children.first! : child);
    }
    const begun = runStart(this.#self, child.spec.start, NO_ARGUMENTS);
    if (isWaiting(begun)) return this.#restartWaiting(child, begun);
    this.#tried(child, begun);
    return undefined;
  }

  *#restartWaiting(child: Child, begun: Blocking<Started>): Blocking<void> {
    this.#tried(child, yield* begun);
  }

  /** Stops this child and all behind it, and starts them again. */
  *#restartFrom(first: Child): Blocking<void> {
    const affected = [...this.#children.from(first)];
    yield* this.#stopAll(affected.toReversed());
    // Temporary ones are not known any more.
    const again = affected.filter((one) => this.#children.get(one.spec.id) === one);
    const failed = yield* this.#startAll(again);
    if (failed !== null) this.#willBeTried(failed.child);
  }

  /** What came of a start that is tried again when it fails. */
  #tried(child: Child, result: Started): void {
    if (result.error === undefined) {
      this.#started(child, result);
      return;
    }
    this.#reports.startFailed(child.spec.id, result.error);
    this.#willBeTried(child);
  }

  #willBeTried(child: Child): void {
    this.#children.willBeTried(child);
    this.#self.deliver(new TryAgain(child.spec.id));
  }

  // ---- starting and stopping -----------------------------------------------------------------------------------

  *#startAll(children: readonly Child[]): Blocking<Failed | null> {
    for (const child of children) {
      const begun = runStart(this.#self, child.spec.start, NO_ARGUMENTS);
      const result = isWaiting(begun) ? yield* begun : begun;
      if (result.error !== undefined) {
        this.#reports.startFailed(child.spec.id, result.error);
        return { child, reason: result.error };
      }
      this.#started(child, result);
    }
    return null;
  }

  #started(child: Child, { ok }: Started): void {
    if (ok === undefined) {
      this.#children.ended(child);
    } else {
      this.#children.setPid(child, ok);
      this.#reports.started(child.spec.id, ok);
    }
  }

  /** One after the other. What is temporary is forgotten. */
  *#stopAll(children: readonly Child[]): Blocking<void> {
    for (const child of children) {
      const { pid, spec } = child;
      if (pid !== null) {
        const reason = stopNow(this.#self, pid, spec) ?? (yield* stopWaiting(this.#self, pid, spec));
        this.#stopped(pid, spec, reason);
      }
      this.#children.ended(child);
    }
  }

  #stopped(pid: Pid, spec: CheckedSpec, reason: ExitReason): void {
    if (!endedAsAsked(spec, reason)) this.#reports.shutdownFailed(spec.id, pid, reason);
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  asked(request: SupervisorRequest): SupervisorReply | Blocking<SupervisorReply> {
    switch (request.op) {
      case 'start_child':
        return this.#startChild(request.spec);
      case 'terminate_child':
        return this.#terminateChild(request.child);
      case 'restart_child':
        return this.#restartChild(request.id);
      case 'delete_child':
        return this.#deleteChild(request.id);
      case 'which_children':
        return this.#whichChildren();
      case 'which_child':
        return this.#whichChild(request.id);
      case 'count_children':
        return this.#count();
      case 'get_childspec':
        return this.#specOf(request.child);
    }
    throw new UnknownRequest(request);
  }

  #startChild(unchecked: unknown): StartChildResult | Blocking<StartChildResult> {
    const { ok: spec, flaw } = checkSpec(unchecked, this.#flags.autoShutdown);
    if (flaw !== undefined) return { error: badSpec('child_spec', flaw) };
    const known = this.#children.get(spec.id);
    if (known !== undefined) {
      return {
        error: known.pid === null ? ExitReason.alreadyPresent : { type: 'already_started', pid: known.pid },
      };
    }
    const begun = runStart(this.#self, spec.start, NO_ARGUMENTS);
    return isWaiting(begun) ? this.#addLater(spec, begun) : this.#add(spec, begun);
  }

  *#addLater(spec: CheckedSpec, begun: Blocking<Started>): Blocking<StartChildResult> {
    return this.#add(spec, yield* begun);
  }

  #add(spec: CheckedSpec, result: Started): StartChildResult {
    if (result.error !== undefined) {
      if (result.error.type === 'already_started') return result;
      return { error: failedToStart(spec, result.error) };
    }
    if (result.ignore !== true || spec.restart !== 'temporary')
      this.#started(this.#children.add(spec), result);
    return result;
  }

  #terminateChild(id: string | Pid): TerminateChildResult | Blocking<TerminateChildResult> {
    const child = typeof id === 'string' ? this.#children.get(id) : undefined;
    if (child === undefined) return refused('not_found');
    const { pid, spec } = child;
    if (pid !== null) {
      const reason = stopNow(this.#self, pid, spec);
      if (reason === null) return this.#terminateLater(child, pid);
      this.#stopped(pid, spec, reason);
    }
    this.#children.ended(child);
    return done;
  }

  *#terminateLater(child: Child, pid: Pid): Blocking<TerminateChildResult> {
    this.#stopped(pid, child.spec, yield* stopWaiting(this.#self, pid, child.spec));
    this.#children.ended(child);
    return done;
  }

  #restartChild(id: string): RestartChildResult | Blocking<RestartChildResult> {
    const child = this.#children.get(id);
    if (child === undefined) return refused('not_found');
    if (child.isThere) return refused(child.restarting ? 'restarting' : 'running');
    const begun = runStart(this.#self, child.spec.start, NO_ARGUMENTS);
    return isWaiting(begun) ? this.#restartLater(child, begun) : this.#restarted(child, begun);
  }

  *#restartLater(child: Child, begun: Blocking<Started>): Blocking<RestartChildResult> {
    return this.#restarted(child, yield* begun);
  }

  #restarted(child: Child, result: Started): RestartChildResult {
    if (result.error === undefined) this.#started(child, result);
    return result;
  }

  #deleteChild(id: string): DeleteChildResult {
    const child = this.#children.get(id);
    if (child === undefined) return refused('not_found');
    if (child.isThere) return refused(child.restarting ? 'restarting' : 'running');
    this.#children.remove(child);
    return done;
  }

  #whichChildren(): readonly ChildInfo[] {
    return Array.from(this.#children.youngestFirst(), describe);
  }

  #whichChild(id: string): WhichChildResult {
    const child = this.#children.get(id);
    return child === undefined ? refused('not_found') : { ok: describe(child) };
  }

  #specOf(id: string | Pid): GetChildSpecResult {
    const child = typeof id === 'string' ? this.#children.get(id) : undefined;
    return child === undefined ? refused('not_found') : { ok: child.spec };
  }

  #count() {
    const { size, active, supervisors } = this.#children;
    return { specs: size, active, supervisors, workers: size - supervisors };
  }
}

function describe({ spec, pid, restarting }: Child): ChildInfo {
  return { id: spec.id, pid: restarting ? 'restarting' : pid, type: spec.type, modules: spec.modules };
}

function failedToStart({ id }: CheckedSpec, reason: ExitReason): ExitReason {
  return { type: 'failed_to_start_child', id, reason };
}
