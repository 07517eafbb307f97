import { useState } from 'preact/hooks';
import type { ProcessOutcome } from '../processes.js';
import { useCollector } from './context.js';
import { Panel } from './panel.js';

/** Sends a process a message, as JSON: behind those that wait, or before them. */
export function ProcessSend(props: { readonly pid: string; readonly onDone: () => void }) {
  const { api, actions } = useCollector();
  const [text, setText] = useState('');
  const [isFirst, setFirst] = useState(false);
  const [isCast, setCast] = useState(false);
  const [said, setSaid] = useState('');
  const [isWrong, setWrong] = useState(false);
  if (!(actions?.has('send') ?? false)) return null;
  const send = async (): Promise<void> => {
    try {
      const params = { pid: props.pid, message: JSON.parse(text) as unknown, first: isFirst, cast: isCast };
      setSaid((await api.action<ProcessOutcome>('send', params)).outcome);
      setText('');
      setWrong(false);
    } catch (error) {
      setSaid(error instanceof SyntaxError ? `that is no JSON: ${error.message}` : (error as Error).message);
      setWrong(true);
    }
    props.onDone();
  };
  return (
    <Panel title="Send a message" tools={<output class={isWrong ? 'bad' : 'quiet'}>{said}</output>}>
      <form
        class="row silence"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <input
          class="mono"
          aria-label="Message, as JSON"
          aria-invalid={isWrong}
          placeholder='JSON, such as {"type":"flush"}'
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <label>
          <input
            type="checkbox"
            checked={isFirst}
            onChange={(event) => setFirst(event.currentTarget.checked)}
          />{' '}
          before all that wait
        </label>
        <label>
          <input
            type="checkbox"
            checked={isCast}
            onChange={(event) => setCast(event.currentTarget.checked)}
          />{' '}
          as a cast
        </label>
        <button type="submit" disabled={text.trim() === ''}>
          Send
        </button>
      </form>
    </Panel>
  );
}
