import { useState } from 'preact/hooks';
import type { ProcessOutcome, ProcessReport, Some } from '../processes.js';
import { useAction, useCollector } from './context.js';
import { number } from './format.js';
import { Empty, NotAvailable, Panel, Tile } from './panel.js';
import { href } from './route.js';

/** Everything about one process, and what can be done to it. */
export function ProcessDetail(props: { readonly pid: string }) {
  const { pid } = props;
  const { answer, error, isMissing, again } = useAction<ProcessReport>('inspect', { pid, messages: 10 }, 2);
  const back = (
    <p>
      <a href={href('processes')}>← Processes</a>
    </p>
  );
  if (isMissing) {
    return (
      <>
        {back}
        <Panel title={pid}>
          <NotAvailable what="Looking into a process is" />
        </Panel>
      </>
    );
  }
  if (answer === null) {
    return (
      <>
        {back}
        <Panel title={pid}>
          <Empty>{error ?? '…'}</Empty>
        </Panel>
      </>
    );
  }
  return (
    <>
      <p class="crumbs">
        <a href={href('processes')}>← Processes</a>
        <span class="quiet">{[answer.thread, ...answer.path].join(' › ')}</span>
      </p>
      <Panel
        title={answer.name ?? answer.label}
        note={`${answer.pid} · ${answer.kind} · priority ${answer.priority}`}
        tools={<Operations report={answer} onDone={again} />}
      >
        {error === null ? null : <p class="empty bad">{error}</p>}
        <dl class="figures">
          <Fact name="Label" value={answer.label} />
          <Fact name="Thread" value={answer.thread} />
          <Fact name="Started by" value={answer.parent ?? 'nobody'} />
          <Fact name="Traps exits" value={answer.trapExit ? 'yes' : 'no'} />
          <Fact name="Inside of a callback" value={answer.waits ? 'it waits' : 'no'} />
          <Fact name="Timers" value={number(answer.timers)} />
          <Fact name="Links" value={some(answer.links)} />
          <Fact name="Monitors" value={some(answer.monitoring)} />
          <Fact name="Monitored by" value={some(answer.monitoredBy)} />
        </dl>
      </Panel>
      <section class="tiles" aria-label="Mailbox">
        <Tile name="Waiting" value={number(answer.mailbox)} note={`longest ever ${number(answer.longest)}`} />
        <Tile name="Received" value={number(answer.received)} />
        <Tile name="Handled" value={number(answer.handled)} />
        <Tile name="Sent" value={number(answer.sent)} />
      </section>
      <Panel title="Oldest messages that wait" note="In outline: texts and bytes as their sizes">
        {answer.messages.length === 0 ? (
          <Empty>Nothing waits.</Empty>
        ) : (
          <ol class="outlines">
            {answer.messages.map(({ outline, bytes }, index) => (
              <li key={index}>
                <code>{outline}</code>
                {bytes > 0 ? <span class="quiet"> {number(bytes)} bytes</span> : null}
              </li>
            ))}
          </ol>
        )}
      </Panel>
      <Panel title="State" note="In outline">
        {answer.state === null ? (
          <Empty>{answer.stateMissing ?? 'It is no behaviour, and shows none.'}</Empty>
        ) : (
          <pre>{answer.state}</pre>
        )}
      </Panel>
    </>
  );
}

/** Holding, letting go and killing; the last one wants a second press. */
function Operations(props: { readonly report: ProcessReport; readonly onDone: () => void }) {
  const { api, actions } = useCollector();
  const { pid, suspended } = props.report;
  const [said, setSaid] = useState('');
  const [isSure, setSure] = useState(false);
  const act = async (name: string, params: object = {}): Promise<void> => {
    setSure(false);
    try {
      setSaid((await api.action<ProcessOutcome>(name, { pid, ...params })).outcome);
    } catch (error) {
      setSaid((error as Error).message);
    }
    props.onDone();
  };
  const has = (name: string) => actions?.has(name) ?? false;
  return (
    <>
      <output class="quiet">{said}</output>
      {has('suspend') && has('resume') ? (
        <button type="button" onClick={() => void act(suspended ? 'resume' : 'suspend')}>
          {suspended ? 'Resume' : 'Suspend'}
        </button>
      ) : null}
      {has('kill') ? (
        <button
          type="button"
          class={isSure ? 'danger' : undefined}
          onBlur={() => setSure(false)}
          onClick={() => (isSure ? void act('kill') : setSure(true))}
        >
          {isSure ? 'Really kill it' : 'Kill'}
        </button>
      ) : null}
    </>
  );
}

function Fact(props: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

function some({ count, first }: Some<string>): string {
  if (count === 0) return 'none';
  return `${first.slice(0, 3).join(', ')}${count > 3 ? ` and ${number(count - 3)} more` : ''}`;
}
