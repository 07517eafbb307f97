import type {
  ClientSocket,
  ClientSocketFactory,
  ClientSocketHandler,
} from '../../src/client/client-socket.js';
import {
  Batch,
  BatchReader,
  CloseCode,
  Deliver,
  decodeBatch,
  decodeChallenge,
  decodeDeliver,
  decodeEphemeral,
  decodeError,
  decodeGoAway,
  decodeHome,
  decodeMore,
  decodePing,
  decodeReceipt,
  decodeRegistered,
  decodeResponse,
  decodeSendAck,
  decodeWelcome,
  Ephemeral,
  EphemeralKind,
  ErrorCode,
  type ErrorFrame,
  ErrorRef,
  encodeAck,
  encodeClientState,
  encodeEphemeral,
  encodeHello,
  encodePing,
  encodePong,
  encodePull,
  encodeRanges,
  encodeReadReceipt,
  encodeRegister,
  encodeRequest,
  encodeSend,
  encodeVerify,
  errorName,
  FrameReader,
  FrameType,
  FrameWriter,
  frameName,
  isRetryableError,
  mayReconnect,
  messageIdOf,
  RangeCursor,
  Receipt,
  rangesOfIds,
  SendAck,
  type StructuredMap,
  type Welcome,
  WelcomeState,
} from '../../src/protocol/index.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { MESSAGE_ID_WINDOW, type UserId } from '../../src/storage/stores.js';
import type { ClockTimer } from '../../src/structures/clock.js';
import type { Chat, ChatWorld, Ended } from './chat.js';
import { type DeviceView, Outgoing } from './ledger.js';
import type { ScopedClock } from './scoped-clock.js';

/** What the device has written down, at one moment. */
interface Notes {
  readonly device: number;
  readonly key: Uint8Array;
  readonly epoch: number;
  readonly seq: number;
  readonly nextId: number;
  readonly outbox: readonly Item[];
}

interface Item {
  readonly outgoing: Outgoing;
  /** In the notes: it may be sent. */
  noted: boolean;
  /** When it was sent on this connection; −1: not yet. */
  sentAt: number;
}

/** Taken by the application and not yet in the notes. */
type Taken =
  | {
      readonly kind: 'message';
      readonly view: DeviceView;
      readonly from: UserId;
      readonly id: number;
      readonly seq: number;
      readonly time: number;
      readonly high: number;
      readonly low: number;
      readonly body: Uint8Array;
    }
  | {
      readonly kind: 'receipt';
      readonly view: DeviceView;
      readonly by: UserId;
      readonly isRead: boolean;
      readonly ids: readonly number[];
      readonly seq: number;
    };

const Mode = { push: 0, due: 1, pulling: 2 } as const;
type Mode = (typeof Mode)[keyof typeof Mode];

const EMPTY_NOTES: Notes = { device: 0, key: new Uint8Array(0), epoch: 0, seq: 0, nextId: 1, outbox: [] };
const MESSAGE_BYTES_SOFT = 16 * 1024;
const ANSWER_MS_MAX = 120_000;

/**
 * A client that does exactly what the protocol says and nothing more, on the codec alone: it writes down what it is
 * going to send before it sends it, and what it took before it acknowledges it. Everything that the server says is
 * held against the protocol and reported to the ledger.
 */
export class ModelClient implements Chat, ClientSocketHandler {
  readonly user: UserId;
  readonly instance: number;
  readonly #world: ChatWorld;
  #clock: ScopedClock;
  readonly #sockets: ClientSocketFactory;
  readonly #writer = new FrameWriter(128 * 1024);
  readonly #reader = new FrameReader();
  readonly #items = new BatchReader();
  readonly #batch = new Batch();
  readonly #deliver = new Deliver();
  readonly #receipt = new Receipt();
  readonly #sendAck = new SendAck();
  readonly #ephemeral = new Ephemeral();
  readonly #ranges = new RangeCursor();
  /** What survives a crash. */
  #notes: Notes = EMPTY_NOTES;
  #noteTimer: ClockTimer | null = null;
  #taken: Taken[] = [];

