import type { Activity, DecayingRates } from './activity.js';
import { handlerOf } from './handler-of.js';
import type { TopBy } from './mailbox-monitor.js';
import { formatPid } from './pid.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import { receiverOf } from './receiver-of.js';
import type { Runtime } from './runtime.js';

/** One process and its mailbox, for people: everything in it can be cloned and written as JSON. */
export interface MailboxReport {
  /** As it is written: `<0.17.0>`. */
  readonly pid: string;
  readonly scheduler: number;
  /** With the scheduler's number it is the pid: `runtime.pid(scheduler, id)`. */
  readonly id: number;
  readonly label: string;
  /** Its registered name. */
  readonly name: string | null;
  /** Labels of the processes above it, topmost first. */
  readonly path: readonly string[];
  /** What it runs, or will run next: `Session.receive(send)`. Empty: nothing waits. */
  readonly handler: string;
  readonly running: boolean;
  readonly suspended: boolean;
  /** Messages that wait: now, and the most that ever did. */
  readonly length: number;
  readonly longest: number;
  /** Of them, those put aside by a selective receive. */
  readonly saved: number;
  /** Messages that came, were handled and were sent since it began (modulo 2^32). */
  readonly received: number;
  readonly handled: number;
  readonly sent: number;
  /** Messages for each second, decaying over 1, 10 and 100 s: came, handled, sent. */
  readonly inRate: DecayingRates;
  readonly outRate: DecayingRates;
  readonly sentRate: DecayingRates;
  /** How long the oldest message that waits has waited. Of one without a backlog 0, as are the next three. */
  readonly oldestMs: number;
  /** For how long nothing has been handled although something waits; 0: it goes on. */
  readonly stalledMs: number;
  /** How long a message that comes now will wait if it goes on as lately; null: nothing is handled. */
  readonly delayMs: number | null;
  /** In how long it will be empty if it goes on as lately; null: it is not draining. */
  readonly drainMs: number | null;
}

/** The processes of a runtime with the longest mailboxes, the most messages a second, or the oldest messages: the most first. */
export function topMailboxes(runtime: Runtime, by: TopBy, count: number): MailboxReport[] {
  return runtime.mailboxes.top(by, count).map((activity) => reportOf(activity.process, activity));
}

/** The processes of a runtime that have a backlog, at most `count`: if there are more, those with the longest mailboxes. */
export function backloggedMailboxes(runtime: Runtime, count: number): MailboxReport[] {
  return runtime.mailboxes.backlog(count).map((activity) => reportOf(activity.process, activity));
}

/** The report of one process; null if it has ended or is elsewhere. The rates of one that nobody has looked at before begin now. */
export function mailboxReport(runtime: Runtime, id: number): MailboxReport | null {
  const process = runtime.process(id);
  return process?.alive === true ? reportOf(process, runtime.mailboxes.activityOf(process)) : null;
}

const STILL: DecayingRates = { per1: 0, per10: 0, per100: 0 };

function reportOf(process: Process<never>, activity: Activity | null): MailboxReport {
  const { runtime, messageQueueLength } = process;
  return {
    pid: formatPid(process),
    scheduler: runtime.scheduler,
    id: process.id,
    label: process.label,
    name: process.registeredName,
    path: runtime.pathOf(process),
    handler: process.mailboxLength === 0 ? '' : handlerOf(process, 'receive', process.first),
    running: (process.flags & ProcessFlag.running) !== 0,
    suspended:
      (process.flags & ProcessFlag.suspended) !== 0 || receiverOf(process).behaviour?.suspended === true,
    length: messageQueueLength,
    longest: process.mailboxLongest,
    saved: messageQueueLength - process.mailboxLength,
    received: process.received,
    handled: process.handled,
    sent: process.sent,
    inRate: activity?.in ?? STILL,
    outRate: activity?.out ?? STILL,
    sentRate: activity?.sent ?? STILL,
    oldestMs: activity?.oldestMs ?? 0,
    stalledMs: activity?.stalledMs ?? 0,
    delayMs: finite(activity?.delayMs),
    drainMs: finite(activity?.drainMs),
  };
}

function finite(ms: number | undefined): number | null {
  return ms === undefined || ms === Number.POSITIVE_INFINITY ? null : ms;
}
