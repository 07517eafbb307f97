import {
  AddressKind,
  decodeReadReceipt,
  decodeSend,
  ErrorCode,
  encodeDuplicateSendAck,
  encodeSendAck,
  type FrameReader,
  isPhone,
  ReadReceipt,
  Send,
} from '../protocol/index.js';
import { AppendStatus, EntryKind, MESSAGE_ID_WINDOW } from '../storage/stores.js';
import { MarkKind } from './message-marks.js';
import type { Appended } from './messages.js';
import type { SessionOutput } from './session-output.js';

/** The wait before a message that the store could not take is sent again. */
const STORE_RETRY_MS = 1000;

// Decoding happens on one stack at a time, so one of each serves all sessions of the thread.
const send = new Send();
const readReceipt = new ReadReceipt();

/** SEND: submitted to the store. @param waitMs above 0: refused, the connection is above its rate. */
export function submitSend(session: SessionOutput, reader: FrameReader, waitMs: number): void {
  decodeSend(reader, send);
  append(session, EntryKind.message, send, send.bodyStart, send.bodyEnd, waitMs);
}

/** RECEIPT (read): stored and forwarded like a message. */
export function submitReadReceipt(session: SessionOutput, reader: FrameReader, waitMs: number): void {
  decodeReadReceipt(reader, readReceipt);
  const { rangesStart, rangesEnd } = readReceipt;
  append(session, EntryKind.receiptRead, readReceipt, rangesStart, rangesEnd, waitMs);
}

function append(
  session: SessionOutput,
  kind: EntryKind,
  frame: Send | ReadReceipt,
  start: number,
  end: number,
  waitMs: number,
): void {
  const { stats, limits, store, clock, marks } = session.node;
  stats.sends++;
  const id = frame.messageId;
  if (waitMs > 0) {
    session.refuseForNow(id, ErrorCode.rateLimited, 'above the rate of this connection', waitMs);
  } else if (session.isHeld(id)) {
    stats.held++;
  } else if (frame.toKind !== AddressKind.user) {
    session.messageError(id, ErrorCode.notSupported, 'only users can be addressed', 0, frame.toKind);
  } else if (!isPhone(frame.to)) {
    session.messageError(id, ErrorCode.badPhone, `${frame.to} is no phone number`);
  } else if (end - start > limits.bodyBytesMax) {
    const text = `a body of ${end - start} bytes, at most ${limits.bodyBytesMax} are allowed`;
    session.messageError(id, ErrorCode.bodyTooLarge, text);
  } else if (
    !store.append(
      session.requester,
      frame.to,
      session.user,
      session.device,
      kind,
      id,
      clock.wall(),
      frame.source,
      start,
      end,
      session.heard,
    )
  ) {
    stats.overloaded++;
    session.refuseForNow(id, ErrorCode.overloaded, 'the store cannot keep up', STORE_RETRY_MS);
  } else if (marks.threshold !== 0 && kind === EntryKind.message) {
    marks.mark(MarkKind.received, session.user, id, frame.to, end - start);
  }
}

/** The store could not make a SEND or RECEIPT durable. */
export function sendFailed(session: SessionOutput, id: number): void {
  session.refusedByStore();
  session.refuseForNow(id, ErrorCode.storeUnavailable, 'the message could not be stored', STORE_RETRY_MS);
}

/** What came of it: SEND_ACK or ERROR. False: the device was replaced, the connection must end. */
export function answerSend(session: SessionOutput, message: Appended): boolean {
  const { stats, marks } = session.node;
  const { ref } = message;
  if (message.status !== AppendStatus.held) session.settled(ref);
  switch (message.status) {
    case AppendStatus.stored:
      stats.sendAcks++;
      encodeSendAck(session.writer(), ref, message.time, message.partition, message.seq);
      if (marks.threshold !== 0) {
        marks.mark(MarkKind.stored, session.user, ref, message.partition, message.seq);
      }
      return true;
    case AppendStatus.duplicate:
      stats.duplicates++;
      encodeDuplicateSendAck(session.writer(), ref);
      return true;
    case AppendStatus.unknownRecipient:
      session.messageError(ref, ErrorCode.unknownRecipient, 'nobody is registered with this number');
      return true;
    case AppendStatus.blocked:
      session.messageError(ref, ErrorCode.blocked, 'the recipient does not take messages from you');
      return true;
    case AppendStatus.inboxFull:
      session.messageError(ref, ErrorCode.inboxFull, "the recipient's inbox is full", 60_000);
      return true;
    case AppendStatus.messageIdTooOld: {
      const text = `message id ${ref} lies more than ${MESSAGE_ID_WINDOW} behind ${message.highest}`;
      session.messageError(ref, ErrorCode.messageIdTooOld, text, 0, message.highest);
      return true;
    }
    case AppendStatus.held:
      sendFailed(session, ref);
      return true;
    case AppendStatus.deviceRevoked:
      return false;
  }
}
