import type { Blocking, ExitReason, From, Pid } from '../actors/index.js';
import type { SupervisorReply, SupervisorRequest } from './requests.js';

/**
 * What a supervisor does with its children: ordered, of one template, or dynamic. The functions are straight-line: where
 * one has to wait for a child it is a generator and the process stands still, as OTP's does. An Exit thrown ends the
 * supervisor.
 */
export interface Supervision {
  /** The first start. If it fails, what was started has been stopped, and the reason is returned. */
  start(): Blocking<ExitReason | null> | null;
  /** An EXIT came. */
  exited(from: Pid, reason: ExitReason): Blocking<void> | undefined;
  /** A message of its own came: a restart that failed is to be tried again. */
  tryAgain(child: string | Pid): Blocking<void> | undefined;
  /** Somebody asked. Null: the answer will come from it. Throws an UnknownRequest. */
  asked(
    request: SupervisorRequest,
    from: From<SupervisorReply>,
  ): SupervisorReply | Blocking<SupervisorReply> | null;
  /** A message that is none of these. */
  other?(message: unknown): void;
  /** Stops all children. */
  terminate(): Blocking<void>;
  /** A new specification: no child is started or stopped. If something is wrong with it nothing is changed: throws. */
  update(spec: object): void;
  /** For whoever looks at it from outside. */
  state(): object;
}
