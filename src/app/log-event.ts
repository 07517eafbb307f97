import { formatReason, isOrderly } from '../actors/exit-reason.js';
import type { RuntimeEvent } from '../actors/runtime-event.js';
import { Alert } from '../metrics/alerts/alert.js';
import type { ThreadEvent } from './thread-messages.js';

/** What the process core reports, as a line for the log; null for what nobody needs to read. */
export function logEvent(event: RuntimeEvent): ThreadEvent | null {
  switch (event.type) {
    case 'crash': {
      const { reason, cut } = event;
      const what =
        cut === undefined
          ? `crashed: ${formatReason(reason)}`
          : `was cut off after ${cut.ranMs.toFixed(0)} ms in ${cut.handler}`;
      return line('error', `${event.label} ${what}`, {
        process: event.label,
        path: event.path.join(' / '),
        mailbox: event.mailboxLength,
        ...(reason.type === 'error' ? { stack: reason.error.stack ?? '' } : {}),
        ...(cut === undefined ? {} : { stack: cut.stack.join('\n') }),
      });
    }
    case 'behaviour_terminated':
      // Its crash says the same, and the state is not for everybody's eyes.
      return null;
    case 'handler_crashed':
      return line('error', `${event.handler} of ${event.label} crashed: ${formatReason(event.reason)}`, {});
    case 'alarm_set':
      // Alerts have a handler that logs them in their own words.
      if (event.id instanceof Alert) return null;
      return line('warn', `alarm: ${String(event.id)}`, { description: String(event.description) });
    case 'alarm_cleared':
      if (event.id instanceof Alert) return null;
      return line('info', `the alarm is over: ${String(event.id)}`, {});
    case 'application_started':
      return line('info', `${event.application} ${event.version} has started`, {});
    case 'application_exited':
      return line(
        isOrderly(event.reason) ? 'info' : 'error',
        `${event.application} ${event.version} has ended: ${formatReason(event.reason)}`,
        {},
      );
    case 'application_callback_failed':
      return line(
        'error',
        `${event.application}: ${event.callback} failed: ${formatReason(event.reason)}`,
        {},
      );
    case 'hook_failed':
      return line('error', 'an exit hook failed', { error: String(event.error) });
    case 'long_schedule': {
      const message = `${event.label} ran for ${event.durationMs.toFixed(0)} ms without a pause`;
      const fields = {
        process: event.label,
        messages: event.messages,
        ...(event.stack === undefined ? {} : { stack: event.stack.join('\n') }),
      };
      return { ...line('warn', message, fields), alert: 'long_schedule' };
    }
    case 'mailbox_overflow':
      return line('error', `${event.label} was ended: its mailbox overflowed`, {
        mailbox: event.mailboxLength,
      });
    case 'undeliverable':
      return line('error', 'the message of a timer cannot leave its scheduler', {
        error: String(event.error),
      });
    case 'busy_port':
      return line('warn', `scheduler ${event.scheduler} does not keep up with what it is sent`, {
        waitingBytes: event.waitingBytes,
      });
    case 'port_overflow':
      return line(
        'error',
        `scheduler ${event.scheduler} takes nothing any more: messages to it are dropped`,
        {
          waitingBytes: event.waitingBytes,
          dropped: event.dropped,
        },
      );
    case 'undecodable':
      return line('error', `a record from scheduler ${event.scheduler} makes no sense`, {
        error: String(event.error),
      });
    case 'child_start_failed':
      return line('error', `${event.label} could not start ${event.id}: ${formatReason(event.reason)}`, {});
    case 'child_shutdown_failed':
      return line(
        'warn',
        `${event.label} could not stop ${event.id} in order: ${formatReason(event.reason)}`,
        {},
      );
    case 'supervisor_gave_up':
      return line('error', `${event.label} gave up: too many restarts of ${event.id}`, {
        reason: formatReason(event.reason),
      });
    case 'child_terminated':
      return line('warn', `${event.id} ended: ${formatReason(event.reason)}`, { supervisor: event.label });
    case 'child_started':
      return null;
  }
}

function line(level: ThreadEvent['level'], message: string, fields: Record<string, unknown>): ThreadEvent {
  return { type: 'event', level, message, fields };
}
