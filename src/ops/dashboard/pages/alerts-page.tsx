import { useState } from 'preact/hooks';
import type { AlertView } from '../../../metrics/alerts/alert.js';
import type { AlertsReport } from '../../actions/alert-actions.js';
import { AlertLine } from '../active-alerts.js';
import { useAction, useCollector } from '../context.js';
import { dayAndTime, duration, figure } from '../format.js';
import { Empty, NotAvailable, numeric, Panel, Table } from '../panel.js';
import { href } from '../route.js';
import { SILENCE_TIMES, SilenceForm } from '../silence-form.js';

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
  const act = async (name: string, ...all: readonly object[]): Promise<void> => {
    try {
      for (const params of all) await api.action(name, params);
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
        tools={
          <output class="bad" role="alert">
            {said}
          </output>
        }
      >
        {answer.active.length === 0 ? (
          <Empty>Nothing is wrong: no rule fires.</Empty>
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
        <SilenceForm
          rules={answer.rules.map(({ name }) => name)}
          onSilence={(params) => act('alert-silence', params)}
        />
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
                  {alert.clearedAt === null ? 'goes on' : duration(alert.clearedAt - alert.raisedAt)}
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
              <td>
                <a class="mono" href={href('knobs', rule.setting)}>
                  {rule.setting}
                </a>
              </td>
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
  readonly act: (name: string, ...params: readonly object[]) => Promise<void>;
}) {
  const { alert, act } = props;
  const [comment, setComment] = useState('');
  const said = comment === '' ? {} : { comment };
  // It is silent when all rules that fire are: of a process all there are, as it gets longer another one may follow.
  const silences = (ms: number): object[] =>
    alert.subject.startsWith('<')
      ? [{ subject: alert.subject, ms, ...said }]
      : alert.rules.map((rule) => ({ rule, subject: alert.subject, ms, ...said }));
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
        <button type="button" onClick={() => void act('alert-ack', { id: alert.id, ...said })}>
          I look after it
        </button>
      ) : null}
      {alert.silenced ? null : (
        <select
          aria-label={`Silence alert ${alert.id}`}
          value=""
          onChange={(event) => {
            const ms = Number(event.currentTarget.value);
            event.currentTarget.value = '';
            void act('alert-silence', ...silences(ms));
          }}
        >
          <option value="" disabled>
            Silence …
          </option>
          {SILENCE_TIMES.map(([text, ms]) => (
            <option key={ms} value={ms}>
              {text}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
