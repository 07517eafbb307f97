import type { ExitReason, Pid, Process } from '../actors/index.js';

/** What a supervisor has to tell, as events of its runtime: OTP's supervisor and progress reports. */
export class Reports {
  constructor(private readonly self: Process<never>) {}

  started(id: string, pid: Pid): void {
    this.#emit({ type: 'child_started', id, pid });
  }

  /** A child ended by itself. */
  terminated(id: string, pid: Pid, reason: ExitReason): void {
    this.#emit({ type: 'child_terminated', id, pid, reason });
  }

  startFailed(id: string, reason: ExitReason): void {
    this.#emit({ type: 'child_start_failed', id, reason });
  }

  /** A child ended otherwise than it was asked to. */
  shutdownFailed(id: string, pid: Pid, reason: ExitReason): void {
    this.#emit({ type: 'child_shutdown_failed', id, pid, reason });
  }

  gaveUp(id: string, reason: ExitReason): void {
    this.#emit({ type: 'supervisor_gave_up', id, reason });
  }

  #emit(report: Report): void {
    const { self } = this;
    self.runtime.emit({ supervisor: self, label: self.label, ...report });
  }
}

type Report =
  | { readonly type: 'child_started'; readonly id: string; readonly pid: Pid }
  | {
      readonly type: 'child_terminated' | 'child_shutdown_failed';
      readonly id: string;
      readonly pid: Pid;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'child_start_failed' | 'supervisor_gave_up';
      readonly id: string;
      readonly reason: ExitReason;
    };
