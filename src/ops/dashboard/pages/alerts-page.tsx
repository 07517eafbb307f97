import { useState } from 'preact/hooks';
import type { AlertView } from '../../../metrics/alerts/alert.js';
import type { AlertsReport } from '../../actions/alert-actions.js';
import { AlertLine } from '../active-alerts.js';
import { useAction, useCollector } from '../context.js';
import { dayAndTime, duration, figure } from '../format.js';
import { Empty, NotAvailable, numeric, Panel, Table } from '../panel.js';

const HOUR_MS = 3_600_000;
const SHOWN = 100;
/** The rules' own units in those of figures. */
const UNITS: Readonly<Record<string, string>> = { bytes: 'By', share: '1' };

/** What is wrong, what was, what is silenced, and by which rules. */
export function AlertsPage() {
  const { answer, error, isMissing, again } = useAction<AlertsReport>('alerts');
  const { api } = useCollector();
  const [said, setSaid] = useState('');
  if (isMissing) {
    return (
      <Panel title="Alerts">
        <NotAvailable what="Alerts are" />
      </Panel>
    );
  }
  if (answer === null) return <Panel title="Alerts">{<Empty>{error ?? '…'}</Empty>}</Panel>;
  const act = async (name: string, params: object): Promise<void> => {
    try {
      await api.action(name, params);
      setSaid('');
    } catch (thrown) {
      setSaid((thrown as Error).message);
    }
    again();
  };
  return (
    <>
      <Panel
        title="Active"
        note={answer.active.length === 0 ? 'Nothing is wrong.' : undefined}
        tools={<output class="bad">{said}</output>}
      >
        {answer.active.length === 0 ? (
          <Empty>No rule fires.</Empty>
        ) : (
          <ul class="alerts">
            {answer.active.map((alert) => (
              <li key={alert.id}>
                <AlertLine alert={alert} />
                <Operations alert={alert} act={act} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title="Silences">
        {answer.silences.length === 0 ? (
          <Empty>None: whoever is to hear of an alert hears of it.</Empty>
        ) : (
          <Table label="Silences" heads={['What', 'By', 'Until', 'Why', '']}>
            {answer.silences.map((silence) => (
              <tr key={silence.id}>
                <td>
                  {[silence.rule, silence.label, silence.subject].filter((part) => part !== null).join(' · ')}
                </td>
                <td>{silence.by}</td>
                <td>{dayAndTime(silence.until)}</td>
                <td>{silence.comment}</td>
                <td>
                  <button type="button" onClick={() => void act('alert-unsilence', { id: silence.id })}>
                    End it
                  </button>
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
      <Panel title="History">
        {answer.recent.length === 0 ? (
          <Empty>Nothing has been wrong since the start.</Empty>
        ) : (
          <Table label="History of alerts" heads={['Raised', numeric('Lasted'), 'Severity', 'Rule', 'What']}>
            {answer.recent.slice(0, SHOWN).map((alert) => (
              <tr key={alert.id}>
                <td>{dayAndTime(alert.raisedAt)}</td>
                <td class="number">
                  {alert.clearedAt === null ? '' : duration(alert.clearedAt - alert.raisedAt)}
                </td>
                <td>{alert.severity}</td>
                <td>{alert.rules.join(', ')}</td>
                <td class="long">{alert.line}</td>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
      <Panel title="Rules" note="Their limits are knobs">
        <Table label="Rules" heads={['Rule', 'Severity', 'Limit is', numeric('Now'), 'Watched']}>
          {answer.rules.map((rule) => (
            <tr key={rule.name}>
              <td>{rule.name}</td>
              <td>{rule.severity}</td>
              <td class="mono">{rule.setting}</td>
              <td class="number">
                {rule.limit === null
                  ? 'off'
                  : figure(rule.limit, UNITS[rule.unit] ?? rule.unit, rule.unit === 'rate')}
              </td>
              <td class={rule.isWatched ? undefined : 'quiet'}>
                {rule.isWatched ? 'yes' : rule.limit === null ? 'no' : 'not on this machine'}
              </td>
            </tr>
          ))}
        </Table>
      </Panel>
    </>
  );
}

function Operations(props: {
  readonly alert: AlertView;
  readonly act: (name: string, params: object) => Promise<void>;
}) {
  const { alert, act } = props;
  const [comment, setComment] = useState('');
  const silence = {
    rule: alert.rules[0] ?? '*',
    subject: alert.subject,
    ms: HOUR_MS,
    ...(comment === '' ? {} : { comment }),
  };
  return (
    <div class="row alert-tools">
      <input
        aria-label={`Comment on alert ${alert.id}`}
        placeholder="comment"
        maxLength={200}
        value={comment}
        onInput={(event) => setComment(event.currentTarget.value)}
      />
      {alert.acknowledged === null ? (
        <button
          type="button"
          onClick={() => void act('alert-ack', { id: alert.id, ...(comment === '' ? {} : { comment }) })}
        >
          I look after it
        </button>
      ) : null}
      <button type="button" onClick={() => void act('alert-silence', silence)}>
        Silence for an hour
      </button>
    </div>
  );
}
