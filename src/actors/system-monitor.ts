import { BadArgument } from './bad-argument.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import type { RuntimeEvent } from './runtime-event.js';

/** What is watched: OTP's erlang:system_monitor/2. What is left out is not. */
export interface SystemMonitorOptions {
  /**
   * A mailbox that reaches `enable` messages is long, until it has fallen to `disable`. `enable` > `disable` ≥ 0; choose
   * `disable` much smaller, or there will be many messages.
   */
  readonly longMessageQueue?: { readonly disable: number; readonly enable: number };
  /** Slices of at least so many milliseconds, of those that the runtime reports (`longScheduleMs`). */
  readonly longSchedule?: number;
  /** Rings to other schedulers that are full, with much behind them. */
  readonly busyDistPort?: boolean;
}

/** Who is told of what. */
export interface SystemMonitorSettings {
  readonly monitor: Pid;
  readonly options: SystemMonitorOptions;
}

/** What the monitor is sent: Erlang's `{monitor, Pid, Event, Info}`. */
export class MonitorMessage {
  readonly type = 'monitor';

  constructor(
    /** The process, or the number of the scheduler whose ring is full. */
    readonly subject: Pid | number,
    readonly event: 'long_message_queue' | 'long_schedule' | 'busy_dist_port',
    /** Whether the mailbox is long now; the milliseconds of the slice; the bytes that wait. */
    readonly info: boolean | number,
  ) {}
}

/** How often a growing mailbox is looked at, in messages: a power of two, less one. */
export const LOOK_MASK = 63;

/** @internal The monitor of a runtime, and who has a long mailbox. */
export class SystemMonitor {
  /** Lengths of mailboxes at which they are looked at have none of these bits. */
  readonly lookMask: number;
  readonly #long = new Set<Process<never>>();
  readonly #enable: number;
  readonly #disable: number;
  readonly #longScheduleMs: number;

  constructor(
    readonly monitor: Process<never>,
    readonly options: SystemMonitorOptions,
  ) {
    const { longMessageQueue, longSchedule, busyDistPort } = options;
    if (longMessageQueue !== undefined) {
      const { disable, enable } = longMessageQueue;
      if (!Number.isInteger(enable) || enable < 1 || enable >= 2 ** 31)
        throw new BadArgument(`bad enable: ${enable}; a whole number from 1`);
      if (!Number.isInteger(disable) || disable < 0 || disable >= enable)
        throw new BadArgument(`bad disable: ${disable}; a whole number from 0, below enable (${enable})`);
    }
    if (longSchedule !== undefined && !(longSchedule > 0))
      throw new BadArgument(`bad longSchedule: ${longSchedule}`);
    if (busyDistPort !== undefined && typeof busyDistPort !== 'boolean')
      throw new BadArgument(`bad busyDistPort: ${String(busyDistPort)}`);
    this.#enable = longMessageQueue?.enable ?? Number.POSITIVE_INFINITY;
    this.#disable = longMessageQueue?.disable ?? 0;
    this.#longScheduleMs = longSchedule ?? Number.POSITIVE_INFINITY;
    // As many trailing zeros as `enable` has: so the length that is `enable` is looked at.
    this.lookMask =
      longMessageQueue === undefined
        ? LOOK_MASK
        : Math.min(LOOK_MASK, (longMessageQueue.enable & -longMessageQueue.enable) - 1);
  }

  /** A mailbox has grown. */
  grown(process: Process<never>): void {
    // The monitor's own mailbox would fill itself.
    if ((process.flags & ProcessFlag.long) !== 0 || process === this.monitor) return;
    if (process.messageQueueLength < this.#enable) return;
    process.flags |= ProcessFlag.long;
    this.#long.add(process);
    this.#tell(new MonitorMessage(process, 'long_message_queue', true));
  }

  /** A process has had a slice that was long before it. */
  shrunk(process: Process<never>): void {
    if (process.messageQueueLength > this.#disable) return;
    this.forget(process);
    this.#tell(new MonitorMessage(process, 'long_message_queue', false));
  }

  /** A process with a long mailbox has ended, or is watched no more. */
  forget(process: Process<never>): void {
    process.flags &= ~ProcessFlag.long;
    this.#long.delete(process);
  }

  /** It is the monitor no more. */
  close(): void {
    for (const process of this.#long) process.flags &= ~ProcessFlag.long;
    this.#long.clear();
  }

  emitted(event: RuntimeEvent): void {
    if (event.type === 'long_schedule') {
      if (event.durationMs >= this.#longScheduleMs && event.pid !== (this.monitor as Pid))
        this.#tell(new MonitorMessage(event.pid, 'long_schedule', event.durationMs));
    } else if (event.type === 'busy_port' && this.options.busyDistPort === true) {
      this.#tell(new MonitorMessage(event.scheduler, 'busy_dist_port', event.waitingBytes));
    }
  }

  #tell(message: MonitorMessage): void {
    this.monitor.deliver(message);
  }
}
