import type { ModuleSlot, ModuleVersion } from '../hot-code/index.js';
import {
  decodeRequest,
  decodeRequestBody,
  ErrorCode,
  encodeResponse,
  type FrameReader,
  ProtocolError,
  RESPONSE_BYTES_MAX,
  type StructuredMap,
} from '../protocol/index.js';
import type { Control, ControlResult, UserId } from '../storage/stores.js';
import type { ChatNode } from './chat-node.js';
import type { Request, RequestHandler } from './request-handler.js';
import type { SessionOutput } from './session-output.js';
import { ANSWER_MS_MAX, type StoreAsker, type WaitingRequests } from './waiting-requests.js';

/** The part of a session that requests need. */
export interface RequestingSession extends SessionOutput {
  /** False once the connection is closing: answers are not written any more. */
  readonly isActive: boolean;
  /** The requests that wait for the store. */
  waitingRequests(): WaitingRequests;
  /** Looks after so many ms for those whose answer was lost, unless it is going to anyway. */
  watchRequests(ms: number): void;
}

/** REQ: finds the handler and runs it. @param waitMs above 0: refused, the connection is above its rate. */
export function handleRequest(session: RequestingSession, reader: FrameReader, waitMs: number): void {
  const frame = decodeRequest(reader);
  session.node.stats.requests++;
  if (waitMs > 0) {
    session.requestError(frame.id, ErrorCode.rateLimited, 'above the rate of this connection', waitMs);
    return;
  }
  const slot = session.node.modules.requests.get(frame.method);
  if (slot === undefined) {
    session.requestError(frame.id, ErrorCode.unknownMethod, `there is no method ${frame.method}`);
    return;
  }
  let body: StructuredMap;
  try {
    body = decodeRequestBody(frame);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    session.requestError(frame.id, error.code, error.message);
    return;
  }
  new PendingRequest(session, slot, frame.id, body).handle();
}

/**
 * A request between its frame and its answer. It stays with the version of its handler that it was begun with. A handler that
 * throws has failed this request and nothing else.
 */
export class PendingRequest implements Request, StoreAsker {
  readonly id: number;
  readonly body: StructuredMap;
  readonly #session: RequestingSession;
  readonly #slot: ModuleSlot<RequestHandler>;
  readonly #version: ModuleVersion<RequestHandler>;
  #isWaiting = false;

  constructor(session: RequestingSession, slot: ModuleSlot<RequestHandler>, id: number, body: StructuredMap) {
    this.#session = session;
    this.#slot = slot;
    this.#version = slot.of(session.user);
    this.id = id;
    this.body = body;
  }

  /** Has its handler answer it, or ask the store. */
  handle(): void {
    this.#handOn();
    const started = this.#slot.begin(this.#version);
    try {
      this.#version.exports.handle(this);
    } catch (error) {
      this.#failed(error);
    }
    if (started !== 0) this.#slot.ended(this.#version, started);
  }

  /** The store has answered. */
  stored(result: ControlResult): void {
    this.#leave();
    this.#handOn();
    try {
      this.#version.exports.stored?.(this, result);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The store could not answer. */
  notStored(retryMs: number): void {
    this.#leave();
    this.#session.requestError(this.id, ErrorCode.storeUnavailable, 'the store does not answer now', retryMs);
  }

  /** Its session is gone, and nobody waits for it. */
  dropped(): void {
    this.#leave();
  }

  /** A handler that does not return is not the session's fault. */
  #handOn(): void {
    const { self } = this.#session;
    this.#slot.table.handsTo(this.#version, self.id, self.handledCount);
  }

  #failed(error: unknown): void {
    this.#slot.threw(this.#version, error);
    this.fail(ErrorCode.internal, 'the server failed at this request');
  }

  #leave(): void {
    if (this.#isWaiting) this.#version.users--;
    this.#isWaiting = false;
  }

  get node(): ChatNode {
    return this.#session.node;
  }

  get user(): UserId {
    return this.#session.user;
  }

  reply(body: StructuredMap): void {
    if (!this.#session.isActive) return;
    encodeResponse(this.#session.writer(RESPONSE_BYTES_MAX + 64), this.id, body);
  }

  fail(code: ErrorCode, message: string): void {
    if (this.#session.isActive) this.#session.requestError(this.id, code, message);
  }

  store(control: Control): void {
    const session = this.#session;
    const waiting = session.waitingRequests();
    if (waiting.size >= session.node.limits.requestsMax) {
      const text = `${waiting.size} requests are waiting already`;
      session.requestError(this.id, ErrorCode.overloaded, text, 1000);
    } else if (session.node.store.control(session.requester, waiting.nextRef, control)) {
      waiting.add(this, session.node.clock.now());
      session.watchRequests(ANSWER_MS_MAX);
      this.#isWaiting = true;
      this.#version.users++;
    } else {
      session.requestError(this.id, ErrorCode.overloaded, 'the store cannot keep up', 1000);
    }
  }

  blocking(peer: UserId, on: boolean): void {
    const { user, pid } = this.#session;
    this.#session.toPartition({ type: 'blocking', session: pid, user, peer, on });
  }
}
