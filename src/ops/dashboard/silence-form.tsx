import { useState } from 'preact/hooks';

/** For how long alerts can be silenced here. */
export const SILENCE_TIMES = [
  ['for 10 minutes', 600_000],
  ['for an hour', 3_600_000],
  ['for a day', 86_400_000],
  ['for a week', 604_800_000],
] as const;

/** Silences alerts before they come: by rule, by label of a process, or both. */
export function SilenceForm(props: {
  readonly rules: readonly string[];
  readonly onSilence: (params: object) => Promise<void>;
}) {
  const [rule, setRule] = useState('');
  const [label, setLabel] = useState('');
  const [comment, setComment] = useState('');
  const [ms, setMs] = useState<number>(SILENCE_TIMES[1][1]);
  const given = (name: string, text: string) => (text.trim() === '' ? {} : { [name]: text.trim() });
  return (
    <form
      class="row silence"
      onSubmit={(event) => {
        event.preventDefault();
        void props.onSilence({
          ...given('rule', rule),
          ...given('label', label),
          ...given('comment', comment),
          ms,
        });
      }}
    >
      <input
        aria-label="Rule, with * for any letters"
        placeholder="rule, such as disk-*"
        list="silenced-rules"
        value={rule}
        onInput={(event) => setRule(event.currentTarget.value)}
      />
      <datalist id="silenced-rules">
        {props.rules.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <input
        aria-label="Label of processes, with * for any letters"
        placeholder="label, such as partition-*"
        value={label}
        onInput={(event) => setLabel(event.currentTarget.value)}
      />
      <input
        aria-label="Why"
        placeholder="why"
        maxLength={200}
        value={comment}
        onInput={(event) => setComment(event.currentTarget.value)}
      />
      <select
        aria-label="For how long"
        value={ms}
        onChange={(event) => setMs(Number(event.currentTarget.value))}
      >
        {SILENCE_TIMES.map(([text, time]) => (
          <option key={time} value={time}>
            {text}
          </option>
        ))}
      </select>
      <button type="submit" disabled={rule.trim() === '' && label.trim() === ''}>
        Silence
      </button>
    </form>
  );
}
