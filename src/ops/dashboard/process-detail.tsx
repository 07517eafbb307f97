import { type ComponentChildren, Fragment } from 'preact';
import type { ProcessReport, Some } from '../processes.js';
import { useAction } from './context.js';
import { number } from './format.js';
import { Empty, NotAvailable, Panel, Tile } from './panel.js';
import { ProcessOperations } from './process-operations.js';
import { ProcessSend } from './process-send.js';
import { ProcessTrace } from './process-trace.js';
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
        <span class="quiet">
          {[answer.thread, ...answer.path.slice(0, -1)].join(' › ')}
          {answer.path.length === 0 ? null : ' › '}
          <Named one={answer.parent} text={answer.path.at(-1)} />
        </span>
      </p>
      <Panel
        title={answer.name ?? answer.label}
        note={`${answer.pid} · ${answer.kind} · priority ${answer.priority}`}
        tools={<ProcessOperations report={answer} onDone={again} />}
      >
        {error === null ? null : <p class="empty bad">{error}</p>}
        <dl class="figures">
          <Fact name="Label" value={answer.label} />
          <Fact name="Thread" value={answer.thread} />
          <Fact name="Started by" value={answer.parent === null ? 'nobody' : <Named one={answer.parent} />} />
          <Fact name="Traps exits" value={answer.trapExit ? 'yes' : 'no'} />
          <Fact name="Inside of a callback" value={answer.waits ? 'it waits' : 'no'} />
          <Fact name="Timers" value={number(answer.timers)} />
          <Fact name="Links" value={<Several some={answer.links} />} />
          <Fact name="Monitors" value={<Several some={answer.monitoring} />} />
          <Fact name="Monitored by" value={<Several some={answer.monitoredBy} />} />
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
      <ProcessTrace pid={answer.pid} />
      <ProcessSend pid={answer.pid} onDone={again} />
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

function Fact(props: { readonly name: string; readonly value: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

/** A process as reports call it, `session<1.2.0>`, leading to the page about it. */
function Named(props: { readonly one: string | null; readonly text?: string | undefined }) {
  const { one, text } = props;
  const pid = one === null ? null : (/<[\d.]+>$/.exec(one)?.[0] ?? null);
  if (pid === null) return <>{text ?? one}</>;
  return <a href={href('processes', pid)}>{text ?? one}</a>;
}

function Several(props: { readonly some: Some<string> }) {
  const { count, first } = props.some;
  if (count === 0) return <>none</>;
  const shown = first.slice(0, 3);
  return (
    <>
      {shown.map((one, index) => (
        <Fragment key={one}>
          {index === 0 ? '' : ', '}
          <Named one={one} />
        </Fragment>
      ))}
      {count > shown.length ? ` and ${number(count - shown.length)} more` : ''}
    </>
  );
}
