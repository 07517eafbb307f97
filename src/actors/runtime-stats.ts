import type { ClockTimer } from '../structures/clock.js';
import type { Runtime } from './runtime.js';

/** What a runtime counts of itself, for whoever watches: in this order in `RuntimeOptions.stats`. All but the gauges only grow. */
export const RUNTIME_STATS = [
  /** Turns, and slices in them. */
  'turns',
  'slices',
  /** Milliseconds in slices; of turns of one slice one in 16 is timed. */
  'turnMs',
  /**
   * Messages handled at once on the stack of a sender; and about how many milliseconds that took where the sender was no
   * process but a socket, say: one in 32 is timed.
   */
  'dispatches',
  'dispatchMs',
  /** Milliseconds in which timers fired. */
  'timerMs',
  /** Messages that came into mailboxes, and that were handled. Those that were handled at once are in both. */
  'received',
  'handled',
  /** Slices and callbacks that took long. */
  'longSchedules',
  /** Gauges. Processes there are, those of them that wait for a slice, and those with a backlog. */
  'processes',
  'runQueue',
  'backlogged',
  /** Processes in whose mailbox something waits. */
  'nonEmpty',
  /** Messages that wait, all together, and in the longest mailbox. */
  'waiting',
  'longest',
  /** Of them, those that selective receives have put aside in long mailboxes. */
  'saved',
  /** Moves with all that happens: while it stands still so does everything else that this thread counts, here or elsewhere. */
  'stirs',
] as const;
export type RuntimeStat = (typeof RUNTIME_STATS)[number];

const TURNS = RUNTIME_STATS.indexOf('turns');
const SLICES = RUNTIME_STATS.indexOf('slices');
const TURN_MS = RUNTIME_STATS.indexOf('turnMs');
const DISPATCHES = RUNTIME_STATS.indexOf('dispatches');
const DISPATCH_MS = RUNTIME_STATS.indexOf('dispatchMs');
const TIMER_MS = RUNTIME_STATS.indexOf('timerMs');
const RECEIVED = RUNTIME_STATS.indexOf('received');
const HANDLED = RUNTIME_STATS.indexOf('handled');
const LONG_SCHEDULES = RUNTIME_STATS.indexOf('longSchedules');
const PROCESSES = RUNTIME_STATS.indexOf('processes');
const RUN_QUEUE = RUNTIME_STATS.indexOf('runQueue');
const BACKLOGGED = RUNTIME_STATS.indexOf('backlogged');
const NON_EMPTY = RUNTIME_STATS.indexOf('nonEmpty');
const WAITING = RUNTIME_STATS.indexOf('waiting');
const LONGEST = RUNTIME_STATS.indexOf('longest');
const SAVED = RUNTIME_STATS.indexOf('saved');
const STIRS = RUNTIME_STATS.indexOf('stirs');

/** The run queue is looked at up to here; if it is longer, the rest is taken to be as the part that was seen. */
const SEEN_MAX = 256;
/** How often anything is published at most, in ms. */
const PUBLISH_MS = 20;

/**
 * Publishes the figures of a runtime at the end of turns: some stores into memory that other threads read. Nothing
 * is counted for each message; what waits is counted over the mailboxes that are known to have something in them.
 */
export class RuntimeStats {
  readonly #runtime: Runtime;
  readonly #values: Float64Array;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #timer: ClockTimer | null = null;
  readonly #onTimer = () => {
    this.#timer = null;
    this.publish(this.#runtime.clock.now());
  };

  constructor(runtime: Runtime, values: Float64Array) {
    this.#runtime = runtime;
    this.#values = values;
  }

  /** Something has happened, or is about to: in a turn or outside of one. Seen at once by whoever watches. */
  stirred(): void {
    this.#values[STIRS]! += 1;
  }

  /** A turn is over that looked at the clock at `now`. At most every few milliseconds is anything published, then once more. */
  turned(now: number): void {
    this.stirred();
    if (now - this.#publishedAt >= PUBLISH_MS) this.publish(now);
    else this.#timer ??= this.#runtime.clock.setTimer(this.#onTimer, PUBLISH_MS);
  }

  /** It is `now`. */
  publish(now: number): void {
    this.#publishedAt = now;
    const { turns, timers, processCount, longSchedules } = this.#runtime;
    const values = this.#values;
    values[TURNS] = turns.turns;
    values[SLICES] = turns.slices;
    values[TURN_MS] = turns.turnMs;
    values[DISPATCHES] = turns.dispatches;
    values[DISPATCH_MS] = turns.dispatchMs;
    values[TIMER_MS] = timers.busyMs;
    values[LONG_SCHEDULES] = longSchedules;
    values[PROCESSES] = processCount;
    values[RUN_QUEUE] = turns.length;
    this.#count();
    const handled = turns.handled + turns.dispatches;
    values[HANDLED] = handled;
    // Without a look at each message: what came was handled, or waits. It does not fall when what waits is thrown away.
    values[RECEIVED] = Math.max(values[RECEIVED]!, handled + values[WAITING]!);
  }

  #count(): void {
    const { turns, mailboxes } = this.#runtime;
    const values = this.#values;
    const counted = turns.waiting(SEEN_MAX);
    const known = mailboxes.waiting();
    values[BACKLOGGED] = mailboxes.backlogged;
    values[NON_EMPTY] = turns.length + known.aside;
    values[WAITING] = counted.messages + known.messages;
    values[LONGEST] = Math.max(counted.longest, known.longest);
    values[SAVED] = known.saved;
  }
}
