import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { StackSample } from './slice-guard.js';

/**
 * What the core has to tell: it never logs, it emits these to the sink given in the runtime's options.
 *
 * | type | when |
 * | --- | --- |
 * | crash | a process ended by its own doing with a reason other than normal or shutdown, or was cut off |
 * | behaviour_terminated | a server or the like ended so: with its state and its last message, before the crash |
 * | handler_crashed | an event handler crashed, or returned what it must not; its manager goes on without it |
 * | alarm_set, alarm_cleared | an alarm was raised, or is over: see `Alarms` |
 * | application_started, application_exited | an application runs, or has stopped or ended: see `Application` |
 * | application_callback_failed | what an application does when it stops threw; it was ignored |
 * | hook_failed | an exit hook or an after-turn callback threw, or was cut off; it was ignored |
 * | long_schedule | one slice took at least `longScheduleMs`; with a guard also one callback outside of slices |
 * | mailbox_overflow | a process was ended because its mailbox passed `mailboxMax` |
 * | undeliverable | a timer's message for another scheduler cannot leave this one; it was dropped |
 * | busy_port | the ring to another scheduler is full, and much waits behind it (at most once a second) |
 * | port_overflow | as much waits as may: messages to that scheduler are dropped (at most once a second) |
 * | undecodable | a record from another scheduler made no sense, and was dropped: a bug |
 * | child_started | a supervisor started or restarted a child |
 * | child_terminated | a supervisor's child ended by itself, against its specification |
 * | child_start_failed | a child's start function failed |
 * | child_shutdown_failed | a child ended otherwise than asked while its supervisor stopped it |
 * | supervisor_gave_up | a supervisor reached its restart intensity and ends |
 */
export type RuntimeEvent =
  | {
      readonly type: 'crash';
      readonly pid: Pid;
      readonly label: string;
      /** Its registered name. */
      readonly name: string | null;
      /** Labels of the processes above it, topmost first. */
      readonly path: readonly string[];
      /** Who started it, who started that one, … At most 100. */
      readonly ancestors: readonly Pid[];
      readonly reason: ExitReason;
      /** Messages that were waiting, and are lost. */
      readonly mailboxLength: number;
      /** The oldest ten of them. */
      readonly messages: readonly unknown[];
      /** Who is linked with it and will hear of it. At most 100. */
      readonly links: readonly Pid[];
      readonly trapExit: boolean;
      /** It ran for too long and was cut off (the reason is killed): where it was, and in which of its callbacks. */
      readonly cut?: StackSample & { readonly handler: string };
    }
  | {
      readonly type: 'behaviour_terminated';
      readonly pid: Pid;
      readonly label: string;
      /** GenServer, GenStatem, … */
      readonly behaviour: string;
      readonly reason: ExitReason;
      /** What it was handling. */
      readonly lastMessage: unknown;
      /** Who called, if that was a call. */
      readonly client: Pid | null;
      /** As its formatStatus shows it. */
      readonly state: unknown;
      /** What `sys.log` has kept, oldest first. */
      readonly log: readonly unknown[];
    }
  | {
      readonly type: 'handler_crashed';
      /** The event manager. */
      readonly pid: Pid;
      readonly label: string;
      /** The class of its callbacks, and its id. */
      readonly handler: string;
      readonly reason: ExitReason;
      /** What it was handling. */
      readonly lastMessage: unknown;
      /** As its formatStatus shows it. */
      readonly state: unknown;
    }
  | { readonly type: 'alarm_set'; readonly id: unknown; readonly description: unknown }
  | { readonly type: 'alarm_cleared'; readonly id: unknown }
  | {
      readonly type: 'application_started';
      readonly application: string;
      readonly version: string;
      readonly startType: 'permanent' | 'transient' | 'temporary';
    }
  | {
      readonly type: 'application_exited';
      readonly application: string;
      readonly version: string;
      readonly startType: 'permanent' | 'transient' | 'temporary';
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'application_callback_failed';
      readonly application: string;
      readonly callback: string;
      readonly reason: ExitReason;
    }
  | { readonly type: 'hook_failed'; readonly error: unknown }
  | {
      readonly type: 'long_schedule';
      readonly pid: Pid;
      readonly label: string;
      readonly durationMs: number;
      /** Messages handled in the slice. */
      readonly messages: number;
      /** Where it was when it had become long, topmost frame first. Only with a guard. */
      readonly stack?: readonly string[];
    }
  | {
      readonly type: 'mailbox_overflow';
      readonly pid: Pid;
      readonly label: string;
      readonly mailboxLength: number;
    }
  | { readonly type: 'undeliverable'; readonly target: Pid; readonly error: unknown }
  | {
      readonly type: 'busy_port';
      /** The scheduler that does not keep up. */
      readonly scheduler: number;
      /** Bytes that wait behind its ring. */
      readonly waitingBytes: number;
    }
  | {
      readonly type: 'port_overflow';
      readonly scheduler: number;
      readonly waitingBytes: number;
      /** Messages dropped since the ring was opened. */
      readonly dropped: number;
    }
  | { readonly type: 'undecodable'; readonly scheduler: number; readonly error: unknown }
  | {
      readonly type: 'child_started';
      readonly supervisor: Pid;
      readonly label: string;
      readonly id: string;
      readonly pid: Pid | null;
    }
  | {
      readonly type: 'child_terminated';
      readonly supervisor: Pid;
      readonly label: string;
      readonly id: string;
      readonly pid: Pid;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'child_start_failed';
      readonly supervisor: Pid;
      readonly label: string;
      readonly id: string;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'child_shutdown_failed';
      readonly supervisor: Pid;
      readonly label: string;
      readonly id: string;
      readonly pid: Pid;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'supervisor_gave_up';
      readonly supervisor: Pid;
      readonly label: string;
      readonly id: string;
      readonly reason: ExitReason;
    };

/** Takes the events. What it throws is thrown again in a turn of its own, and nobody catches it there. */
export type EventSink = (event: RuntimeEvent) => void;
