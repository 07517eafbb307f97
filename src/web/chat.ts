import {
  blockedUsers,
  blockUser,
  ClientError,
  type ClientState,
  type IncomingMessage,
  type IncomingReceipt,
  LOOKUP_USERS_MAX,
  lookupUsers,
  type MessageStatusChange,
  messageText,
  openBrowserClient,
  type PinChallenge,
  type RookeryClient,
  receiptCovers,
  setProfileName,
  type TypingState,
  unblockUser,
} from '../client/browser.js';
import { advances } from '../client/sent-message.js';
import { ErrorCode } from '../protocol/error-code.js';
import { type ChatDatabase, incomingKey, outgoingKey } from './chat-database.js';
import { type ChatMessage, type Conversation, newConversation, UNREAD_MAX } from './chat-records.js';

/** Messages of a conversation that are read from the history at once. */
const PAGE = 60;
/** A peer who said "typing" and nothing more stops after this long. */
const TYPING_SHOWN_MS = 7_000;
const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 4_000;

export interface Presence {
  readonly online: boolean;
  /** Wall-clock ms; 0: not known. */
  readonly lastSeen: number;
}

/**
 * The state of the page: what is shown, and what the person may do. Knows the client and the database, and
 * nothing of the screen; `onChange` listeners redraw.
 */
export class Chat {
  readonly #database: ChatDatabase;
  readonly #listeners = new Set<() => void>();
  #client!: RookeryClient;
  #conversations = new Map<number, Conversation>();
  /** Messages on screen, of the open conversation. */
  #messages: ChatMessage[] = [];
  #hasEarlier = false;
  #open: number | null = null;
  #position = 0;
  readonly #presences = new Map<number, Presence>();
  readonly #typing = new Map<number, { readonly state: TypingState; readonly timer: number }>();
  #sentTypingAt = 0;
  #typingTimer = 0;
  #isLooking = !document.hidden;
  #isChangeDue = false;
  /** The person's own name. */
  name = '';
  /** Something that went wrong in passing, for people. */
  notice: string | null = null;

  private constructor(database: ChatDatabase) {
    this.#database = database;
  }

  static async start(database: ChatDatabase, url: string | undefined): Promise<Chat> {
    const chat = new Chat(database);
    await chat.#start(url);
    return chat;
  }

