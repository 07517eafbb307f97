import { type ExitReason, formatReason } from './exit-reason.js';
import { formatPid, type Pid } from './pid.js';
import { CallMessage, CastMessage } from './request.js';
import type { RuntimeEvent } from './runtime-event.js';

type Crash = Extract<RuntimeEvent, { readonly type: 'crash' }>;
type BehaviourTerminated = Extract<RuntimeEvent, { readonly type: 'behaviour_terminated' }>;

/** So long is the text of a message or a state at most. */
const VALUE_LENGTH_MAX = 500;

/**
 * A report of a crash as a text of several lines, like those of OTP's proc_lib and gen_server. Messages and states are cut
 * at 500 characters; who does not want them in a log takes the fields that it wants from the event instead.
 */
export function formatReport(event: Crash | BehaviourTerminated): string {
  return event.type === 'crash' ? crash(event) : behaviourTerminated(event);
}

function crash(event: Crash): string {
  return lines(
    `crash of ${event.label} ${formatPid(event.pid)}`,
    ['registered name', event.name ?? undefined],
    ['reason', reasonText(event.reason)],
    ['ancestors', pids(event.ancestors)],
    ['path', event.path.length === 0 ? undefined : event.path.join(' / ')],
    ['message queue length', event.mailboxLength],
    ['messages', event.messages.length === 0 ? undefined : event.messages.map(messageText).join(', ')],
    ['links', pids(event.links)],
    ['trap_exit', event.trapExit],
  );
}

function behaviourTerminated(event: BehaviourTerminated): string {
  return lines(
    `${event.behaviour} ${event.label} ${formatPid(event.pid)} terminating`,
    ['last message', event.lastMessage === undefined ? undefined : messageText(event.lastMessage)],
    ['client', event.client === null ? undefined : formatPid(event.client)],
    ['state', valueText(event.state)],
    ['reason', reasonText(event.reason)],
    ['log', event.log.length === 0 ? undefined : event.log.map(valueText).join(', ')],
  );
}

function lines(
  title: string,
  ...fields: (readonly [string, string | number | boolean | undefined])[]
): string {
  return fields.reduce(
    (text, [name, value]) => (value === undefined ? text : `${text}\n  ${name}: ${value}`),
    title,
  );
}

function pids(list: readonly Pid[]): string | undefined {
  return list.length === 0 ? undefined : list.map(formatPid).join(' ');
}

/** With the stack, if there is one. */
function reasonText(reason: ExitReason): string {
  if (reason.type === 'error') return reason.error.stack ?? String(reason.error);
  return formatReason(reason);
}

function messageText(message: unknown): string {
  if (message instanceof CallMessage) {
    return `call ${valueText(message.request)} from ${formatPid(message.from.caller)}`;
  }
  if (message instanceof CastMessage) return `cast ${valueText(message.message)}`;
  return valueText(message);
}

function valueText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}n` : part));
  } catch {
    // What refers to itself has no text of that kind.
  }
  text ??= String(value);
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX)}…`;
}
