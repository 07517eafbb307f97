import { Fifo } from '../structures/fifo.js';
import { AsyncProcess } from './async-process.js';
import { Coroutine } from './coroutine.js';
import { crashReport } from './crash-report.js';
import { ExitReason, isOrderly } from './exit-reason.js';
import { linksOf, removeLink } from './links.js';
import { unwatch } from './monitors.js';
import type { Pid } from './pid.js';
import { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import type { ExitHook } from './receiver.js';
import type { Ref } from './ref.js';
import type { Runtime } from './runtime.js';
import { CutOff, type StackSample } from './slice-guard.js';
import { ExitMessage } from './system-message.js';

/**
 * How processes end. A process is dead from the moment in which it is doomed: nothing is delivered to it and none
 * of its code runs any more. What follows from its death is worked off from a queue and not by recursion, so a
 * chain of a million linked processes ends as well as a pair does.
 *
 * For each dead process, in this order: its name is released, timers and hooks go, linked processes get their
 * exit signals, its own monitors and aliases end, and those who monitor it get their DOWN.
 */
export class Exits {
  readonly #runtime: Runtime;
  readonly #doomed = new Fifo<Process<never>>();
  #working = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** An exit signal sent by somebody: Erlang's exit/2. */
  signal(target: Process<never>, from: Pid, reason: ExitReason): void {
    // `outside` is no process: whoever answers a signal from there with one of his own must not end it.
    if (!target.alive || target === this.#runtime.outside) return;
    if (reason.type === 'kill') {
      this.doom(target, ExitReason.killed);
    } else if (target.trapExit) {
      target.deliver(new ExitMessage(from, reason));
    } else if (reason.type !== 'normal' || from === (target as unknown)) {
      this.doom(target, reason);
    }
  }

  /** An exit signal over a link. Here even `kill` is an ordinary reason. */
  linkSignal(target: Process<never>, from: Pid, reason: ExitReason): void {
    if (target.trapExit) target.deliver(new ExitMessage(from, reason));
    else if (reason.type !== 'normal') this.doom(target, reason);
  }

  /** A process ran for too long in one of its callbacks and was cut off: nothing of it is on the stack any more. */
  cutOff(process: Process<never>, handler: string, sample: StackSample): void {
    this.#runtime.emit({ ...crashReport(process, ExitReason.killed), cut: { ...sample, handler } });
    this.doom(process, ExitReason.killed);
  }

  /** A process ended by its own doing: it returned from its last callback with this reason. */
  crashed(process: Process<never>, reason: ExitReason): void {
    if (!process.alive) return;
    if (!isOrderly(reason) && this.#runtime.reports) this.#runtime.emit(crashReport(process, reason));
    this.doom(process, reason);
  }

  doom(process: Process<never>, reason: ExitReason): void {
    if (!process.alive) return;
    process.flags |= ProcessFlag.dead;
    process.mailboxLength = 0;
    process.first = reason;
    if (process.queue !== null) this.#runtime.turns.dropQueue(process.queue);
    process.queue = null;
    this.#doomed.push(process);
    if (this.#working) return;
    this.#working = true;
    try {
      for (let next = this.#doomed.shift(); next !== undefined; next = this.#doomed.shift()) this.#bury(next);
    } finally {
      this.#working = false;
    }
  }

  #bury(process: Process<never>): void {
    const runtime = this.#runtime;
    const { signals } = runtime;
    const reason = process.first as ExitReason;
    runtime.forget(process);
    this.#runHooks(process, reason);
    if (process.links !== null) {
      for (const other of linksOf(process)) {
        if (other instanceof Process && other.runtime === runtime) {
          removeLink(other, process, true);
          if (other.alive) this.linkSignal(other, process, reason);
        } else {
          runtime.routeSignal(other, { type: 'exit', from: process, reason, link: true });
        }
      }
      process.links = null;
      signals.unlinked(process);
    }
    for (let ref: Ref | null = process.refs; ref !== null; ref = process.refs) {
      if (ref.isMonitor) signals.stopWatching(ref);
      ref.flags = 0;
      signals.drop(ref);
    }
    for (let ref: Ref | null = process.watchers; ref !== null; ref = process.watchers) {
      unwatch(ref, process);
      signals.ended(ref);
      ref.down(reason);
    }
    const { receiver } = process as { readonly receiver: unknown };
    if (receiver instanceof Coroutine || receiver instanceof AsyncProcess) receiver.dropSaved();
    // Whoever still holds the pid must not hold all that the process knew.
    process.receiver = null;
    process.parent = null;
  }

  #runHooks(process: Process<never>, reason: ExitReason): void {
    const { hooks } = process;
    if (hooks === null) return;
    process.hooks = null;
    const { guard } = this.#runtime.turns;
    for (const hook of Array.isArray(hooks) ? hooks : [hooks]) {
      try {
        if (guard === null) hook.processExited(process, reason);
        else if (guard.run(runHook, hook, process, reason)) throw new CutOff(guard.takeCut());
      } catch (error) {
        this.#runtime.emit({ type: 'hook_failed', error });
      }
    }
  }
}

/** Under a guard of its own: what is cut off is the hook, not the burial in whose middle it runs. */
function runHook(hook: ExitHook, process: Process<never>, reason: ExitReason): void {
  hook.processExited(process, reason);
}