  async #start(url: string | undefined): Promise<void> {
    this.#client = await openBrowserClient({
      store: this.#database,
      agent: 'rookery-web',
      onMessage: (message) => this.#received(message),
      onReceipt: (receipt) => this.#receipted(receipt),
      ...(url === undefined ? {} : { url }),
    });
    const client = this.#client;
    for (const conversation of await this.#database.conversations()) {
      this.#conversations.set(conversation.peer, conversation);
    }
    this.#position = (await this.#database.setting<number>('position')) ?? 0;
    this.name = (await this.#database.setting<string>('name')) ?? '';
    client.on('state', (state) => this.#stateChanged(state));
    client.on('status', (change) => this.#statusChanged(change));
    client.on('presence', ({ from, online, lastSeen }) => {
      this.#presences.set(from, { online, lastSeen });
      if (!online) this.#showTyping(from, 'stopped');
      this.#changed();
    });
    client.on('typing', ({ from, state }) => this.#showTyping(from, state));
    client.on('reset', () => this.#tell('The server was restored from a backup: messages may be missing.'));
    client.on('truncated', () => this.#tell('You were away for long: the server has dropped old messages.'));
    client.on('storeFailed', ({ error }) =>
      this.#tell(`This browser cannot store messages: ${error.message}`),
    );
    document.addEventListener('visibilitychange', () => this.#look());
    addEventListener('focus', () => this.#look());
    addEventListener('blur', () => this.#look());
    this.#look();
    if (client.user !== null) client.connect();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // What is shown

  get state(): ClientState {
    return this.#client.state;
  }

  get user(): number | null {
    return this.#client.user;
  }

  /** Latest first. */
  get conversations(): Conversation[] {
    return [...this.#conversations.values()].sort((a, b) => b.position - a.position);
  }

  get openPeer(): number | null {
    return this.#open;
  }

  get openConversation(): Conversation | null {
    return this.#open === null ? null : this.#conversation(this.#open);
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  get hasEarlier(): boolean {
    return this.#hasEarlier;
  }

  get unreadCount(): number {
    let count = 0;
    for (const { unread } of this.#conversations.values()) count += unread.length;
    return count;
  }

  presence(peer: number): Presence | null {
    return this.state.kind === 'online' ? (this.#presences.get(peer) ?? null) : null;
  }

  typing(peer: number): TypingState {
    return this.#typing.get(peer)?.state ?? 'stopped';
  }

  // Registration

  register(phone: number): Promise<PinChallenge> {
    return this.#client.register(phone);
  }

  async verify(phone: number, pin: string, name: string): Promise<void> {
    const before = this.#client.user;
    await this.#client.verify(phone, pin, name);
    if (before !== null && before !== phone) {
      this.#database.clearHistory();
      this.#conversations.clear();
      this.#messages = [];
      this.#open = null;
    }
    this.name = name.trim();
    this.#database.putSetting('name', this.name);
    this.#changed();
  }

  async rename(name: string): Promise<void> {
    await setProfileName(this.#client, name);
    this.name = name;
    this.#database.putSetting('name', name);
    this.#changed();
  }

  // The connection

  retryNow(): void {
    this.#client.retryNow();
  }

  connect(): void {
    this.#client.connect();
  }

  /** Resolves when everything is written and another tab may begin. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#client.close(resolve));
  }

  dismissNotice(): void {
    this.notice = null;
    this.#changed();
  }

  // Conversations

  async openConversationWith(peer: number | null): Promise<void> {
    if (this.#open === peer) return;
    this.stopTyping();
    this.#open = peer;
    this.#messages = [];
    this.#hasEarlier = false;
    this.#changed();
    if (peer === null) return;
    if (!this.#conversations.has(peer)) this.#learnNames([peer]);
    this.#client.subscribePresence(peer);
    const page = await this.#database.messages(peer, Number.POSITIVE_INFINITY, PAGE);
    if (this.#open !== peer) return;
    // What arrived while the history was being read is already there.
    const known = new Set(page.map(({ key }) => key));
    this.#messages = [...page, ...this.#messages.filter(({ key }) => !known.has(key))];
    this.#hasEarlier = page.length === PAGE;
    this.#markRead();
    this.#changed();
  }

  async showEarlier(): Promise<void> {
    const peer = this.#open;
    const first = this.#messages[0];
    if (peer === null || first === undefined || !this.#hasEarlier) return;
    const page = await this.#database.messages(peer, first.position, PAGE);
    if (this.#open !== peer || this.#messages[0] !== first) return;
    this.#messages = [...page, ...this.#messages];
    this.#hasEarlier = page.length === PAGE;
    this.#changed();
  }

  setDraft(peer: number, draft: string): void {
    const conversation = this.#conversation(peer);
    if (conversation.draft === draft) return;
    // Not a reason to list a conversation that does not exist yet.
    if (!this.#conversations.has(peer) && draft === '') return;
    this.#store({ ...conversation, draft });
    if (draft === '') this.stopTyping();
    else this.#tellTyping(peer);
  }

  /** Null, or why it cannot be sent, for people. */
  send(peer: number, text: string): string | null {
    const body = text.trim();
    if (body === '') return null;
    try {
      const sent = this.#client.send(peer, body);
      this.#append({
        key: outgoingKey(sent.id),
        peer,
        position: this.#nextPosition(),
        isOutgoing: true,
        id: sent.id,
        time: Date.now(),
        text: body,
        status: 'queued',
      });
    } catch (error) {
      return errorText(error);
    }
    this.stopTyping();
    this.#client.subscribePresence(peer);
    return null;
  }

  /** Sends a failed message anew, at the end. */
  resend(message: ChatMessage): string | null {
    const problem = this.send(message.peer, message.text);
    if (problem === null) this.discard(message);
    return problem;
  }

  discard(message: ChatMessage): void {
    this.#database.removeMessage(message.key);
    this.#messages = this.#messages.filter(({ key }) => key !== message.key);
    this.#changed();
  }

  async setBlocked(peer: number, isBlocked: boolean): Promise<void> {
    await (isBlocked ? blockUser(this.#client, peer) : unblockUser(this.#client, peer));
    this.#store({ ...this.#conversation(peer), isBlocked });
  }

  stopTyping(): void {
    clearTimeout(this.#typingTimer);
    if (this.#sentTypingAt === 0 || this.#open === null) return;
    this.#sentTypingAt = 0;
    this.#client.typing(this.#open, 'stopped');
  }

  // What the client tells

  #received(message: IncomingMessage): void {
    const key = incomingKey(message.messageId);
    const { from: peer, id } = message;
    const before = this.#conversation(peer);
    if (this.#messages.some((shown) => shown.key === key) || before.last?.key === key) return;
    this.#append({
      key,
      peer,
      position: this.#nextPosition(),
      isOutgoing: false,
      id,
      time: message.time,
      text: messageText(message),
      status: 'delivered',
    });
    const after = this.#conversation(peer);
    this.#store({ ...after, unread: [...after.unread, id].slice(-UNREAD_MAX) });
    this.#showTyping(peer, 'stopped');
    if (before.name === '') this.#learnNames([peer]);
    this.#client.subscribePresence(peer);
    this.#markRead();
  }

  #receipted(receipt: IncomingReceipt): void {
    this.#database.applyReceipt(receipt);
    const turn = (message: ChatMessage): ChatMessage =>
      message.isOutgoing &&
      message.peer === receipt.from &&
      advances(message.status, receipt.state) &&
      receiptCovers(receipt, message.id)
        ? { ...message, status: receipt.state }
        : message;
    this.#changeShown(receipt.from, turn);
  }

  #statusChanged(change: MessageStatusChange): void {
    // The later checkmarks come as receipts, which are stored and so known also after a reload.
    if (change.status !== 'sent' && change.status !== 'failed') return;
    const turn = (message: ChatMessage): ChatMessage => {
      if (!advances(message.status, change.status)) return message;
      const { failure } = change;
      return {
        ...message,
        status: change.status,
        time: change.time ?? message.time,
        ...(failure === null ? {} : { failure: failureText(failure.error), uncertain: failure.uncertain }),
      };
    };
    const key = outgoingKey(change.id);
    this.#database.changeMessage(key, turn);
    this.#changeShown(change.to, (message) => (message.key === key ? turn(message) : message));
  }

  #stateChanged(state: ClientState): void {
    if (state.kind === 'online') {
      for (const { peer } of this.conversations.slice(0, 100)) this.#client.subscribePresence(peer);
      this.#learnNames([...this.#conversations.keys()]);
      blockedUsers(this.#client).then((users) => {
        for (const conversation of this.#conversations.values()) {
          const isBlocked = users.includes(conversation.peer);
          if (isBlocked !== conversation.isBlocked) this.#store({ ...conversation, isBlocked });
        }
      }, ignore);
    } else {
      for (const peer of [...this.#typing.keys()]) this.#showTyping(peer, 'stopped');
    }
    this.#changed();
  }

  // Inner things

  #conversation(peer: number): Conversation {
    return this.#conversations.get(peer) ?? newConversation(peer);
  }

  #nextPosition(): number {
    this.#position += 1;
    return this.#position;
  }

  #append(message: ChatMessage): void {
    this.#database.putMessage(message);
    this.#database.putSetting('position', this.#position);
    if (message.peer === this.#open) this.#messages = [...this.#messages, message];
    const conversation = this.#conversation(message.peer);
    this.#store({
      ...conversation,
      last: message,
      position: message.position,
      draft: message.isOutgoing ? '' : conversation.draft,
    });
  }

  #store(conversation: Conversation): void {
    this.#conversations.set(conversation.peer, conversation);
    this.#database.putConversation(conversation);
    this.#changed();
  }

  #changeShown(peer: number, turn: (message: ChatMessage) => ChatMessage): void {
    if (peer === this.#open) this.#messages = this.#messages.map(turn);
    const conversation = this.#conversations.get(peer);
    const last = conversation?.last;
    if (conversation !== undefined && last !== undefined && last !== null) {
      const turned = turn(last);
      if (turned !== last) this.#store({ ...conversation, last: turned });
    }
    this.#changed();
  }

  #look(): void {
    this.#isLooking = !document.hidden && document.hasFocus();
    this.#client.setActive(!document.hidden);
    this.#markRead();
  }

  /** What is open before somebody's eyes is read. */
  #markRead(): void {
    if (this.#open === null || !this.#isLooking) return;
    const conversation = this.#conversations.get(this.#open);
    if (conversation === undefined || conversation.unread.length === 0) return;
    try {
      this.#client.markRead(conversation.peer, conversation.unread);
    } catch {
      // The outbox is full: they stay unread until the next look.
      return;
    }
    this.#store({ ...conversation, unread: [] });
  }

  #learnNames(peers: number[]): void {
    if (this.state.kind !== 'online') return;
    for (let at = 0; at < peers.length; at += LOOKUP_USERS_MAX) {
      lookupUsers(this.#client, peers.slice(at, at + LOOKUP_USERS_MAX)).then((known) => {
        for (const { user, name, lastSeen } of known) {
          const conversation = this.#conversations.get(user);
          if (conversation !== undefined && conversation.name !== name)
            this.#store({ ...conversation, name });
          else if (conversation === undefined)
            this.#conversations.set(user, { ...newConversation(user), name });
          if (!this.#presences.has(user) && lastSeen > 0)
            this.#presences.set(user, { online: false, lastSeen });
        }
        this.#changed();
      }, ignore);
    }
  }

  #tellTyping(peer: number): void {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.stopTyping(), TYPING_IDLE_MS);
    const now = Date.now();
    if (now - this.#sentTypingAt < TYPING_REPEAT_MS) return;
    this.#sentTypingAt = now;
    this.#client.typing(peer, 'typing');
  }

  #showTyping(peer: number, state: TypingState): void {
    const before = this.#typing.get(peer);
    if (before !== undefined) clearTimeout(before.timer);
    if (state === 'stopped') {
      if (before === undefined) return;
      this.#typing.delete(peer);
    } else {
      const timer = setTimeout(() => this.#showTyping(peer, 'stopped'), TYPING_SHOWN_MS);
      this.#typing.set(peer, { state, timer });
    }
    this.#changed();
  }

  #tell(notice: string): void {
    this.notice = notice;
    this.#changed();
  }

  /** Redraws once for all changes of a task. */
  #changed(): void {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    queueMicrotask(() => {
      this.#isChangeDue = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

function ignore(): void {}

/** What went wrong, for people. */
export function errorText(error: unknown): string {
  if (!(error instanceof ClientError)) return error instanceof Error ? error.message : String(error);
  switch (error.code) {
    case 'outboxFull':
      return 'Too many messages are waiting to be sent. Try again when the connection is back.';
    case 'bodyTooLarge':
      return 'This message is too long.';
    case 'disconnected':
    case 'notConnected':
      return 'The server cannot be reached at the moment.';
    case 'timeout':
      return 'The server did not answer in time.';
    case 'refused':
      return failureText(error);
    default:
      return error.message;
  }
}

function failureText(error: ClientError): string {
  const { refusal } = error;
  if (refusal === null) return error.message;
  const wait = refusal.retryAfterMs > 0 ? ` Try again in ${waitText(refusal.retryAfterMs)}.` : '';
  switch (refusal.serverCode) {
    case ErrorCode.unknownRecipient:
      return 'Nobody is registered under this number.';
    case ErrorCode.blocked:
      return 'This person does not take messages from you.';
    case ErrorCode.inboxFull:
      return 'Their inbox is full.';
    case ErrorCode.pinWrong:
      return refusal.detail > 0
        ? `This PIN is not right. ${refusal.detail} ${refusal.detail === 1 ? 'try' : 'tries'} left.`
        : 'This PIN is not right, or has expired. Ask for a new one.';
    case ErrorCode.pinLimited:
      return `Too many PINs or tries for this number.${wait}`;
    case ErrorCode.rateLimited:
    case ErrorCode.overloaded:
      return `The server is busy.${wait}`;
    case ErrorCode.badPhone:
      return 'This is not a phone number.';
    default:
      return error.message;
  }
}

function waitText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}
