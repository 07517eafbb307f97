import { useState } from 'preact/hooks';
import type { HandlerTable, ProfileStarted, ProfileState } from '../../profiles.js';
import { useCollector } from '../context.js';
import { number } from '../format.js';
import type { OperatorApi } from '../operator-api.js';
import { Empty, NotAvailable, numeric, Panel, Table } from '../panel.js';

const SAMPLED_MS = 5000;
/** How long one question waits on the server. */
const WAIT_MS = 1000;
const ROWS = 30;

/** Which handlers take the time: sampled for some seconds, and only when somebody wants to know. */
export function TimePage() {
  const { api, actions } = useCollector();
  const [table, setTable] = useState<HandlerTable | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isSampling, setSampling] = useState(false);
  const sample = async (): Promise<void> => {
    setSampling(true);
    setError(null);
    try {
      setTable(await sampled(api));
    } catch (thrown) {
      setError((thrown as Error).message);
    } finally {
      setSampling(false);
    }
  };
  const isMissing = actions !== null && !actions.has('profile-handlers');
  const tools = (
    <button type="button" disabled={isSampling} onClick={() => void sample()}>
      {isSampling ? 'Sampling…' : `Sample for ${SAMPLED_MS / 1000} s`}
    </button>
  );
  return (
    <Panel
      title="Time by handler"
      note="All schedulers together; it costs them a few per cent meanwhile."
      tools={isMissing ? undefined : tools}
    >
      {isMissing ? (
        <NotAvailable what="Profiles are" />
      ) : error !== null ? (
        <p class="empty bad">{error}</p>
      ) : table === null ? (
        <Empty>Nothing is sampled until you say so.</Empty>
      ) : (
        <TimeTable table={table} />
      )}
    </Panel>
  );
}

function TimeTable({ table: { threads, rows } }: { readonly table: HandlerTable }) {
  const busyMs = rows.reduce((sum, { ms }) => sum + ms, 0);
  const seconds = Math.max(0.001, ...threads.map(({ ms }) => ms / 1000));
  return (
    <>
      <Table
        label="Time by handler"
        heads={['Process', 'Handler', numeric('Of busy'), numeric('ms/s'), numeric('Samples')]}
      >
        {rows.slice(0, ROWS).map(({ process, handler, ms, samples }) => (
          <tr key={`${process} ${handler}`}>
            <td>{process === '' ? '–' : process}</td>
            <td class="mono">{handler}</td>
            <td class="number">{((ms / Math.max(busyMs, 0.001)) * 100).toFixed(1)} %</td>
            <td class="number">{(ms / seconds).toFixed(1)}</td>
            <td class="number">{number(samples)}</td>
          </tr>
        ))}
      </Table>
      <p class="quiet">
        {threads
          .map(({ thread, ms, idleMs }) => {
            const share = ms === 0 ? 0 : ((ms - idleMs) / ms) * 100;
            return `${thread} ${share.toFixed(0)} % busy`;
          })
          .join(', ')}
        . The stacks of one thread: <code>rookery profile cpu</code>.
      </p>
    </>
  );
}

async function sampled(api: OperatorApi): Promise<HandlerTable> {
  const { id } = await api.action<ProfileStarted>('profile-handlers', { ms: SAMPLED_MS });
  for (;;) {
    const state = await api.action<ProfileState>('profile-wait', { id, ms: WAIT_MS });
    if (state.state === 'done' && state.kind === 'handlers') return state.table;
  }
}
