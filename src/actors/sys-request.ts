import type { ExitReason } from './exit-reason.js';
import type { From } from './request.js';

/** What can be asked of any behaviour, whatever it is: see `sys`. */
export type SysOperation =
  | { readonly op: 'get_state' }
  | { readonly op: 'replace_state'; readonly replace: (state: unknown) => unknown }
  | { readonly op: 'suspend' }
  | { readonly op: 'resume' }
  | { readonly op: 'get_status' }
  | { readonly op: 'statistics'; readonly flag: boolean | 'get' }
  | { readonly op: 'log'; readonly flag: boolean | 'get'; readonly length?: number }
  | { readonly op: 'trace'; readonly sink: ((event: unknown) => void) | null }
  | { readonly op: 'install'; readonly id: unknown; readonly call: unknown; readonly state: unknown }
  | { readonly op: 'remove'; readonly id: unknown }
  | { readonly op: 'no_debug' }
  | { readonly op: 'terminate'; readonly reason: ExitReason }
  | {
      readonly op: 'change_code';
      /** The new callbacks; null: those that it has, which know how to change. */
      readonly callbacks: unknown;
      readonly oldVersion: unknown;
      readonly extra: unknown;
    };

/** The answer: a value, or why there is none. */
export type SysReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: ExitReason };

/** A system message on its way: OTP's `{system, From, Request}`. */
export class SysMessage {
  readonly type = '$system';

  constructor(
    readonly from: From<SysReply>,
    readonly operation: SysOperation,
  ) {}
}

/** @internal A request that is sent as a {@link SysMessage}. */
export class SysRequest {
  constructor(readonly operation: SysOperation) {}

  frame(from: From<unknown>): SysMessage {
    return new SysMessage(from, this.operation);
  }
}
