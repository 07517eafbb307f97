import {
  type ExitReason,
  formatReason,
  type Pid,
  type Process,
  type Started,
  type StartOutcome,
  type StartResult,
  started,
} from '../../src/actors/index.js';
import type { ChildSpec, SupervisorPid, SupervisorSpec } from '../../src/supervisors/index.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { reasonOf, World } from '../actors/world.js';

export interface Behaviour {
  /** Traps exits, and stops when its supervisor asks. */
  readonly traps?: boolean;
  /** Traps exits and ignores the supervisor. */
  readonly naughty?: boolean;
  /** How long it takes to stop when asked, in ms. */
  readonly stopMs?: number;
  /** Unlinks itself from the supervisor when it has started. */
  readonly unlinks?: boolean;
}

/** A world with children that announce what happens to them in `log`. */
export class Nursery extends World {
  readonly log: string[] = [];
  /** Results of the next starts of a child, in the place of a process. */
  readonly nextStarts = new Map<string, (StartResult | (() => never))[]>();
  readonly #latest = new Map<string, Process<string>>();

  /** The latest process of a child. */
  pid(id: string): Pid<string> {
    return this.#latest.get(id)!;
  }

  child(id: string, spec: Partial<ChildSpec> = {}, behaviour: Behaviour = {}): ChildSpec {
    return { id, start: (supervisor) => this.#start(supervisor, id, behaviour), ...spec };
  }

  /** The log since the last time. */
  take(): string[] {
    return this.log.splice(0);
  }

  /** Ends a child from within. */
  crash(id: string, reason: ExitReason = { type: 'custom', value: 'boom' }): void {
    this.runtime.finish(this.#latest.get(id)! as never, reason);
    this.runtime.flush();
  }

  supervisor(spec: SupervisorSpec): SupervisorPid {
    const started = Supervisor.start(this.runtime, spec);
    if (started.ok === undefined)
      throw new Error(started.error === undefined ? 'ignore or pending' : formatReason(started.error));
    return started.ok;
  }

  alive(...ids: string[]): string[] {
    return ids.filter((id) => this.runtime.isAlive(this.pid(id)));
  }

  /** The outcome of a promise of the runtime, which needs a flush, and perhaps time, to come about. */
  async settle<T>(promise: Promise<T>, ms = 0): Promise<T> {
    this.advance(ms);
    return promise;
  }

  /** What comes of a start, when it is no longer pending. */
  outcomeOf<P extends Pid>(result: StartOutcome<P>): Started<P>[] {
    const outcomes: Started<P>[] = [];
    this.runtime.spawn(function* () {
      outcomes.push(yield* started(result));
    });
    this.runtime.flush();
    return outcomes;
  }

  #start(supervisor: Process<never>, id: string, behaviour: Behaviour): Pid | StartResult {
    const next = this.nextStarts.get(id)?.shift();
    if (next !== undefined) {
      this.log.push(`try ${id}`);
      return typeof next === 'function' ? next() : next;
    }
    return supervisor.spawnLink<string>(
      (self) => {
        this.log.push(`start ${id}`);
        this.#latest.set(id, self);
        self.trapExit =
          behaviour.traps === true || behaviour.naughty === true || behaviour.stopMs !== undefined;
        self.onExit({
          processExited: (_, reason) => void this.log.push(`end ${id} ${String(reasonOf(reason))}`),
        });
        if (behaviour.unlinks) self.unlink(supervisor);
        return {
          receive: (message) => {
            if (message === 'stop now') self.exit({ type: 'shutdown' });
            if (typeof message === 'string' || message.type !== 'EXIT' || behaviour.naughty) return;
            if (message.from !== (supervisor as unknown)) return;
            if (behaviour.stopMs === undefined) self.exit(message.reason);
            else self.sendAfter(behaviour.stopMs, 'stop now');
          },
        };
      },
      { label: id },
    );
  }
}
