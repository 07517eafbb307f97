import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import {
  type ErrorCode,
  ErrorRef,
  encodeError,
  encodeWelcome,
  type FrameWriter,
  isRetryableError,
  PROTOCOL_VERSION,
  WelcomeState,
} from '../protocol/index.js';
import { partitionOf } from '../storage/partition-of.js';
import { HEARD_MODULUS, MESSAGE_ID_WINDOW, type UserId } from '../storage/stores.js';
import type { CorkedConnection } from '../transport/cork.js';
import type { SendResult, Socket } from '../transport/socket.js';
import type { ChatNode } from './chat-node.js';
import type { AskPin, PartitionMessage, SessionMessage, VerifyPin } from './messages.js';
import { SendOrder } from './send-order.js';

/**
 * What every part of a session needs: who it is, and how it answers. The session itself adds what comes in; the
 * parts (`registration.ts`, `sending.ts`, `delivery.ts`, `request.ts`) are functions over this.
 */
export abstract class SessionOutput implements CorkedConnection<FrameWriter> {
  readonly socket: Socket;
  /** Both belong to the corks. */
  corkWriter: FrameWriter | null = null;
  corkDropped = false;
  readonly node: ChatNode;
  /** This session's number at the store. */
  readonly requester: number;
  /** 0 until a hello with a user. */
  user: UserId = 0;
  device = 0;
  /** What the client was told last of where its inbox lives. */
  homePort = 0;
  /** Made when something is refused for now: most sessions never need it. */
  #order: SendOrder | null = null;
  readonly self: Process<SessionMessage>;

  constructor(node: ChatNode, self: Process<SessionMessage>, socket: Socket) {
    this.node = node;
    this.self = self;
    this.socket = socket;
    this.requester = node.sessions.add(self as Pid<SessionMessage>);
  }

  /** The corks have handed this turn's frames to the socket. */
  abstract flushed(result: SendResult): void;

  /** The address of this session's process. */
  get pid(): Pid<SessionMessage> {
    return this.self as Pid<SessionMessage>;
  }

  /**
   * Where this turn's frames are written.
   *
   * @param frameBytesMax what the next frame may take; most are small.
   */
  writer(frameBytesMax = 512): FrameWriter {
    return this.node.corks.writerFor(this, frameBytesMax);
  }

  /** How many of its appends the store has refused, as far as it has heard: goes with each append. */
  get heard(): number {
    return this.#order === null ? 0 : this.#order.heard;
  }

  /** The store has refused an append for now. */
  refusedByStore(): void {
    this.#order ??= new SendOrder();
    this.#order.heard = (this.#order.heard + 1) % HEARD_MODULUS;
  }

  /** SEND or RECEIPT `id` has an answer for good. */
  settled(id: number): void {
    this.#order?.settled(id, this.node.clock);
  }

  /** ERROR about a SEND or RECEIPT that may come again after the wait; those behind it wait for it. */
  refuseForNow(id: number, code: ErrorCode, message: string, waitMs: number): void {
    this.#order ??= new SendOrder();
    this.#order.refuse(id, code, this.node.clock.now(), waitMs);
    this.messageError(id, code, message, waitMs);
  }

  /** Whether message `id` has to wait for one before it that was refused for now; if so it is refused as well. */
  isHeld(id: number): boolean {
    const order = this.#order;
    if (order === null) return false;
    const waitMs = order.heldMs(id, this.node.clock);
    if (waitMs === 0) return false;
    this.messageError(id, order.code, `message ${order.id} was refused for now and comes first`, waitMs);
    return true;
  }

  /** ERROR about a SEND or RECEIPT: it was not stored. */
  messageError(id: number, code: ErrorCode, message: string, retryAfterMs = 0, detail = 0): void {
    this.node.stats.refused++;
    this.error(ErrorRef.message, id, code, message, retryAfterMs, detail);
  }

  /** ERROR about a REQ, REGISTER or VERIFY. */
  requestError(ref: number, code: ErrorCode, message: string, retryAfterMs = 0, detail = 0): void {
    this.error(ErrorRef.request, ref, code, message, retryAfterMs, detail);
  }

  error(
    refKind: ErrorRef,
    ref: number,
    code: ErrorCode,
    message: string,
    retryAfterMs = 0,
    detail = 0,
  ): void {
    this.node.stats.errorsSent++;
    const retryable = isRetryableError(code);
    encodeError(this.writer(), {
      refKind,
      ref,
      code,
      retryable,
      retryAfterMs: retryable ? Math.ceil(retryAfterMs) : 0,
      detail,
      message,
    });
  }

  welcome(state: WelcomeState, head: number, truncated: number, pendingCount: number): void {
    const { limits, epoch, clock } = this.node;
    if (this.user !== 0) this.homePort = this.node.homePort(partitionOf(this.user));
    encodeWelcome(this.writer(), {
      state,
      version: PROTOCOL_VERSION,
      capabilities: 0,
      epoch,
      head,
      truncated: state === WelcomeState.truncated ? truncated : 0,
      serverTime: clock.wall(),
      heartbeatMs: limits.heartbeatMs,
      homePort: this.homePort,
      pendingCount,
      bodyBytesMax: limits.bodyBytesMax,
      messageIdWindow: MESSAGE_ID_WINDOW,
      deliverWindowBytes: limits.deliverWindowBytes,
      batchBytesMax: limits.batchBytesMax,
    });
  }

  /** Sends to the partition of this session's user. False: there is none at the moment, or no room on the way there. */
  toPartition(message: PartitionMessage): boolean {
    return this.toPartitionOf(this.user, message);
  }

  toPartitionOf(user: UserId, message: PartitionMessage): boolean {
    const partition = this.node.partition(partitionOf(user));
    return partition !== undefined && this.node.runtime.trySend(partition, message);
  }

  /** Sends to the registrar. False while there is no such process. */
  toRegistrar(message: AskPin | VerifyPin): boolean {
    const registrar = this.node.registrar();
    if (registrar === undefined) return false;
    this.self.send(registrar, message);
    return true;
  }
}
