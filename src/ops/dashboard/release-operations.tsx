import { useState } from 'preact/hooks';
import { useCollector } from './context.js';
import { SureButton } from './sure-button.js';

const WHY = 'from the operator’s page';

/** What the action `code-purge` answers. */
interface Purged {
  readonly purged: readonly string[];
  readonly left: readonly { readonly module: string; readonly users: number }[];
}

/** What `rookery code` does with releases that are there: each wants a second press. */
export function ReleaseOperations(props: { readonly onDone: () => void; readonly ofCanaries?: boolean }) {
  const { api, actions } = useCollector();
  const [said, setSaid] = useState('');
  const [isWrong, setWrong] = useState(false);
  const act = async (name: string, done: string): Promise<void> => {
    try {
      await api.action(name, { message: WHY });
      setSaid(done);
      setWrong(false);
    } catch (error) {
      setSaid((error as Error).message);
      setWrong(true);
    }
    props.onDone();
  };
  const purge = async (): Promise<void> => {
    try {
      const { purged, left } = await api.action<Purged>('code-purge', { message: WHY });
      const kept = left
        .map(({ module, users }) => (users > 0 ? `${module} (${users} run it)` : `${module} (on probation)`))
        .join(', ');
      setSaid(`${purged.length} let go${kept === '' ? '' : `, kept ${kept}`}`);
      setWrong(false);
    } catch (error) {
      setSaid((error as Error).message);
      setWrong(true);
    }
    props.onDone();
  };
  const has = (name: string) => actions?.has(name) ?? false;
  return (
    <>
      <output class={isWrong ? 'bad' : 'quiet'}>{said}</output>
      {props.ofCanaries === true ? (
        <>
          {has('code-promote') ? (
            <SureButton
              text="Promote"
              sure="Really for everybody"
              onSure={() => void act('code-promote', 'promoted')}
            />
          ) : null}
          {has('code-withdraw') ? (
            <SureButton
              text="Withdraw"
              sure="Really give it up"
              onSure={() => void act('code-withdraw', 'withdrawn')}
            />
          ) : null}
        </>
      ) : (
        <>
          {has('code-purge') ? (
            <SureButton text="Purge" sure="Really let go of previous versions" onSure={() => void purge()} />
          ) : null}
          {has('code-rollback') ? (
            <SureButton
              text="Roll back"
              sure="Really take it back"
              onSure={() => void act('code-rollback', 'rolled back')}
            />
          ) : null}
        </>
      )}
    </>
  );
}

/** Goes to how all modules stood behind a release. */
export function BackTo(props: { readonly release: number; readonly onDone: () => void }) {
  const { release } = props;
  const { api, actions } = useCollector();
  const [said, setSaid] = useState('');
  if (!(actions?.has('code-rollback') ?? false)) return null;
  const back = async (): Promise<void> => {
    try {
      await api.action('code-rollback', { release, message: WHY });
      setSaid('');
    } catch (error) {
      setSaid((error as Error).message);
    }
    props.onDone();
  };
  return (
    <>
      <SureButton
        text="Back to here"
        sure={`Really undo what came after ${release}`}
        onSure={() => void back()}
      />
      <output class="bad">{said}</output>
    </>
  );
}
