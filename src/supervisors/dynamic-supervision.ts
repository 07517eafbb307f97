import {
  BadArgument,
  type Blocking,
  Exit,
  ExitReason,
  type From,
  type Pid,
  type Process,
  type Started,
} from '../actors/index.js';
import { badSpec, checkedFlags, checkSpec } from './check-spec.js';
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
  TryAgain,
  UnknownRequest,
} from './requests.js';
import { RestartIntensity } from './restart-intensity.js';
import { isWaiting, runStart } from './start-child.js';
import type { Supervision } from './supervision.js';

/** Kinds of temporary children that are kept as one; more keep their specifications after all. */
const KINDS_MAX = 64;

/** What is kept of temporary children, and what was said of them: without what was filled in. */
interface Kind {
  readonly said: Partial<CheckedSpec>;
  readonly kept: CheckedSpec;
}

/** The limits of a dynamic supervisor, with everything filled in. */
interface Limits {
  readonly intensity: number;
  readonly periodMs: number;
  readonly maxChildren: number;
  readonly extraArguments: readonly unknown[];
}

/** Any number of children that come and go, each with its own specification. */
export class DynamicSupervision implements Supervision {
  readonly #self: Process<never>;
  readonly #intensity: RestartIntensity;
  readonly #reports: Reports;
  readonly #stop: ParallelStop;
  #limits: Limits;
  /** Running children; and those that wait for another try, under the pid that they had. */
  readonly #children = new Map<Pid, CheckedSpec>();
  readonly #restarting = new Set<Pid>();
  #supervisors = 0;
  /** The kinds of temporary children seen. */
  readonly #kinds: Kind[] = [];

