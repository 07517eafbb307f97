import type { AlertView } from '../../metrics/alerts/alert.js';
import type { AlertsReport } from '../actions/alert-actions.js';
import { useAction } from './context.js';
import { momentText } from './format.js';
import { href } from './route.js';

/** What is wrong now, above everything else; nothing at all when nothing is. */
export function ActiveAlerts() {
  const { answer } = useAction<AlertsReport>('alerts');
  const active = (answer?.active ?? []).filter(({ silenced }) => !silenced);
  if (active.length === 0) return null;
  return (
    <section class="alerts" aria-label="Alerts">
      {/* Read aloud when it changes, which the lines below do each second. */}
      <p class="unseen" role="alert">
        {active.map(({ severity, label, subject }) => `${severity}: ${label ?? subject}`).join(', ')}
      </p>
      {active.slice(0, 5).map((alert) => (
        <AlertLine key={alert.id} alert={alert} />
      ))}
      {active.length > 5 ? <a href={href('alerts')}>and {active.length - 5} more</a> : null}
    </section>
  );
}

export function AlertLine(props: { readonly alert: AlertView }) {
  const { alert } = props;
  return (
    <p class={`alert ${alert.severity}`}>
      <time dateTime={new Date(alert.raisedAt).toISOString()}>{momentText(alert.raisedAt)}</time>
      <span>{alert.line}</span>
      {alert.acknowledged === null ? null : (
        <span class="pill dull">{alert.acknowledged.by} looks after it</span>
      )}
      {alert.silenced ? <span class="pill dull">silenced</span> : null}
      {alert.subject.startsWith('<') ? <a href={href('processes', alert.subject)}>look into it</a> : null}
    </p>
  );
}
