import {
  Asking,
  BadArgument,
  type Blocking,
  ExitReason,
  type Pid,
  type Process,
  type SchedulerWatcher,
  type Started,
  Wait,
} from '../actors/index.js';
import { ExitMessage } from '../actors/system-message.js';
import { Token } from '../actors/wait.js';
import type { ChildFields, ChildSpec } from '../supervisors/index.js';
import type { RingRouter } from './ring-router.js';
import { placeOf } from './scheduler-number.js';
import { START_SERVER_ID, type StartReply, type StartRequest } from './start-server.js';

/** How long to wait for a scheduler that is not there, in ms: as long as a thread may take to be started again. */
const SCHEDULER_WAIT_MS = 10_000;

/** A child on another scheduler: a child specification with the name of a start function in the place of one. */
export interface PlacedChildSpec extends Omit<ChildFields, 'start'>, Pick<ChildSpec, 'restart'> {
  /** The place of the scheduler; whichever incarnation is there when it is started. */
  readonly place: number;
  /** Name of the function in the StartTable. */
  readonly start: string;
  /** Copied on their way: anything that a message may be. */
  readonly args?: readonly unknown[];
  /**
   * How long a start waits for the scheduler if there is none at that place, in ms; then it has failed with
   * `noconnection`. Default 10,000: a scheduler that has died takes its children with it, and while it is replaced their
   * supervisor should not use up its restarts.
   */
  readonly waitMs?: number;
}

/**
 * The specification of a child that lives on another scheduler. For its supervisor it is a child like any other:
 * started, linked, stopped, restarted; when its scheduler dies it ends with `noconnection`.
 *
 *     Supervisor.start(runtime, {
 *       children: [placedChild(router, { id: 'counter', place: 2, start: 'counter', args: [5] })],
 *     });
 */
export function placedChild(router: RingRouter, spec: PlacedChildSpec): ChildSpec {
  const { place, start, args = [], waitMs = SCHEDULER_WAIT_MS, ...fields } = spec;
  if (!Number.isInteger(place) || place < 0) throw new BadArgument(`child ${spec.id}: bad place: ${place}`);
  if (typeof start !== 'string') throw new BadArgument(`child ${spec.id}: bad start: ${String(start)}`);
  if (!(waitMs >= 0)) throw new BadArgument(`child ${spec.id}: bad waitMs: ${waitMs}`);
  return { ...fields, start: (supervisor) => startOn(supervisor, router, place, start, args, waitMs) };
}

/**
 * Has a process started on the scheduler at `place` by the function of that name, linked with `self`, whose child it is;
 * waits for what comes of it. For generators: `const { ok } = yield* startOn(self, router, 2, 'counter', [5])`.
 */
export function* startOn(
  self: Process<never>,
  router: RingRouter,
  place: number,
  start: string,
  args: readonly unknown[] = [],
  waitMs = SCHEDULER_WAIT_MS,
): Blocking<Started> {
  const { runtime } = self;
  const scheduler = yield* new SchedulerAt(router, place, waitMs);
  if (scheduler === null) return { error: ExitReason.noconnection };
  const server = runtime.pid(scheduler, START_SERVER_ID);
  const request: StartRequest = { start, args };
  const outcome = yield* new Asking<StartReply>(server, request, Number.POSITIVE_INFINITY);
  if (!outcome.ok) return { error: outcome.reason };
  const reply = outcome.value;
  if (reply instanceof ExitMessage) return { error: reply.reason };
  if ('ignore' in reply) return { ignore: true };
  // It was linked at the other end already; one that lives on a third scheduler was not.
  if (reply.ok.scheduler !== scheduler) self.link(reply.ok);
  return 'info' in reply ? { ok: reply.ok as Pid, info: reply.info } : { ok: reply.ok };
}

class Up extends Token {}

/** Waits until there is a scheduler at a place: its number, or null when the time is over. */
class SchedulerAt extends Wait<number | null> implements SchedulerWatcher {
  readonly #router: RingRouter;
  readonly #place: number;
  readonly #up = new Up();
  #self: Process<never> | null = null;

  constructor(
    router: RingRouter,
    place: number,
    readonly afterMs: number,
  ) {
    super();
    this.#router = router;
    this.#place = place;
  }

  override begin(self: Process<never>): void {
    this.#self = self;
    if (this.#router.at(this.#place) !== undefined) {
      self.deliver(this.#up);
      return;
    }
    this.#router.watch(this);
    self.onExit(this);
  }

  schedulerUp(scheduler: number): void {
    if (placeOf(scheduler) !== this.#place) return;
    this.#done();
    this.#self?.deliver(this.#up);
  }

  processExited(): void {
    this.#router.unwatch(this);
  }

  matches(message: unknown): boolean {
    return message === this.#up;
  }

  finish(): number | null {
    // It may be gone again: then asking it fails at once.
    return this.#router.at(this.#place) ?? null;
  }

  expired(): null {
    this.#done();
    return null;
  }

  #done(): void {
    this.#router.unwatch(this);
    this.#self?.offExit(this);
  }
}
