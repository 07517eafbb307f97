import type { Clock } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import { BadArgument } from './bad-argument.js';
import type { MailboxSpill } from './mailbox-spill.js';
import type { NameTable } from './name-table.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import type { Priority } from './process-flag.js';
import type { Router } from './router.js';
import type { Runtime } from './runtime.js';
import type { EventSink } from './runtime-event.js';
import type { SliceGuard } from './slice-guard.js';
import type { Name } from './via.js';

/** What processes get before others have their turn. */
export interface Budgets {
  /** Messages that a process may handle before other processes get their turn. Default 64. */
  readonly sliceMessages: number;
  /**
   * Milliseconds after which it gives way to them even so. Default 1. The clock is not read after each message: a process
   * that was quick and gets slow all of a sudden is noticed after three slices at most.
   */
  readonly sliceMs: number;
  /** Milliseconds after which all processes give way to the event loop, and so to sockets. Default 5. */
  readonly turnMs: number;
}

export interface RuntimeOptions extends Partial<Budgets> {
  readonly clock: Clock;
  readonly random: Random;
  /** Number of this scheduler among those of the node. Default 0. */
  readonly scheduler?: number;
  /** Takes what is for processes of other schedulers. Without one there are none. */
  readonly router?: Router;
  /** The names of all schedulers together. Without one this scheduler has names of its own. */
  readonly names?: NameTable;
  /**
   * Slices of at least this many milliseconds are reported. 0, the default: none, and no clock is read for it. Nor is it
   * with a guard: its watchdog finds them, with its own limit.
   */
  readonly longScheduleMs?: number;
  /** A process with more messages than this waiting (give or take 64) is ended with `mailbox_overflow`. Default 2^24. */
  readonly mailboxMax?: number;
  /**
   * Makes what keeps the middle of long mailboxes outside of the heap. A message that was there is a copy of what was sent,
   * and equal to it but for its identity, as long as nobody changes a message that he has sent or received. Not with
   * `freezeMessages`. Without one, the default, all messages stay on the heap.
   */
  readonly spill?: (runtime: Runtime) => MailboxSpill;
  /** Lets a watchdog cut off a process that runs for too long. One for each thread. Without one nobody can. */
  readonly guard?: SliceGuard;
  /**
   * For debugging: messages are frozen when they are sent (plain objects and arrays, with all that they hold), so that
   * whoever changes one afterwards gets a TypeError. Default false.
   */
  readonly freezeMessages?: boolean;
  /** Where the figures of {@link RUNTIME_STATS} are written at the end of each turn: memory that other threads may read. */
  readonly stats?: Float64Array;
  /** Takes what the core reports; see {@link RuntimeEvent}. */
  readonly events?: EventSink;
}

export interface SpawnOptions {
  /** What people call it. Default: the name, or `process`. */
  readonly label?: string;
  /** Registered before the start function runs. Throws a {@link BadArgument} if it is taken. */
  readonly name?: Name;
  /** The name is this scheduler's own, even if the node has a table of names: others may use it for theirs. Default false. */
  readonly localName?: boolean;
  /** Linked with this process before the start function runs. */
  readonly link?: Pid;
  /** This process monitors the new one from before the start function runs. */
  readonly monitor?: Process<never>;
  readonly trapExit?: boolean;
  /** Default normal. */
  readonly priority?: Priority;
}

/** @internal */
export function budgetsOf({ sliceMessages = 64, sliceMs = 1, turnMs = 5 }: RuntimeOptions): Budgets {
  return { sliceMessages, sliceMs, turnMs };
}

/** @internal Throws a {@link BadArgument} that names the bad value. */
export function checkBudgets({ sliceMessages, sliceMs, turnMs }: Budgets): void {
  if (!Number.isInteger(sliceMessages) || sliceMessages < 1)
    throw new BadArgument(`bad sliceMessages: ${sliceMessages}`);
  if (!(sliceMs > 0)) throw new BadArgument(`bad sliceMs: ${sliceMs}`);
  if (!(turnMs > 0)) throw new BadArgument(`bad turnMs: ${turnMs}`);
}

/** Throws a {@link BadArgument} that names the bad value. */
export function checkRuntimeOptions(options: RuntimeOptions): void {
  const { scheduler = 0, longScheduleMs = 0, mailboxMax = 1 } = options;
  if (!Number.isInteger(scheduler) || scheduler < 0) throw new BadArgument(`bad scheduler: ${scheduler}`);
  checkBudgets(budgetsOf(options));
  if (!(longScheduleMs >= 0)) throw new BadArgument(`bad longScheduleMs: ${longScheduleMs}`);
  if (!(mailboxMax >= 1)) throw new BadArgument(`bad mailboxMax: ${mailboxMax}`);
}
