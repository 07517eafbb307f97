import { useState } from 'preact/hooks';
import { useAction, useCollector } from '../context.js';
import { dayAndTime } from '../format.js';
import type { KnobEntry, KnobHistoryEntry } from '../knobs.js';
import { Empty, NotAvailable, Panel, Table } from '../panel.js';

const ROUNDS = 5;
const HISTORY = 50;

/** What can be turned while the server runs, and who has turned what. */
export function KnobsPage() {
  const list = useAction<{ readonly knobs: readonly KnobEntry[] }>('knob-list', {}, ROUNDS);
  const history = useAction<{ readonly entries: readonly KnobHistoryEntry[] }>(
    'knob-history',
    { limit: HISTORY },
    ROUNDS,
  );
  const [filter, setFilter] = useState('');
  if (list.isMissing) {
    return (
      <Panel title="Knobs">
        <NotAvailable what="Knobs are" />
      </Panel>
    );
  }
  if (list.answer === null) return <Panel title="Knobs">{<Empty>{list.error ?? '…'}</Empty>}</Panel>;
  const knobs = list.answer.knobs.filter(({ name, description }) =>
    `${name} ${description}`.toLowerCase().includes(filter.toLowerCase()),
  );
  const groups = [...new Set(knobs.map(({ group }) => group))];
  const changed = (): void => {
    list.again();
    history.again();
  };
  return (
    <>
      <div class="row">
        <input
          type="search"
          aria-label="Filter of knobs"
          placeholder="filter"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </div>
      {groups.map((group) => (
        <Panel key={group} title={group}>
          <div class="knobs">
            {knobs
              .filter((knob) => knob.group === group)
              .map((knob) => (
                <Knob key={knob.name} knob={knob} onChanged={changed} />
              ))}
          </div>
        </Panel>
      ))}
      {history.isMissing ? null : (
        <Panel title="History">
          {(history.answer?.entries.length ?? 0) === 0 ? (
            <Empty>Nobody has turned a knob.</Empty>
          ) : (
            <Table label="History of knobs" heads={['When', 'Who', 'What', 'Why']}>
              {history.answer!.entries.map((entry) => (
                <tr key={entry.number}>
                  <td>{dayAndTime(entry.at)}</td>
                  <td>{entry.author}</td>
                  <td>
                    {entry.changes.map(({ name, before, after }) => (
                      <div key={name}>
                        <span class="mono">{name}</span> {before ?? 'as configured'} →{' '}
                        {after ?? 'as configured'}
                      </div>
                    ))}
                  </td>
                  <td class="long">{entry.message}</td>
                </tr>
              ))}
            </Table>
          )}
        </Panel>
      )}
    </>
  );
}

function Knob(props: { readonly knob: KnobEntry; readonly onChanged: () => void }) {
  const { knob, onChanged } = props;
  const { api, actions } = useCollector();
  /** Null: as it is; nobody types. */
  const [typed, setTyped] = useState<string | null>(null);
  const [error, setError] = useState('');
  const change = async (name: string, params: object): Promise<void> => {
    try {
      await api.action(name, { name: knob.name, ...params });
      setTyped(null);
      setError('');
    } catch (thrown) {
      setError((thrown as Error).message);
    }
    onChanged();
  };
  const isTurned = knob.value !== knob.configured;
  const id = `knob-${knob.name}`;
  return (
    <form
      class="knob"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed !== null && typed !== knob.value) void change('knob-set', { value: typed });
      }}
    >
      <label for={id}>
        <b class="mono">{knob.name}</b>
        {isTurned ? <span class="pill warn">configured: {knob.configured}</span> : null}
        <small class="quiet">{knob.description}</small>
      </label>
      <div class="knob-value">
        <input
          id={id}
          value={typed ?? knob.value}
          aria-describedby={`${id}-range`}
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setTyped(null);
          }}
        />
        <button type="submit" disabled={typed === null || typed === knob.value}>
          Set
        </button>
        <button
          type="button"
          disabled={!isTurned || !(actions?.has('knob-revert') ?? false)}
          onClick={() => void change('knob-revert', {})}
        >
          Revert
        </button>
        <small
          id={`${id}-range`}
          class={error === '' ? 'range quiet' : 'range bad'}
          role={error === '' ? undefined : 'alert'}
        >
          {error === '' ? knob.range : error}
        </small>
      </div>
    </form>
  );
}
