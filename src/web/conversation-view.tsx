import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Avatar } from './avatar.js';
import { type Chat, errorText } from './chat.js';
import type { ChatMessage } from './chat-records.js';
import { Composer } from './composer.js';
import { ConnectionBanner } from './connection-banner.js';
import { clockText, dayOf, dayText, lastSeenText, phoneText } from './format.js';
import { AlertIcon, BackIcon, Checkmarks, MoreIcon } from './icons.js';

/** The open conversation: who it is with, what was said, and a place to write. */
export function ConversationView(props: {
  readonly chat: Chat;
  readonly now: number;
  readonly onBack: () => void;
}) {
  const { chat, now } = props;
  const conversation = chat.openConversation;
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => setProblem(null), [chat.openPeer]);
  if (conversation === null) return null;
  const { peer, name } = conversation;
  const title = name === '' ? phoneText(peer) : name;

  return (
    <section class="conversation" aria-label={`Conversation with ${title}`}>
      <header class="bar">
        <button
          type="button"
          class="icon-button back"
          onClick={props.onBack}
          aria-label="Back to the conversations"
        >
          <BackIcon />
        </button>
        <Avatar user={peer} name={name} isOnline={chat.presence(peer)?.online === true} small />
        <div class="bar-text">
          <h2>{title}</h2>
          <p class="bar-status" data-testid="peer-status">
            {statusText(chat, peer, name, now)}
          </p>
        </div>
        <Menu
          label="More about this conversation"
          items={[
            {
              text: conversation.isBlocked ? 'Unblock' : 'Block',
              act: () => {
                chat
                  .setBlocked(peer, !conversation.isBlocked)
                  .catch((error: unknown) => setProblem(errorText(error)));
              },
            },
          ]}
        />
      </header>
      <ConnectionBanner chat={chat} />
      <Messages chat={chat} now={now} onProblem={setProblem} />
      {conversation.isBlocked ? (
        <p class="blocked">
          You have blocked {title}.{' '}
          <button
            type="button"
            class="link"
            onClick={() => {
              chat.setBlocked(peer, false).catch((error: unknown) => setProblem(errorText(error)));
            }}
          >
            Unblock
          </button>
        </p>
      ) : (
        <Composer
          key={peer}
          draft={conversation.draft}
          title={title}
          problem={problem}
          onDraft={(draft) => chat.setDraft(peer, draft)}
          onSend={(text) => {
            const trouble = chat.send(peer, text);
            setProblem(trouble);
            return trouble === null;
          }}
        />
      )}
    </section>
  );
}

function statusText(chat: Chat, peer: number, name: string, now: number) {
  const typing = chat.typing(peer);
  if (typing !== 'stopped') {
    return <em class="typing-words">{typing === 'recording' ? 'recording…' : 'typing…'}</em>;
  }
  const presence = chat.presence(peer);
  const number = name === '' ? '' : phoneText(peer);
  if (presence === null) return number;
  if (presence.online) return 'online';
  return presence.lastSeen > 0 ? lastSeenText(presence.lastSeen, now) : number;
}

