import { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook, Receiver } from '../actors/receiver.js';
import type { SystemMessage } from '../actors/system-message.js';
import type { Timer } from '../actors/timers.js';
import {
  CLIENT_MESSAGE_BYTES_MAX,
  CloseCode,
  clientMaySend,
  closeCodeOf,
  closeName,
  decodeAck,
  decodeClientState,
  decodeHello,
  decodePing,
  decodePull,
  EphemeralKind,
  ErrorCode,
  ErrorRef,
  encodeChallenge,
  encodeGoAway,
  encodeHome,
  encodeMore,
  encodePong,
  encodeRegistered,
  FrameReader,
  FrameType,
  frameName,
  isKnownFrame,
  isPhone,
  isReservedFrame,
  PROTOCOL_VERSION,
  ProtocolError,
  Pull as PullFrame,
  WelcomeState,
} from '../protocol/index.js';
import { partitionOf } from '../storage/partition-of.js';
import { CommandKind, type ControlResult } from '../storage/stores.js';
import { takeTokens } from '../structures/token-bucket.js';
import { type ConnectionHandler, SendResult, type Socket } from '../transport/socket.js';
import type { ChatNode } from './chat-node.js';
import { ENTRY_OVERHEAD_BYTES, writeEntry, writePage } from './delivery.js';
import { DeliveryWindow } from './delivery-window.js';
import { Ephemerals, handleEphemeral, watch, writeEphemeral } from './ephemerals.js';
import {
  type Appended,
  type Attach,
  type Attached,
  type EntryMessage,
  type Ephemeral,
  type PageMessage,
  ResumeState,
  type SessionMessage,
  type StoreFailed,
} from './messages.js';
import { register, registrationRefused, verify } from './registration.js';
import { handleRequest, type PendingRequest } from './request.js';
import { answerSend, sendFailed, submitReadReceipt, submitSend } from './sending.js';
import { SessionOutput } from './session-output.js';

