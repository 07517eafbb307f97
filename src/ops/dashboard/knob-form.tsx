import { useEffect, useRef, useState } from 'preact/hooks';
import type { KnobOutcome } from '../knobs.js';
import { useCollector } from './context.js';
import { momentText } from './format.js';
import type { KnobEntry } from './knobs.js';

/** One knob: what it is, what it is set to and by whom, and how to change that. */
export function KnobForm(props: {
  readonly knob: KnobEntry;
  /** Why, for the history. */
  readonly why: string;
  /** The address names it: it is shown. */
  readonly isWanted: boolean;
  readonly onChanged: () => void;
}) {
  const { knob, why, isWanted, onChanged } = props;
  const { api, actions } = useCollector();
  const form = useRef<HTMLFormElement>(null);
  /** Null: as it is; nobody types. */
  const [typed, setTyped] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [isTurning, setTurning] = useState(false);
  useEffect(() => {
    if (!isWanted) return;
    form.current?.scrollIntoView({ block: 'center' });
    form.current?.querySelector<HTMLElement>('input, select')?.focus({ preventScroll: true });
  }, [isWanted]);
  const change = async (name: string, params: object): Promise<void> => {
    setTurning(true);
    try {
      const said = why.trim() === '' ? {} : { message: why.trim() };
      const { late } = await api.action<KnobOutcome>(
        name,
        { name: knob.name, ...params, ...said },
        ANSWER_MS,
      );
      setTyped(null);
      setError(late.length === 0 ? '' : `not in effect yet on ${late.join(', ')}: no answer from there`);
    } catch (thrown) {
      setError((thrown as Error).message);
    } finally {
      setTurning(false);
    }
    onChanged();
  };
  const isTurned = knob.changedAt !== null;
  const id = `knob-${knob.name}`;
  const same = typed === null || typed === knob.value;
  return (
    <form
      ref={form}
      class={isWanted ? 'knob wanted' : 'knob'}
      onSubmit={(event) => {
        event.preventDefault();
        if (typed !== null && !same) void change('knob-set', { value: typed });
      }}
    >
      <label for={id}>
        <b class="mono">{knob.name}</b>
        {isTurned ? <span class="pill warn">configured: {textOf(knob.configured)}</span> : null}
        {isTurned ? (
          <span class="quiet">
            {knob.source}, {momentText(knob.changedAt!)}
          </span>
        ) : null}
        <small class="quiet">{knob.description}</small>
      </label>
      <div class="knob-value">
        {knob.choices === null ? (
          <input
            id={id}
            value={typed ?? knob.value}
            aria-describedby={`${id}-range`}
            aria-invalid={error !== ''}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              setTyped(null);
              setError('');
            }}
          />
        ) : (
          <select
            id={id}
            value={typed ?? knob.value}
            aria-describedby={`${id}-range`}
            onChange={(event) => setTyped(event.currentTarget.value)}
          >
            {knob.choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        )}
        <button type="submit" disabled={same || isTurning}>
          Set
        </button>
        <button
          type="button"
          disabled={!isTurned || isTurning || !(actions?.has('knob-revert') ?? false)}
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

/** A ledger that waits for a new writer takes its time. */
const ANSWER_MS = 15_000;

/** '' is a value, too. */
function textOf(value: string): string {
  return value === '' ? '(nothing)' : value;
}
