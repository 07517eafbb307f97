import { useState } from 'preact/hooks';
import { useCollector } from './context.js';
import { SureButton } from './sure-button.js';

const WHY = 'from the operator’s page';

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
      ) : has('code-rollback') ? (
        <SureButton
          text="Roll back"
          sure="Really take it back"
          onSure={() => void act('code-rollback', 'rolled back')}
        />
      ) : null}
    </>
  );
}