function Messages(props: {
  readonly chat: Chat;
  readonly now: number;
  readonly onProblem: (problem: string | null) => void;
}) {
  const { chat, now, onProblem } = props;
  const { messages } = chat;
  const scroller = useRef<HTMLDivElement>(null);
  /** Whether the end is in view: then it stays there. */
  const isAtEnd = useRef(true);
  const before = useRef({ firstKey: '', height: 0, peer: 0 });

  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const firstKey = messages[0]?.key ?? '';
    const isOther = before.current.peer !== chat.openPeer;
    const last = messages.at(-1);
    if (isOther || isAtEnd.current || (last?.isOutgoing === true && last.status === 'queued')) {
      box.scrollTop = box.scrollHeight;
      isAtEnd.current = true;
    } else if (firstKey !== before.current.firstKey) {
      // Earlier ones were put in front: keep what was being read where it is.
      box.scrollTop += box.scrollHeight - before.current.height;
    }
    before.current = { firstKey, height: box.scrollHeight, peer: chat.openPeer ?? 0 };
  });
  useEffect(() => {
    // The keyboard of a phone, a growing composer: the end stays in view.
    const box = scroller.current;
    if (box === null) return;
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const typing = chat.openPeer === null ? 'stopped' : chat.typing(chat.openPeer);
  return (
    <div
      class="messages"
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
      tabIndex={0}
      role="log"
      aria-live="polite"
      aria-label="Messages"
      onScroll={(event) => {
        const box = event.currentTarget;
        isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
        if (box.scrollTop < 80) void chat.showEarlier();
      }}
    >
      <div class="messages-inner">
        {messages.map((message, at) => {
          const previous = messages[at - 1];
          const isNewDay = previous === undefined || dayOf(previous.time) !== dayOf(message.time);
          const isGrouped =
            !isNewDay &&
            previous.isOutgoing === message.isOutgoing &&
            message.time - previous.time < 5 * 60_000;
          return (
            <>
              {isNewDay && (
                <p class="day" key={`day-${message.key}`}>
                  <span>{dayText(message.time, now)}</span>
                </p>
              )}
              <Bubble
                key={message.key}
                message={message}
                isGrouped={isGrouped}
                chat={chat}
                onProblem={onProblem}
              />
            </>
          );
        })}
        {typing !== 'stopped' && (
          <p class="bubble bubble-in bubble-typing">
            <span class="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            <span class="hidden-words">typing</span>
          </p>
        )}
      </div>
    </div>
  );
}

function Bubble(props: {
  readonly message: ChatMessage;
  readonly isGrouped: boolean;
  readonly chat: Chat;
  readonly onProblem: (problem: string | null) => void;
}) {
  const { message, isGrouped, chat, onProblem } = props;
  const { isOutgoing, status, text, time } = message;
  const side = isOutgoing ? 'bubble-out' : 'bubble-in';
  return (
    <div class={`line ${isOutgoing ? 'line-out' : 'line-in'}${isGrouped ? ' line-grouped' : ''}`}>
      <div
        class={`bubble ${side}${status === 'failed' ? ' bubble-failed' : ''}${isBigEmoji(text) ? ' bubble-emoji' : ''}`}
        data-key={message.key}
      >
        <span class="bubble-body">{text}</span>
        <span class="bubble-foot">
          <time>{clockText(time)}</time>
          {isOutgoing && <Checkmarks status={status} />}
        </span>
      </div>
      {status === 'failed' && (
        <p class="failure">
          <span class="failure-why">
            <AlertIcon />
            {message.uncertain === true
              ? 'This may not have been sent.'
              : `Not sent${message.failure === undefined ? '.' : `: ${message.failure}`}`}
          </span>
          <button type="button" class="link" onClick={() => onProblem(chat.resend(message))}>
            Send again
          </button>
          <button type="button" class="link" onClick={() => chat.discard(message)}>
            Delete
          </button>
        </p>
      )}
    </div>
  );
}

/** One to three pictures and nothing else are shown large. */
function isBigEmoji(text: string): boolean {
  return (
    text.length <= 24 &&
    /^(?:\p{Extended_Pictographic}(?:\p{EMod}|\uFE0F|\u200D\p{Extended_Pictographic})*){1,3}$/u.test(text)
  );
}

export function Menu(props: {
  readonly label: string;
  readonly items: readonly { readonly text: string; readonly act: () => void }[];
}) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    box.current?.querySelector<HTMLButtonElement>('[role=menuitem]')?.focus();
    const close = (event: Event): void => {
      if (
        event instanceof KeyboardEvent ? event.key === 'Escape' : !box.current?.contains(event.target as Node)
      ) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, [isOpen]);
  return (
    <div class="menu" ref={box}>
      <button
        type="button"
        class="icon-button"
        aria-label={props.label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <MoreIcon />
      </button>
      {isOpen && (
        <div class="menu-items" role="menu">
          {props.items.map(({ text, act }) => (
            <button
              key={text}
              type="button"
              role="menuitem"
              onClick={() => {
                setOpen(false);
                act();
              }}
            >
              {text}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
