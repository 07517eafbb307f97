import type { ErrorCode } from '../protocol/index.js';
import type { Control, ControlResult, UserId } from '../storage/stores.js';
import type { ChatNode } from './chat-node.js';

/**
 * One request as its handler sees it. Exactly one of `reply` and `fail` is to be called, now or after the store
 * has answered.
 */
export interface Request {
  readonly node: ChatNode;
  readonly user: UserId;
  /** The decoded body: a plain map. */
  readonly body: Readonly<Record<string, unknown>>;
  reply(body: Readonly<Record<string, unknown>>): void;
  fail(code: ErrorCode, message: string): void;
  /** Asks the store; the answer goes to the handler's `stored`. */
  store(control: Control): void;
  /** Tells the user's partition that the user has (un)blocked somebody. */
  blocking(peer: UserId, on: boolean): void;
}

/**
 * Answers one kind of request: what a module in handlers/ exports. It is a leaf: it imports nothing of the chat but types, keeps
 * no state of its own, and is reached by name only, so that it can be changed while the server runs.
 */
export interface RequestHandler {
  /** The method's name on the wire. It never changes. */
  readonly method: string;
  handle(request: Request): void;
  /** The store's answer to what `handle` asked it. */
  stored?(request: Request, result: ControlResult): void;
}
