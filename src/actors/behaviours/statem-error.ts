/**
 * A state machine's callback returned what it must not: the machine has ended with this error. The names are OTP's.
 *
 * | kind | value |
 * | --- | --- |
 * | bad_return_from_state_function | what a handler or an enter call returned: it is no result |
 * | bad_state_enter_return_from_state_function | what an enter call returned: it must not leave the state |
 * | bad_action_from_state_function | the action: it is none, or its time or type is bad |
 * | bad_state_enter_action_from_state_function | the action: an enter call must not postpone, insert events or change callbacks |
 * | bad_reply_action_from_state_function | what was among the replies of `stopAndReply` and is no reply |
 * | bad_return_from_callback_mode | the callbacks: they have neither `states` nor `handleEvent` |
 */
export type StatemErrorKind =
  | 'bad_return_from_state_function'
  | 'bad_state_enter_return_from_state_function'
  | 'bad_action_from_state_function'
  | 'bad_state_enter_action_from_state_function'
  | 'bad_reply_action_from_state_function'
  | 'bad_return_from_callback_mode';

export class StatemError extends Error {
  override readonly name = 'StatemError';

  constructor(
    readonly kind: StatemErrorKind,
    /** What was bad. */
    readonly value: unknown,
  ) {
    super(`${kind}: ${describe(value)}`);
  }
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { type } = value as { readonly type?: unknown };
  return typeof type === 'string' ? `{ type: '${type}', … }` : Object.prototype.toString.call(value);
}
