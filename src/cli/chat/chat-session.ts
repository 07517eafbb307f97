import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  blockUser,
  ClientError,
  type ClientState,
  type IncomingMessage,
  type IncomingReceipt,
  LOOKUP_USERS_MAX,
  lookupUsers,
  type MessageStatus,
  type MessageStatusChange,
  messageText,
  NodeFileStore,
  openNodeClient,
  type PinChallenge,
  type RookeryClient,
  receiptCovers,
  serverInfo,
  setProfileName,
  type TypingState,
  unblockUser,
} from '../../client/node.js';
import { advances } from '../../client/sent-message.js';
import { ErrorCode } from '../../protocol/error-code.js';
import { type ChatLine, Transcript } from './transcript.js';

export interface ChatSessionOptions {
  /** `ws://…/ws` */
  readonly url: string;
  /** Where this number's client state and transcript are. */
  readonly folder: string;
  readonly agent: string;
}

export interface Contact {
  readonly user: number;
  readonly name: string;
  readonly lastLine: ChatLine | null;
  /** Ids of their messages that were not looked at. */
  readonly unread: readonly number[];
  readonly online: boolean | null;
  readonly lastSeen: number;
  readonly typing: TypingState;
}

/** What a screen, or a script, wants to hear of. */
export interface ChatSessionListener {
  changed(): void;
  /** A message came in and is in the transcript. */
  received(line: ChatLine): void;
  /** One of ours took a step. */
  advanced(line: ChatLine): void;
  stateChanged(state: ClientState): void;
  /** Something to know, in words. */
  told(words: string): void;
}

const TYPING_SHOWN_MS = 7_000;

/**
 * A conversation partner of a server, for a terminal: the client, the transcript, and who is there. Knows
 * nothing of how it is shown.
 */
export class ChatSession {
  readonly #transcript: Transcript;
  #client!: RookeryClient;
  #listener: ChatSessionListener | null = null;
  readonly #unread = new Map<number, number[]>();
  readonly #presences = new Map<number, { readonly online: boolean; readonly lastSeen: number }>();
  readonly #typing = new Map<number, { readonly state: TypingState; readonly timer: NodeJS.Timeout }>();

  private constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** Rejects with words for people when the folder cannot be used. */
  static async open(options: ChatSessionOptions): Promise<ChatSession> {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    // The store first: it holds the lock that keeps a second process away from both files.
    const store = new NodeFileStore(join(options.folder, 'client.json'));
    let session: ChatSession | null = null;
    const client = await openNodeClient({
      url: options.url,
      store,
      agent: options.agent,
      onMessage: (message) => session!.#received(message),
      onReceipt: (receipt) => session!.#receipted(receipt),
    });
    try {
      session = new ChatSession(new Transcript(join(options.folder, 'transcript.jsonl')));
    } catch (error) {
      client.close();
      throw error;
    }
    session.#adopt(client);
    return session;
  }

  listen(listener: ChatSessionListener): void {
    this.#listener = listener;
  }

  get state(): ClientState {
    return this.#client.state;
  }

  get user(): number | null {
    return this.#client.user;
  }

  get unsentCount(): number {
    return this.#client.unacknowledgedCount;
  }