/** How far a connection has come. */
const Phase = {
  /** Nothing received yet. */
  opened: 0,
  /** HELLO without a user: only registration is allowed. */
  anonymous: 1,
  /** HELLO with a key that is being checked. */
  attaching: 2,
  active: 3,
  /** Close was said; what still comes is ignored. */
  closing: 4,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** What the one timer of a session is for. */
const Due = {
  deadline: 'deadline',
  attach: 'attach',
  acks: 'acks',
  store: 'store',
  leave: 'leave',
} as const;
type Due = (typeof Due)[keyof typeof Due];

/** The wait before a command that the store could not take is tried again. */
const STORE_RETRY_MS = 1000;
const REATTACH_RETRY_MS = 250;
const ATTACH_RETRY_MS = 100;

// Decoding happens on one stack at a time, so one of each serves all sessions of the thread.
const reader = new FrameReader();
const pullFrame = new PullFrame();
const socketMessage: { readonly type: 'socket'; bytes: Uint8Array; isBinary: boolean } = {
  type: 'socket',
  bytes: new Uint8Array(0),
  isBinary: true,
};
const DRAINED = { type: 'drained' } as const;

/**
 * The process of one connection. It decodes what the client sends, submits sends and acknowledgements to the
 * store, and writes what comes for its user, in push or pull mode (see {@link DeliveryWindow}).
 *
 * It is also the handler of its socket: a message that finds the process idle is handled inside the socket's
 * callback, without a copy. A crash ends this connection and nothing else; the socket is closed with it.
 *
 * Exit reasons: `normal` (the connection is over, by whoever's wish); `shutdown` (its supervisor wants it so);
 * anything else is a bug or a kill.
 */
export class Session extends SessionOutput implements Receiver<SessionMessage>, ConnectionHandler, ExitHook {
  readonly #window = new DeliveryWindow();
  #phase: Phase = Phase.opened;
  /** Somebody looks at the client. */
  #attentive = true;
  /** A page is being read. */
  #pullOutstanding = false;
  /** A PULL has not got its BATCH yet, whatever became of the page that was asked for. */
  #batchOwed = false;
  /** A pull that waits for the socket to drain, or for the store. */
  #pullDeferred = false;
  /** Number of the latest pull: a page of an earlier one, perhaps by way of an earlier partition, is not its answer. */
  #pullRef = 0;
  #pullCountMax = 0;
  #pullBytesMax = 0;
  /** The highest accepted seq that a wipe was submitted for. */
  #wiped = 0;
  #wipeRetry = false;
  /** The partition does not know this session yet: it could not reach the store. */
  #reattachDue = false;
  /** GOAWAY was sent; the one timer is that of the end. */
  #leaving = false;
  #opsFullAt = 0;
  #bytesFullAt = 0;
  /** The registrar has not answered this connection's REGISTER or VERIFY yet. */
  registering = false;
  /** Frames refused for the rate, less those taken since: a flood is not forgiven for one frame in a thousand. */
  #refusedSurplus = 0;
  /** The accepted seq when the ack timer was armed. */
  #acceptedAtTimer = -1;
  #timer: Timer | null = null;
  #timerDue: Due | null = null;
  /** What the client said of itself, until its partition has answered. */
  #claim: Pick<Attach, 'key' | 'epoch' | 'seq'> | null = null;
  #attachTries = 0;
  // What an idle session does not need; made when it does.
  #ephemerals: Ephemerals | null = null;
  #requests: PendingRequest[] | null = null;

  constructor(node: ChatNode, self: Process<SessionMessage>, socket: Socket) {
    super(node, self, socket);
    node.stats.sessions++;
    self.label = 'session';
    self.onExit(this);
    this.#arm(Due.deadline, node.limits.authDeadlineMs);
  }

  /** For requests: answers are written only while this holds. */
  get isActive(): boolean {
    return this.#phase === Phase.active;
  }

  waitingRequests(): PendingRequest[] {
    this.#requests ??= [];
    return this.#requests;
  }

  ephemerals(): Ephemerals {
    this.#ephemerals ??= new Ephemerals();
    return this.#ephemerals;
  }

  // ---- the socket's side -------------------------------------------------------------------------------------

  message(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#phase === Phase.closing) return;
    socketMessage.bytes = bytes;
    socketMessage.isBinary = isBinary;
    const { runtime } = this.node;
    if (runtime.tryDispatch(this.pid, socketMessage)) return;
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    runtime.send(this.pid, { type: 'socket', bytes: copy, isBinary });
  }

  drained(): void {
    this.node.runtime.send(this.pid, DRAINED);
  }

  closed(code: number, reason: string): void {
    this.node.runtime.send(this.pid, { type: 'socket-closed', code, reason });
  }

  /** The corks have handed this turn's frames to the socket. */
  flushed(result: SendResult): void {
    if (result !== SendResult.dropped || this.#phase === Phase.closing) return;
    // The socket takes nothing more: acknowledgements would be lost silently. The client comes back and resumes.
    this.node.stats.slowConsumers++;
    this.#phase = Phase.closing;
    this.socket.close(CloseCode.slowConsumer, closeName(CloseCode.slowConsumer));
  }

  /** Whatever the process ended of, the socket goes with it, as an Erlang port does with its owner. */
  processExited(_process: Pid, reason: ExitReason): void {
    this.node.sessions.remove(this.requester);
    this.node.stats.sessions--;
    if (this.#phase === Phase.closing) {
      this.node.corks.discard(this);
      return;
    }
    this.#phase = Phase.closing;
    const code = reason.type === 'shutdown' ? CloseCode.goingAway : CloseCode.internalError;
    this.node.corks.flushNow(this);
    this.socket.close(code, closeName(code));
  }

  // ---- the process -------------------------------------------------------------------------------------------

  receive(message: SessionMessage | SystemMessage): void {
    switch (message.type) {
      case 'socket':
        if (this.#phase !== Phase.closing) this.#socketMessage(message.bytes, message.isBinary);
        break;
      case 'entry':
        if (this.#phase === Phase.active) this.#entry(message);
        break;
      case 'appended':
        this.#appended(message);
        break;
      case 'page':
        if (this.#phase === Phase.active) this.#page(message);
        break;
      case 'socket-closed':
        this.#phase = Phase.closing;
        this.self.exit(ExitReason.normal);
        break;
      case 'drained':
        this.#drained();
        break;
      case 'timeout':
        this.#timeout(message.message as Due);
        break;
      case 'attached':
        this.#attached(message);
        break;
      case 'attach-refused':
        this.#attachRefused(message.reason);
        break;
      case 'superseded':
        if (message.by === 'device') this.#close(CloseCode.deviceReplaced, 'another device took this number');
        else this.#close(CloseCode.connectionReplaced, 'a newer connection took its place');
        break;
      case 'truncated':
        this.#truncated();
        break;
      case 'controlled':
        this.#controlled(message.result);
        break;
      case 'store-failed':
        this.#storeFailed(message);
        break;
      case 'pull-refused':
        this.#pullOutstanding = false;
        this.#pullDeferred = true;
        this.#arm(Due.store, STORE_RETRY_MS);
        break;
      case 'ephemeral':
        if (this.#phase === Phase.active) this.#ephemeral(message);
        break;
      case 'resync':
        this.#reattach();
        break;
      case 'partitions-begun':
        this.#partitionsBegun(message.partitions);
        break;
      case 'leave':
        this.#leave(message.delayMs, message.graceMs);
        break;
      case 'pin-sent':
        this.registering = false;
        if (this.#phase === Phase.anonymous) encodeChallenge(this.writer(), message);
        break;
      case 'registered':
        this.registering = false;
        if (this.#phase === Phase.anonymous) encodeRegistered(this.writer(), message);
        break;
      case 'registration-refused':
        this.registering = false;
        if (this.#phase === Phase.anonymous) registrationRefused(this, message);
        break;
      default:
        break;
    }
  }

  // ---- frames ------------------------------------------------------------------------------------------------

  #socketMessage(bytes: Uint8Array, isBinary: boolean): void {
    const { stats, limits, clock } = this.node;
    stats.bytesIn += bytes.length;
    if (!isBinary) {
      this.#fatal(ErrorCode.malformed, 'this protocol has binary messages only');
      return;
    }
    const bytesMax = this.#phase === Phase.active ? CLIENT_MESSAGE_BYTES_MAX : limits.anonymousBytesMax;
    if (bytes.length > bytesMax) {
      const text = `a message of ${bytes.length} bytes, at most ${bytesMax} are allowed`;
      this.#fatal(ErrorCode.frameTooLarge, text);
      return;
    }
    const now = clock.now();
    const fullAt = takeTokens(limits.bytesRate, this.#bytesFullAt, now, bytes.length);
    if (fullAt > 0) this.#bytesFullAt = fullAt;
    const refusedMs = fullAt > 0 ? 0 : Math.min(60_000, Math.ceil(-fullAt));
    try {
      reader.reset(bytes);
      while (reader.next()) {
        stats.framesIn++;
        if (this.#phase === Phase.active) this.#frame(now, refusedMs);
        else this.#frameBeforeActive(now, refusedMs);
        if (this.#isClosing()) return;
      }
      // A sign of life, and work like any frame.
      if (bytes.length === 0 && this.#waitMs(now, 0) > 0 && this.#limited()) return;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fatal(error.code, error.message);
      return;
    }
    this.#wipe();
  }

  /** @param refusedMs 0, or how long the rate of bytes wants the client to wait. */
  #frame(now: number, refusedMs: number): void {
    const waitMs = this.#waitMs(now, refusedMs);
    if (waitMs > 0 && this.#limited()) return;
    switch (reader.type) {
      case FrameType.send:
        submitSend(this, reader, waitMs);
        break;
      case FrameType.ack:
        this.#accept(decodeAck(reader));
        break;
      case FrameType.receipt:
        submitReadReceipt(this, reader, waitMs);
        break;
      case FrameType.pull:
        this.#pull();
        break;
      case FrameType.ephemeral:
        handleEphemeral(this, reader, waitMs);
        break;
      case FrameType.clientState:
        this.#clientState(decodeClientState(reader));
        break;
      case FrameType.ping:
        encodePong(this.writer(), decodePing(reader));
        break;
      case FrameType.pong:
        break;
      case FrameType.request:
        handleRequest(this, reader, waitMs);
        break;
      case FrameType.hello:
      case FrameType.register:
      case FrameType.verify:
        this.#fatal(ErrorCode.outOfOrder, `${frameName(reader.type)} on an authenticated connection`);
        break;
      default:
        this.#unknown();
        break;
    }
  }

  /** Takes one frame from the rate. 0: within it; otherwise how long the client has to wait. */
  #waitMs(now: number, refusedMs: number): number {
    if (refusedMs > 0) return refusedMs;
    const fullAt = takeTokens(this.node.limits.opsRate, this.#opsFullAt, now, 1);
    if (fullAt <= 0) return Math.max(1, Math.ceil(-fullAt));
    this.#opsFullAt = fullAt;
    if (this.#refusedSurplus > 0) this.#refusedSurplus--;
    return 0;
  }

  #frameBeforeActive(now: number, refusedMs: number): void {
    const { type } = reader;
    const anonymous = this.#phase === Phase.anonymous;
    // Nothing is refused one by one here, but whoever floods is sent away as later on.
    if (this.#waitMs(now, refusedMs) > 0 && this.#limited()) return;
    if (type === FrameType.hello && this.#phase !== Phase.attaching) this.#hello();
    else if (type === FrameType.ping && anonymous) encodePong(this.writer(), decodePing(reader));
    else if (type === FrameType.pong && anonymous) return;
    else if (type === FrameType.register && anonymous) register(this, reader);
    else if (type === FrameType.verify && anonymous) verify(this, reader);
    else if (!clientMaySend(type)) this.#unknown();
    else if (anonymous) this.#fatal(ErrorCode.notAuthenticated, `${frameName(type)} before authentication`);
    else this.#fatal(ErrorCode.outOfOrder, `${frameName(type)} before the welcome`);
  }

  /** A reserved type is answered, an unknown one skipped unless it is critical. */
  #unknown(): void {
    const { type } = reader;
    if (isKnownFrame(type)) {
      this.#fatal(ErrorCode.outOfOrder, `${frameName(type)} is the server's to send`);
    } else if (reader.isCritical) {
      this.#fatal(ErrorCode.unsupportedFrame, `critical frame ${frameName(type)} is not known`);
    } else if (isReservedFrame(type)) {
      const text = `${frameName(type)} is not supported yet`;
      this.error(ErrorRef.connection, 0, ErrorCode.notSupported, text, 0, type);
    }
  }

  /** Counts a refused frame. True: that was one too many, the connection is closed. */
  #limited(): boolean {
    this.node.stats.rateLimited++;
    if (++this.#refusedSurplus <= this.node.limits.refusedSurplusMax) return false;
    const text = `${this.#refusedSurplus} frames more were above the rate than within it`;
    this.#fatal(ErrorCode.rateLimited, text);
    return true;
  }

  // ---- who it is ---------------------------------------------------------------------------------------------

  #hello(): void {
    const hello = decodeHello(reader);
    const { limits } = this.node;
    if (hello.versionMin > PROTOCOL_VERSION || hello.versionMax < PROTOCOL_VERSION) {
      const text = `this server speaks version ${PROTOCOL_VERSION}, the client ${hello.versionMin} to ${hello.versionMax}`;
      this.#fatal(ErrorCode.unsupportedVersion, text);
      return;
    }
    if (hello.user === 0) {
      // A person reads an SMS and types: that takes longer than a client's hello. Saying hello again buys no time.
      if (this.#phase === Phase.opened) this.#arm(Due.deadline, limits.registrationDeadlineMs);
      this.#phase = Phase.anonymous;
      this.welcome(WelcomeState.anonymous, 0, 0, 0);
      return;
    }
    if (!isPhone(hello.user) || hello.key.length === 0 || hello.device === 0) {
      this.#fatal(ErrorCode.badCredentials, 'a hello with a user needs its number, device and key');
      return;
    }
    this.user = hello.user;
    this.device = hello.device;
    this.#phase = Phase.attaching;
    this.#arm(Due.deadline, limits.authDeadlineMs);
    const { key, epoch, seq } = hello;
    this.#claim = { key, epoch, seq };
    this.#attachWith(this.#claim);
  }

  /** If there is no partition at the moment it is tried again, until the deadline of the authentication. */
  #attachWith({ key, epoch, seq }: Pick<Attach, 'key' | 'epoch' | 'seq'>): void {
    const leftMs = this.node.limits.authDeadlineMs - this.#attachTries * ATTACH_RETRY_MS;
    if (this.#attach(key, epoch, seq)) {
      if (this.#timerDue === Due.attach) this.#arm(Due.deadline, leftMs);
      return;
    }
    this.#attachTries++;
    if (leftMs > ATTACH_RETRY_MS) this.#arm(Due.attach, ATTACH_RETRY_MS);
    else this.#attachRefused('store');
  }

  #attach(key: Uint8Array | null, epoch: number, seq: number): boolean {
    return this.toPartition({
      type: 'attach',
      session: this.pid,
      requester: this.requester,
      user: this.user,
      device: this.device,
      key,
      epoch,
      seq,
      active: this.#attentive,
    });
  }

  #attached(message: Attached): void {
    const { head, pendingCount, pendingBytes } = message;
    if (this.#phase === Phase.active) {
      // What it accepted itself since it asked is gone as well, and may have gone before the partition looked: they reach
      // the store by different ways.
      const isWhole = message.state !== ResumeState.reset && message.truncated <= this.#window.accepted;
      if (!isWhole) {
        this.#truncated();
        return;
      }
      // Back at a restarted partition: whatever came meanwhile is fetched by a pull. If the client has asked already
      // it is that pull, which went down with the partition: the client waits for its answer and not for MORE.
      if (this.#batchOwed) this.#submitPull(this.#window.accepted);
      else if (pendingCount > 0) this.#sayMore(head, pendingCount, pendingBytes);
      else this.#pullForItself();
      this.#tellHome();
      return;
    }
    if (this.#phase !== Phase.attaching) return;
    this.#phase = Phase.active;
    this.#claim = null;
    this.#disarm();
    // What it took to get here is not held against it.
    this.#opsFullAt = 0;
    this.#refusedSurplus = 0;
    this.#window.sent = message.acked;
    this.#window.accepted = message.acked;
    this.#wiped = message.acked;
    this.welcome(welcomeState(message.state), head, message.truncated, pendingCount);
    if (pendingCount > 0) this.#sayMore(head, pendingCount, pendingBytes);
  }

  /** The partition may be on another scheduler now. */
  #tellHome(): void {
    const { node, homePort } = this;
    this.homePort = node.homePort(partitionOf(this.user));
    if (this.homePort === homePort) return;
    const delayMs = Math.round(node.runtime.random.next() * node.limits.homeJitterMs);
    encodeHome(this.writer(), { homePort: this.homePort, delayMs });
  }

  /** Entries were dropped (age, a full inbox's receipts): only a WELCOME can say so, so the client comes for one. */
  #truncated(): void {
    if (this.#phase === Phase.active) {
      this.#close(CloseCode.slowConsumer, 'entries were dropped before they were accepted');
    }
  }

  #attachRefused(reason: 'credentials' | 'device-replaced' | 'store'): void {
    if (this.#phase === Phase.active && reason === 'store') {
      // A restarted partition that cannot reach the store yet.
      this.#reattachLater();
      return;
    }
    if (this.#phase !== Phase.attaching && this.#phase !== Phase.active) return;
    switch (reason) {
      case 'credentials':
        this.#fatal(ErrorCode.badCredentials, 'number, device and key do not belong together');
        break;
      case 'device-replaced':
        this.#fatal(ErrorCode.deviceReplaced, 'another device took this number');
        break;
      case 'store':
        this.#fatal(ErrorCode.storeUnavailable, 'the store does not answer now');
        break;
    }
  }

  #partitionsBegun(partitions: ReadonlySet<number>): void {
    const mine = this.user !== 0 && partitions.has(partitionOf(this.user));
    if (this.#phase === Phase.attaching && mine && this.#claim !== null) this.#attachWith(this.#claim);
    if (this.#phase !== Phase.active) return;
    for (const user of this.#ephemerals?.watches ?? []) {
      if (partitions.has(partitionOf(user))) watch(this, user, true);
    }
    if (mine) this.#reattach();
  }

  #reattach(): void {
    if (this.#phase !== Phase.active) return;
    this.#window.pulling = true;
    this.#pullOutstanding = false;
    if (!this.#attach(null, this.node.epoch, this.#window.accepted)) this.#reattachLater();
  }

  #reattachLater(): void {
    this.#reattachDue = true;
    this.#arm(Due.store, REATTACH_RETRY_MS);
  }

  // ---- sending -----------------------------------------------------------------------------------------------

  #appended(message: Appended): void {
    if (this.#phase !== Phase.active || answerSend(this, message)) return;
    this.#close(CloseCode.deviceReplaced, 'another device took this number');
  }

  // ---- receiving ---------------------------------------------------------------------------------------------

  #entry(message: EntryMessage): void {
    const window = this.#window;
    // A page may have overtaken an entry that was on its way.
    if (window.pulling || message.seq <= window.sent) return;
    const { limits } = this.node;
    const bodyBytes = message.bodyEnd - message.bodyStart;
    const size = bodyBytes + ENTRY_OVERHEAD_BYTES;
    if (
      !window.fits(size, limits.deliverWindowBytes) ||
      this.socket.bufferedBytes() > limits.bufferedBytesHigh
    ) {
      this.#sayMore(message.seq, 1, bodyBytes);
      this.toPartition({ type: 'pause', session: this.pid, user: this.user });
      return;
    }
    writeEntry(this, message);
    window.push(message.seq, size);
    this.#armAckTimer();
  }

  /** To pull mode: MORE, once. */
  #sayMore(head: number, count: number, bytes: number): void {
    this.#window.pulling = true;
    this.#pullOutstanding = false;
    this.node.stats.mores++;
    encodeMore(this.writer(), head, count, bytes);
  }

  /** Nothing waits, but whether nothing has come since only a read can tell: it brings push mode back. */
  #pullForItself(): void {
    this.#window.pulling = true;
    this.#pullCountMax = this.node.limits.batchCountMax;
    this.#pullBytesMax = this.node.limits.batchBytesMax;
    this.#submitPull(this.#window.accepted);
  }

  #accept(seq: number): void {
    if (this.#window.accept(seq)) {
      this.node.stats.acks++;
      return;
    }
    const text = `${seq} was accepted, but nothing beyond ${this.#window.sent} was sent`;
    this.#fatal(ErrorCode.ackBeyondSent, text);
  }

  /** Submits one wipe for all the acknowledgements of a message. */
  #wipe(): void {
    const { accepted } = this.#window;
    if (accepted <= this.#wiped || this.#phase !== Phase.active) return;
    const { store, clock } = this.node;
    if (store.wipe(this.requester, this.user, this.device, accepted, clock.wall())) this.#wiped = accepted;
    else this.#retryWipe();
  }

  #retryWipe(): void {
    this.#wipeRetry = true;
    this.#arm(Due.store, STORE_RETRY_MS);
  }

  #pull(): void {
    decodePull(reader, pullFrame);
    this.#accept(pullFrame.seq);
    if (this.#isClosing()) return;
    const { limits, stats } = this.node;
    stats.pulls++;
    this.#batchOwed = true;
    if (!this.#window.pulling) {
      // In push mode there is nothing to pull; answering all the same keeps the client's bookkeeping simple.
      this.#window.pulling = true;
      this.toPartition({ type: 'pause', session: this.pid, user: this.user });
    }
    this.#pullCountMax = clamp(pullFrame.countMax, limits.batchCountMax);
    this.#pullBytesMax = clamp(pullFrame.bytesMax, limits.batchBytesMax);
    if (this.#pullOutstanding) return;
    if (this.socket.bufferedBytes() > limits.bufferedBytesHigh) {
      this.#pullDeferred = true;
      return;
    }
    this.#wipe();
    this.#submitPull(pullFrame.seq);
  }

  #submitPull(after: number): void {
    this.#pullOutstanding = this.toPartition({
      type: 'pull',
      session: this.pid,
      ref: ++this.#pullRef,
      user: this.user,
      after,
      countMax: this.#pullCountMax,
      bytesMax: this.#pullBytesMax,
    });
    this.#pullDeferred = !this.#pullOutstanding;
    if (this.#pullDeferred) this.#arm(Due.store, STORE_RETRY_MS);
  }

  #page(page: PageMessage): void {
    // Of an earlier pull, made before the session attached anew: what it waits for is still to come.
    if (!this.#pullOutstanding || page.ref !== this.#pullRef) return;
    this.#pullOutstanding = false;
    this.#batchOwed = false;
    const fits = writePage(this, page, this.#window);
    this.#window.pulling = page.hasMore || !fits;
    if (!fits && !page.hasMore) {
      // The partition believes that all is read and pushes again: tell it otherwise.
      this.toPartition({ type: 'pause', session: this.pid, user: this.user });
    }
    this.#armAckTimer();
  }

  #drained(): void {
    if (this.#phase !== Phase.active) return;
    if (this.#pullDeferred && this.socket.bufferedBytes() <= this.node.limits.bufferedBytesHigh) {
      this.#wipe();
      this.#submitPull(this.#window.accepted);
    }
    this.#ephemerals?.flush(this);
  }

  // ---- of the moment -----------------------------------------------------------------------------------------

  #ephemeral(message: Ephemeral): void {
    if (!this.#attentive && message.kind === EphemeralKind.typing) this.node.stats.ephemeralsDropped++;
    else if (this.socket.bufferedBytes() <= this.node.limits.bufferedBytesHigh) writeEphemeral(this, message);
    else this.ephemerals().keep(this, message);
  }

  #clientState(active: boolean): void {
    if (this.#attentive === active) return;
    this.#attentive = active;
    this.toPartition({ type: 'activity', session: this.pid, user: this.user, active });
  }

  // ---- answers of the store ----------------------------------------------------------------------------------

  #controlled(result: ControlResult): void {
    const request = this.#requests?.shift();
    request?.handler.stored?.(request, result);
  }

  #storeFailed(message: StoreFailed): void {
    if (this.#phase !== Phase.active) return;
    switch (message.command) {
      case CommandKind.append:
        sendFailed(this, message.ref);
        break;
      case CommandKind.wipe:
        // Asked for again from the lowest point that is certain: wiping twice is harmless.
        this.#wiped = 0;
        this.#retryWipe();
        break;
      case CommandKind.control: {
        const request = this.#requests?.shift();
        if (request === undefined) break;
        this.requestError(
          request.id,
          ErrorCode.storeUnavailable,
          'the store does not answer now',
          STORE_RETRY_MS,
        );
        break;
      }
      default:
        break;
    }
  }

  // ---- timers, ends ------------------------------------------------------------------------------------------

  #timeout(due: Due): void {
    this.#timer = null;
    switch (due) {
      case Due.deadline:
        if (this.#phase !== Phase.active) this.#close(CloseCode.authTimeout, 'not authenticated in time');
        break;
      case Due.acks:
        if (this.#window.unacceptedBytes === 0) break;
        if (this.#window.accepted === this.#acceptedAtTimer) {
          this.node.stats.ackTimeouts++;
          this.#close(CloseCode.ackTimeout, `nothing accepted for ${this.node.limits.ackTimeoutMs} ms`);
        } else this.#armAckTimer();
        break;
      case Due.store:
        if (this.#reattachDue) {
          this.#reattachDue = false;
          this.#reattach();
        }
        if (this.#wipeRetry) {
          this.#wipeRetry = false;
          this.#wipe();
        }
        if (this.#pullDeferred && !this.#pullOutstanding) this.#submitPull(this.#window.accepted);
        this.#armAckTimer();
        break;
      case Due.attach:
        if (this.#phase === Phase.attaching && this.#claim !== null) this.#attachWith(this.#claim);
        break;
      case Due.leave:
        this.#close(CloseCode.goingAway, 'the server is going away');
        break;
    }
  }

  /** One timer for each session, re-armed lazily: traffic does not touch it. */
  #armAckTimer(): void {
    if (this.#timer !== null || this.#window.unacceptedBytes === 0) return;
    this.#acceptedAtTimer = this.#window.accepted;
    this.#arm(Due.acks, this.node.limits.ackTimeoutMs);
  }

  #arm(due: Due, ms: number): void {
    if (this.#leaving) return;
    // What waits for the store waits together, and no longer for each that joins.
    if (due === Due.store && this.#timerDue === Due.store && this.#timer !== null) return;
    this.#disarm();
    this.#timer = this.self.startTimer(ms, due);
    this.#timerDue = due;
  }

  #disarm(): void {
    if (this.#timer === null) return;
    this.self.cancelTimer(this.#timer);
    this.#timer = null;
  }

  #leave(delayMs: number, graceMs: number): void {
    if (this.#isClosing()) return;
    encodeGoAway(this.writer(), { reason: CloseCode.goingAway, delayMs: Math.round(delayMs), host: '' });
    this.#leaving = false;
    this.#arm(Due.leave, graceMs);
    this.#leaving = true;
  }

  #isClosing(): boolean {
    return this.#phase === Phase.closing;
  }

  /** Sends the error and closes with the close code that goes with it. */
  #fatal(code: ErrorCode, message: string): void {
    this.error(ErrorRef.connection, 0, code, message);
    this.#close(closeCodeOf(code), message);
  }

  /** Ends the connection and the process: what was written goes out first. */
  #close(code: CloseCode, reason: string): void {
    this.#phase = Phase.closing;
    this.node.corks.flushNow(this);
    this.socket.close(code, `${closeName(code)}: ${reason}`.slice(0, 120));
    this.self.exit(ExitReason.normal);
  }
}

/** 0 leaves the choice to the server. */
function clamp(value: number, max: number): number {
  return value === 0 || value > max ? max : value;
}

function welcomeState(state: ResumeState): WelcomeState {
  switch (state) {
    case ResumeState.resumed:
      return WelcomeState.resumed;
    case ResumeState.truncated:
      return WelcomeState.truncated;
    case ResumeState.reset:
      return WelcomeState.reset;
  }
}