  /** Throws an Exit if something is wrong with the specification. */
  constructor(self: Process<never>, spec: object) {
    this.#self = self;
    this.#limits = checkLimits(spec);
    this.#intensity = new RestartIntensity(this.#limits.intensity, this.#limits.periodMs);
    this.#reports = new Reports(self);
    this.#stop = new ParallelStop(self, (pid, child, reason) => {
      this.#forget(pid, child);
      if (!endedAsAsked(child, reason)) this.#reports.shutdownFailed(idOf(child, pid), pid, reason);
    });
  }

  start(): null {
    return null;
  }

  *terminate(): Blocking<void> {
    for (const old of [...this.#restarting]) this.#forget(old, this.#children.get(old)!);
    yield* this.#stop.stopAll([...this.#children]);
  }

  update(spec: object): void {
    this.#limits = checkLimits(spec);
    this.#intensity.change(this.#limits.intensity, this.#limits.periodMs);
  }

  state(): object {
    return { ...this.#limits, restarts: this.#intensity.count, children: this.#whichChildren() };
  }

  other(message: unknown): void {
    this.#stop.handle(message);
  }

  // ---- ends and restarts ---------------------------------------------------------------------------------------

  exited(from: Pid, reason: ExitReason): Blocking<void> | undefined {
    const spec = this.#children.get(from);
    // Of those that were asked to end the DOWN is waited for.
    if (spec === undefined || this.#stop.has(from) || this.#isRestarting(from)) return undefined;
    if (isReported(spec.restart, reason)) this.#reports.terminated(idOf(spec, from), from, reason);
    if (restarts(spec.restart, reason)) return this.#restart(from, spec);
    this.#forget(from, spec);
    return undefined;
  }

  tryAgain(old: string | Pid): Blocking<void> | undefined {
    if (typeof old === 'string' || !this.#restarting.has(old)) return undefined;
    return this.#restart(old, this.#children.get(old)!);
  }

  *#restart(old: Pid, spec: CheckedSpec): Blocking<void> {
    const self = this.#self;
    if (!this.#intensity.add(self.runtime.clock.now())) {
      this.#reports.gaveUp(idOf(spec, old), ExitReason.shutdown);
      this.#forget(old, spec);
      throw new Exit(ExitReason.shutdown);
    }
    const begun = runStart(self, spec.start, this.#limits.extraArguments);
    const result = isWaiting(begun) ? yield* begun : begun;
    if (result.error !== undefined) {
      this.#reports.startFailed(spec.id, result.error);
      this.#restarting.add(old);
      self.deliver(new TryAgain(old));
      return;
    }
    this.#forget(old, spec);
    this.#add(spec, result);
  }

  #isRestarting(pid: Pid): boolean {
    return this.#restarting.size > 0 && this.#restarting.has(pid);
  }

  #forget(pid: Pid, { type }: CheckedSpec): void {
    this.#children.delete(pid);
    if (this.#restarting.size > 0) this.#restarting.delete(pid);
    if (type === 'supervisor') this.#supervisors--;
  }

  #add(spec: CheckedSpec, { ok }: Started): void {
    if (ok === undefined) return;
    this.#children.set(ok, spec);
    if (spec.type === 'supervisor') this.#supervisors++;
  }

  /** One object for all temporary children that are to be stopped alike; null: such a one was not seen yet. */
  #kindOf(spec: Partial<CheckedSpec>): CheckedSpec | null {
    if (spec.restart !== 'temporary' || spec.significant === true) return null;
    for (const { said, kept } of this.#kinds) {
      if (
        said.id === spec.id &&
        said.shutdown === spec.shutdown &&
        said.type === spec.type &&
        said.modules === spec.modules
      )
        return kept;
    }
    return null;
  }

  /** What is kept of a specification: of a temporary child not its start function. */
  #keep(unchecked: object, spec: CheckedSpec): CheckedSpec {
    if (spec.restart !== 'temporary') return spec;
    const kept: CheckedSpec = { ...spec, start: forgetful };
    const { start: _start, ...said } = unchecked as Partial<CheckedSpec>;
    // Ids are meant to be few; if they are not, each child has an object of its own after all.
    if (this.#kinds.length < KINDS_MAX) this.#kinds.push({ said, kept });
    return kept;
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  asked(
    request: SupervisorRequest,
    from: From<SupervisorReply>,
  ): SupervisorReply | Blocking<SupervisorReply> | null {
    switch (request.op) {
      case 'start_child':
        return this.#startChild(request.spec);
      case 'terminate_child':
        return this.#terminateChild(request.child, from);
      case 'which_children':
        return this.#whichChildren();
      case 'count_children':
        return this.#count();
      case 'get_childspec':
        return this.#specOf(request.child);
      case 'restart_child':
      case 'delete_child':
      case 'which_child':
        // Children that do not run are not known, and those that do have no ids.
        return refused('not_found');
    }
    throw new UnknownRequest(request);
  }

  #startChild(unchecked: unknown): StartChildResult | Blocking<StartChildResult> {
    if (this.#children.size >= this.#limits.maxChildren) return { error: ExitReason.maxChildren };
    const { start } = (unchecked ?? {}) as Partial<CheckedSpec>;
    let kept = typeof start === 'function' ? this.#kindOf(unchecked as Partial<CheckedSpec>) : null;
    if (kept === null) {
      const { ok: spec, flaw } = checkSpec(unchecked, 'never');
      if (flaw !== undefined) return { error: badSpec('child_spec', flaw) };
      kept = this.#keep(unchecked as object, spec);
    }
    const begun = runStart(this.#self, start!, this.#limits.extraArguments);
    if (isWaiting(begun)) return this.#addLater(kept, begun);
    this.#started(kept, begun);
    return begun;
  }

  *#addLater(spec: CheckedSpec, begun: Blocking<Started>): Blocking<StartChildResult> {
    const result = yield* begun;
    this.#started(spec, result);
    return result;
  }

  #started(spec: CheckedSpec, result: Started): void {
    if (result.error !== undefined) this.#reports.startFailed(spec.id, result.error);
    else this.#add(spec, result);
  }

  /** Answers when the child has ended; other work goes on meanwhile. */
  #terminateChild(pid: string | Pid, from: From<SupervisorReply>): SupervisorReply | null {
    const spec = typeof pid === 'string' ? undefined : this.#children.get(pid);
    if (typeof pid === 'string' || spec === undefined || this.#stop.has(pid)) return refused('not_found');
    if (this.#isRestarting(pid)) {
      this.#forget(pid, spec);
      return done;
    }
    this.#stop.stop(pid, spec, () => from.reply(done));
    return null;
  }

  #whichChildren(): readonly ChildInfo[] {
    const children = Array.from(
      this.#children,
      ([pid, spec]): ChildInfo => ({
        id: idOf(spec, pid),
        pid: this.#restarting.has(pid) ? 'restarting' : pid,
        type: spec.type,
        modules: spec.modules,
      }),
    );
    return children.reverse();
  }

  #count(): ChildCounts {
    const specs = this.#children.size;
    const supervisors = this.#supervisors;
    return { specs, active: specs - this.#restarting.size, supervisors, workers: specs - supervisors };
  }

  #specOf(child: string | Pid): GetChildSpecResult {
    const spec = typeof child === 'string' ? undefined : this.#children.get(child);
    return spec === undefined ? refused('not_found') : { ok: spec };
  }
}

/** What of a specification is kept for a temporary child: shared by all of the same kind. */
function forgetful(): never {
  throw new BadArgument('a temporary child is not started again');
}

function idOf(spec: CheckedSpec, pid: Pid): string {
  return spec.id === '' ? String(pid) : spec.id;
}

/** Throws an Exit that names the flaw. */
function checkLimits(spec: object): Limits {
  const { strategy, intensity, periodMs } = checkedFlags(spec);
  const { maxChildren = Number.POSITIVE_INFINITY, extraArguments = [] } = spec as Partial<Limits>;
  const bad = (problem: string, value: unknown) => new Exit(badSpec('supervisor_data', { problem, value }));
  if (strategy !== 'one_for_one') throw bad('invalid_strategy', strategy);
  if (!(maxChildren >= 0)) throw bad('invalid_max_children', maxChildren);
  if (!Array.isArray(extraArguments)) throw bad('invalid_extra_arguments', extraArguments);
  return { intensity, periodMs, maxChildren, extraArguments: extraArguments as readonly unknown[] };
}
