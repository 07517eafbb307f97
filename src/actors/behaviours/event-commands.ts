import type { ExitReason } from '../exit-reason.js';
import type { HandlerRef } from './event-handler.js';

/** An event on its way to the handlers. */
export class NotifyMessage {
  readonly type = '$notify';

  constructor(readonly event: unknown) {}
}

/** What can be asked of an event manager: the content of a call. */
export abstract class EventCommand {}

export class SyncNotify extends EventCommand {
  constructor(readonly event: unknown) {
    super();
  }
}

export class CallHandler extends EventCommand {
  constructor(
    readonly handler: HandlerRef,
    readonly request: unknown,
  ) {
    super();
  }
}

export class AddHandler extends EventCommand {
  constructor(
    readonly handler: HandlerRef,
    readonly argument: unknown,
    /** Whether the caller is to own it. */
    readonly supervised: boolean,
  ) {
    super();
  }
}

export class DeleteHandler extends EventCommand {
  constructor(
    readonly handler: HandlerRef,
    readonly argument: unknown,
  ) {
    super();
  }
}

export class SwapHandlers extends EventCommand {
  constructor(
    readonly one: { readonly handler: HandlerRef; readonly argument?: unknown },
    readonly other: { readonly handler: HandlerRef; readonly argument?: unknown },
    /** Whether the caller is to own the other. */
    readonly supervised: boolean,
  ) {
    super();
  }
}

export class WhichHandlers extends EventCommand {}

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
