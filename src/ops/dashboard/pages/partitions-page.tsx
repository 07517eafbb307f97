import { useEffect, useState } from 'preact/hooks';
import type { MoveOutcome, PartitionsReport } from '../../pages/partitions-page.js';
import { useCollector } from '../context.js';
import { number } from '../format.js';
import { Refused } from '../operator-api.js';
import { Empty, NotAvailable, numeric, Panel, Table } from '../panel.js';

/** Rounds of the collector between two questions. */
const ROUNDS = 3;

/** Which scheduler runs which partition, for how many users, and how to move them. */
export function PartitionsPage() {
  const { report, error, isMissing, again } = usePartitions();
  if (isMissing) {
    return (
      <Panel title="Partitions">
        <NotAvailable what="Partitions are" />
      </Panel>
    );
  }
  if (report === null) return <Panel title="Partitions">{<Empty>{error ?? '…'}</Empty>}</Panel>;
  const { schedulers, partitions } = report;
  const homeless = partitions.filter(({ scheduler }) => scheduler === null);
  return (
    <>
      <Panel title="Schedulers" tools={<Move report={report} onDone={again} />}>
        {error === null ? null : <p class="empty bad">{error}</p>}
        <Table
          label="Schedulers"
          heads={['Scheduler', 'State', numeric('Partitions'), numeric('Connections'), numeric('Home port')]}
        >
          {schedulers.map(({ scheduler, state, partitions: count, connections, homePort }) => (
            <tr key={scheduler}>
              <td>{scheduler}</td>
              <td class={state === 'running' ? undefined : 'bad'}>{state}</td>
              <td class="number">{number(count)}</td>
              <td class="number">{number(connections)}</td>
              <td class="number">{homePort === 0 ? '–' : homePort}</td>
            </tr>
          ))}
        </Table>
      </Panel>
      <Panel
        title="Partitions"
        note="Each owns the inboxes of a share of the users. At home: connected to the scheduler that has their inbox"
      >
        {homeless.length === 0 ? null : (
          <p class="empty bad">
            Nobody runs {homeless.map(({ partition }) => partition).join(', ')} at the moment.
          </p>
        )}
        <Table
          label="Partitions"
          heads={[numeric('Partition'), 'Scheduler', '', numeric('Users'), numeric('At home')]}
        >
          {partitions.map(({ partition, scheduler, moving, users, atHome }) => (
            <tr key={partition}>
              <td class="number">{partition}</td>
              <td class={scheduler === null ? 'bad' : undefined}>{scheduler ?? 'nobody'}</td>
              <td>{moving ? <span class="pill warn">moving</span> : null}</td>
              <td class="number">{number(users)}</td>
              <td class="number">{number(atHome)}</td>
            </tr>
          ))}
        </Table>
      </Panel>
    </>
  );
}

/** Asks in step with the collector: while the tab is hidden nothing is asked. */
function usePartitions() {
  const collector = useCollector();
  const [report, setReport] = useState<PartitionsReport | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isMissing, setMissing] = useState(false);
  const [asks, setAsks] = useState(0);
  useEffect(() => {
    let isOver = false;
    let round = 0;
    const ask = async (): Promise<void> => {
      try {
        const came = await collector.api.get<PartitionsReport>('/api/partitions');
        if (isOver) return;
        setReport(came);
        setError(null);
      } catch (thrown) {
        if (isOver || !(thrown instanceof Refused) || thrown.status === 401) return;
        if (thrown.status === 404) setMissing(true);
        else setError(thrown.message);
      }
    };
    void ask();
    const stop = collector.watch(() => {
      if (collector.state === 'live' && ++round % ROUNDS === 0) void ask();
    });
    return () => {
      isOver = true;
      stop();
    };
  }, [collector, asks]);
  return { report, error, isMissing, again: () => setAsks((count) => count + 1) };
}

function Move(props: { readonly report: PartitionsReport; readonly onDone: () => void }) {
  const { api } = useCollector();
  const { schedulers, partitions } = props.report;
  const [what, setWhat] = useState('');
  const [to, setTo] = useState('');
  const [said, setSaid] = useState('');
  const [isWrong, setWrong] = useState(false);
  const [isMoving, setMoving] = useState(false);
  if (schedulers.length < 2) return null;
  const move = async (): Promise<void> => {
    const numbers = what.split(/[\s,]+/).filter((part) => part !== '');
    const from = schedulers.some(({ scheduler }) => scheduler === what.trim());
    const query = new URLSearchParams(
      from ? { from: what.trim(), to } : { partitions: numbers.join(','), to },
    );
    setMoving(true);
    setSaid('');
    try {
      const { moved, late } = await api.post<MoveOutcome>(`/api/partitions/move?${query}`);
      setSaid(
        late.length > 0
          ? `still on their way: ${late.join(', ')}`
          : moved.length === 0
            ? `they are on ${to} already`
            : `${moved.length} moved`,
      );
      setWrong(late.length > 0);
    } catch (error) {
      setSaid((error as Error).message);
      setWrong(true);
    } finally {
      setMoving(false);
    }
    props.onDone();
  };
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        void move();
      }}
    >
      <output class={isWrong ? 'bad' : 'quiet'}>{said}</output>
      <input
        aria-label="What is to move: numbers of partitions, or a scheduler for all of its own"
        placeholder={`${partitions[0]?.partition ?? 0}, 17 or ${schedulers[0]!.scheduler}`}
        list="movable"
        value={what}
        onInput={(event) => setWhat(event.currentTarget.value)}
      />
      <datalist id="movable">
        {schedulers.map(({ scheduler }) => (
          <option key={scheduler} value={scheduler} />
        ))}
      </datalist>
      <select aria-label="Where to" value={to} onChange={(event) => setTo(event.currentTarget.value)}>
        <option value="" disabled>
          to …
        </option>
        {schedulers.map(({ scheduler }) => (
          <option key={scheduler} value={scheduler}>
            to {scheduler}
          </option>
        ))}
      </select>
      <button type="submit" disabled={isMoving || what.trim() === '' || to === ''}>
        {isMoving ? 'Moving…' : 'Move'}
      </button>
    </form>
  );
}
