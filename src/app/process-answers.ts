import type { DecayingRates } from '../actors/activity.js';
import { sys } from '../actors/behaviours/sys.js';
import { CallFailed } from '../actors/calls.js';
import { Exited, ExitReason } from '../actors/exit-reason.js';
import { mailboxReport } from '../actors/mailbox-report.js';
import { formatPid, type Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import { ProcessFlag } from '../actors/process-flag.js';
import { receiverOf } from '../actors/receiver-of.js';
import { CastMessage } from '../actors/request.js';
import type { Runtime } from '../actors/runtime.js';
import type {
  ProcessOperation,
  ProcessOutcome,
  ProcessQuery,
  ProcessReport,
  ProcessRow,
  Rates,
  Some,
} from '../ops/processes.js';
import type { Answers } from './answers.js';
import { ClaimedWork } from './claimed-work.js';
import { type Outline, outline } from './outline.js';

/** Slots that one question looks through: a million processes are walked through in steps. */
const SLOTS_A_QUESTION = 50_000;
/** Of links and monitors, in a report. */
const PIDS_SHOWN = 20;
/** How long a behaviour may take to show its state, or to suspend itself: it does so in its turn. */
const SYS_MS = 500;
const MESSAGE_OUTLINE = { depth: 3, entries: 12, chars: 300 } as const;
const STATE_OUTLINE = { depth: 4, entries: 20, chars: 4000 } as const;

/** A part of a thread's processes. */
export interface ProcessStep {
  readonly rows: readonly ProcessRow[];
  /** The slot to go on with; null: there are no more. */
  readonly next: number | null;
}

export interface StepQuery extends Pick<ProcessQuery, 'label' | 'name' | 'mailboxMin' | 'limit'> {
  readonly from: number;
}

interface ProcessOrder {
  readonly id: number;
  readonly operation: ProcessOperation;
  /** Of a {@link ClaimedWork}. */
  readonly work: SharedArrayBuffer;
}

/** There is no such process, or it must not be done: told to the operator by the main thread with this status. */
export class ProcessRefused extends Error {
  constructor(status: 404 | 409 | 503, message: string) {
    super(message);
    // The name is all that travels beside the message.
    this.name = `ProcessRefused${status}`;
  }
}

/** What a thread tells of its processes, and does to them, when an operator asks. */
export function registerProcesses(answers: Answers, runtime: Runtime, thread: string): void {
  const find = (id: number): Process<never> => {
    const process = id === 0 ? undefined : runtime.process(id);
    if (process === undefined || process === runtime.outside || !process.alive) {
      const text = formatPid({ scheduler: runtime.scheduler, id });
      throw new ProcessRefused(404, `there is no process ${text} on ${thread}: it has ended`);
    }
    return process;
  };
  answers
    .on('processes', (query: StepQuery) => step(runtime, thread, query))
    .on('whereis', (name: string) => {
      const pid = runtime.whereis(name);
      return pid === undefined ? null : formatPid(pid);
    })
    .on('inspect', ({ id, messages }: { id: number; messages: number }) =>
      report(runtime, thread, find(id), messages),
    )
    .on('process', ({ id, operation, work }: ProcessOrder) => {
      if (!new ClaimedWork(work).begin())
        throw new ProcessRefused(503, `${thread} did not come to it in time: nothing was done`);
      return perform(runtime, find(id), operation);
    });
}

function step(runtime: Runtime, thread: string, query: StepQuery): ProcessStep {
  const label = patternOf(query.label);
  const name = patternOf(query.name);
  const rows: ProcessRow[] = [];
  const last = query.from + SLOTS_A_QUESTION;
  for (const process of runtime.processes(query.from)) {
    const { slot } = process;
    if (slot >= last || rows.length === query.limit) return { rows, next: slot };
    if (process.messageQueueLength < query.mailboxMin) continue;
    if (label !== null && !label.test(process.label)) continue;
    if (name !== null && (process.name === null || !name.test(process.name))) continue;
    rows.push(rowOf(process, thread));
  }
  return { rows, next: null };
}

/** `session*` as a regular expression; null for null. */
function patternOf(glob: string | null): RegExp | null {
  if (glob === null) return null;
  const parts = glob.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'su');
}

function rowOf(process: Process<never>, thread: string): ProcessRow {
  return {
    pid: formatPid(process),
    label: process.label,
    name: process.name,
    thread,
    mailbox: process.messageQueueLength,
    longest: process.mailboxLongest,
    received: process.received,
    handled: process.handled,
    sent: process.sent,
    suspended: isSuspended(process),
  };
}

function isSuspended(process: Process<never>): boolean {
  return (process.flags & ProcessFlag.suspended) !== 0 || receiverOf(process).behaviour?.suspended === true;
}

