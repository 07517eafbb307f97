import { useEffect, useState } from 'preact/hooks';
import { Avatar } from './avatar.js';
import { type Chat, errorText } from './chat.js';
import { ClosedNotice } from './closed-notice.js';
import { ConnectionBanner } from './connection-banner.js';
import { ConversationList } from './conversation-list.js';
import { ConversationView, Menu } from './conversation-view.js';
import { phoneText } from './format.js';
import { Logo } from './icons.js';
import { Registration } from './registration.js';

/** The page of a tab that has its profile. */
export function App(props: { readonly chat: Chat }) {
  const { chat } = props;
  const now = useChat(chat);
  const [isReregistering, setReregistering] = useState(false);
  const { state } = chat;

  useEffect(() => {
    // The address names the open conversation: reload, back and forward do what people expect.
    const follow = (): void => {
      const peer = Number(location.hash.slice(1));
      void chat.openConversationWith(Number.isSafeInteger(peer) && peer > 0 ? peer : null);
    };
    follow();
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, [chat]);
  useEffect(() => {
    const count = chat.unreadCount;
    document.title = count > 0 ? `(${count}) Rookery` : 'Rookery';
  });
  useEffect(() => {
    if (state.kind === 'online') setReregistering(false);
  }, [state.kind]);
  useEffect(() => {
    const leave = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && chat.openPeer !== null && !event.defaultPrevented) location.hash = '';
    };
    document.addEventListener('keydown', leave);
    return () => document.removeEventListener('keydown', leave);
  }, [chat]);

  if (chat.user === null || isReregistering) return <Registration chat={chat} phone={chat.user} />;
  if (state.kind === 'closed') {
    const notice = (
      <ClosedNotice
        reason={state.reason}
        user={chat.user}
        onRegister={() => setReregistering(true)}
        onConnect={() => chat.connect()}
      />
    );
    if (state.reason !== 'stopped' && state.reason !== 'notRegistered') return notice;
  }

  const { openPeer } = chat;
  return (
    <div class={openPeer === null ? 'app' : 'app app-open'}>
      <aside class="side">
        <header class="bar">
          <Avatar user={chat.user} name={chat.name} small isOnline={state.kind === 'online'} />
          <div class="bar-text">
            <h1>{chat.name === '' ? 'Rookery' : chat.name}</h1>
            <p class="bar-status">{phoneText(chat.user)}</p>
          </div>
          <Menu
            label="More"
            items={[
              {
                text: 'Change your name',
                act: () => {
                  const name = prompt('Your name, as others see it', chat.name)?.trim();
                  if (name === undefined || name === '') return;
                  chat.rename(name).catch((error: unknown) => alert(errorText(error)));
                },
              },
            ]}
          />
        </header>
        <ConnectionBanner chat={chat} />
        {chat.notice !== null && (
          <p class="banner banner-notice" role="alert">
            <span>{chat.notice}</span>
            <button type="button" class="link" onClick={() => chat.dismissNotice()}>
              OK
            </button>
          </p>
        )}
        <ConversationList
          chat={chat}
          now={now}
          onOpen={(peer) => {
            location.hash = String(peer);
          }}
        />
      </aside>
      {openPeer === null ? (
        <section class="nothing" aria-label="No conversation is open">
          <Logo size={88} />
          <p>Choose a conversation, or enter a number to begin one.</p>
        </section>
      ) : (
        <ConversationView
          chat={chat}
          now={now}
          onBack={() => {
            location.hash = '';
          }}
        />
      )}
    </div>
  );
}

/** Redraws when the chat changes, and every half minute for the times. Returns the time of the drawing. */
function useChat(chat: Chat): number {
  const [now, setNow] = useState(() => Date.now());
  const [, setVersion] = useState(0);
  useEffect(() => {
    const redraw = (): void => {
      setVersion((version) => version + 1);
      setNow(Date.now());
    };
    const stop = chat.onChange(redraw);
    const timer = setInterval(redraw, 30_000);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [chat]);
  return now;
}
