import { useState } from 'preact/hooks';
import type { TreeBranch, TreeChild, TreeCounts, TreeProcess, TreeRoots } from '../actions/tree.js';
import { useAction } from './context.js';
import { number } from './format.js';
import { Empty, NotAvailable, Panel } from './panel.js';
import { ProcessLink } from './process-link.js';

/** What is open is asked for again in so many rounds. */
const ROUNDS = 3;

/** The supervision tree, opened branch by branch; what is not open is not asked for. */
export function SupervisionTree() {
  const { answer, error, isMissing } = useAction<TreeRoots>('tree', {}, ROUNDS);
  return (
    <Panel title="Supervision tree">
      {isMissing ? (
        <NotAvailable what="The supervision tree is" />
      ) : answer === null ? (
        <Empty>{error ?? '…'}</Empty>
      ) : (
        <>
          <ul class="tree">
            {answer.roots.map(({ thread, process }) => (
              <Node key={thread} process={process} id={process.label} note={thread} isOpenAtFirst />
            ))}
          </ul>
          {answer.silent.length === 0 ? null : (
            <p class="empty bad">No answer from {answer.silent.join(', ')}.</p>
          )}
        </>
      )}
    </Panel>
  );
}

function Node(props: {
  readonly process: TreeProcess;
  readonly id: string;
  readonly note: string;
  readonly isOpenAtFirst?: boolean;
}) {
  const { process, id } = props;
  const [isOpen, setOpen] = useState(props.isOpenAtFirst === true);
  const isAbove = process.type === 'supervisor';
  return (
    <li>
      <div class="node">
        {isAbove ? (
          <button
            type="button"
            class="plain twist"
            aria-expanded={isOpen}
            aria-label={`children of ${process.label}`}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? '▾' : '▸'}
          </button>
        ) : (
          <span class="twist" />
        )}
        <ProcessLink pid={process.pid} label={process.name ?? process.label} />
        {id === process.label || id === process.name ? null : <span class="quiet">{id}</span>}
        <span class="quiet">{props.note === '' ? process.kind : `${process.kind}, ${props.note}`}</span>
        {process.children === null ? null : <span class="quiet">{counts(process.children)}</span>}
        {process.mailbox > 0 ? <span class="pill warn">{number(process.mailbox)} waiting</span> : null}
      </div>
      {isOpen && isAbove ? <Branch process={process} /> : null}
    </li>
  );
}

function Branch(props: { readonly process: TreeProcess }) {
  const { answer, error } = useAction<TreeBranch>('tree', { pid: props.process.pid }, ROUNDS);
  if (answer === null) return <p class="quiet branch">{error ?? '…'}</p>;
  if (answer.isTooMany) {
    return <p class="quiet branch">Too many to list here: look for them by label below.</p>;
  }
  if (answer.children.length === 0) return <p class="quiet branch">no children</p>;
  return (
    <ul class="tree branch">
      {answer.children.map((child) => (
        <Child key={`${child.id} ${child.pid}`} child={child} />
      ))}
    </ul>
  );
}

function Child(props: { readonly child: TreeChild }) {
  const { id, pid, state, type, process } = props.child;
  if (process !== null) return <Node process={process} id={id} note="" />;
  return (
    <li>
      <div class="node">
        <span class="twist" />
        {pid === null ? <span>{id}</span> : <ProcessLink pid={pid} label={id} />}
        <span class={state === 'restarting' ? 'pill warn' : 'quiet'}>{state}</span>
        <span class="quiet">{type}</span>
      </div>
    </li>
  );
}

function counts({ specs, active }: TreeCounts): string {
  if (active === 1 && specs === 1) return '1 child';
  return active === specs
    ? `${number(active)} children`
    : `${number(active)} of ${number(specs)} children run`;
}
