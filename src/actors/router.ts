import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';

/**
 * A signal between schedulers that is not a plain message. `from` and the process addressed are pids; `ref` is
 * the number under which the owner's scheduler knows a monitor or alias.
 */
export type RemoteSignal =
  | { readonly type: 'link'; readonly from: Pid }
  | { readonly type: 'unlink'; readonly from: Pid }
  /** An exit signal sent by somebody (exit/2), or over a link. */
  | { readonly type: 'exit'; readonly from: Pid; readonly reason: ExitReason; readonly link: boolean }
  | { readonly type: 'monitor'; readonly from: Pid; readonly ref: number }
  | { readonly type: 'demonitor'; readonly from: Pid; readonly ref: number }
  | { readonly type: 'down'; readonly from: Pid; readonly ref: number; readonly reason: ExitReason }
  /** A message to an alias: the reply to a call. */
  | { readonly type: 'alias'; readonly ref: number; readonly message: unknown };

/**
 * Takes what is for processes of other schedulers. Owned by the core, implemented by whoever connects
 * schedulers. What goes from one scheduler to another must arrive in the order in which it was handed over, and
 * be handed to the runtime there with `deliver` and `deliverSignal`. When a scheduler is lost, the runtimes of
 * the others are told with `schedulerDown`.
 *
 * Pids travel as their two numbers and are made again with `Runtime.pid`. A {@link CallMessage} travels as its
 * request, its caller and the number that `Runtime.exportFrom` gives for its `from`, and is made again with
 * `Runtime.importFrom`; casts and stop requests travel as what they hold.
 *
 * Both return false when it could not be taken (no such scheduler, queue full): the sender learns nothing, as
 * from a message to a dead process, but a link or monitor answers with `noconnection`.
 */
export interface Router {
  message(target: Pid, message: unknown): boolean;
  signal(target: Pid, signal: RemoteSignal): boolean;
  /** Numbers of the other schedulers that there are. */
  readonly schedulers?: readonly number[];
  watch?(watcher: SchedulerWatcher): void;
  unwatch?(watcher: SchedulerWatcher): void;
}

/** Who wants to know of other schedulers' coming and going. */
export interface SchedulerWatcher {
  schedulerUp?(scheduler: number): void;
  /** All that it sent has been delivered; links and monitors have fired. */
  schedulerDown?(scheduler: number): void;
}

/** What the `outside` of a scheduler, whose id is the same everywhere, passes on to whoever has a name there. */
export interface NamedMessage {
  readonly type: '$named';
  readonly name: string;
  readonly message: unknown;
}
