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
 * Answers one kind of request. Handlers are leaves: they import nothing of the chat but types, keep no state of
 * their own, and are reached by name only, so that a running server can change them.
 */
export interface RequestHandler {
  /** The method's name on the wire. */
  readonly method: string;
  handle(request: Request): void;
  /** The store's answer to what `handle` asked it. */
  stored?(request: Request, result: ControlResult): void;
}

/** The handlers by method. */
export class HandlerTable {
  readonly #handlers = new Map<string, RequestHandler>();

  constructor(handlers: readonly RequestHandler[]) {
    for (const handler of handlers) {
      if (this.#handlers.has(handler.method)) throw new Error(`two handlers for ${handler.method}`);
      this.#handlers.set(handler.method, handler);
    }
  }

  get(method: string): RequestHandler | undefined {
    return this.#handlers.get(method);
  }

  get methods(): string[] {
    return [...this.#handlers.keys()].sort();
  }
}
