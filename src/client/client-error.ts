/**
 * Everything that can go wrong for the user of the client library, by name. One class, so that one `catch`
 * sees them all; `code` tells them apart.
 */
export const ClientErrorCode = {
  /** There are no credentials: register first. */
  notRegistered: 'notRegistered',
  /** A request needs a connection and there is none (messages do not: they wait in the outbox). */
  notConnected: 'notConnected',
  /** The connection was lost before the answer came; whether the server acted is unknown. */
  disconnected: 'disconnected',
  /** The server did not answer in time. */
  timeout: 'timeout',
  /** The outbox is at its bound of messages or bytes. Try again when some were acknowledged. */
  outboxFull: 'outboxFull',
  /** Too many requests are waiting for an answer. */
  requestsFull: 'requestsFull',
  /** The body is above the server's limit. */
  bodyTooLarge: 'bodyTooLarge',
  /** The server refused: `serverCode`, `retryAfterMs` and `detail` say why (src/protocol ErrorCode). */
  refused: 'refused',
  /** What was asked makes no sense: a number that is none, an empty list. */
  badArgument: 'badArgument',
  /** The client was closed, by its user or for a reason that trying again does not cure. */
  closed: 'closed',
  /** The client's own store failed. */
  storeFailed: 'storeFailed',
} as const;
export type ClientErrorCode = (typeof ClientErrorCode)[keyof typeof ClientErrorCode];

/** What a server's refusal carries beside its message. */
export interface Refusal {
  /** An ErrorCode of the protocol. */
  readonly serverCode: number;
  readonly retryable: boolean;
  /** 0: not said. */
  readonly retryAfterMs: number;
  /** Meaning by code: tries left, highest message id, … */
  readonly detail: number;
}

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** Present when `code` is `refused`. */
  readonly refusal: Refusal | null;

  constructor(code: ClientErrorCode, message: string, refusal: Refusal | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.refusal = refusal;
  }
}
