import type { ClientError } from './client-error.js';

/**
 * The life of a message:
 *
 *     queued ──▶ sent ──▶ delivered ──▶ read
 *        └─────▶ failed
 *
 * queued: in the outbox. sent: on the server's disk (first checkmark). delivered: the recipient's client has
 * accepted it (second). read: the recipient has read it.
 */
export type MessageStatus = 'queued' | 'sent' | 'delivered' | 'read' | 'failed';

const ORDER: Record<MessageStatus, number> = { queued: 0, sent: 1, delivered: 2, read: 3, failed: 4 };

/** Whether a message can go from `from` to `to`: receipts may overtake one another, states never go back. */
export function advances(from: MessageStatus, to: MessageStatus): boolean {
  return from !== 'failed' && ORDER[to] > ORDER[from] && (to !== 'failed' || from === 'queued');
}

export interface MessageStatusChange {
  readonly id: number;
  readonly to: number;
  readonly status: MessageStatus;
  /** The server's id, from the first checkmark on; null when the server said no more than that it has it. */
  readonly messageId: string | null;
  /** Wall-clock ms of the step as the server tells it; null when it does not. */
  readonly time: number | null;
  readonly failure: MessageFailure | null;
}

/** Why a message will not be sent. To try again, send it anew: it gets a new id. */
export interface MessageFailure {
  readonly error: ClientError;
  /**
   * True: the server may have stored it all the same, since an earlier transmission got no answer. Sending
   * anew may then show it twice.
   */
  readonly uncertain: boolean;
}

/** A message that this run of the client sent: follows its checkmarks. */
export class SentMessage {
  /** Unique among all messages of this user; what receipts name. */
  readonly id: number;
  readonly to: number;
  #status: MessageStatus = 'queued';
  #messageId: string | null = null;
  #failure: MessageFailure | null = null;
  #listeners: ((change: MessageStatusChange) => void)[] = [];

  constructor(id: number, to: number) {
    this.id = id;
    this.to = to;
  }

  get status(): MessageStatus {
    return this.#status;
  }

  get messageId(): string | null {
    return this.#messageId;
  }

  get failure(): MessageFailure | null {
    return this.#failure;
  }

  /** Calls `listener` at each step from now on; returns the function that stops it. */
  onStatus(listener: (change: MessageStatusChange) => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  /** For the client. False: the message was there already. */
  advance(change: MessageStatusChange, onListenerError: (error: unknown) => void): boolean {
    if (!advances(this.#status, change.status)) return false;
    this.#status = change.status;
    this.#messageId ??= change.messageId;
    this.#failure ??= change.failure;
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        onListenerError(error);
      }
    }
    return true;
  }
}
