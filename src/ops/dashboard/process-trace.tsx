import { useEffect, useRef, useState } from 'preact/hooks';
import type { TraceLine, TracePart, TraceStarted } from '../traces.js';
import { useCollector } from './context.js';
import { duration, number } from './format.js';
import { Empty, numeric, Panel, Table } from './panel.js';

const FOR_MS = 10_000;
/** Of one trace; shown are the first ones. */
const MESSAGES_MAX = 200;
const READ_MS = 500;

/** The messages of a process as they come and go, for some seconds and only when somebody wants to see them. */
export function ProcessTrace(props: { readonly pid: string }) {
  const { api, actions } = useCollector();
  const [lines, setLines] = useState<readonly TraceLine[] | null>(null);
  const [said, setSaid] = useState('');
  const [isTracing, setTracing] = useState(false);
  const isGone = useRef(false);
  useEffect(() => {
    // The server ends a trace that nobody reads.
    return () => {
      isGone.current = true;
    };
  }, []);
  if (!(actions?.has('trace') ?? false)) return null;
  const begin = async (): Promise<void> => {
    setTracing(true);
    setSaid('');
    setLines([]);
    try {
      const started = await api.action<TraceStarted>('trace', {
        pid: props.pid,
        forMs: FOR_MS,
        max: MESSAGES_MAX,
      });
      let dropped = 0;
      for (;;) {
        const part = await api.action<TracePart>('trace-read', { trace: started.trace });
        if (isGone.current) return;
        dropped += part.dropped;
        setLines((before) => [...(before ?? []), ...part.lines]);
        if (part.ended !== null) {
          const lost = dropped === 0 ? '' : `, ${number(dropped)} more came too fast`;
          setSaid(`${ENDS[part.ended]}${lost}`);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, READ_MS));
      }
    } catch (error) {
      setSaid((error as Error).message);
    } finally {
      setTracing(false);
    }
  };
  return (
    <Panel
      title="Messages as they come and go"
      note="In outline"
      tools={
        <>
          <output class="quiet">{said}</output>
          <button type="button" disabled={isTracing} onClick={() => void begin()}>
            {isTracing ? 'Tracing…' : `Trace for ${FOR_MS / 1000} s`}
          </button>
        </>
      }
    >
      {lines === null ? (
        <Empty>Nothing is traced until you say so.</Empty>
      ) : lines.length === 0 ? (
        <Empty>{isTracing ? 'No message yet.' : 'No message came or went.'}</Empty>
      ) : (
        <Table label="Messages traced" heads={[numeric('After'), 'Way', 'Who', 'Message']}>
          {lines.map(({ at, direction, peer, message }, index) => (
            <tr key={index}>
              <td class="number">{duration(at)}</td>
              <td>{direction}</td>
              <td class="mono">{peer ?? '–'}</td>
              <td class="long mono">{message}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

const ENDS: Readonly<Record<NonNullable<TracePart['ended']>, string>> = {
  time: 'ended with its time',
  count: `ended after ${MESSAGES_MAX} messages`,
  process: 'ended with the process',
  stopped: 'was ended',
};
