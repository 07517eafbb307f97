import { Alarms, type Process } from '../actors/index.js';
import { type AlertSink, sinkOwner } from '../metrics/alerts/alert-sink.js';
import { type ChildSpec, Supervisor } from '../supervisors/index.js';

const MINUTE_MS = 60_000;

/**
 * The processes of the alerts: the alarm handler, those whose handlers tell of alerts, and what looks whether anything is
 * wrong.
 *
 * @param monitor makes the last of them; undefined: there is none
 */
export function alertTree(
  sinks: readonly AlertSink[],
  monitor?: (self: Process<never>) => Promise<void>,
): ChildSpec {
  const children: ChildSpec[] = [
    { id: 'alarm_handler', start: (supervisor) => Alarms.startLink(supervisor) },
    Supervisor.child('sinks', { label: 'sinks', strategy: 'one_for_one', children: sinks.map(sinkSpec) }),
  ];
  if (monitor !== undefined) {
    const start = (supervisor: Process<never>) => supervisor.spawnLink(monitor, { label: 'alert-monitor' });
    children.push({ id: 'monitor', start });
  }
  const limits = { intensity: 10, periodMs: MINUTE_MS };
  return Supervisor.child('alerts', { label: 'alerts', strategy: 'rest_for_one', ...limits, children });
}

/** A sink under a supervisor of its own, so that one that crashes for ever is left out alone. */
function sinkSpec(sink: AlertSink): ChildSpec {
  const label = `alert-sink-${sink.name}`;
  const start = (supervisor: Process<never>) => supervisor.spawnLink(sinkOwner(sink), { label });
  const children: ChildSpec[] = [{ id: sink.name, start }];
  const limits = { intensity: 5, periodMs: MINUTE_MS };
  const spec = { label, strategy: 'one_for_one', ...limits, children } as const;
  return Supervisor.child(sink.name, spec, { restart: 'temporary' });
}
