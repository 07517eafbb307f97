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
import type { Control, UserId } from '../storage/stores.js';
import type { ChatNode } from './chat-node.js';
import type { Request, RequestHandler } from './handler-table.js';
import type { SessionOutput } from './session-output.js';

/** The part of a session that requests need. */
export interface RequestingSession extends SessionOutput {
  /** False once the connection is closing: answers are not written any more. */
  readonly isActive: boolean;
  /** The requests that wait for the store, in order: it answers in order. */
  waitingRequests(): PendingRequest[];
}

/** REQ: finds the handler and runs it. @param waitMs above 0: refused, the connection is above its rate. */
export function handleRequest(session: RequestingSession, reader: FrameReader, waitMs: number): void {
  const frame = decodeRequest(reader);
  session.node.stats.requests++;
  if (waitMs > 0) {
    session.requestError(frame.id, ErrorCode.rateLimited, 'above the rate of this connection', waitMs);
    return;
  }
  const handler = session.node.handlers.get(frame.method);
  if (handler === undefined) {
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
  handler.handle(new PendingRequest(session, handler, frame.id, body));
}

/** A request between its frame and its answer. */
export class PendingRequest implements Request {
  readonly handler: RequestHandler;
  readonly id: number;
  readonly body: StructuredMap;
  readonly #session: RequestingSession;

  constructor(session: RequestingSession, handler: RequestHandler, id: number, body: StructuredMap) {
    this.#session = session;
    this.handler = handler;
    this.id = id;
    this.body = body;
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
    if (waiting.length >= session.node.limits.requestsMax) {
      const text = `${waiting.length} requests are waiting already`;
      session.requestError(this.id, ErrorCode.overloaded, text, 1000);
    } else if (session.node.store.control(session.requester, control)) {
      waiting.push(this);
    } else {
      session.requestError(this.id, ErrorCode.overloaded, 'the store cannot keep up', 1000);
    }
  }

  blocking(peer: UserId, on: boolean): void {
    const { user, pid } = this.#session;
    this.#session.toPartition({ type: 'blocking', session: pid, user, peer, on });
  }
}
