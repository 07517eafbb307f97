import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { SendIcon } from './icons.js';

/** Enter sends, Shift+Enter begins a line. What is not sent is kept as a draft. */
export function Composer(props: {
  readonly draft: string;
  readonly title: string;
  readonly problem: string | null;
  readonly onDraft: (draft: string) => void;
  /** False: it could not be taken, the text stays. */
  readonly onSend: (text: string) => boolean;
}) {
  const [text, setText] = useState(props.draft);
  const field = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  }, [text]);
  useLayoutEffect(() => {
    // On a phone the keyboard would cover the conversation at once.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);

  function change(next: string): void {
    setText(next);
    props.onDraft(next);
  }

  function send(): void {
    if (text.trim() === '' || !props.onSend(text)) return;
    setText('');
    field.current?.focus();
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {props.problem !== null && (
        <p class="problem composer-problem" role="alert">
          {props.problem}
        </p>
      )}
      <div class="composer-row">
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder="Message"
          aria-label={`Message to ${props.title}`}
          enterkeyhint="send"
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        <button type="submit" class="send" aria-label="Send" disabled={text.trim() === ''}>
          <SendIcon />
        </button>
      </div>
    </form>
  );
}
