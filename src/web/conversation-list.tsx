import { useState } from 'preact/hooks';
import { parsePhone } from '../protocol/phone.js';
import { Avatar } from './avatar.js';
import type { Chat } from './chat.js';
import type { Conversation } from './chat-records.js';
import { listTimeText, phoneText } from './format.js';
import { Checkmarks, PlusIcon, SearchIcon } from './icons.js';

/** Whom one talks to, the latest first; the field on top finds them and begins new ones. */
export function ConversationList(props: {
  readonly chat: Chat;
  readonly now: number;
  readonly onOpen: (peer: number) => void;
}) {
  const { chat, now, onOpen } = props;
  const [filter, setFilter] = useState('');
  const wanted = filter.trim().toLowerCase();
  const digits = wanted.replace(/\D/g, '');
  const conversations = chat.conversations.filter(
    (conversation) =>
      (conversation.last !== null || conversation.draft !== '' || conversation.peer === chat.openPeer) &&
      (wanted === '' ||
        conversation.name.toLowerCase().includes(wanted) ||
        (digits !== '' && String(conversation.peer).includes(digits))),
  );
  const phone = parsePhone(filter);
  const newPeer = phone !== null && !conversations.some(({ peer }) => peer === phone) ? phone : null;

  function open(peer: number): void {
    setFilter('');
    onOpen(peer);
  }

  function submit(event: Event): void {
    event.preventDefault();
    const peer = newPeer ?? conversations[0]?.peer;
    if (wanted !== '' && peer !== undefined) open(peer);
  }

  return (
    <nav class="list" aria-label="Conversations">
      <form class="search" onSubmit={submit}>
        <SearchIcon />
        <input
          type="search"
          value={filter}
          placeholder="Search, or enter a number"
          aria-label="Search conversations, or enter a phone number to begin one"
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </form>
      <ul>
        {newPeer !== null && (
          <li>
            <button type="button" class="entry entry-new" onClick={() => open(newPeer)}>
              <span class="avatar avatar-plus" aria-hidden="true">
                <PlusIcon />
              </span>
              <span class="entry-text">
                <span class="entry-name">Message {phoneText(newPeer)}</span>
                <span class="entry-last">Begin a conversation</span>
              </span>
            </button>
          </li>
        )}
        {conversations.map((conversation) => (
          <Entry key={conversation.peer} chat={chat} conversation={conversation} now={now} onOpen={open} />
        ))}
      </ul>
      {conversations.length === 0 && newPeer === null && (
        <p class="empty">
          {wanted === ''
            ? 'No conversations yet. Enter the phone number of somebody who is registered here.'
            : 'Nobody found. A full number with country code begins a new conversation.'}
        </p>
      )}
    </nav>
  );
}

function Entry(props: {
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly now: number;
  readonly onOpen: (peer: number) => void;
}) {
  const { chat, conversation, now } = props;
  const { peer, name, last, unread, draft } = conversation;
  const isOpen = chat.openPeer === peer;
  const typing = chat.typing(peer);
  return (
    <li>
      <button
        type="button"
        class={`entry${isOpen ? ' entry-open' : ''}`}
        aria-current={isOpen ? 'true' : undefined}
        onClick={() => props.onOpen(peer)}
      >
        <Avatar user={peer} name={name} isOnline={chat.presence(peer)?.online === true} />
        <span class="entry-text">
          <span class="entry-line">
            <span class="entry-name">{name === '' ? phoneText(peer) : name}</span>
            {last !== null && (
              <time class={unread.length > 0 ? 'entry-time entry-time-new' : 'entry-time'}>
                {listTimeText(last.time, now)}
              </time>
            )}
          </span>
          <span class="entry-line">
            <span class="entry-last">
              {typing !== 'stopped' ? (
                <em class="typing-words">{typing === 'recording' ? 'recording…' : 'typing…'}</em>
              ) : draft !== '' && !isOpen ? (
                <>
                  <em class="draft-word">Draft:</em> {draft}
                </>
              ) : last === null ? (
                ''
              ) : (
                <>
                  {last.isOutgoing && <Checkmarks status={last.status} />}
                  {last.text}
                </>
              )}
            </span>
            {unread.length > 0 && (
              <span class="badge">
                {unread.length}
                <span class="hidden-words"> new messages</span>
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}
