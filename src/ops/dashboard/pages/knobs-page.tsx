import { useState } from 'preact/hooks';
import { useAction, useCollector } from '../context.js';
import { dayAndTime } from '../format.js';
import { KnobForm } from '../knob-form.js';
import type { KnobEntry, KnobHistoryEntry } from '../knobs.js';
import { Empty, NotAvailable, numeric, Panel, Table } from '../panel.js';
import { SureButton } from '../sure-button.js';

const ROUNDS = 5;
const HISTORY = 50;

/** What can be turned while the server runs, and who has turned what. */
export function KnobsPage(props: { readonly rest: string }) {
  const { api } = useCollector();
  const list = useAction<{ readonly knobs: readonly KnobEntry[] }>('knob-list', {}, ROUNDS);
  const history = useAction<{ readonly entries: readonly KnobHistoryEntry[] }>(
    'knob-history',
    { limit: HISTORY },
    ROUNDS,
  );
  const [filter, setFilter] = useState('');
  const [isTurnedOnly, setTurnedOnly] = useState(false);
  const [why, setWhy] = useState('');
  const [said, setSaid] = useState('');
  if (list.isMissing) {
    return (
      <Panel title="Knobs">
        <NotAvailable what="Knobs are" />
      </Panel>
    );
  }
  if (list.answer === null) return <Panel title="Knobs">{<Empty>{list.error ?? '…'}</Empty>}</Panel>;
  const all = list.answer.knobs;
  const wanted = filter.trim().toLowerCase();
  const knobs = all.filter(
    ({ name, description, changedAt }) =>
      (changedAt !== null || !isTurnedOnly) && found(`${name} ${description}`, wanted),
  );
  const turned = all.filter(({ changedAt }) => changedAt !== null).length;
  const groups = [...new Set(knobs.map(({ group }) => group))];
  const backTo = async (entry: number): Promise<void> => {
    try {
      const message = why.trim() === '' ? {} : { message: why.trim() };
      await api.action('knob-revert', { to: entry, ...message });
      setSaid('');
    } catch (thrown) {
      setSaid((thrown as Error).message);
    }
    changed();
  };
  const changed = (): void => {
    list.again();
    history.again();
  };
  return (
    <>
      <div class="row knob-tools">
        <input
          type="search"
          aria-label="Filter of knobs"
          placeholder="filter"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <input
          aria-label="Why, for the history"
          placeholder="why you change it, for the history"
          maxLength={500}
          value={why}
          onInput={(event) => setWhy(event.currentTarget.value)}
        />
        <button type="button" aria-pressed={isTurnedOnly} onClick={() => setTurnedOnly(!isTurnedOnly)}>
          turned ({turned})
        </button>
      </div>
      {knobs.length > 0 ? null : (
        <Panel title="Knobs">
          <Empty>{wanted === '' ? 'None is turned: all are as configured.' : 'No knob is called so.'}</Empty>
        </Panel>
      )}
      {groups.map((group) => (
        <Panel key={group} title={group}>
          <div class="knobs">
            {knobs
              .filter((knob) => knob.group === group)
              .map((knob) => (
                <KnobForm
                  key={knob.name}
                  knob={knob}
                  why={why}
                  isWanted={knob.name === props.rest}
                  onChanged={changed}
                />
              ))}
          </div>
        </Panel>
      ))}
      {history.isMissing ? null : (
        <Panel
          title="History"
          note="Back to here: all knobs as they were after that entry"
          tools={
            <output class="bad" role="alert">
              {said}
            </output>
          }
        >
          {(history.answer?.entries.length ?? 0) === 0 ? (
            <Empty>Nobody has turned a knob.</Empty>
          ) : (
            <Table label="History of knobs" heads={[numeric('Entry'), 'When', 'Who', 'What', 'Why', '']}>
              {history.answer!.entries.map((entry, index) => (
                <tr key={entry.number}>
                  <td class="number">{entry.number}</td>
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
                  <td>
                    {index === 0 ? null : (
                      <SureButton
                        text="Back to here"
                        sure={`Really undo what came after ${entry.number}`}
                        onSure={() => void backTo(entry.number)}
                      />
                    )}
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Panel>
      )}
    </>
  );
}

/** Names are found as they are written here and in files: `slice-messages`, `sliceMessages`. */
function found(text: string, wanted: string): boolean {
  const lower = text.toLowerCase();
  return lower.includes(wanted) || lower.includes(wanted.replaceAll('-', ''));
}
