import { BatchBuilder, deliverBytesMax, encodeDeliver, encodeReceipt } from '../protocol/index.js';
import { partitionOf } from '../storage/partition-of.js';
import { EntryKind } from '../storage/stores.js';
import type { DeliveryWindow } from './delivery-window.js';
import { MarkKind } from './message-marks.js';
import type { EntryMessage, PageMessage } from './messages.js';
import type { SessionOutput } from './session-output.js';

/** What a frame costs beside its body, for the window's count. */
export const ENTRY_OVERHEAD_BYTES = 32;

// Built on one stack at a time, so one serves all sessions of the thread.
const batch = new BatchBuilder();

/** Writes an entry as it is pushed: DELIVER or RECEIPT. */
export function writeEntry(session: SessionOutput, message: EntryMessage): void {
  const { stats, marks } = session.node;
  const { seq, time, from, source, bodyStart, bodyEnd } = message;
  const writer = session.writer(deliverBytesMax(bodyEnd - bodyStart));
  if (message.kind === EntryKind.message) {
    stats.deliveries++;
    encodeDeliver(writer, seq, time, message.partition, from, message.ref, source, bodyStart, bodyEnd);
    if (marks.threshold !== 0) {
      marks.mark(MarkKind.delivered, from, message.ref, message.inbox, seq, message.partition);
    }
  } else {
    stats.receipts++;
    const read = message.kind === EntryKind.receiptRead;
    encodeReceipt(writer, seq, time, from, read, source, bodyStart, bodyEnd);
  }
}

/**
 * Writes a page as one BATCH and counts it in the window. Returns whether all of the page fitted; what did not is
 * pulled again.
 */
export function writePage(session: SessionOutput, page: PageMessage, window: DeliveryWindow): boolean {
  const { stats, limits, marks } = session.node;
  stats.pagesSent++;
  const partition = partitionOf(session.user);
  const writer = session.writer(limits.batchBytesMax + 64);
  batch.begin(writer, limits.batchBytesMax);
  let fits = true;
  for (const { kind, seq, time, from, ref, body } of page.entries) {
    if (kind === EntryKind.message) {
      fits = batch.deliver(seq, time, partition, from, ref, body, 0, body.length);
      if (fits) {
        stats.deliveries++;
        stats.deliveriesPulled++;
      }
      if (fits && marks.threshold !== 0) {
        marks.mark(MarkKind.delivered, from, ref, session.user, seq, partition);
      }
    } else {
      fits = batch.receipt(seq, time, from, kind === EntryKind.receiptRead, body, 0, body.length);
      if (fits) stats.receipts++;
    }
    if (!fits) break;
    // What was sent before, and is pulled from an earlier place, is counted already.
    if (seq > window.sent) window.push(seq, body.length + ENTRY_OVERHEAD_BYTES);
  }
  batch.end(page.hasMore || !fits);
  return fits;
}
