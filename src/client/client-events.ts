import type { ClientState } from './client-state.js';
import type { Cursor } from './client-store.js';
import type { Incoming, IncomingReceipt } from './incoming.js';
import type { MessageStatusChange } from './sent-message.js';

export type TypingState = 'stopped' | 'typing' | 'recording';

/** The events of a {@link RookeryClient}, by name. */
export interface ClientEvents {
  state: ClientState;
  /** A step of one of the messages that this run sent. */
  status: MessageStatusChange;
  /** A receipt was accepted; also for messages of earlier runs. */
  receipt: IncomingReceipt;
  typing: { readonly from: number; readonly state: TypingState; readonly time: number };
  /** `lastSeen`: wall-clock ms, 0: not known. */
  presence: { readonly from: number; readonly online: boolean; readonly lastSeen: number };
  /** The server's database is not the one that the cursor was of; messages between the two may be lost. */
  reset: { readonly previous: Cursor; readonly epoch: number };
  /** The server dropped messages by their age, at or below `seq`, before this client took them. */
  truncated: { readonly seq: number };
  /** The application's handler failed; the entry is offered again. */
  handlerFailed: { readonly entry: Incoming; readonly error: unknown; readonly retryInMs: number };
  /** The client's store failed; it is tried again, and nothing new is sent or acknowledged until then. */
  storeFailed: { readonly error: Error; readonly retryInMs: number };
  /** The server complains about the connection as a whole. */
  serverError: { readonly code: number; readonly message: string; readonly retryAfterMs: number };
  /** A listener of an event threw. */
  listenerFailed: { readonly error: unknown };
}
