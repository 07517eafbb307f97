import type { ExitReason } from '../exit-reason.js';
import type { HandlerRef } from './event-handler.js';

/** An event on its way to the handlers. Plain data, so that it can come from another scheduler. */
export interface NotifyMessage {
  readonly type: '$notify';
  readonly event: unknown;
}

/** What can be asked of an event manager: the content of a call. `supervised`: the caller is to own the handler. */
export type EventCommand =
  | { readonly type: '$sync_notify'; readonly event: unknown }
  | { readonly type: '$which_handlers' }
  | { readonly type: '$call'; readonly handler: HandlerRef; readonly request: unknown }
  | {
      readonly type: '$add_handler';
      readonly handler: HandlerRef;
      readonly argument: unknown;
      readonly supervised: boolean;
    }
  | { readonly type: '$delete_handler'; readonly handler: HandlerRef; readonly argument: unknown }
  | {
      readonly type: '$swap_handler';
      readonly one: { readonly handler: HandlerRef; readonly argument?: unknown };
      readonly other: { readonly handler: HandlerRef; readonly argument?: unknown };
      readonly supervised: boolean;
    };

/** Why there is no handler, or no answer of it. The names are OTP's. */
export type HandlerError =
  /** There is no such handler to be deleted. */
  | { readonly type: 'module_not_found' }
  /** There is no such handler to be called. */
  | { readonly type: 'bad_module' }
  /** Its callback crashed. */
  | { readonly type: 'error'; readonly reason: ExitReason }
  /** Its `init` refused. */
  | { readonly type: 'refused'; readonly reason: ExitReason }
  /** Its callback returned what it must not. */
  | { readonly type: 'bad_return_value'; readonly value: unknown };

type Failed = {
  readonly error: HandlerError;
  readonly ok?: undefined;
  readonly reply?: undefined;
  readonly result?: undefined;
};

/** Whether a handler is there now. */
export type HandlerAdded = { readonly ok: true; readonly error?: undefined } | Failed;

/** What the handler's terminate returned. */
export type HandlerDeleted =
  | { readonly ok: true; readonly result: unknown; readonly error?: undefined }
  | Failed;

/** What a handler answered. */
export type HandlerReply<R> = { readonly ok: true; readonly reply: R; readonly error?: undefined } | Failed;
