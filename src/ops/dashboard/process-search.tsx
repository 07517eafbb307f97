import { useState } from 'preact/hooks';
import type { ProcessPage } from '../processes.js';
import { useAction } from './context.js';
import { number } from './format.js';
import { Empty, NotAvailable, numeric, Panel, Table } from './panel.js';
import { ProcessLink } from './process-link.js';

const LIMIT = 50;

/** Looks for processes by their label. */
export function ProcessSearch() {
  const [label, setLabel] = useState<string | null>(null);
  const [typed, setTyped] = useState('');
  return (
    <Panel
      title="Find processes"
      tools={
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            setLabel(typed.trim() === '' ? null : typed.trim());
          }}
        >
          <input
            type="search"
            aria-label="Label, with * for any characters"
            placeholder="label, such as partition-*"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <button type="submit">Find</button>
        </form>
      }
    >
      {label === null ? <Empty>By label; * stands for any characters.</Empty> : <Found label={label} />}
    </Panel>
  );
}

function Found(props: { readonly label: string }) {
  const { answer, error, isMissing } = useAction<ProcessPage>(
    'processes',
    { label: props.label, limit: LIMIT },
    5,
  );
  if (isMissing) return <NotAvailable what="The list of processes is" />;
  if (answer === null) return <Empty>{error ?? '…'}</Empty>;
  if (answer.processes.length === 0) return <Empty>No process has such a label.</Empty>;
  return (
    <>
      <Table
        label="Processes found"
        heads={[
          'Process',
          'Thread',
          numeric('Waiting'),
          numeric('Longest'),
          numeric('Handled'),
          numeric('Sent'),
        ]}
      >
        {answer.processes.map((process) => (
          <tr key={process.pid}>
            <td>
              <ProcessLink pid={process.pid} label={process.name ?? process.label} />
              {process.suspended ? <span class="pill warn">suspended</span> : null}
            </td>
            <td>{process.thread}</td>
            <td class="number">{number(process.mailbox)}</td>
            <td class="number">{number(process.longest)}</td>
            <td class="number">{number(process.handled)}</td>
            <td class="number">{number(process.sent)}</td>
          </tr>
        ))}
      </Table>
      {answer.next === null ? null : <Empty>There are more than these {LIMIT}.</Empty>}
    </>
  );
}
