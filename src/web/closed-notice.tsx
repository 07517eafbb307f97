import type { ClosedReason } from '../client/browser.js';
import { phoneText } from './format.js';
import { Logo } from './icons.js';

/** A full page that says why nothing goes on here, and what can be done. */
export function Notice(props: {
  readonly title: string;
  readonly text: string;
  readonly actions: readonly { readonly text: string; readonly act: () => void }[];
}) {
  return (
    <main class="welcome">
      <div class="card" role="alert">
        <Logo size={64} />
        <h1>{props.title}</h1>
        <p class="lead">{props.text}</p>
        {props.actions.map(({ text, act }, at) => (
          <button key={text} type="button" class={at === 0 ? 'primary' : 'secondary'} onClick={act}>
            {text}
          </button>
        ))}
      </div>
    </main>
  );
}

/** Null: not a reason to cover the page. */
export function ClosedNotice(props: {
  readonly reason: ClosedReason;
  readonly user: number | null;
  readonly onRegister: () => void;
  readonly onConnect: () => void;
}) {
  const { reason, onRegister, onConnect } = props;
  const number = props.user === null ? 'This number' : phoneText(props.user);
  const again = { text: 'Register here again', act: onRegister };
  const connect = { text: 'Connect again', act: onConnect };
  switch (reason) {
    case 'stopped':
    case 'notRegistered':
      return null;
    case 'deviceReplaced':
      return (
        <Notice
          title="Registered elsewhere"
          text={`${number} was registered on another device. Messages arrive there now.`}
          actions={[again]}
        />
      );
    case 'badCredentials':
      return (
        <Notice
          title="Not known here"
          text={`The server does not know this browser as ${number}. It may have been registered on another device, or the server began anew.`}
          actions={[again, connect]}
        />
      );
    case 'connectionReplaced':
      return (
        <Notice
          title="In use elsewhere"
          text="A newer connection of this device has taken over, perhaps in another window."
          actions={[{ text: 'Use it here', act: onConnect }]}
        />
      );
    case 'unsupported':
      return (
        <Notice
          title="This page is out of date"
          text="The server speaks a newer version. Reload the page."
          actions={[{ text: 'Reload', act: () => location.reload() }]}
        />
      );
    case 'originRefused':
      return (
        <Notice
          title="Not from here"
          text={`The server takes no connections from pages of ${location.origin}. Its operator can allow it.`}
          actions={[connect]}
        />
      );
    case 'protocol':
      return (
        <Notice
          title="Misunderstanding"
          text="The server did not understand this page. Reload it; if that does not help, tell the operator."
          actions={[{ text: 'Reload', act: () => location.reload() }, connect]}
        />
      );
  }
}
