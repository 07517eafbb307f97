import { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook, Receiver } from '../actors/receiver.js';
import type { SystemMessage } from '../actors/system-message.js';
import type { Timer } from '../actors/timers.js';
import {
  AddressKind,
  BatchBuilder,
  CLIENT_MESSAGE_BYTES_MAX,
  CloseCode,
  clientMaySend,
  closeCodeOf,
  closeName,
  decodeAck,
  decodeClientState,
  decodeEphemeral,
  decodeHello,
  decodePing,
  decodePull,
  decodeReadReceipt,
  decodeRegister,
  decodeRequest,
  decodeRequestBody,
  decodeSend,
  decodeVerify,
  deliverBytesMax,
  Ephemeral as EphemeralFrame,
  EphemeralKind,
  ErrorCode,
  ErrorRef,
  encodeChallenge,
  encodeDeliver,
  encodeDuplicateSendAck,
  encodeEphemeral,
  encodeError,
  encodeGoAway,
  encodeMore,
  encodePong,
  encodeReceipt,
  encodeRegistered,
  encodeResponse,
  encodeSendAck,
  encodeWelcome,
  FrameReader,
  FrameType,
  type FrameWriter,
  frameName,
  isKnownFrame,
  isPhone,
  isReservedFrame,
  isRetryableError,
  PROTOCOL_VERSION,
  ProtocolError,
  Pull as PullFrame,
  RESPONSE_BYTES_MAX,
  ReadReceipt,
  Send,
  type StructuredMap,
  WelcomeState,
} from '../protocol/index.js';
import { partitionOf } from '../storage/partition-of.js';
import {
  AppendStatus,
  CommandKind,
  type Control,
  type ControlResult,
  EntryKind,
  MESSAGE_ID_WINDOW,
  type UserId,
} from '../storage/stores.js';
import { takeTokens } from '../structures/token-bucket.js';
import type { CorkedConnection } from '../transport/cork.js';
import { type ConnectionHandler, SendResult, type Socket } from '../transport/socket.js';
import type { ChatNode } from './chat-node.js';
import { DeliveryWindow } from './delivery-window.js';
import type { Request, RequestHandler } from './handler-table.js';
import {
  type Appended,
  type Attached,
  type EntryMessage,
  type Ephemeral,
  type PageMessage,
  type PartitionMessage,
  ResumeState,
  type SessionMessage,
  type StoreFailed,
} from './messages.js';

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

const Due = {
  deadline: 'deadline',
  acks: 'acks',
  store: 'store',
  leave: 'leave',
  reattach: 'reattach',
} as const;
type Due = (typeof Due)[keyof typeof Due];

// Decoding happens on one stack at a time, so one of each serves all sessions of the thread.
const reader = new FrameReader();
const send = new Send();
const readReceipt = new ReadReceipt();
const pullFrame = new PullFrame();
const ephemeralFrame = new EphemeralFrame();
const batch = new BatchBuilder();
const socketMessage: { readonly type: 'socket'; bytes: Uint8Array; isBinary: boolean } = {
  type: 'socket',
  bytes: new Uint8Array(0),
  isBinary: true,
};

/** What a frame costs beside its body, for the window's count. */
const ENTRY_OVERHEAD_BYTES = 32;
/** Everything that an idle session does not need; made when it does. */
interface Extras {
  /** What waits for the store, in order. */
  readonly requests: PendingRequest[];
  /** Whose presence this session was promised. */
  readonly watches: Set<UserId>;
  /** Ephemerals that wait for the socket, the latest of each kind and user. */
  readonly ephemerals: Map<number, Ephemeral>;
}

/**
 * The process of one connection. It decodes what the client sends, submits sends and acknowledgements to the
 * store, and writes what comes for its user, in push or pull mode (see {@link DeliveryWindow}).
 *
 * It is also the handler of its socket: a message that finds the process idle is handled inside the socket's
 * callback, without a copy. A crash ends this connection and nothing else; the socket is closed with it.
 *
 * Exit reasons: `normal` (the connection is over, by whoever's wish); anything else is a bug or a kill.
 */
