import { useState } from 'preact/hooks';

/** A button that wants a second press; whoever leaves it has thought better of it. */
export function SureButton(props: {
  readonly text: string;
  /** What it says before the second press. */
  readonly sure: string;
  readonly disabled?: boolean;
  readonly onSure: () => void;
}) {
  const [isSure, setSure] = useState(false);
  return (
    <button
      type="button"
      class={isSure ? 'danger' : undefined}
      disabled={props.disabled ?? false}
      onBlur={() => setSure(false)}
      onClick={() => {
        setSure(!isSure);
        if (isSure) props.onSure();
      }}
    >
      {isSure ? props.sure : props.text}
    </button>
  );
}
