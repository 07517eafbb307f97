import type { MessageStatus } from '../client/browser.js';

/** What the page keeps of one message. */
export interface ChatMessage {
  /** `i:` and the server's id, or `o:` and our own: unique, and the same when a message comes twice. */
  readonly key: string;
  readonly peer: number;
  /** Order in the conversation: in which the page saw them, so that no clock can shuffle what is on screen. */
  readonly position: number;
  readonly isOutgoing: boolean;
  /** The sender's id of it. */
  readonly id: number;
  /** Wall-clock ms: the server's when it is known. */
  readonly time: number;
  readonly text: string;
  /** Of an outgoing message; `read` of an incoming one means that it is not new. */
  readonly status: MessageStatus;
  /** Why it failed, for people. */
  readonly failure?: string;
  /** Failed, but it may have arrived all the same. */
  readonly uncertain?: boolean;
}

export interface Conversation {
  readonly peer: number;
  /** As the peer calls themselves; empty: not known. */
  readonly name: string;
  readonly last: ChatMessage | null;
  /** Ids of their messages that were not looked at. At most {@link UNREAD_MAX}; older ones count as read. */
  readonly unread: readonly number[];
  readonly draft: string;
  readonly isBlocked: boolean;
  /** Of the last thing that happened in it. */
  readonly position: number;
}

export const UNREAD_MAX = 999;

export function newConversation(peer: number): Conversation {
  return { peer, name: '', last: null, unread: [], draft: '', isBlocked: false, position: 0 };
}
