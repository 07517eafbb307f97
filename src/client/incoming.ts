import type { Ranges } from '../protocol/ranges.js';

/** A message for this user. */
export interface IncomingMessage {
  readonly kind: 'message';
  /** Position in the inbox, with `epoch`: what to remember to recognise a repeat after a crash. */
  readonly seq: number;
  readonly epoch: number;
  /** The server's id: 16 hexadecimal digits that sort by time. The same whenever it is delivered again. */
  readonly messageId: string;
  /** Wall-clock ms at which the server accepted it. */
  readonly time: number;
  /** The sender's phone number. */
  readonly from: number;
  /** The sender's own id of it: what a read receipt names. */
  readonly id: number;
  readonly body: Uint8Array;
}

/** The recipient's device took, or the recipient read, messages of ours. */
export interface IncomingReceipt {
  readonly kind: 'receipt';
  readonly seq: number;
  readonly epoch: number;
  /** Wall-clock ms at which it happened. */
  readonly time: number;
  /** Who received or read. */
  readonly from: number;
  readonly state: 'delivered' | 'read';
  /** Our message ids as a flat list: first, last, first, last, … May cover ids that went to others. */
  readonly ranges: Ranges;
}

export type Incoming = IncomingMessage | IncomingReceipt;

/** Whether a receipt is about our message `id`. */
export function receiptCovers(receipt: IncomingReceipt, id: number): boolean {
  const { ranges } = receipt;
  for (let at = 0; at + 1 < ranges.length; at += 2) {
    if (id >= ranges[at]! && id <= ranges[at + 1]!) return true;
  }
  return false;
}

const decoder = new TextDecoder();

/** The body as text; what is not UTF-8 becomes U+FFFD. */
export function messageText(message: { readonly body: Uint8Array }): string {
  return decoder.decode(message.body);
}
