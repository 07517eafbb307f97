import {
  type AlarmEvent,
  Alarms,
  type Blocking,
  type EventHandler,
  type ExitReason,
  GenEvent,
  GenEventExit,
  type Process,
  receive,
} from '../../actors/index.js';
import { Alert, type AlertView } from './alert.js';
import { duration } from './words.js';

/** What is told of an alert. */
export interface AlertNotice {
  readonly type: 'raised' | 'cleared';
  readonly alert: AlertView;
}

/**
 * Somebody who wants to hear of alerts. Whatever takes time he does on his own time, with a bound on what waits for it:
 * the next one waits until `notice` has returned.
 */
export interface AlertSink {
  readonly name: string;
  notice(notice: AlertNotice): void;
}

/** One line for both: what is wrong, or that it is over. */
export function noticeLine({ type, alert }: AlertNotice): string {
  if (type === 'raised') return alert.line;
  const { raisedAt, clearedAt, label, subject, line } = alert;
  const what = label === null ? line : `${label} ${subject} is well again`;
  return `over after ${duration((clearedAt ?? raisedAt) - raisedAt)}: ${what}`;
}

/** A sink as a handler of the alarm handler. Alarms that others have set are not its business. */
const handler: EventHandler<AlertSink, AlarmEvent, never, AlertSink> = {
  init: (sink) => GenEvent.ok(sink),
  handleEvent(event, sink) {
    const id = event.type === 'set_alarm' ? event.alarm.id : event.id;
    if (id instanceof Alert)
      sink.notice({ type: event.type === 'set_alarm' ? 'raised' : 'cleared', alert: id.view() });
    return GenEvent.ok(sink);
  },
};

/**
 * The process to which the handler of a sink belongs. A sink that throws loses its handler, and nobody else notices: this
 * process ends with the same reason, and its supervisor has the next word.
 */
export function sinkOwner(sink: AlertSink): (self: Process<never>) => Blocking<void> {
  return function* (self) {
    const added = yield* GenEvent.addSupHandler(Alarms.name, { module: handler, id: sink.name }, sink);
    if (added.error !== undefined)
      self.exit(failure(`the sink ${sink.name} was not taken: ${added.error.type}`));
    const { reason } = yield* receive(GenEventExit);
    if (reason.type === 'error') self.exit(reason.reason);
    self.exit(failure(`the sink ${sink.name} was taken away: ${reason.type}`));
  };
}

function failure(message: string): ExitReason {
  return { type: 'error', error: new Error(message) };
}
