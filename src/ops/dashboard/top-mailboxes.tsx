import { useState } from 'preact/hooks';
import type { TopAnswer } from '../actions/top-action.js';
import { useAction } from './context.js';
import { duration, number } from './format.js';
import { Empty, NotAvailable, numeric, Panel, Table } from './panel.js';
import { ProcessLink } from './process-link.js';

const BY = [
  ['length', 'longest mailbox'],
  ['rate', 'most messages'],
  ['delay', 'oldest message'],
] as const;

const COUNT = 15;

/** The processes that have most to do. */
export function TopMailboxes() {
  const [by, setBy] = useState<(typeof BY)[number][0]>('length');
  const { answer, error, isMissing } = useAction<TopAnswer>('top', { by, count: COUNT });
  const tools = BY.map(([name, text]) => (
    <button key={name} type="button" aria-pressed={by === name} onClick={() => setBy(name)}>
      {text}
    </button>
  ));
  return (
    <Panel title="Top" tools={isMissing ? undefined : <div class="choice">{tools}</div>}>
      {isMissing ? (
        <NotAvailable what="The list of the busiest processes is" />
      ) : answer === null ? (
        <Empty>{error ?? '…'}</Empty>
      ) : answer.mailboxes.length === 0 ? (
        <Empty>No process has anything waiting.</Empty>
      ) : (
        <Table
          label="Processes that have most to do"
          heads={[
            'Process',
            numeric('Waiting'),
            numeric('Longest'),
            numeric('In'),
            numeric('Out'),
            numeric('Oldest'),
            numeric('Empty in'),
            'Handler',
            'Under',
          ]}
        >
          {answer.mailboxes.map((one) => (
            <tr key={one.pid}>
              <td>
                <ProcessLink pid={one.pid} label={one.name ?? one.label} />
                {one.suspended ? <span class="pill warn">suspended</span> : null}
              </td>
              <td class="number">
                <b>{number(one.length)}</b>
              </td>
              <td class="number">{number(one.longest)}</td>
              <td class="number">{number(one.inRate.per10)}/s</td>
              <td class="number">{number(one.outRate.per10)}/s</td>
              <td class="number">{one.length === 0 ? '–' : duration(one.oldestMs)}</td>
              <td class="number">
                {one.length === 0 ? '–' : one.drainMs === null ? 'never' : duration(one.drainMs)}
              </td>
              <td class="mono">{one.handler}</td>
              <td class="quiet">{one.path.join(' › ')}</td>
            </tr>
          ))}
        </Table>
      )}
      {answer === null || answer.silent.length === 0 ? null : (
        <p class="empty bad">No answer from {answer.silent.join(', ')}.</p>
      )}
    </Panel>
  );
}