  #device = 0;
  #key: Uint8Array = EMPTY_NOTES.key;
  #epoch = 0;
  #seq = 0;
  #nextId = 1;
  #generation = 0;
  readonly #outbox = new Map<number, Item>();
  readonly #heldUntil = new Map<UserId, number>();

  #socket: ClientSocket | null = null;
  #isOpen = false;
  #welcomed = false;
  #wantsOnline = false;
  #isGone = false;
  #helloAt = -1;
  #helloEpoch = 0;
  #helloSeq = 0;
  #mode: Mode = Mode.push;
  /** The highest seq that came on this connection, or the cursor that it began with. */
  #came = 0;
  #acked = 0;
  #ackTimer: ClockTimer | null = null;
  #wakeTimer: ClockTimer | null = null;
  #reconnectTimer: ClockTimer | null = null;
  #beat: ClockTimer | null = null;
  #heardAt = 0;
  #retryAfterMs = 0;
  #attempts = 0;
  #registering = false;
  #requests = new Map<number, { readonly method: string; readonly peer: UserId; readonly wish: number }>();
  #ref = 0;
  /** Who wrote what was taken and not yet marked as read. */
  readonly #unread = new Map<UserId, number[]>();
  readonly #watched = new Set<UserId>();

  constructor(world: ChatWorld, user: UserId, instance: number, sockets: ClientSocketFactory) {
    this.#world = world;
    this.user = user;
    this.instance = instance;
    this.#sockets = sockets;
    this.#clock = world.machineClock();
  }

  get isRegistered(): boolean {
    return this.#device !== 0;
  }

  get isOnline(): boolean {
    return this.#welcomed && this.#device !== 0;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isSettled(): boolean {
    return this.isOnline && this.#outbox.size === 0 && this.#mode === Mode.push && this.#acked === this.#seq;
  }

