import { useState } from 'preact/hooks';
import type { ProcessOutcome, ProcessReport } from '../processes.js';
import { useCollector } from './context.js';
import { SureButton } from './sure-button.js';

const SUPERVISORS = /Supervisor$/;

/** Holding, letting go, throwing away, ending: what cannot be taken back wants a second press. */
export function ProcessOperations(props: { readonly report: ProcessReport; readonly onDone: () => void }) {
  const { api, actions } = useCollector();
  const { pid, suspended, kind, mailbox } = props.report;
  const [said, setSaid] = useState('');
  const [isWrong, setWrong] = useState(false);
  const act = async (name: string, params: object = {}): Promise<void> => {
    try {
      setSaid((await api.action<ProcessOutcome>(name, { pid, ...params })).outcome);
      setWrong(false);
    } catch (error) {
      setSaid((error as Error).message);
      setWrong(true);
    }
    props.onDone();
  };
  const has = (name: string) => actions?.has(name) ?? false;
  // What is below a supervisor depends on it: the server wants to be told that one knows.
  const isAbove = SUPERVISORS.test(kind);
  const force = isAbove ? { force: true } : {};
  return (
    <>
      <output class={isWrong ? 'bad' : 'quiet'}>{said}</output>
      {!has('suspend') || !has('resume') ? null : suspended ? (
        <button type="button" onClick={() => void act('resume')}>
          Resume
        </button>
      ) : isAbove ? (
        <SureButton text="Suspend" sure="Really hold it" onSure={() => void act('suspend', force)} />
      ) : (
        <button type="button" onClick={() => void act('suspend')}>
          Suspend
        </button>
      )}
      {has('flush') ? (
        <SureButton
          text="Flush"
          sure="Really throw away what waits"
          disabled={mailbox === 0}
          onSure={() => void act('flush')}
        />
      ) : null}
      {has('kill') ? (
        <SureButton
          text="Kill"
          sure={isAbove ? 'Really kill it, and all below' : 'Really kill it'}
          onSure={() => void act('kill', force)}
        />
      ) : null}
    </>
  );
}
