import { ErrorCode, errorName, isRetryableError } from '../protocol/error-code.js';
import type { Challenge } from '../protocol/frames/challenge.js';
import { type Ephemeral, EphemeralKind, PresenceValue, TypingValue } from '../protocol/frames/ephemeral.js';
import { type ErrorFrame, ErrorRef } from '../protocol/frames/error.js';
import type { Registered } from '../protocol/frames/registered.js';
import type { Response } from '../protocol/frames/response.js';
import type { SendAck } from '../protocol/frames/send-ack.js';
import { isPin } from '../protocol/frames/verify.js';
import { type Welcome, WelcomeState } from '../protocol/frames/welcome.js';
import { BATCH_BYTES_MAX, BODY_BYTES_MAX, NAME_BYTES_MAX, RECEIPT_RANGES_MAX } from '../protocol/limits.js';
import { formatMessageId } from '../protocol/message-id.js';
import { isPhone } from '../protocol/phone.js';
import { decodeRanges, encodeRanges, mergeRanges, rangesOfIds } from '../protocol/ranges.js';
import type { StructuredMap } from '../protocol/structured.js';
import { clipUtf8 } from '../protocol/utf8.js';
import type { ClockTimer } from '../structures/clock.js';
import { ClientError, type Refusal } from './client-error.js';
import type { ClientEvents, TypingState } from './client-events.js';
import { type ClientLimits, type ClientOptions, DEFAULT_LIMITS } from './client-options.js';
import type { ClientState, Ending } from './client-state.js';
import {
  type Credentials,
  type Cursor,
  OutboxKind,
  type StoreChange,
  type StoredState,
} from './client-store.js';
import type { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import type { Incoming } from './incoming.js';
import { Intake } from './intake.js';
import { Journal } from './journal.js';
import { Link } from './link.js';
import { Outbox, type OutboxItem } from './outbox.js';
import { type Done, type Outcome, PendingRequests, promised } from './pending-requests.js';
import { ReconnectDelay } from './reconnect-delay.js';
import { type MessageFailure, type MessageStatus, SentMessage } from './sent-message.js';

/** What the server says about a PIN that is on its way. */
export interface PinChallenge {
  readonly digits: number;
  readonly expiresMs: number;
  /** Another PIN can be asked for after this long. */
  readonly resendAfterMs: number;
}

/** A message that an earlier run left unsent. */
export interface UnsentMessage {
  readonly message: SentMessage;
  readonly body: Uint8Array;
}

/** The server's id window, kept also before it was announced. */
const MESSAGE_ID_WINDOW = 256;
/** Above so many bytes that the network has not taken, sending pauses. */
const BUFFERED_BYTES_MAX = 256 * 1024;
const BUFFERED_POLL_MS = 50;
const REFUSED_FIRST_MS = 500;
const REFUSED_MAX_MS = 30_000;

const PullMode = { push: 0, due: 1, pulling: 2 } as const;
type PullMode = (typeof PullMode)[keyof typeof PullMode];

const encoder = new TextEncoder();

/**
 * A user's device on a Rookery server: sends, receives, acknowledges, and comes back by itself.
 *
 * The way of a message out: `send` gives it an id and puts it into the outbox; the journal writes it down; it
 * is transmitted; SEND_ACK is the first checkmark and takes it out of the outbox; receipts bring the others.
 * The way in: DELIVER, the application's handler, the cursor in the journal, ACK. Every step of one turn shares
 * one write and one network message. Nothing on these ways makes a promise or reads an ambient clock.
 *
 * Everything is single-threaded; methods may be called from handlers and listeners.
 */
export class RookeryClient {
  readonly #options: ClientOptions;
  readonly #limits: ClientLimits;
  readonly #events: Emitter<ClientEvents>;
  readonly #journal: Journal;
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #requests: PendingRequests;
  readonly #handles = new Map<number, SentMessage>();
  readonly #presences = new Set<number>();
  readonly #unwatch: (() => void) | null;
  #credentials: Credentials | null;
  #storedCursor: Cursor;
  /** The connection while traffic may flow on it. */
  #online: Connection | null = null;
  #pullMode: PullMode = PullMode.push;
  #bodyBytesMax = BODY_BYTES_MAX;
  #batchBytesMax = BATCH_BYTES_MAX;
  #isActive = true;
  #isClosed = false;
  /** REGISTER and VERIFY that wait for the anonymous connection. */
  #registrations: ((connection: Connection) => void)[] = [];
  /** Credentials that the store does not have yet, and who waits for them. */
  #arriving: { readonly ref: number; readonly credentials: Credentials } | null = null;
  #ackTimer: ClockTimer | null = null;
  #wakeTimer: ClockTimer | null = null;
  #wakeAt = Number.POSITIVE_INFINITY;
  /** Clock time until which the server takes no message at all. */
  #holdUntil = 0;

  /**
   * Loads what the store has and makes a client of it, not connected yet. Rejects with `storeFailed`, or
   * `badArgument` for a URL that is none.
   */
  static open(options: ClientOptions): Promise<RookeryClient> {
    return promised((done) => RookeryClient.openWith(options, done));
  }

  /** `open` for callers that want no promise: with a store that answers at once, so does this. */
  static openWith(options: ClientOptions, done: Done<RookeryClient>): void {
    let url: string;
    try {
      url = new URL(options.url).href;
    } catch {
      done({ ok: false, error: new ClientError('badArgument', `not a URL: ${options.url}`) });
      return;
    }
    options.store.load((error, state) => {
      if (error === null) done({ ok: true, value: new RookeryClient({ ...options, url }, state) });
      else done({ ok: false, error: new ClientError('storeFailed', error.message, null, error) });
    });
  }

  private constructor(options: ClientOptions, state: StoredState) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { clock } = options;
    this.#events = new Emitter((error) => {
      // A failing listener of this very event would go round in circles.
      if (error !== this.#lastListenerError) {
        this.#lastListenerError = error;
        this.#events.emit('listenerFailed', { error });
      }
    });
    this.#credentials = state.credentials;
    this.#storedCursor = state.cursor;
    this.#outbox = new Outbox(
      {
        window: MESSAGE_ID_WINDOW,
        countMax: this.#limits.outboxCountMax,
        bytesMax: this.#limits.outboxBytesMax,
      },
      state.nextMessageId,
      state.outbox,
    );
    for (const item of state.outbox) {
      if (item.kind === OutboxKind.message) this.#follow(new SentMessage(item.id, item.to));
    }
    this.#journal = new Journal(options.store, clock, {
      turn: () => this.#turn(),
      saved: (change) => this.#saved(change),
      saveFailed: (error, retryInMs) => this.#events.emit('storeFailed', { error, retryInMs }),
    });
    this.#intake = new Intake(
      {
        handOver: (entry) => this.#handOver(entry),
        accepted: (entry) => this.#accepted(entry),
        handlerFailed: (entry, error, retryInMs) =>
          this.#events.emit('handlerFailed', { entry, error, retryInMs }),
        drained: () => this.#pullIfDue(),
      },
      clock,
      state.cursor,
      this.#limits.intakeBytesMax,
    );
    this.#requests = new PendingRequests(clock, this.#limits.requestsMax);
    this.#link = new Link(
      {
        url: options.url,
        agent: clipUtf8(options.agent ?? 'rookery-client', 64),
        followHomePort: options.followHomePort ?? true,
        openTimeoutMs: this.#limits.openTimeoutMs,
        stableMs: this.#limits.stableMs,
      },
      options.sockets,
      clock,
      new ReconnectDelay(options.random, this.#limits.reconnectInitialMs, this.#limits.reconnectMaxMs),
      {
        credentials: () => this.#credentials,
        storedCursor: () => this.#storedCursor,
        stateChanged: (next) => this.#events.emit('state', next),
        online: (connection, welcome) => this.#cameOnline(connection, welcome),
        anonymous: (connection) => this.#becameAnonymous(connection),
        lost: (ending) => this.#lost(ending),
        isBusy: () => this.#requests.size > 0 || this.#outbox.inFlightCount > 0,
        stays: () => this.#journal.schedule(),
        challenge: (challenge) => this.#challenged(challenge),
        registered: (registered) => this.#registered(registered),
        sendAck: (frame) => this.#sendAcked(frame),
        incoming: (connection, entry) => this.#incoming(connection, entry),
        more: () => this.#more(),
        batchEnd: (hasMore) => this.#batchEnd(hasMore),
        ephemeral: (frame) => this.#ephemeral(frame),
        error: (connection, error) => this.#error(connection, error),
        response: (response) => this.#response(response),
      },
    );
    this.#unwatch = options.connectivity?.watch((hint) => this.#link.hint(hint)) ?? null;
  }

  #lastListenerError: unknown = null;

  get state(): ClientState {
    return this.#link.state;
  }

  /** Who this device is; null before registration. The device key stays inside. */
  get user(): number | null {
    return this.#credentials?.user ?? null;
  }

  /** Up to where the application has accepted. */
  get cursor(): Cursor {
    return this.#intake.cursor;
  }

  /** Messages and receipts that the server has not acknowledged. */
  get unacknowledgedCount(): number {
    return this.#outbox.size;
  }

  /** Messages in the outbox, oldest first: after a restart those that the run before could not send. */
  unsent(): UnsentMessage[] {
    const list: UnsentMessage[] = [];
    for (const item of this.#outbox.items()) {
      const message = item.kind === OutboxKind.message ? this.#handles.get(item.id) : undefined;
      if (message !== undefined) list.push({ message, body: item.body });
    }
    return list;
  }

  /** Listens to an event; returns the function that stops it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Connects, and from then on reconnects, until `close` or a reason that trying again does not cure. */
  connect(): void {
    if (!this.#isClosed) this.#link.connect();
  }

  /** Ends the connection. The outbox stays, and `connect` comes back. */
  disconnect(): void {
    if (!this.#isClosed) this.#link.stop();
  }

  /** In the state `waiting`: tries now (a person pressed the button, or the network is back). */
  retryNow(): void {
    this.#link.retryNow();
  }

  /**
   * Ends the connection, writes down what is left to write, and gives back the store. Final.
   *
   * @param done called when the store was given back: only then may another client use it
   */
  close(done: () => void = () => {}): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch?.();
    this.#link.stop();
    this.#intake.stop();
    this.#stopTimers();
    this.#requests.failAll(new ClientError('closed', 'the client was closed'));
    this.#journal.close(done);
  }

  // Registration

  /**
   * Asks for a PIN by SMS. Rejects with `refused` (badPhone, pinLimited, …), `disconnected`, `timeout`.
   * Ends a connection that is up.
   */
  register(phone: number): Promise<PinChallenge> {
    return promised((done) => this.registerWith(phone, done));
  }

  registerWith(phone: number, done: Done<PinChallenge>): void {
    if (!isPhone(phone)) {
      done({ ok: false, error: new ClientError('badArgument', `not a phone number: ${phone}`) });
      return;
    }
    this.#anonymously(done, (connection, ref) => connection.register(ref, phone));
  }

  /**
   * Proves the possession of the number; this device replaces the one before. Stores the credentials, then
   * goes online by itself. Rejects with `refused` (pinWrong with the tries left in `detail`, pinLimited, …).
   * What an earlier device of this store had left to send fails: it may have been sent or not.
   */
  verify(phone: number, pin: string, name: string): Promise<{ readonly user: number }> {
    return promised((done) => this.verifyWith(phone, pin, name, done));
  }

  verifyWith(phone: number, pin: string, name: string, done: Done<{ readonly user: number }>): void {
    if (!isPhone(phone) || !isPin(pin)) {
      done({ ok: false, error: new ClientError('badArgument', 'a PIN has 5 or 6 digits') });
      return;
    }
    const clipped = clipUtf8(name.trim(), NAME_BYTES_MAX);
    this.#anonymously(done, (connection, ref) => connection.verify({ ref, phone, pin, name: clipped }));
  }

  // Messages

  /**
   * Takes a message for `to`: it is in the outbox when this returns, and on its way as soon as it is written
   * down and the connection allows. Text becomes UTF-8.
   *
   * Throws a ClientError: `notRegistered`, `badArgument`, `bodyTooLarge`, `outboxFull`, `closed`.
   */
  send(to: number, body: string | Uint8Array): SentMessage {
    this.#assertUsable(to);
    // A copy: the caller may go on using its buffer.
    const bytes = typeof body === 'string' ? encoder.encode(body) : Uint8Array.from(body);
    if (bytes.length > this.#bodyBytesMax) {
      throw new ClientError(
        'bodyTooLarge',
        `${bytes.length} bytes, at most ${this.#bodyBytesMax} are allowed`,
      );
    }
    const item = this.#outbox.add(OutboxKind.message, to, bytes);
    if (item === null) throw this.#outboxFull();
    this.#journal.put(item, this.#outbox.nextId);
    const message = new SentMessage(item.id, to);
    this.#follow(message);
    return message;
  }

  /**
   * Tells `from` that their messages `ids` (the `id` of each) were read. Travels through the outbox like a
   * message: it is not lost, and does not hurry. Throws like `send`.
   */
  markRead(from: number, ids: readonly number[]): void {
    this.#assertUsable(from);
    if (ids.length === 0) return;
    if (!ids.every((id) => Number.isSafeInteger(id) && id > 0)) {
      throw new ClientError('badArgument', `not message ids: ${ids.join(', ')}`);
    }
    let ranges = rangesOfIds(ids);
    // What is read in one turn goes in one receipt.
    const growing = this.#outbox.growingReceipt(from);
    // Once its write has begun, what is sent would not be what was written.
    if (growing !== null && this.#journal.isStaged(growing.id)) {
      const merged = mergeRanges(decodeRanges(growing.body), ranges);
      if (merged.length / 2 <= RECEIPT_RANGES_MAX) {
        this.#outbox.grow(growing, encodeRanges(merged));
        this.#journal.put(growing, this.#outbox.nextId);
        return;
      }
    }
    while (ranges.length > 0) {
      const item = this.#outbox.add(OutboxKind.readReceipt, from, encodeRanges(ranges));
      if (item === null) throw this.#outboxFull();
      this.#journal.put(item, this.#outbox.nextId);
      ranges = ranges.slice(RECEIPT_RANGES_MAX * 2);
    }
  }

  // States of the moment: sent when online, else forgotten.

  /** Repeat `typing` every few seconds while it goes on. */
  typing(to: number, state: TypingState): void {
    if (this.#online === null || !isPhone(to)) return;
    this.#online.ephemeral(EphemeralKind.typing, to, TypingValue[state]);
    this.#journal.schedule();
  }

  /** Tells `presence` events about `user`, now and whenever it changes, also after a reconnect. */
  subscribePresence(user: number): void {
    if (!isPhone(user) || this.#presences.has(user)) return;
    if (this.#presences.size >= this.#limits.presencesMax) {
      for (const oldest of this.#presences) {
        this.unsubscribePresence(oldest);
        break;
      }
    }
    this.#presences.add(user);
    if (this.#online === null) return;
    this.#online.ephemeral(EphemeralKind.subscribe, user, 0);
    this.#journal.schedule();
  }

  unsubscribePresence(user: number): void {
    if (!this.#presences.delete(user) || this.#online === null) return;
    this.#online.ephemeral(EphemeralKind.unsubscribe, user, 0);
    this.#journal.schedule();
  }

  /** Whether a person looks at this client. Inactive: others see it offline, and no states of the moment come. */
  setActive(active: boolean): void {
    if (this.#isActive === active) return;
    this.#isActive = active;
    if (this.#online === null) return;
    this.#online.clientState(active);
    this.#journal.schedule();
  }

  // Requests

  /** Asks the server; see the methods in docs/wire-protocol.md, and the typed ones in requests.ts. */
  request(method: string, body: StructuredMap): Promise<StructuredMap> {
    return promised((done) => this.requestWith(method, body, done));
  }

  requestWith(method: string, body: StructuredMap, done: Done<StructuredMap>): void {
    const connection = this.#online;
    if (connection === null) {
      done({ ok: false, error: new ClientError('notConnected', `${method} needs a connection`) });
      return;
    }
    const ref = this.#requests.add(this.#limits.requestTimeoutMs, done);
    if (ref === null) return;
    try {
      connection.request(ref, method, body);
    } catch (error) {
      this.#requests.fail(ref, new ClientError('badArgument', String(error), null, error));
      return;
    }
    this.#journal.schedule();
  }

  // One turn: write down, then speak.

  #turn(): void {
    this.#ackStored();
    this.#pump();
    this.#online?.flush();
    this.#link.quiet();
  }

  #saved(change: StoreChange): void {
    for (const record of change.put) this.#outbox.saved(record.id);
    if (change.cursor !== undefined) this.#storedCursor = change.cursor;
    const arriving = this.#arriving;
    if (arriving !== null && change.credentials === arriving.credentials) {
      this.#arriving = null;
      this.#credentials = arriving.credentials;
      this.#link.authenticate();
      this.#requests.settle(arriving.ref, { user: arriving.credentials.user });
    }
    const connection = this.#online;
    if (connection === null) return;
    this.#pullIfDue();
    this.#ackStored();
    this.#pump();
    connection.flush();
  }

  #ackStored(): void {
    const { epoch, seq } = this.#storedCursor;
    if (this.#online?.epoch === epoch) this.#online.ack(seq);
  }

  #pump(): void {
    const connection = this.#online;
    if (connection === null || this.#link.isLeaving) return;
    const now = this.#options.clock.now();
    if (now < this.#holdUntil) {
      this.#wakeAfter(this.#holdUntil - now);
      return;
    }
    for (let item = this.#outbox.next(now); item !== null; item = this.#outbox.next(now)) {
      if (connection.bufferedBytes() > BUFFERED_BYTES_MAX) {
        this.#wakeAfter(BUFFERED_POLL_MS);
        break;
      }
      connection.send(item);
      this.#outbox.transmitted(item, now);
    }
    const heldUntil = this.#outbox.heldUntil();
    if (heldUntil !== Number.POSITIVE_INFINITY) this.#wakeAfter(Math.max(1, heldUntil - now));
    if (this.#ackTimer === null && this.#outbox.size > 0) this.#armAckTimer(this.#limits.ackTimeoutMs);
  }

  #armAckTimer(delayMs: number): void {
    this.#ackTimer = this.#options.clock.setTimer(() => {
      this.#ackTimer = null;
      if (this.#online === null) return;
      const now = this.#options.clock.now();
      if (this.#outbox.expire(now - this.#limits.ackTimeoutMs) > 0) {
        this.#pump();
        this.#online?.flush();
      }
      const oldest = this.#outbox.oldestTransmission();
      if (this.#ackTimer === null && oldest !== Number.POSITIVE_INFINITY) {
        this.#armAckTimer(Math.max(1, oldest + this.#limits.ackTimeoutMs - now));
      }
    }, delayMs);
  }

  /** Pumps again after `delayMs`, or sooner when an earlier wake is armed. */
  #wakeAfter(delayMs: number): void {
    const { clock } = this.#options;
    const at = clock.now() + delayMs;
    if (this.#wakeTimer !== null) {
      if (this.#wakeAt <= at) return;
      clock.clearTimer(this.#wakeTimer);
    }
    this.#wakeAt = at;
    this.#wakeTimer = clock.setTimer(() => {
      this.#wakeTimer = null;
      this.#turn();
    }, delayMs);
  }

  #stopTimers(): void {
    const { clock } = this.#options;
    if (this.#ackTimer !== null) clock.clearTimer(this.#ackTimer);
    if (this.#wakeTimer !== null) clock.clearTimer(this.#wakeTimer);
    this.#ackTimer = null;
    this.#wakeTimer = null;
  }

  // The link's news

  #cameOnline(connection: Connection, welcome: Welcome): void {
    this.#online = connection;
    this.#pullMode = PullMode.push;
    this.#holdUntil = 0;
    this.#bodyBytesMax = welcome.bodyBytesMax;
    this.#batchBytesMax = welcome.batchBytesMax;
    this.#outbox.limitWindow(welcome.messageIdWindow);
    const previous = this.#intake.cursor;
    if (welcome.state === WelcomeState.reset || previous.epoch !== welcome.epoch) {
      connection.acked = 0;
      connection.came = 0;
      this.#intake.reset(welcome.epoch);
      this.#journal.cursor(this.#intake.cursor);
      if (previous.epoch !== 0) this.#events.emit('reset', { previous, epoch: welcome.epoch });
    } else if (welcome.state === WelcomeState.truncated) {
      this.#events.emit('truncated', { seq: welcome.truncated });
    }
    if (!this.#isActive) connection.clientState(false);
    for (const user of this.#presences) connection.ephemeral(EphemeralKind.subscribe, user, 0);
    this.#journal.schedule();
  }

  #lost(ending: Ending): void {
    this.#online = null;
    this.#outbox.connectionLost();
    this.#intake.clear();
    this.#pullMode = PullMode.push;
    this.#stopTimers();
    this.#registrations = [];
    // Credentials that have arrived are not lost with the connection.
    const kept = this.#arriving?.ref ?? 0;
    this.#requests.failAll(
      new ClientError('disconnected', `the connection was lost: ${ending.reason || ending.code}`),
      kept,
    );
  }

  #becameAnonymous(connection: Connection): void {
    const waiting = this.#registrations;
    this.#registrations = [];
    for (const write of waiting) write(connection);
    connection.flush();
  }

  // Registration

  #anonymously<T>(done: Done<T>, write: (connection: Connection, ref: number) => void): void {
    if (this.#isClosed) {
      done({ ok: false, error: new ClientError('closed', 'the client was closed') });
      return;
    }
    if (this.#link.state.kind !== 'registering') this.#link.connectAnonymously();
    const ref = this.#requests.add(this.#limits.requestTimeoutMs, done);
    if (ref === null) return;
    this.#registrations.push((connection) => write(connection, ref));
    if (this.#link.state.kind === 'registering') this.#link.connectAnonymously();
  }

  #challenged(challenge: Challenge): void {
    const { digits, expiresMs, resendAfterMs } = challenge;
    this.#requests.settle(challenge.ref, { digits, expiresMs, resendAfterMs });
  }

  #registered({ ref, user, device, key, firstMessageId }: Registered): void {
    // The old device's ids mean nothing to the server any more, and nobody knows which of them arrived.
    for (const item of this.#outbox.clear()) {
      this.#journal.remove(item.id);
      const error = new ClientError('closed', 'the device was registered anew before this was sent');
      this.#advance(item.id, item.to, 'failed', null, null, { error, uncertain: item.uncertain });
    }
    this.#handles.clear();
    if (user !== this.#credentials?.user) this.#presences.clear();
    this.#outbox.restartAt(firstMessageId);
    this.#intake.reset(0);
    const credentials: Credentials = { user, device, key };
    this.#arriving = { ref, credentials };
    this.#journal.credentials(credentials);
    this.#journal.cursor({ epoch: 0, seq: 0 });
    this.#journal.nextMessageId(firstMessageId);
  }

  // Messages out

  #sendAcked(frame: SendAck): void {
    const item = this.#outbox.remove(frame.messageId);
    // A second answer, to a repeat.
    if (item === undefined) return;
    this.#journal.remove(item.id);
    if (item.kind !== OutboxKind.message) return;
    const messageId = frame.duplicate ? null : formatMessageId(frame.storedHigh, frame.storedLow);
    this.#advance(item.id, item.to, 'sent', messageId, frame.duplicate ? null : frame.time, null);
  }

  #refused(item: OutboxItem, frame: ErrorFrame): void {
    const { clock, random } = this.#options;
    const isInboxFull = frame.code === ErrorCode.inboxFull;
    const mayRetry = frame.retryable || isRetryableError(frame.code);
    if (mayRetry && !(isInboxFull && item.refusals + 1 >= this.#limits.inboxFullTriesMax)) {
      const ceiling = Math.min(REFUSED_MAX_MS, REFUSED_FIRST_MS * 2 ** Math.min(item.refusals, 10));
      const delayMs = Math.max(frame.retryAfterMs, ceiling / 2 + (random.next() * ceiling) / 2);
      const until = clock.now() + delayMs;
      this.#outbox.refused(item, isInboxFull ? until : 0);
      // Trouble of the whole server: give it a rest.
      if (!isInboxFull) this.#holdUntil = Math.max(this.#holdUntil, until);
      this.#wakeAfter(delayMs);
      return;
    }
    if (frame.code === ErrorCode.messageIdTooOld) {
      // Our counter is behind the server's memory of it (a profile from a backup): go on above.
      this.#outbox.advanceTo(frame.detail + 1);
      this.#journal.nextMessageId(this.#outbox.nextId);
    }
    this.#outbox.remove(item.id);
    this.#journal.remove(item.id);
    if (item.kind !== OutboxKind.message) return;
    this.#advance(item.id, item.to, 'failed', null, null, {
      error: refusedError(frame),
      uncertain: frame.code === ErrorCode.messageIdTooOld && item.uncertain,
    });
  }

  #follow(message: SentMessage): void {
    this.#handles.set(message.id, message);
    if (this.#handles.size <= this.#limits.handlesMax) return;
    for (const [id] of this.#handles) {
      // What is still in the outbox is followed in any case: the outbox has its own bound.
      if (this.#outbox.get(id) !== undefined) continue;
      this.#handles.delete(id);
      break;
    }
  }

  #advance(
    id: number,
    to: number,
    status: MessageStatus,
    messageId: string | null,
    time: number | null,
    failure: MessageFailure | null,
  ): void {
    const change = { id, to, status, messageId, time, failure };
    const handle = this.#handles.get(id);
    const isNew = handle?.advance(change, (error) => this.#events.emit('listenerFailed', { error })) ?? true;
    if (isNew) this.#events.emit('status', change);
    if (status === 'read' || status === 'failed') this.#handles.delete(id);
  }

  // Messages in

  #incoming(connection: Connection, entry: Incoming): void {
    if (connection !== this.#online) return;
    if (!this.#intake.push(entry)) connection.fail(4000, 'the server sent more than its window');
    // A repeat of what was accepted already makes nothing to write down, and still wants its acknowledgement.
    const { epoch, seq } = this.#storedCursor;
    if (entry.epoch === epoch && entry.seq <= seq) this.#journal.schedule();
  }

  #handOver(entry: Incoming): void | PromiseLike<void> {
    if (entry.kind === 'message') return this.#options.onMessage(entry);
    return this.#options.onReceipt?.(entry);
  }

  #accepted(entry: Incoming): void {
    this.#journal.cursor({ epoch: entry.epoch, seq: entry.seq });
    if (entry.kind !== 'receipt') return;
    const { ranges } = entry;
    for (let at = 0; at + 1 < ranges.length; at += 2) {
      const first = ranges[at]!;
      const last = ranges[at + 1]!;
      // A range may be huge: walk through the smaller side.
      if (last - first < this.#handles.size) {
        for (let id = first; id <= last; id++) this.#receiptFor(this.#handles.get(id), entry.from, entry);
      } else {
        for (const [id, handle] of this.#handles) {
          if (id >= first && id <= last) this.#receiptFor(handle, entry.from, entry);
        }
      }
    }
    this.#events.emit('receipt', entry);
  }

  #receiptFor(
    handle: SentMessage | undefined,
    from: number,
    receipt: { readonly state: 'delivered' | 'read'; readonly time: number },
  ): void {
    if (handle === undefined || handle.to !== from) return;
    this.#advance(handle.id, from, receipt.state, handle.messageId, receipt.time, null);
  }

  #more(): void {
    if (this.#pullMode === PullMode.push) this.#pullMode = PullMode.due;
    this.#pullIfDue();
  }

  #batchEnd(hasMore: boolean): void {
    this.#pullMode = hasMore ? PullMode.due : PullMode.push;
    this.#pullIfDue();
  }

  /** PULL acknowledges: so everything before must be accepted, and written down as accepted. */
  #pullIfDue(): void {
    const connection = this.#online;
    if (connection === null || this.#pullMode !== PullMode.due || !this.#intake.isEmpty) return;
    const { epoch, seq } = this.#intake.cursor;
    if (this.#storedCursor.epoch !== epoch || this.#storedCursor.seq !== seq) return;
    this.#pullMode = PullMode.pulling;
    connection.pull(seq, 0, this.#batchBytesMax);
    this.#journal.schedule();
  }

  // The rest

  #ephemeral(frame: Ephemeral): void {
    const from = frame.peer;
    if (frame.kind === EphemeralKind.typing) {
      const state = TYPING_STATES[frame.value];
      if (state !== undefined) this.#events.emit('typing', { from, state, time: frame.time });
    } else if (frame.kind === EphemeralKind.presence) {
      this.#events.emit('presence', {
        from,
        online: frame.value === PresenceValue.online,
        lastSeen: frame.time,
      });
    }
  }

  #error(_connection: Connection, frame: ErrorFrame): void {
    if (frame.refKind === ErrorRef.message) {
      const item = this.#outbox.get(frame.ref);
      if (item !== undefined) this.#refused(item, frame);
      return;
    }
    if (frame.refKind === ErrorRef.request) {
      this.#requests.fail(frame.ref, refusedError(frame));
      this.#journal.schedule();
      return;
    }
    this.#link.retryAfter(frame.retryAfterMs);
    const { code, message, retryAfterMs } = frame;
    this.#events.emit('serverError', { code, message, retryAfterMs });
  }

  #response({ id, body }: Response): void {
    this.#requests.settle(id, body);
    this.#journal.schedule();
  }

  #assertUsable(peer: number): void {
    if (this.#isClosed) throw new ClientError('closed', 'the client was closed');
    if (this.#credentials === null) throw new ClientError('notRegistered', 'register first');
    if (!isPhone(peer)) throw new ClientError('badArgument', `not a phone number: ${peer}`);
  }

  #outboxFull(): ClientError {
    const { size, bytes } = this.#outbox;
    return new ClientError('outboxFull', `${size} messages (${bytes} bytes) wait to be sent`);
  }
}

const TYPING_STATES: readonly TypingState[] = ['stopped', 'typing', 'recording'];

function refusedError(frame: ErrorFrame): ClientError {
  const { code, retryable, retryAfterMs, detail, message } = frame;
  const refusal: Refusal = { serverCode: code, retryable, retryAfterMs, detail };
  return new ClientError('refused', message === '' ? errorName(code) : message, refusal);
}

export type { Done, Outcome };