  get describe(): string {
    const mode = ['push', 'pull due', 'pulling'][this.#mode];
    return `${this.user}/${this.#device} instance ${this.instance}: ${this.#welcomed ? 'online' : this.#isOpen ? 'open' : 'offline'}, ${mode}, outbox ${this.#outbox.size}, cursor ${this.#seq}, acked ${this.#acked}`;
  }

  // ---- what its user does ------------------------------------------------------------------------------------

  connect(): void {
    if (this.#isGone) return;
    this.#wantsOnline = true;
    if (this.#socket !== null || this.#reconnectTimer !== null) return;
    this.#open();
  }

  /** A second connection while the first one lives: the server must end the first. */
  connectAgain(): void {
    if (this.#isGone || !this.isOnline) return;
    this.#forgetConnection();
    this.#open();
  }

  disconnect(): void {
    this.#wantsOnline = false;
    this.#cancel('#reconnectTimer');
    const socket = this.#socket;
    if (socket === null) return;
    this.#forgetConnection();
    socket.close(1000, '');
  }

  send(to: UserId, body: Uint8Array): boolean {
    return this.#add('message', to, body, []);
  }

  markRead(): boolean {
    const first = this.#unread.entries().next();
    if (first.done === true) return false;
    const [from, ids] = first.value;
    if (!this.#add('read', from, new Uint8Array(0), ids.slice(0, 40))) return false;
    ids.splice(0, 40);
    if (ids.length === 0) this.#unread.delete(from);
    return true;
  }

  watch(peer: UserId, on: boolean): void {
    if (!this.isOnline) return;
    if (on) this.#watched.add(peer);
    else this.#watched.delete(peer);
    this.#ephemeralOut(on ? EphemeralKind.subscribe : EphemeralKind.unsubscribe, peer, 0);
    this.#flush();
  }

  typing(peer: UserId): void {
    if (!this.isOnline) return;
    this.#ephemeralOut(EphemeralKind.typing, peer, 1);
    this.#flush();
  }

  setActive(active: boolean): void {
    if (!this.isOnline) return;
    encodeClientState(this.#writer, active);
    this.#flush();
  }

  block(peer: UserId, on: boolean): void {
    if (!this.isOnline) return;
    const { ledger } = this.#world;
    const wish = on ? ledger.blockAsked(this.user, peer) : 0;
    if (!on) ledger.unblockAsked(this.user, peer);
    this.#request(on ? 'block.add' : 'block.remove', { user: peer }, peer, wish);
  }

  ask(): void {
    if (!this.isOnline) return;
    switch (this.#world.random.below(4)) {
      case 0:
        this.#request('profile.get', {}, 0);
        break;
      case 1:
        this.#request('users.lookup', { users: [this.user, 999] }, 0);
        break;
      case 2:
        this.#request('block.list', {}, 0);
        break;
      default:
        this.#request('profile.set', { name: `n${this.#world.random.below(100)}` }, 0);
        break;
    }
  }

  /** Many small frames at once: above any rate. */
  flood(frames: number): void {
    if (!this.isOnline) return;
    for (let n = 0; n < frames; n++) {
      if (n % 3 === 0) encodePing(this.#writer, n);
      else this.#ephemeralOut(EphemeralKind.typing, this.user, 0);
      if (this.#writer.length > MESSAGE_BYTES_SOFT) this.#flush();
    }
    this.#flush();
  }

  /** The process ends; what was not written down is forgotten. */
  crash(): void {
    const { trace } = this.#world;
    trace.note('client-crash', this.instance, this.#taken.length);
    this.#clock.end();
    this.#forgetConnection();
    this.#clock = this.#world.machineClock();
    this.#noteTimer = null;
    this.#wakeTimer = null;
    this.#reconnectTimer = null;
    this.#registering = false;
    this.#unread.clear();
    this.#heldUntil.clear();
    this.#taken = [];
    this.#recall();
    this.#wantsOnline = false;
  }

  /** Forgets up to where it had taken, as an application does that was installed anew from a backup of its keys. */
  loseCursor(): void {
    this.#note();
    this.#forgetConnection();
    this.#epoch = 0;
    this.#seq = 0;
    this.#generation++;
    this.#note();
    this.#world.trace.note('lost-cursor', this.instance, this.#generation);
  }

  /** Nobody uses this device any more. */
  retire(): void {
    this.#isGone = true;
    this.#wantsOnline = false;
    this.#clock.end();
    const socket = this.#socket;
    this.#forgetConnection();
    socket?.close(1000, '');
  }

  // ---- notes -------------------------------------------------------------------------------------------------

  #dirty(): void {
    const delay = this.#world.noteDelayMs();
    if (delay === 0) this.#note();
    else this.#noteTimer ??= this.#clock.setTimer(() => this.#note(), delay);
  }

  #note(): void {
    this.#cancel('#noteTimer');
    this.#notes = {
      device: this.#device,
      key: this.#key,
      epoch: this.#epoch,
      seq: this.#seq,
      nextId: this.#nextId,
      outbox: [...this.#outbox.values()],
    };
    for (const item of this.#outbox.values()) {
      if (item.noted) continue;
      item.noted = true;
      this.#world.ledger.compose(item.outgoing);
    }
    const taken = this.#taken;
    this.#taken = [];
    for (const each of taken) this.#report(each);
    this.#act();
  }

  #report(taken: Taken): void {
    const { ledger } = this.#world;
    if (taken.kind === 'receipt') {
      ledger.receipt(taken.view, taken.by, taken.isRead, taken.ids, taken.seq);
      return;
    }
    const { view, from, id, seq, time, high, low, body } = taken;
    const outgoing = ledger.took(view, from, id, seq, time, high, low, body);
    // What comes again was marked as read already, or will be.
    if (outgoing === null || outgoing.takenBy.length > 1) return;
    const unread = this.#unread.get(from);
    if (unread === undefined) this.#unread.set(from, [id]);
    else unread.push(id);
  }

  #recall(): void {
    const { device, key, epoch, seq, nextId, outbox } = this.#notes;
    this.#device = device;
    this.#key = key;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#nextId = nextId;
    this.#outbox.clear();
    for (const { outgoing } of outbox) {
      this.#outbox.set(outgoing.id, { outgoing, noted: true, sentAt: -1 });
    }
  }

  // ---- connection --------------------------------------------------------------------------------------------

  #open(): void {
    this.#cancel('#reconnectTimer');
    // The cursor is an acknowledgement: it must be written down.
    this.#note();
    this.#socket = this.#sockets.open('', '', this.#life());
    const socket = this.#socket;
    this.#clock.setTimer(() => {
      if (this.#socket === socket && !this.#welcomed && !this.#registering) this.#hangUp('no welcome');
    }, 20_000);
  }

  /** Hears the one connection, and nothing of earlier ones. */
  #life(): ClientSocketHandler {
    const life: ClientSocketHandler = {
      opened: () => {
        if (this.#current === life) this.opened();
      },
      message: (bytes) => {
        if (this.#current === life) this.message(bytes);
      },
      closed: (code, reason) => {
        this.#world.closed(this, code, reason);
        if (this.#current === life) this.closed(code, reason);
      },
    };
    this.#current = life;
    return life;
  }

  #current: ClientSocketHandler | null = null;

  opened(): void {
    this.#isOpen = true;
    this.#heardAt = this.#clock.now();
    this.#hello();
    this.#beat = this.#clock.setTimer(() => this.#heartbeat(), 30_000);
  }

  #hello(): void {
    this.#helloAt = this.#clock.now();
    this.#helloEpoch = this.#notes.epoch;
    this.#helloSeq = this.#notes.seq;
    const isRegistered = this.#device !== 0;
    encodeHello(this.#writer, {
      versionMin: 1,
      versionMax: 1,
      capabilities: 0,
      user: isRegistered ? this.user : 0,
      device: isRegistered ? this.#device : 0,
      key: isRegistered ? this.#key : EMPTY_NOTES.key,
      epoch: isRegistered ? this.#helloEpoch : 0,
      seq: isRegistered ? this.#helloSeq : 0,
      agent: 'model',
    });
    this.#flush();
  }

  closed(code: number, _reason: string): void {
    const retryAfterMs = this.#retryAfterMs;
    this.#forgetConnection();
    if (code === CloseCode.deviceReplaced || code === CloseCode.badCredentials) {
      this.#lostDevice(code);
      return;
    }
    if (code === CloseCode.connectionReplaced) return;
    if (!mayReconnect(code)) {
      this.#world.ledger.violate(
        'errors',
        `${this.describe} was sent away for good: close ${code} ${_reason}`,
      );
      return;
    }
    if (this.#wantsOnline) this.#reconnect(retryAfterMs);
  }

  #reconnect(leastMs: number): void {
    this.#attempts++;
    const backOff =
      Math.min(5_000, 100 * 2 ** Math.min(this.#attempts, 10)) * (0.5 + this.#world.random.next());
    this.#cancel('#reconnectTimer');
    this.#reconnectTimer = this.#clock.setTimer(
      () => {
        this.#reconnectTimer = null;
        if (this.#wantsOnline && this.#socket === null && !this.#isGone) this.#open();
      },
      Math.max(leastMs, backOff),
    );
  }

  /** The key is dead: somebody (perhaps this very device, whose answer was lost) registered the number. */
  #lostDevice(code: number): void {
    const ended: Ended = code === CloseCode.badCredentials ? 'unknown' : 'replaced';
    if (!this.#world.mayLoseDevice(this, ended)) {
      this.#world.ledger.violate('errors', `${this.describe} lost its device: close ${code}`);
    }
    this.#isGone = true;
    this.#wantsOnline = false;
    this.#clock.end();
    this.#world.lostDevice(this);
  }

  #hangUp(why: string): void {
    const socket = this.#socket;
    this.#world.trace.note('hang-up', this.instance, 0, () => why);
    this.#forgetConnection();
    socket?.close(1000, '');
    if (this.#wantsOnline) this.#reconnect(0);
  }

  #forgetConnection(): void {
    this.#current = null;
    this.#socket = null;
    this.#isOpen = false;
    this.#welcomed = false;
    this.#registering = false;
    this.#mode = Mode.push;
    this.#retryAfterMs = 0;
    this.#writer.reset();
    this.#requests.clear();
    this.#watched.clear();
    this.#heldUntil.clear();
    this.#cancel('#ackTimer');
    this.#cancel('#beat');
    this.#cancel('#wakeTimer');
    for (const item of this.#outbox.values()) item.sentAt = -1;
  }

  #cancel(name: '#ackTimer' | '#beat' | '#wakeTimer' | '#reconnectTimer' | '#noteTimer'): void {
    const cancel = (timer: ClockTimer | null) => {
      if (timer !== null) this.#clock.clearTimer(timer);
    };
    switch (name) {
      case '#ackTimer':
        cancel(this.#ackTimer);
        this.#ackTimer = null;
        break;
      case '#beat':
        cancel(this.#beat);
        this.#beat = null;
        break;
      case '#wakeTimer':
        cancel(this.#wakeTimer);
        this.#wakeTimer = null;
        break;
      case '#reconnectTimer':
        cancel(this.#reconnectTimer);
        this.#reconnectTimer = null;
        break;
      case '#noteTimer':
        cancel(this.#noteTimer);
        this.#noteTimer = null;
        break;
    }
  }

  #heartbeat(): void {
    this.#beat = null;
    if (this.#socket === null) return;
    const silent = this.#clock.now() - this.#heardAt;
    if (silent > 70_000) {
      this.#hangUp('silence');
      return;
    }
    encodePing(this.#writer, Math.floor(silent));
    this.#flush();
    this.#expire();
    if (this.#socket === null) return;
    this.#beat = this.#clock.setTimer(() => this.#heartbeat(), 30_000);
  }

  /**
   * What gets no answer for very long is sent again, on another connection: on this one the answer may still come, and
   * then two answers to one message would contradict each other.
   */
  #expire(): void {
    for (const item of this.#outbox.values()) {
      if (item.sentAt < 0 || this.#clock.now() - item.sentAt <= ANSWER_MS_MAX) continue;
      this.#hangUp('no answer');
      return;
    }
  }

  // ---- frames in ---------------------------------------------------------------------------------------------

  message(bytes: Uint8Array): void {
    this.#heardAt = this.#clock.now();
    const reader = this.#reader;
    try {
      reader.reset(bytes);
      while (reader.next() && this.#socket !== null) this.#frame(reader, false);
    } catch (error) {
      this.#world.ledger.violate('frames', `${this.describe} got what it cannot read: ${String(error)}`);
    }
    this.#act();
  }

  #frame(reader: FrameReader, isInBatch: boolean): void {
    switch (reader.type) {
      case FrameType.welcome:
        this.#onWelcome(decodeWelcome(reader));
        break;
      case FrameType.challenge: {
        const { ref } = decodeChallenge(reader);
        this.#clock.setTimer(() => this.#verify(ref), 10 + this.#world.random.below(500));
        break;
      }
      case FrameType.registered: {
        const registered = decodeRegistered(reader);
        this.#device = registered.device;
        this.#key = registered.key;
        this.#nextId = registered.firstMessageId;
        this.#epoch = 0;
        this.#seq = 0;
        this.#registering = false;
        this.#note();
        this.#world.registered(this, registered.device);
        this.#hello();
        break;
      }
      case FrameType.sendAck:
        decodeSendAck(reader, this.#sendAck);
        this.#onSendAck(this.#sendAck);
        break;
      case FrameType.deliver:
        decodeDeliver(reader, this.#deliver);
        this.#onDeliver(this.#deliver, isInBatch);
        break;
      case FrameType.receipt:
        decodeReceipt(reader, this.#receipt);
        this.#onReceipt(this.#receipt, isInBatch);
        break;
      case FrameType.more:
        decodeMore(reader);
        // The answer to a PULL that is under way is still to come.
        if (this.#mode === Mode.push) this.#mode = Mode.due;
        break;
      case FrameType.batch: {
        decodeBatch(reader, this.#batch);
        const items = this.#items.open(this.#batch);
        while (items.next()) this.#frame(items, true);
        this.#mode = this.#batch.hasMore ? Mode.due : Mode.push;
        break;
      }
      case FrameType.ephemeral:
        decodeEphemeral(reader, this.#ephemeral);
        break;
      case FrameType.ping:
        encodePong(this.#writer, decodePing(reader));
        this.#flush();
        break;
      case FrameType.pong:
        break;
      case FrameType.home:
        decodeHome(reader);
        break;
      case FrameType.goAway:
        this.#onGoAway(decodeGoAway(reader).delayMs);
        break;
      case FrameType.error:
        this.#onError(decodeError(reader));
        break;
      case FrameType.response: {
        const { id } = decodeResponse(reader);
        const request = this.#requests.get(id);
        if (request === undefined) {
          this.#world.ledger.violate(
            'requests',
            `${this.describe} got an answer to request ${id}, which it never made`,
          );
        } else {
          this.#requests.delete(id);
          if (request.method === 'block.add')
            this.#world.ledger.blockDone(this.user, request.peer, request.wish);
        }
        break;
      }
      default:
        this.#world.ledger.violate('frames', `${this.describe} got ${frameName(reader.type)}`);
        break;
    }
  }

  #onWelcome(welcome: Welcome): void {
    const { ledger } = this.#world;
    if (this.#welcomed) ledger.violate('frames', `${this.describe} got a second welcome`);
    if (welcome.state === WelcomeState.anonymous) {
      if (this.#device !== 0) ledger.violate('resume', `${this.describe} was taken for a stranger`);
      this.#register();
      return;
    }
    this.#welcomed = true;
    this.#attempts = 0;
    const isKnown = this.#helloEpoch === welcome.epoch;
    this.#came = this.#helloSeq;
    switch (welcome.state) {
      case WelcomeState.reset:
        if (isKnown) {
          ledger.violate(
            'resume',
            `${this.describe} was reset although ${this.#helloEpoch} is the server's epoch`,
          );
        }
        if (this.#epoch !== 0) this.#generation++;
        ledger.toldReset(this.#view());
        this.#epoch = welcome.epoch;
        this.#seq = 0;
        this.#came = 0;
        this.#note();
        break;
      case WelcomeState.truncated:
        ledger.toldTruncated(this.#view(), welcome.truncated);
        if (!isKnown) ledger.violate('resume', `${this.describe} was resumed in another epoch`);
        break;
      default:
        if (!isKnown) ledger.violate('resume', `${this.describe} was resumed in another epoch`);
        break;
    }
    this.#acked = this.#seq;
    this.#world.online(this);
  }

  #onSendAck(ack: SendAck): void {
    const item = this.#outbox.get(ack.messageId);
    if (item === undefined) return; // acknowledged before: it had been sent twice
    this.#world.ledger.acknowledged(item.outgoing, ack.duplicate, ack.storedHigh, ack.storedLow, ack.time);
    this.#outbox.delete(ack.messageId);
    this.#dirty();
  }

  #onDeliver(deliver: Deliver, isInBatch: boolean): void {
    const { seq, from, messageId, time, storedHigh, storedLow } = deliver;
    if (!this.#comes(seq, isInBatch)) return;
    const { high, low } = messageIdOf(time, partitionOf(this.user), seq);
    if (high !== storedHigh || low !== storedLow) {
      this.#world.ledger.violate(
        'content',
        `${this.describe} got seq ${seq} under a message id that is not its own`,
      );
    }
    this.#taken.push({
      kind: 'message',
      view: this.#view(),
      from,
      id: messageId,
      seq,
      time,
      high,
      low,
      body: deliver.source.slice(deliver.bodyStart, deliver.bodyEnd),
    });
    this.#dirty();
  }

  #onReceipt(receipt: Receipt, isInBatch: boolean): void {
    const { seq, from, read, source, rangesStart, rangesEnd } = receipt;
    if (!this.#comes(seq, isInBatch)) return;
    const ids: number[] = [];
    const ranges = this.#ranges.reset(source, rangesStart, rangesEnd);
    while (ranges.next())
      for (let id = ranges.first; id <= ranges.last && ids.length < 10_000; id++) ids.push(id);
    this.#taken.push({ kind: 'receipt', view: this.#view(), by: from, isRead: read, ids, seq });
    this.#dirty();
  }

  /** An entry of the inbox came. False: it must not have. */
  #comes(seq: number, isInBatch: boolean): boolean {
    const { ledger } = this.#world;
    if (!this.#welcomed) ledger.violate('frames', `${this.describe} got seq ${seq} before its welcome`);
    if (seq <= this.#came) {
      ledger.violate('resume', `${this.describe} got seq ${seq} after ${this.#came} on one connection`);
      return false;
    }
    if (!isInBatch && this.#mode !== Mode.push) {
      ledger.violate('flow', `${this.describe} was pushed seq ${seq} while it pulls`);
    }
    this.#came = seq;
    this.#seq = seq;
    return true;
  }

  #onGoAway(delayMs: number): void {
    this.#retryAfterMs = Math.max(this.#retryAfterMs, delayMs);
    // Leaves by itself, soon; who does not is closed.
    if (this.#world.random.next() < 0.5) return;
    const socket = this.#socket;
    this.#clock.setTimer(() => {
      if (this.#socket !== socket || socket === null) return;
      this.#forgetConnection();
      socket.close(1000, '');
      if (this.#wantsOnline) this.#reconnect(delayMs);
    }, this.#world.random.below(300));
  }

  #onError(error: ErrorFrame): void {
    const { ledger } = this.#world;
    const { code, refKind, ref, retryAfterMs } = error;
    if (errorName(code).startsWith('error ') || code === ErrorCode.internal) {
      ledger.violate('errors', `${this.describe} got ${errorName(code)}: ${error.message}`);
    }
    if (error.retryable !== isRetryableError(code)) {
      ledger.violate('errors', `${this.describe} got ${errorName(code)} with the wrong retryable flag`);
    }
    if (refKind === ErrorRef.connection) {
      this.#retryAfterMs = Math.max(this.#retryAfterMs, retryAfterMs);
      return;
    }
    if (refKind === ErrorRef.request) {
      this.#requests.delete(ref);
      if (this.#registering) this.#registrationFailed(code, Math.max(200, retryAfterMs));
      return;
    }
    const item = this.#outbox.get(ref);
    if (item === undefined) return;
    ledger.refused(item.outgoing, code, error.retryable);
    if (error.retryable) {
      item.sentAt = -1;
      const wait = Math.min(Math.max(retryAfterMs, 50), 5_000);
      this.#heldUntil.set(item.outgoing.to, this.#clock.now() + wait);
      return;
    }
    this.#outbox.delete(ref);
    this.#dirty();
  }

  // ---- registration ------------------------------------------------------------------------------------------

  #register(): void {
    this.#registering = true;
    encodeRegister(this.#writer, { ref: ++this.#ref, phone: this.user });
    this.#flush();
  }

  #verify(_ref: number): void {
    if (!this.#registering || this.#socket === null) return;
    const pin = this.#world.pinOf(this.user);
    if (pin === undefined) {
      // The SMS is still on its way.
      this.#clock.setTimer(() => this.#verify(_ref), 500);
      return;
    }
    this.#world.verifying(this.user);
    encodeVerify(this.#writer, { ref: ++this.#ref, phone: this.user, pin, name: 'model' });
    this.#flush();
  }

  #registrationFailed(code: number, retryAfterMs: number): void {
    switch (code) {
      case ErrorCode.pinWrong:
      case ErrorCode.pinLimited:
      case ErrorCode.overloaded:
      case ErrorCode.storeUnavailable:
      case ErrorCode.rateLimited: {
        const socket = this.#socket;
        this.#clock.setTimer(() => {
          if (this.#socket === socket && this.#registering) this.#register();
        }, retryAfterMs);
        break;
      }
      default:
        this.#world.ledger.violate('errors', `${this.describe} could not register: ${errorName(code)}`);
    }
  }

  // ---- frames out --------------------------------------------------------------------------------------------

  #add(kind: 'message' | 'read', to: UserId, body: Uint8Array, ids: readonly number[]): boolean {
    if (this.#device === 0 || this.#isGone || this.#outbox.size >= 400) return false;
    const id = this.#nextId++;
    const wire = kind === 'read' ? encodeRanges(rangesOfIds(ids)) : body;
    const outgoing = new Outgoing(kind, this.user, this.instance, to, id, wire, ids);
    this.#outbox.set(id, { outgoing, noted: false, sentAt: -1 });
    this.#dirty();
    return true;
  }

  /** Sends whatever is ready: messages, acknowledgements, a pull. */
  #act(): void {
    if (!this.#welcomed || this.#socket === null) return;
    this.#transmit();
    this.#accept();
    this.#flush();
  }

  #transmit(): void {
    const { ledger } = this.#world;
    const now = this.#clock.now();
    let oldest = -1;
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const item of this.#outbox.values()) {
      const { outgoing } = item;
      if (oldest < 0) oldest = outgoing.id;
      if (outgoing.id >= oldest + MESSAGE_ID_WINDOW || !item.noted) break;
      if (item.sentAt >= 0) continue;
      const until = this.#heldUntil.get(outgoing.to);
      if (until !== undefined && until > now) {
        wakeAt = Math.min(wakeAt, until);
        continue;
      }
      item.sentAt = now;
      ledger.transmitted(outgoing);
      if (outgoing.kind === 'message') encodeSend(this.#writer, outgoing.id, outgoing.to, outgoing.body);
      else encodeReadReceipt(this.#writer, outgoing.id, outgoing.to, rangesOfIds(outgoing.ids));
      if (this.#writer.length > MESSAGE_BYTES_SOFT) this.#flush();
    }
    if (wakeAt === Number.POSITIVE_INFINITY || this.#wakeTimer !== null) return;
    this.#wakeTimer = this.#clock.setTimer(() => {
      this.#wakeTimer = null;
      this.#act();
    }, wakeAt - now);
  }

  #accept(): void {
    const { seq } = this.#notes;
    if (this.#mode === Mode.due && this.#taken.length === 0 && seq === this.#seq) {
      this.#mode = Mode.pulling;
      const { random } = this.#world;
      const countMax = random.next() < 0.3 ? 1 + random.below(5) : 0;
      const bytesMax = random.next() < 0.2 ? 1 + random.below(2000) : 0;
      encodePull(this.#writer, seq, countMax, bytesMax);
      this.#acked = seq;
      return;
    }
    if (seq <= this.#acked || this.#ackTimer !== null) return;
    const delay = this.#world.ackDelayMs();
    if (delay === 0) {
      this.#acked = seq;
      encodeAck(this.#writer, seq);
      return;
    }
    this.#ackTimer = this.#clock.setTimer(() => {
      this.#ackTimer = null;
      const accepted = this.#notes.seq;
      if (!this.#welcomed || accepted <= this.#acked) return;
      this.#acked = accepted;
      encodeAck(this.#writer, accepted);
      this.#flush();
    }, delay);
  }

  #ephemeralOut(kind: EphemeralKind, peer: UserId, value: number): void {
    encodeEphemeral(this.#writer, kind, peer, value, 0);
  }

  #request(method: string, body: StructuredMap, peer: UserId, wish = 0): void {
    const id = ++this.#ref;
    this.#requests.set(id, { method, peer, wish });
    encodeRequest(this.#writer, id, method, body);
    this.#flush();
  }

  #flush(): void {
    if (this.#writer.length === 0) return;
    if (this.#isOpen) this.#socket?.send(this.#writer.view());
    this.#writer.reset();
  }

  #view(): DeviceView {
    return { user: this.user, instance: this.instance, generation: this.#generation, helloAt: this.#helloAt };
  }
}