  /** Those one wrote with, the latest first. */
  get contacts(): Contact[] {
    const last = new Map<number, { line: ChatLine; at: number }>();
    this.#transcript.lines.forEach((line, at) => {
      last.set(line.peer, { line, at });
    });
    return [...this.#transcript.names.keys()]
      .sort((a, b) => (last.get(b)?.at ?? -1) - (last.get(a)?.at ?? -1))
      .map((user) => this.contact(user, last.get(user)?.line ?? null));
  }

  contact(user: number, lastLine: ChatLine | null = null): Contact {
    const presence = this.state.kind === 'online' ? this.#presences.get(user) : undefined;
    return {
      user,
      name: this.#transcript.names.get(user) ?? '',
      lastLine,
      unread: this.#unread.get(user) ?? [],
      online: presence?.online ?? null,
      lastSeen: presence?.lastSeen ?? 0,
      typing: this.#typing.get(user)?.state ?? 'stopped',
    };
  }

  lines(peer: number): ChatLine[] {
    return this.#transcript.lines.filter((line) => line.peer === peer);
  }

  register(phone: number): Promise<PinChallenge> {
    return this.#client.register(phone);
  }

  async verify(phone: number, pin: string, name: string): Promise<void> {
    await this.#client.verify(phone, pin, name);
  }

  connect(): void {
    this.#client.connect();
  }

  retryNow(): void {
    this.#client.retryNow();
  }

  /** Throws a ClientError. */
  send(peer: number, text: string): ChatLine {
    const sent = this.#client.send(peer, text);
    this.#client.subscribePresence(peer);
    const line: ChatLine = {
      peer,
      isOutgoing: true,
      id: sent.id,
      messageId: null,
      time: Date.now(),
      text,
      status: 'queued',
      failure: null,
    };
    this.#meet(peer);
    this.#transcript.add(line);
    this.#listener?.changed();
    return line;
  }

  /** Everything of `peer` was seen. Returns how many were new. */
  markRead(peer: number): number {
    const unread = this.#unread.get(peer);
    if (unread === undefined || unread.length === 0) return 0;
    this.#client.markRead(peer, unread);
    this.#unread.delete(peer);
    this.#listener?.changed();
    return unread.length;
  }

  typing(peer: number, state: TypingState): void {
    this.#client.typing(peer, state);
  }

  /** Opens a conversation: follow their presence, learn their name. */
  meet(peer: number): void {
    this.#meet(peer);
    this.#client.subscribePresence(peer);
  }

  /** What the server says of itself. */
  async serverInfo(): Promise<string> {
    const { name, version, epoch } = await serverInfo(this.#client);
    return `${name} ${version}, epoch ${epoch}`;
  }

  async rename(name: string): Promise<void> {
    await setProfileName(this.#client, name);
  }

  async setBlocked(peer: number, isBlocked: boolean): Promise<void> {
    await (isBlocked ? blockUser(this.#client, peer) : unblockUser(this.#client, peer));
  }

  close(): void {
    for (const { timer } of this.#typing.values()) clearTimeout(timer);
    this.#client.close();
    this.#transcript.close();
  }

  #adopt(client: RookeryClient): void {
    this.#client = client;
    client.on('state', (state) => this.#stateChanged(state));
    client.on('status', (change) => this.#statusChanged(change));
    client.on('presence', ({ from, online, lastSeen }) => {
      this.#presences.set(from, { online, lastSeen });
      if (!online) this.#showTyping(from, 'stopped');
      this.#listener?.changed();
    });
    client.on('typing', ({ from, state }) => this.#showTyping(from, state));
    client.on('reset', () => this.#tell('the server was restored from a backup: messages may be missing'));
    client.on('truncated', () => this.#tell('you were away for long: the server has dropped old messages'));
    client.on('storeFailed', ({ error }) => this.#tell(`the profile cannot be written: ${error.message}`));
    client.on('handlerFailed', ({ error }) =>
      this.#tell(`a message cannot be written down: ${String(error)}`),
    );
    const unsent = new Set(client.unsent().map(({ message }) => message.id));
    for (const line of [...this.#transcript.lines]) {
      // A run that was killed before its outbox was written: this message never left.
      if (line.isOutgoing && line.status === 'queued' && !unsent.has(line.id)) {
        this.#transcript.advance(line.peer, line.id, 'failed', 'the program ended before it was sent');
      }
    }
  }

  #stateChanged(state: ClientState): void {
    if (state.kind === 'online') {
      const users = [...this.#transcript.names.keys()];
      for (const user of users.slice(-100)) this.#client.subscribePresence(user);
      this.#learnNames(users);
    } else {
      for (const user of [...this.#typing.keys()]) this.#showTyping(user, 'stopped');
    }
    this.#listener?.stateChanged(state);
  }

  #received(message: IncomingMessage): void {
    const line: ChatLine = {
      peer: message.from,
      isOutgoing: false,
      id: message.id,
      messageId: message.messageId,
      time: message.time,
      text: messageText(message),
      status: 'delivered',
      failure: null,
    };
    const isKnown = this.#transcript.names.has(line.peer);
    if (!this.#transcript.add(line)) return;
    this.#unread.set(line.peer, [...(this.#unread.get(line.peer) ?? []), line.id]);
    if (!isKnown) {
      this.#client.subscribePresence(line.peer);
      this.#learnNames([line.peer]);
    }
    this.#showTyping(line.peer, 'stopped');
    this.#listener?.received(line);
    this.#listener?.changed();
  }

  #receipted(receipt: IncomingReceipt): void {
    for (const line of [...this.#transcript.lines]) {
      if (!line.isOutgoing || line.peer !== receipt.from || !receiptCovers(receipt, line.id)) continue;
      this.#advance(line, receipt.state, null);
    }
  }

  #statusChanged(change: MessageStatusChange): void {
    if (change.status !== 'sent' && change.status !== 'failed') return;
    const line = this.#transcript.lines.findLast(
      (candidate) => candidate.isOutgoing && candidate.id === change.id && candidate.peer === change.to,
    );
    if (line === undefined) return;
    const { failure } = change;
    this.#advance(
      line,
      change.status,
      failure === null
        ? null
        : failure.uncertain
          ? 'it may have been sent, or not'
          : errorText(failure.error),
    );
  }

  #advance(line: ChatLine, status: MessageStatus, failure: string | null): void {
    if (!advances(line.status, status)) return;
    this.#transcript.advance(line.peer, line.id, status, failure);
    this.#listener?.advanced({ ...line, status, failure });
    this.#listener?.changed();
  }

  #meet(user: number): void {
    if (this.#transcript.names.has(user)) return;
    this.#transcript.name(user, '');
    this.#learnNames([user]);
  }

  #learnNames(users: readonly number[]): void {
    if (this.state.kind !== 'online') return;
    for (let at = 0; at < users.length; at += LOOKUP_USERS_MAX) {
      lookupUsers(this.#client, users.slice(at, at + LOOKUP_USERS_MAX)).then(
        (known) => {
          for (const { user, name, lastSeen } of known) {
            if (name !== '') this.#transcript.name(user, name);
            if (!this.#presences.has(user)) this.#presences.set(user, { online: false, lastSeen });
          }
          this.#listener?.changed();
        },
        () => {
          // The next connection asks again.
        },
      );
    }
  }

  #showTyping(user: number, state: TypingState): void {
    const before = this.#typing.get(user);
    if (before !== undefined) clearTimeout(before.timer);
    if (state === 'stopped') {
      if (!this.#typing.delete(user)) return;
    } else {
      const timer = setTimeout(() => this.#showTyping(user, 'stopped'), TYPING_SHOWN_MS);
      this.#typing.set(user, { state, timer });
    }
    this.#listener?.changed();
  }

  #tell(words: string): void {
    this.#listener?.told(words);
  }
}

/** What went wrong, for people. */
export function errorText(error: unknown): string {
  if (!(error instanceof ClientError)) return error instanceof Error ? error.message : String(error);
  const { refusal } = error;
  if (refusal === null) return error.message;
  const wait = refusal.retryAfterMs > 0 ? `, try again in ${Math.ceil(refusal.retryAfterMs / 1000)} s` : '';
  switch (refusal.serverCode) {
    case ErrorCode.unknownRecipient:
      return 'nobody is registered under this number';
    case ErrorCode.blocked:
      return 'this person does not take messages from you';
    case ErrorCode.inboxFull:
      return 'their inbox is full';
    case ErrorCode.pinWrong:
      return refusal.detail > 0
        ? `the PIN is not right, ${refusal.detail} ${refusal.detail === 1 ? 'try' : 'tries'} left`
        : 'the PIN is not right, or has expired';
    case ErrorCode.pinLimited:
      return `too many PINs or tries for this number${wait}`;
    default:
      return `${error.message}${wait}`;
  }
}

/** The state of the connection, for people. `now`: wall-clock ms. */
export function stateText(state: ClientState, now: number): string {
  switch (state.kind) {
    case 'idle':
      return 'not connected';
    case 'connecting':
      return 'connecting…';
    case 'registering':
      return 'connected, not registered';
    case 'online':
      return 'online';
    case 'waiting': {
      const why = state.ending.reason === '' ? `closed with ${state.ending.code}` : state.ending.reason;
      return `no connection (${why}), next try in ${Math.max(0, Math.ceil((state.retryAt - now) / 1000))} s`;
    }
    case 'closed':
      return CLOSED_TEXT[state.reason];
  }
}

const CLOSED_TEXT = {
  stopped: 'disconnected',
  notRegistered: 'not registered',
  badCredentials: 'the server does not know this device (any more): register again',
  deviceReplaced: 'this number was registered on another device: register here again',
  connectionReplaced: 'this device is connected somewhere else: /connect takes it back',
  unsupported: 'the server speaks another version of the protocol',
  originRefused: 'the server refuses this origin',
  protocol: 'the server did not understand this client: a bug',
} as const;