export class Session
  implements Receiver<SessionMessage>, ConnectionHandler, CorkedConnection<FrameWriter>, ExitHook
{
  readonly socket: Socket;
  /** Owned by the corks. */
  corkWriter: FrameWriter | null = null;
  corkDropped = false;
  readonly #node: ChatNode;
  readonly #self: Process<SessionMessage>;
  readonly #requester: number;
  readonly #window = new DeliveryWindow();
  #phase: Phase = Phase.opened;
  #user: UserId = 0;
  #device = 0;
  #active = true;
  /** A page is being read. */
  #pullOutstanding = false;
  /** A pull that waits for the socket to drain; its `after` is the accepted seq. */
  #pullDeferred = false;
  #pullCountMax = 0;
  #pullBytesMax = 0;
  /** The highest accepted seq that a wipe was submitted for. */
  #wiped = 0;
  #wipeRetry = false;
  /** GOAWAY was sent; the one timer is that of the end. */
  #leaving = false;
  #opsFullAt = 0;
  #bytesFullAt = 0;
  /** Frames refused for the rate, less those taken since: a flood is not forgiven for one frame in a thousand. */
  #refusedSurplus = 0;
  /** The accepted seq when the ack timer was armed. */
  #acceptedAtTimer = -1;
  #timer: Timer | null = null;
  #extras: Extras | null = null;

  constructor(node: ChatNode, self: Process<SessionMessage>, socket: Socket) {
    this.#node = node;
    this.#self = self;
    this.socket = socket;
    this.#requester = node.sessions.add(self as Pid<SessionMessage>);
    node.stats.sessions++;
    self.label = 'session';
    self.onExit(this);
    this.#timer = self.startTimer(node.limits.authDeadlineMs, Due.deadline);
  }

  get user(): UserId {
    return this.#user;
  }

  // ---- the socket's side -------------------------------------------------------------------------------------

  message(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#phase === Phase.closing) return;
    socketMessage.bytes = bytes;
    socketMessage.isBinary = isBinary;
    const { runtime } = this.#node;
    if (!runtime.tryDispatch(this.#self as Pid<SessionMessage>, socketMessage)) {
      runtime.send(this.#self as Pid<SessionMessage>, { type: 'socket', bytes: copy(bytes), isBinary });
    }
  }

  drained(): void {
    this.#node.runtime.send(this.#self as Pid<SessionMessage>, DRAINED);
  }

  closed(code: number, reason: string): void {
    this.#node.runtime.send(this.#self as Pid<SessionMessage>, { type: 'socket-closed', code, reason });
  }

  /** The corks have handed this turn's frames to the socket. */
  flushed(result: SendResult): void {
    if (result !== SendResult.dropped || this.#phase === Phase.closing) return;
    // The socket takes nothing more: acknowledgements would be lost silently. The client comes back and resumes.
    this.#node.stats.slowConsumers++;
    this.#phase = Phase.closing;
    this.socket.close(CloseCode.slowConsumer, closeName(CloseCode.slowConsumer));
  }

  /** Whatever the process ended of, the socket goes with it, as an Erlang port does with its owner. */
  processExited(_process: Pid, reason: ExitReason): void {
    this.#node.sessions.remove(this.#requester);
    this.#node.stats.sessions--;
    if (this.#phase === Phase.closing) {
      this.#node.corks.discard(this);
      return;
    }
    this.#phase = Phase.closing;
    const code = reason.type === 'shutdown' ? CloseCode.goingAway : CloseCode.internalError;
    this.#node.corks.flushNow(this);
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
        this.#self.exit(ExitReason.normal);
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
        this.#close(
          message.by === 'device' ? CloseCode.deviceReplaced : CloseCode.connectionReplaced,
          message.by === 'device' ? 'another device took this number' : 'a newer connection took its place',
        );
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
        this.#arm(Due.store, 1000);
        break;
      case 'ephemeral':
        if (this.#phase === Phase.active) this.#ephemeral(message);
        break;
      case 'partition-restarted':
        this.#partitionRestarted(message.partition);
        break;
      case 'leave':
        this.#leave(message.delayMs, message.graceMs);
        break;
      case 'pin-sent':
        if (this.#phase === Phase.anonymous) encodeChallenge(this.#writer(), message);
        break;
      case 'registered':
        if (this.#phase === Phase.anonymous) encodeRegistered(this.#writer(), message);
        break;
      case 'registration-refused':
        this.#registrationRefused(message);
        break;
      default:
        break;
    }
  }

  /** @param frameBytesMax what the frame may take; most are small. */
  #writer(frameBytesMax = 512): FrameWriter {
    return this.#node.corks.writerFor(this, frameBytesMax);
  }

  // ---- frames ------------------------------------------------------------------------------------------------

  #socketMessage(bytes: Uint8Array, isBinary: boolean): void {
    const { stats, limits } = this.#node;
    stats.bytesIn += bytes.length;
    if (!isBinary) {
      this.#fatal(ErrorCode.malformed, 'this protocol has binary messages only');
      return;
    }
    const bytesMax = this.#phase === Phase.active ? CLIENT_MESSAGE_BYTES_MAX : limits.anonymousBytesMax;
    if (bytes.length > bytesMax) {
      this.#fatal(
        ErrorCode.frameTooLarge,
        `a message of ${bytes.length} bytes, at most ${bytesMax} are allowed`,
      );
      return;
    }
    const now = this.#node.clock.now();
    const fullAt = takeTokens(limits.bytesRate, this.#bytesFullAt, now, bytes.length);
    if (fullAt > 0) this.#bytesFullAt = fullAt;
    const refused = fullAt > 0 ? 0 : Math.min(60_000, Math.ceil(-fullAt));
    try {
      reader.reset(bytes);
      while (reader.next()) {
        stats.framesIn++;
        this.#frame(now, refused);
        if ((this.#phase as Phase) === Phase.closing) return;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fatal(error.code, error.message);
      return;
    }
    this.#wipe();
  }

  /** @param refusedMs 0, or how long the rate of bytes wants the client to wait. */
  #frame(now: number, refusedMs: number): void {
    const { type } = reader;
    if (this.#phase !== Phase.active) {
      this.#frameBeforeActive(type);
      return;
    }
    let wait = refusedMs;
    if (wait === 0) {
      const fullAt = takeTokens(this.#node.limits.opsRate, this.#opsFullAt, now, 1);
      if (fullAt > 0) {
        this.#opsFullAt = fullAt;
        if (this.#refusedSurplus > 0) this.#refusedSurplus--;
      } else wait = Math.max(1, Math.ceil(-fullAt));
    }
    if (wait > 0 && this.#limited()) return;
    switch (type) {
      case FrameType.send:
        this.#send(wait);
        break;
      case FrameType.ack:
        this.#accept(decodeAck(reader));
        break;
      case FrameType.receipt:
        this.#readReceipt(wait);
        break;
      case FrameType.pull:
        this.#pull();
        break;
      case FrameType.ephemeral:
        this.#ephemeralFrame(wait);
        break;
      case FrameType.clientState:
        this.#clientState(decodeClientState(reader));
        break;
      case FrameType.ping:
        encodePong(this.#writer(), decodePing(reader));
        break;
      case FrameType.pong:
        break;
      case FrameType.request:
        this.#request(wait);
        break;
      case FrameType.hello:
      case FrameType.register:
      case FrameType.verify:
        this.#fatal(ErrorCode.outOfOrder, `${frameName(type)} on a connection that is already authenticated`);
        break;
      default:
        this.#unknown(type);
        break;
    }
  }

  #frameBeforeActive(type: number): void {
    switch (type) {
      case FrameType.hello:
        if (this.#phase === Phase.attaching) this.#fatal(ErrorCode.outOfOrder, 'hello before the welcome');
        else this.#hello();
        return;
      case FrameType.ping:
        if (this.#phase !== Phase.anonymous) break;
        encodePong(this.#writer(), decodePing(reader));
        return;
      case FrameType.register:
        if (this.#phase !== Phase.anonymous) break;
        this.#register();
        return;
      case FrameType.verify:
        if (this.#phase !== Phase.anonymous) break;
        this.#verify();
        return;
      default:
        if (clientMaySend(type)) break;
        this.#unknown(type);
        return;
    }
    if (this.#phase === Phase.anonymous) {
      this.#fatal(ErrorCode.notAuthenticated, `${frameName(type)} before authentication`);
    } else {
      this.#fatal(ErrorCode.outOfOrder, `${frameName(type)} before the welcome`);
    }
  }

  /** A reserved type is answered, an unknown one skipped unless it is critical. */
  #unknown(type: number): void {
    if (reader.isCritical) {
      this.#fatal(ErrorCode.unsupportedFrame, `critical frame ${frameName(type)} is not known`);
    } else if (isReservedFrame(type)) {
      this.#error(
        ErrorRef.connection,
        0,
        ErrorCode.notSupported,
        `${frameName(type)} is not supported yet`,
        0,
        type,
      );
    } else if (isKnownFrame(type)) {
      this.#fatal(ErrorCode.outOfOrder, `${frameName(type)} is the server's to send`);
    }
  }

  /** Counts a refused frame. True: that was one too many, the connection is closed. */
  #limited(): boolean {
    this.#node.stats.rateLimited++;
    if (++this.#refusedSurplus <= this.#node.limits.refusedSurplusMax) return false;
    this.#fatal(
      ErrorCode.rateLimited,
      `${this.#refusedSurplus} frames more were above the rate than within it`,
    );
    return true;
  }

  #hello(): void {
    const hello = decodeHello(reader);
    const { limits } = this.#node;
    if (hello.versionMin > PROTOCOL_VERSION || hello.versionMax < PROTOCOL_VERSION) {
      this.#fatal(
        ErrorCode.unsupportedVersion,
        `this server speaks version ${PROTOCOL_VERSION}, the client ${hello.versionMin} to ${hello.versionMax}`,
      );
      return;
    }
    if (hello.user === 0) {
      this.#phase = Phase.anonymous;
      // A person reads an SMS and types: that takes longer than a client's hello.
      this.#arm(Due.deadline, limits.registrationDeadlineMs);
      this.#welcome(WelcomeState.anonymous, 0, 0, 0);
      return;
    }
    if (!isPhone(hello.user) || hello.key.length === 0 || hello.device === 0) {
      this.#fatal(ErrorCode.badCredentials, 'a hello with a user needs its number, device and key');
      return;
    }
    this.#user = hello.user;
    this.#device = hello.device;
    this.#phase = Phase.attaching;
    this.#arm(Due.deadline, limits.authDeadlineMs);
    const partition = this.#node.partition(partitionOf(hello.user));
    if (partition === undefined) {
      this.#attachRefused('store');
      return;
    }
    this.#self.send(partition, {
      type: 'attach',
      session: this.#self as Pid<SessionMessage>,
      requester: this.#requester,
      user: hello.user,
      device: hello.device,
      key: hello.key,
      epoch: hello.epoch,
      seq: hello.seq,
      active: this.#active,
    });
  }

  #welcome(state: WelcomeState, head: number, truncated: number, pendingCount: number): void {
    const { limits, epoch, clock } = this.#node;
    encodeWelcome(this.#writer(), {
      state,
      version: PROTOCOL_VERSION,
      capabilities: 0,
      epoch,
      head,
      truncated: state === WelcomeState.truncated ? truncated : 0,
      serverTime: clock.wall(),
      heartbeatMs: limits.heartbeatMs,
      homePort: 0,
      pendingCount,
      bodyBytesMax: limits.bodyBytesMax,
      messageIdWindow: MESSAGE_ID_WINDOW,
      deliverWindowBytes: limits.deliverWindowBytes,
      batchBytesMax: limits.batchBytesMax,
    });
  }

  #attached(message: Attached): void {
    if (this.#phase === Phase.active) {
      // Back at a restarted partition: whatever came meanwhile is fetched by a pull.
      this.#enterPullMode(message.head, message.pendingCount, message.pendingBytes, message.pendingCount > 0);
      return;
    }
    if (this.#phase !== Phase.attaching) return;
    this.#phase = Phase.active;
    this.#disarm();
    const state =
      message.state === ResumeState.resumed
        ? WelcomeState.resumed
        : message.state === ResumeState.truncated
          ? WelcomeState.truncated
          : WelcomeState.reset;
    this.#window.sent = message.acked;
    this.#window.accepted = message.acked;
    this.#wiped = message.acked;
    this.#welcome(state, message.head, message.truncated, message.pendingCount);
    if (message.pendingCount > 0) {
      this.#enterPullMode(message.head, message.pendingCount, message.pendingBytes, true);
    }
  }

  #attachRefused(reason: 'credentials' | 'device-replaced' | 'store'): void {
    if (this.#phase === Phase.active) {
      // A restarted partition that cannot reach the store yet.
      if (reason === 'store') this.#arm(Due.reattach, 250);
      else this.#fatal(ErrorCode.deviceReplaced, 'another device took this number');
      return;
    }
    if (this.#phase !== Phase.attaching) return;
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

  #register(): void {
    const register = decodeRegister(reader);
    const registrar = this.#node.registrar();
    if (!isPhone(register.phone)) {
      this.#requestError(
        register.ref,
        ErrorCode.badPhone,
        `${register.phone} is no phone number (7 to 15 digits)`,
      );
    } else if (registrar === undefined) {
      this.#requestError(register.ref, ErrorCode.overloaded, 'registration is being restarted');
    } else {
      this.#self.send(registrar, {
        type: 'ask-pin',
        session: this.#self as Pid<SessionMessage>,
        ref: register.ref,
        user: register.phone,
        address: this.socket.remoteAddress,
      });
    }
  }

  #verify(): void {
    const verify = decodeVerify(reader);
    const registrar = this.#node.registrar();
    if (!isPhone(verify.phone)) {
      this.#requestError(
        verify.ref,
        ErrorCode.badPhone,
        `${verify.phone} is no phone number (7 to 15 digits)`,
      );
    } else if (registrar === undefined) {
      this.#requestError(verify.ref, ErrorCode.overloaded, 'registration is being restarted');
    } else {
      this.#self.send(registrar, {
        type: 'verify-pin',
        session: this.#self as Pid<SessionMessage>,
        ref: verify.ref,
        user: verify.phone,
        pin: verify.pin,
        name: verify.name,
        address: this.socket.remoteAddress,
      });
    }
  }

  #registrationRefused(message: Extract<SessionMessage, { type: 'registration-refused' }>): void {
    if (this.#phase !== Phase.anonymous) return;
    const { ref, retryAfterMs } = message;
    switch (message.reason) {
      case 'limited':
        this.#requestError(ref, ErrorCode.pinLimited, 'too many tries: wait', retryAfterMs);
        break;
      case 'wrong-pin':
        this.#requestError(
          ref,
          ErrorCode.pinWrong,
          'the PIN is wrong or has expired',
          retryAfterMs,
          message.triesLeft,
        );
        break;
      case 'gateway':
        this.#requestError(ref, ErrorCode.overloaded, 'the SMS could not be sent', retryAfterMs);
        break;
      case 'store':
        this.#requestError(ref, ErrorCode.storeUnavailable, 'the store does not answer now', retryAfterMs);
        break;
    }
  }

  // ---- sending -----------------------------------------------------------------------------------------------

  #send(waitMs: number): void {
    decodeSend(reader, send);
    this.#append(waitMs, EntryKind.message, send, send.bodyStart, send.bodyEnd);
  }

  #readReceipt(waitMs: number): void {
    decodeReadReceipt(reader, readReceipt);
    this.#append(waitMs, EntryKind.receiptRead, readReceipt, readReceipt.rangesStart, readReceipt.rangesEnd);
  }

  #append(waitMs: number, kind: EntryKind, frame: Send | ReadReceipt, start: number, end: number): void {
    const { stats, limits, store, clock } = this.#node;
    stats.sends++;
    const id = frame.messageId;
    if (waitMs > 0) {
      this.#messageError(id, ErrorCode.rateLimited, 'above the rate of this connection', waitMs);
    } else if (frame.toKind !== AddressKind.user) {
      this.#messageError(id, ErrorCode.notSupported, 'only users can be addressed', 0, frame.toKind);
    } else if (!isPhone(frame.to)) {
      this.#messageError(id, ErrorCode.badPhone, `${frame.to} is no phone number`);
    } else if (end - start > limits.bodyBytesMax) {
      this.#messageError(
        id,
        ErrorCode.bodyTooLarge,
        `a body of ${end - start} bytes, at most ${limits.bodyBytesMax} are allowed`,
      );
    } else if (
      !store.append(
        this.#requester,
        frame.to,
        this.#user,
        this.#device,
        kind,
        id,
        clock.wall(),
        frame.source,
        start,
        end,
      )
    ) {
      stats.overloaded++;
      this.#messageError(id, ErrorCode.overloaded, 'the store cannot keep up', 1000);
    }
  }

  #appended(message: Appended): void {
    if (this.#phase !== Phase.active) return;
    const { stats } = this.#node;
    switch (message.status) {
      case AppendStatus.stored:
        stats.sendAcks++;
        encodeSendAck(this.#writer(), message.ref, message.time, message.partition, message.seq);
        break;
      case AppendStatus.duplicate:
        stats.duplicates++;
        encodeDuplicateSendAck(this.#writer(), message.ref);
        break;
      case AppendStatus.unknownRecipient:
        this.#messageError(message.ref, ErrorCode.unknownRecipient, 'nobody is registered with this number');
        break;
      case AppendStatus.blocked:
        this.#messageError(message.ref, ErrorCode.blocked, 'the recipient does not take messages from you');
        break;
      case AppendStatus.inboxFull:
        this.#messageError(message.ref, ErrorCode.inboxFull, "the recipient's inbox is full", 60_000);
        break;
      case AppendStatus.messageIdTooOld:
        this.#messageError(
          message.ref,
          ErrorCode.messageIdTooOld,
          `message id ${message.ref} lies more than ${MESSAGE_ID_WINDOW} behind ${message.highest}`,
          0,
          message.highest,
        );
        break;
      case AppendStatus.deviceRevoked:
        this.#close(CloseCode.deviceReplaced, 'another device took this number');
        break;
    }
  }

  // ---- receiving ---------------------------------------------------------------------------------------------

  #entry(message: EntryMessage): void {
    const window = this.#window;
    // A page may have overtaken an entry that was on its way.
    if (window.pulling || message.seq <= window.sent) return;
    const { limits } = this.#node;
    const size = message.bodyEnd - message.bodyStart + ENTRY_OVERHEAD_BYTES;
    if (
      !window.fits(size, limits.deliverWindowBytes) ||
      this.socket.bufferedBytes() > limits.bufferedBytesHigh
    ) {
      this.#enterPullMode(message.seq, 1, message.bodyEnd - message.bodyStart, true);
      this.#toPartition({ type: 'pause', session: this.#self as Pid<SessionMessage>, user: this.#user });
      return;
    }
    this.#write(message);
    window.push(message.seq, size);
    this.#armAckTimer();
  }

  #write(message: EntryMessage): void {
    const { stats } = this.#node;
    const writer = this.#writer(deliverBytesMax(message.bodyEnd - message.bodyStart));
    if (message.kind === EntryKind.message) {
      stats.deliveries++;
      encodeDeliver(
        writer,
        message.seq,
        message.time,
        message.partition,
        message.from,
        message.ref,
        message.source,
        message.bodyStart,
        message.bodyEnd,
      );
    } else {
      stats.receipts++;
      encodeReceipt(
        writer,
        message.seq,
        message.time,
        message.from,
        message.kind === EntryKind.receiptRead,
        message.source,
        message.bodyStart,
        message.bodyEnd,
      );
    }
  }

  #enterPullMode(head: number, count: number, bytes: number, tell: boolean): void {
    this.#window.pulling = true;
    this.#pullOutstanding = false;
    if (!tell) {
      // Nothing waits: an empty pull of our own brings the session back to push mode.
      this.#pullCountMax = 1;
      this.#pullBytesMax = 1;
      this.#submitPull(this.#window.sent);
      return;
    }
    this.#node.stats.mores++;
    encodeMore(this.#writer(), head, count, bytes);
  }

  #accept(seq: number): void {
    if (!this.#window.accept(seq)) {
      this.#fatal(
        ErrorCode.ackBeyondSent,
        `${seq} was accepted, but nothing beyond ${this.#window.sent} was sent`,
      );
      return;
    }
    this.#node.stats.acks++;
  }

  /** Submits one wipe for all the acknowledgements of a message. */
  #wipe(): void {
    const { accepted } = this.#window;
    if (accepted <= this.#wiped || this.#phase !== Phase.active) return;
    const { store, clock } = this.#node;
    if (store.wipe(this.#requester, this.#user, this.#device, accepted, clock.wall())) {
      this.#wiped = accepted;
      return;
    }
    this.#retryWipe();
  }

  #retryWipe(): void {
    this.#wipeRetry = true;
    this.#arm(Due.store, 1000);
  }

  #pull(): void {
    decodePull(reader, pullFrame);
    this.#accept(pullFrame.seq);
    if ((this.#phase as Phase) !== Phase.active) return;
    const { limits, stats } = this.#node;
    stats.pulls++;
    // In push mode there is nothing to pull; answering keeps the client's bookkeeping simple.
    if (!this.#window.pulling) {
      this.#window.pulling = true;
      this.#toPartition({ type: 'pause', session: this.#self as Pid<SessionMessage>, user: this.#user });
    }
    const clamp = (value: number, max: number) => (value === 0 || value > max ? max : value);
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
    this.#pullDeferred = false;
    this.#pullOutstanding = this.#toPartition({
      type: 'pull',
      session: this.#self as Pid<SessionMessage>,
      requester: this.#requester,
      user: this.#user,
      after,
      countMax: this.#pullCountMax,
      bytesMax: this.#pullBytesMax,
    });
    this.#pullDeferred = !this.#pullOutstanding;
  }

  #page(page: PageMessage): void {
    if (!this.#pullOutstanding) return;
    this.#pullOutstanding = false;
    const { stats, limits } = this.#node;
    stats.pagesSent++;
    const window = this.#window;
    const partition = partitionOf(this.#user);
    const writer = this.#writer(limits.batchBytesMax + 64);
    batch.begin(writer, limits.batchBytesMax);
    let fit = true;
    for (const entry of page.entries) {
      const { seq, time, from, ref, body } = entry;
      if (entry.kind === EntryKind.message) {
        fit = batch.deliver(seq, time, partition, from, ref, body, 0, body.length);
        if (fit) stats.deliveries++;
      } else {
        fit = batch.receipt(seq, time, from, entry.kind === EntryKind.receiptRead, body, 0, body.length);
        if (fit) stats.receipts++;
      }
      if (!fit) break;
      if (seq > window.sent) window.push(seq, body.length + ENTRY_OVERHEAD_BYTES);
    }
    const hasMore = page.hasMore || !fit;
    batch.end(hasMore);
    window.pulling = hasMore;
    if (!fit && !page.hasMore) {
      // The partition believes that all is read and pushes again: tell it otherwise.
      this.#toPartition({ type: 'pause', session: this.#self as Pid<SessionMessage>, user: this.#user });
    }
    this.#armAckTimer();
  }

  #drained(): void {
    if (this.#phase !== Phase.active) return;
    const { limits } = this.#node;
    if (this.#pullDeferred && this.socket.bufferedBytes() <= limits.bufferedBytesHigh) {
      this.#wipe();
      this.#submitPull(this.#window.accepted);
    }
    const waiting = this.#extras?.ephemerals;
    if (waiting === undefined || waiting.size === 0) return;
    for (const message of waiting.values()) this.#writeEphemeral(message);
    waiting.clear();
  }

  // ---- of the moment -----------------------------------------------------------------------------------------

  #ephemeralFrame(waitMs: number): void {
    const { stats, clock, limits } = this.#node;
    decodeEphemeral(reader, ephemeralFrame);
    stats.ephemeralsIn++;
    const { kind, peer, value } = ephemeralFrame;
    if (waitMs > 0 || !isPhone(peer)) {
      stats.ephemeralsDropped++;
      return;
    }
    switch (kind) {
      case EphemeralKind.typing:
        this.#toPartitionOf(peer, {
          type: 'ephemeral',
          kind,
          to: peer,
          from: this.#user,
          value: Math.min(value, 2),
          time: clock.wall(),
        });
        break;
      case EphemeralKind.subscribe:
      case EphemeralKind.unsubscribe: {
        const { watches } = this.#extra();
        const on = kind === EphemeralKind.subscribe;
        if (on && watches.size >= limits.watchesMax && !watches.has(peer)) {
          this.#error(
            ErrorRef.connection,
            0,
            ErrorCode.windowExceeded,
            `at most ${limits.watchesMax} presence subscriptions`,
            0,
            limits.watchesMax,
          );
          break;
        }
        if (on) watches.add(peer);
        else watches.delete(peer);
        this.#watch(peer, on);
        break;
      }
      default:
        break;
    }
  }

  #watch(user: UserId, on: boolean): void {
    this.#toPartitionOf(user, {
      type: 'watch',
      session: this.#self as Pid<SessionMessage>,
      watcher: this.#user,
      user,
      on,
    });
  }

  #ephemeral(message: Ephemeral): void {
    const { stats, limits } = this.#node;
    if (!this.#active && message.kind === EphemeralKind.typing) {
      stats.ephemeralsDropped++;
      return;
    }
    if (this.socket.bufferedBytes() <= limits.bufferedBytesHigh) {
      this.#writeEphemeral(message);
      return;
    }
    // The latest of each kind and user waits for the socket; whatever is beyond the bound is dropped.
    const { ephemerals } = this.#extra();
    const key = message.from * 8 + message.kind;
    if (ephemerals.size >= limits.ephemeralsMax && !ephemerals.has(key)) stats.ephemeralsDropped++;
    else ephemerals.set(key, message);
  }

  #writeEphemeral(message: Ephemeral): void {
    this.#node.stats.ephemeralsOut++;
    encodeEphemeral(this.#writer(), message.kind, message.from, message.value, message.time);
  }

  #clientState(active: boolean): void {
    if (this.#active === active) return;
    this.#active = active;
    this.#toPartition({
      type: 'activity',
      session: this.#self as Pid<SessionMessage>,
      user: this.#user,
      active,
    });
  }

  // ---- requests ----------------------------------------------------------------------------------------------

  #request(waitMs: number): void {
    const frame = decodeRequest(reader);
    this.#node.stats.requests++;
    if (waitMs > 0) {
      this.#requestError(frame.id, ErrorCode.rateLimited, 'above the rate of this connection', waitMs);
      return;
    }
    const handler = this.#node.handlers.get(frame.method);
    if (handler === undefined) {
      this.#requestError(frame.id, ErrorCode.unknownMethod, `there is no method ${frame.method}`);
      return;
    }
    let body: StructuredMap;
    try {
      body = decodeRequestBody(frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#requestError(frame.id, error.code, error.message);
      return;
    }
    handler.handle(new PendingRequest(this.#node, this, handler, frame.id, this.#user, body));
  }

  /** For {@link PendingRequest}. */
  respond(id: number, body: StructuredMap): void {
    if (this.#phase === Phase.active) encodeResponse(this.#writer(RESPONSE_BYTES_MAX + 64), id, body);
  }

  /** For {@link PendingRequest}. */
  refuse(id: number, code: ErrorCode, message: string): void {
    if (this.#phase === Phase.active) this.#requestError(id, code, message);
  }

  /** For {@link PendingRequest}. */
  submit(request: PendingRequest, control: Control): void {
    const { requests } = this.#extra();
    if (requests.length >= this.#node.limits.requestsMax) {
      this.#requestError(
        request.id,
        ErrorCode.overloaded,
        `${requests.length} requests are waiting already`,
        1000,
      );
    } else if (this.#node.store.control(this.#requester, control)) {
      requests.push(request);
    } else {
      this.#requestError(request.id, ErrorCode.overloaded, 'the store cannot keep up', 1000);
    }
  }

  /** For {@link PendingRequest}. */
  tellBlocking(peer: UserId, on: boolean): void {
    this.#toPartition({
      type: 'blocking',
      session: this.#self as Pid<SessionMessage>,
      user: this.#user,
      peer,
      on,
    });
  }

  #controlled(result: ControlResult): void {
    const request = this.#extras?.requests.shift();
    if (request === undefined) return;
    request.handler.stored?.(request, result);
  }

  #storeFailed(message: StoreFailed): void {
    switch (message.command) {
      case CommandKind.append:
        if (this.#phase !== Phase.active) break;
        this.#messageError(message.ref, ErrorCode.storeUnavailable, 'the message could not be stored', 1000);
        break;
      case CommandKind.wipe:
        // Asked for again from the lowest point that is certain: wiping twice is harmless.
        this.#wiped = 0;
        this.#retryWipe();
        break;
      case CommandKind.control: {
        const request = this.#extras?.requests.shift();
        if (request !== undefined) {
          this.#requestError(request.id, ErrorCode.storeUnavailable, 'the store does not answer now', 1000);
        }
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
        if (this.#phase === Phase.active || this.#phase === Phase.closing) break;
        this.#close(CloseCode.authTimeout, 'not authenticated in time');
        break;
      case Due.acks:
        if (this.#window.unacceptedBytes === 0) break;
        if (this.#window.accepted === this.#acceptedAtTimer) {
          this.#node.stats.ackTimeouts++;
          this.#close(CloseCode.ackTimeout, `nothing was accepted for ${this.#node.limits.ackTimeoutMs} ms`);
        } else this.#armAckTimer();
        break;
      case Due.store:
        if (this.#wipeRetry) {
          this.#wipeRetry = false;
          this.#wipe();
        }
        if (this.#pullDeferred && !this.#pullOutstanding) this.#submitPull(this.#window.accepted);
        if (this.#timer === null) this.#armAckTimer();
        break;
      case Due.reattach:
        this.#reattach();
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
    this.#timer = this.#self.startTimer(this.#node.limits.ackTimeoutMs, Due.acks);
  }

  #arm(due: Due, ms: number): void {
    if (this.#leaving) return;
    this.#disarm();
    this.#timer = this.#self.startTimer(ms, due);
  }

  #disarm(): void {
    if (this.#timer === null) return;
    this.#self.cancelTimer(this.#timer);
    this.#timer = null;
  }

  #partitionRestarted(partition: number): void {
    if (this.#phase === Phase.attaching && partition === partitionOf(this.#user))
      this.#attachRefused('store');
    if (this.#phase !== Phase.active) return;
    for (const user of this.#extras?.watches ?? [])
      if (partitionOf(user) === partition) this.#watch(user, true);
    if (partition === partitionOf(this.#user)) this.#reattach();
  }

  #reattach(): void {
    if (this.#phase !== Phase.active) return;
    this.#window.pulling = true;
    this.#pullOutstanding = false;
    const sent = this.#toPartition({
      type: 'attach',
      session: this.#self as Pid<SessionMessage>,
      requester: this.#requester,
      user: this.#user,
      device: this.#device,
      key: null,
      epoch: this.#node.epoch,
      seq: this.#window.accepted,
      active: this.#active,
    });
    if (!sent) this.#arm(Due.reattach, 50);
  }

  #leave(delayMs: number, graceMs: number): void {
    if (this.#phase === Phase.closing) return;
    encodeGoAway(this.#writer(), { reason: CloseCode.goingAway, delayMs: Math.round(delayMs), host: '' });
    this.#arm(Due.leave, graceMs);
    this.#leaving = true;
  }

  /** Sends the error and closes with the close code that goes with it. */
  #fatal(code: ErrorCode, message: string): void {
    if (this.#phase === Phase.closing) return;
    this.#error(ErrorRef.connection, 0, code, message);
    this.#close(closeCodeOf(code), message);
  }

  #close(code: CloseCode, reason: string): void {
    if (this.#phase === Phase.closing) return;
    this.#phase = Phase.closing;
    this.#disarm();
    this.#node.corks.flushNow(this);
    this.socket.close(code, `${closeName(code)}: ${reason}`.slice(0, 120));
    this.#self.exit(ExitReason.normal);
  }

  #messageError(id: number, code: ErrorCode, message: string, retryAfterMs = 0, detail = 0): void {
    this.#node.stats.refused++;
    this.#error(ErrorRef.message, id, code, message, retryAfterMs, detail);
  }

  #requestError(ref: number, code: ErrorCode, message: string, retryAfterMs = 0, detail = 0): void {
    this.#error(ErrorRef.request, ref, code, message, retryAfterMs, detail);
  }

  #error(
    refKind: ErrorRef,
    ref: number,
    code: ErrorCode,
    message: string,
    retryAfterMs = 0,
    detail = 0,
  ): void {
    this.#node.stats.errorsSent++;
    const retryable = isRetryableError(code);
    encodeError(this.#writer(), {
      refKind,
      ref,
      code,
      retryable,
      retryAfterMs: retryable ? Math.ceil(retryAfterMs) : 0,
      detail,
      message,
    });
  }

  #toPartition(message: PartitionMessage): boolean {
    return this.#toPartitionOf(this.#user, message);
  }

  #toPartitionOf(user: UserId, message: PartitionMessage): boolean {
    const partition = this.#node.partition(partitionOf(user));
    if (partition === undefined) return false;
    this.#self.send(partition, message);
    return true;
  }

  #extra(): Extras {
    this.#extras ??= { requests: [], watches: new Set(), ephemerals: new Map() };
    return this.#extras;
  }
}

/** A request between its frame and its answer. */
class PendingRequest implements Request {
  readonly node: ChatNode;
  readonly handler: RequestHandler;
  readonly id: number;
  readonly user: UserId;
  readonly body: StructuredMap;
  readonly #session: Session;

  constructor(
    node: ChatNode,
    session: Session,
    handler: RequestHandler,
    id: number,
    user: UserId,
    body: StructuredMap,
  ) {
    this.node = node;
    this.#session = session;
    this.handler = handler;
    this.id = id;
    this.user = user;
    this.body = body;
  }

  reply(body: StructuredMap): void {
    this.#session.respond(this.id, body);
  }

  fail(code: ErrorCode, message: string): void {
    this.#session.refuse(this.id, code, message);
  }

  store(control: Control): void {
    this.#session.submit(this, control);
  }

  blocking(peer: UserId, on: boolean): void {
    this.#session.tellBlocking(peer, on);
  }
}

const DRAINED = { type: 'drained' } as const;

function copy(bytes: Uint8Array): Uint8Array {
  const copied = new Uint8Array(bytes.length);
  copied.set(bytes);
  return copied;
}