async function report(
  runtime: Runtime,
  thread: string,
  process: Process<never>,
  messages: number,
): Promise<ProcessReport> {
  const info = runtime.info(process)!;
  const { kind, behaviour, summary, waits } = receiverOf(process);
  const waiting = process.waiting(messages).map((message) => outline(message, MESSAGE_OUTLINE));
  const row = rowOf(process, thread);
  const isKnown = process.activity !== null;
  const mailbox = mailboxReport(runtime, process.id)!;
  const state = behaviour === null ? summaryOf(summary) : await stateOf(runtime, process);
  return {
    ...row,
    path: info.path,
    parent: info.parent === null ? null : inWords(runtime, info.parent),
    priority: info.priority,
    trapExit: info.trapExit,
    kind,
    waits,
    links: some(runtime, info.links),
    monitoring: some(runtime, info.monitoring),
    monitoredBy: some(runtime, info.monitoredBy),
    timers: info.timers,
    handler: mailbox.handler,
    rates: isKnown
      ? { in: ratesOf(mailbox.inRate), handled: ratesOf(mailbox.outRate), sent: ratesOf(mailbox.sentRate) }
      : null,
    oldestMs: mailbox.oldestMs,
    stalledMs: mailbox.stalledMs,
    delayMs: mailbox.delayMs,
    drainMs: mailbox.drainMs,
    messages: waiting.map(({ text, bytes }: Outline) => ({ outline: text, bytes })),
    state: typeof state === 'string' ? state : null,
    stateMissing: state === null || typeof state === 'string' ? null : state.missing,
  };
}

function ratesOf({ per1, per10, per100 }: DecayingRates): Rates {
  return [per1, per10, per100];
}

function summaryOf(summary: (() => unknown) | null): string | { missing: string } | null {
  if (summary === null) return null;
  try {
    return outline(summary(), STATE_OUTLINE).text;
  } catch (error) {
    return { missing: `its summary failed: ${why(error)}` };
  }
}

/** In its turn, as everything is that a behaviour is asked: one that is far behind does not get to it. */
async function stateOf(runtime: Runtime, process: Process<never>): Promise<string | { missing: string }> {
  if ((process.flags & ProcessFlag.suspended) !== 0) return { missing: 'it is suspended' };
  const before = process.messageQueueLength;
  try {
    const { state } = await runtime.wait(sys.getStatus(process, SYS_MS));
    return outline(state, STATE_OUTLINE).text;
  } catch (error) {
    return {
      missing: `it did not show it within ${SYS_MS} ms, with ${before} messages before: ${why(error)}`,
    };
  }
}

function why(error: unknown): string {
  if (error instanceof Exited || error instanceof CallFailed) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function some(runtime: Runtime, pids: readonly (Pid | string)[]): Some<string> {
  const first = pids
    .slice(0, PIDS_SHOWN)
    .map((pid) => (typeof pid === 'string' ? pid : inWords(runtime, pid)));
  return { count: pids.length, first };
}

/** With its label, where it is known. */
function inWords(runtime: Runtime, pid: Pid): string {
  const process = runtime.local(pid);
  return process === null ? formatPid(pid) : `${process.label}${formatPid(pid)}`;
}

async function perform(
  runtime: Runtime,
  process: Process<never>,
  operation: ProcessOperation,
): Promise<ProcessOutcome> {
  const { label } = process;
  const done = (outcome: string): ProcessOutcome => ({ pid: formatPid(process), label, outcome });
  switch (operation.op) {
    case 'send': {
      const { message, first, cast } = operation;
      const sent = cast ? new CastMessage(message) : message;
      if (first) runtime.sendFirst(process, sent as never);
      else runtime.send(process, sent as never);
      return done(first ? 'sent before all that waits' : 'sent');
    }
    case 'flush': {
      const removed = runtime.flushMailbox(process, operation.max);
      const left = process.messageQueueLength;
      return done(`${removed} messages thrown away${left === 0 ? '' : `, ${left} are left`}`);
    }
    case 'kill':
      checkForce(process, operation.force);
      runtime.exit(process, ExitReason.kill);
      return done('killed');
    case 'suspend':
      checkForce(process, operation.force);
      return done(await suspend(runtime, process, operation.hard));
    case 'resume':
      return done(await resume(runtime, process));
  }
}

/** What holds up others wants a second thought. */
function checkForce(process: Process<never>, force: boolean): void {
  const { kind } = receiverOf(process);
  if (force || !/Supervisor$/.test(kind)) return;
  const text = `${process.label}${formatPid(process)} is a ${kind}: what is under it depends on it; with force it is done all the same`;
  throw new ProcessRefused(409, text);
}

async function suspend(runtime: Runtime, process: Process<never>, hard: boolean): Promise<string> {
  if (isSuspended(process)) return 'suspended already';
  const { behaviour, waits } = receiverOf(process);
  // From now on it is known, however few messages wait.
  runtime.mailboxes.activityOf(process);
  if (behaviour === null || hard) {
    runtime.suspend(process);
    return 'suspended: it gets no slices';
  }
  try {
    await runtime.wait(sys.suspend(process, SYS_MS));
    return 'suspended: it takes system messages only';
  } catch (error) {
    const busy = waits ? ' (it waits inside of a callback)' : '';
    const text = `${process.label} has not come to it within ${SYS_MS} ms${busy}, and will be suspended when it does: ${why(error)}; with hard it is held at once`;
    throw new ProcessRefused(503, text);
  }
}

async function resume(runtime: Runtime, process: Process<never>): Promise<string> {
  const { behaviour } = receiverOf(process);
  const held = runtime.resume(process);
  if (behaviour?.suspended === true) {
    try {
      await runtime.wait(sys.resume(process, SYS_MS));
    } catch (error) {
      throw new ProcessRefused(503, `${process.label} did not resume within ${SYS_MS} ms: ${why(error)}`);
    }
    return 'resumed';
  }
  return held ? 'resumed' : 'it was not suspended';
}
