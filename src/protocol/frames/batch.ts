import { EMPTY } from '../field-reader.js';
import { FrameReader } from '../frame-reader.js';
import { FrameType, isKnownFrame } from '../frame-type.js';
import { FRAME_HEADER_BYTES_MAX, type FrameWriter } from '../frame-writer.js';
import { VARINT_BYTES_MAX } from '../limits.js';
import { BAD_FIELD, TRUNCATED, WRITER_FULL } from '../protocol-error.js';
import { varintBytes, writeVarint } from '../varint.js';
import { deliverBytesMax, encodeDeliver } from './deliver.js';
import { encodeReceipt, receiptBytesMax } from './receipt.js';

/** Flag: PULL again; the session stays in pull mode. */
const HAS_MORE = 0x01;
const OVERHEAD_BYTES_MAX = FRAME_HEADER_BYTES_MAX + VARINT_BYTES_MAX;
/** Guess for the place that the header takes: a length of three bytes, type, flags, a count of one byte. */
const HEADER_BYTES_LIKELY = 6;

/**
 * Builds one BATCH in a writer, item by item, up to a bound of bytes. Reusable. Between `begin` and `end`
 * nobody else may write to the writer.
 *
 *     builder.begin(writer, BATCH_BYTES_MAX);
 *     for (const entry of page) if (!builder.deliver(entry.seq, …)) break;   // no room: hasMore
 *     builder.end(hasMore);
 */
export class BatchBuilder {
  /** Items so far. */
  count = 0;
  #writer: FrameWriter | null = null;
  #start = 0;
  #limit = 0;

  /** Throws `WRITER_FULL` when the writer has no room for `bytesMax`. */
  begin(writer: FrameWriter, bytesMax: number): void {
    if (!writer.fits(Math.max(bytesMax, OVERHEAD_BYTES_MAX))) throw WRITER_FULL;
    writer.reserve(OVERHEAD_BYTES_MAX);
    this.#writer = writer;
    this.#start = writer.length;
    this.#limit = writer.length + bytesMax;
    this.count = 0;
    writer.length += HEADER_BYTES_LIKELY;
  }

  /** False: no room, nothing was added. Arguments as of `encodeDeliver`. */
  deliver(
    seq: number,
    time: number,
    partition: number,
    from: number,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): boolean {
    const writer = this.#room(deliverBytesMax(bodyEnd - bodyStart));
    if (writer === null) return false;
    encodeDeliver(writer, seq, time, partition, from, ref, source, bodyStart, bodyEnd);
    this.count++;
    return true;
  }

  /** False: no room, nothing was added. Arguments as of `encodeReceipt`. */
  receipt(
    seq: number,
    time: number,
    from: number,
    read: boolean,
    source: Uint8Array,
    rangesStart: number,
    rangesEnd: number,
  ): boolean {
    const writer = this.#room(receiptBytesMax(rangesEnd - rangesStart));
    if (writer === null) return false;
    encodeReceipt(writer, seq, time, from, read, source, rangesStart, rangesEnd);
    this.count++;
    return true;
  }

  /** Closes the frame. A batch may be empty. */
  end(hasMore: boolean): void {
    const writer = this.#open();
    this.#writer = null;
    const itemsStart = this.#start + HEADER_BYTES_LIKELY;
    const frameBytes = 2 + varintBytes(this.count) + writer.length - itemsStart;
    const headerBytes = varintBytes(frameBytes) + 2 + varintBytes(this.count);
    const shift = headerBytes - HEADER_BYTES_LIKELY;
    if (shift !== 0) {
      writer.bytes.copyWithin(itemsStart + shift, itemsStart, writer.length);
      writer.length += shift;
    }
    const bytes = writer.bytes;
    let at = writeVarint(bytes, this.#start, frameBytes);
    bytes[at++] = FrameType.batch;
    bytes[at++] = hasMore ? HAS_MORE : 0;
    writeVarint(bytes, at, this.count);
  }

  #open(): FrameWriter {
    if (this.#writer === null) throw new Error('no batch was begun');
    return this.#writer;
  }

  #room(itemBytes: number): FrameWriter | null {
    const writer = this.#open();
    // What the header may outgrow its guess by has to stay free too.
    const spare = OVERHEAD_BYTES_MAX - HEADER_BYTES_LIKELY;
    return writer.length + itemBytes + spare <= this.#limit ? writer : null;
  }
}

/** A batch, decoded up to its items. */
export class Batch {
  /** PULL again. False: from now on the server pushes. */
  hasMore = false;
  count = 0;
  /** The items are frames in `source[itemsStart, itemsEnd)`: walk through them with a {@link BatchReader}. */
  source: Uint8Array = EMPTY;
  itemsStart = 0;
  itemsEnd = 0;
}

export function decodeBatch(reader: FrameReader, into: Batch): void {
  reader.allowFlags(HAS_MORE);
  into.hasMore = (reader.flags & HAS_MORE) !== 0;
  into.count = reader.varint();
  into.source = reader.bytes;
  into.itemsStart = reader.position;
  into.itemsEnd = reader.end;
}

/**
 * Walks through the items of a batch: exactly `count` frames, each DELIVER or RECEIPT (an unknown one is
 * skipped or ends the connection like any other; what is neither is malformed).
 */
export class BatchReader extends FrameReader {
  #left = 0;

  open(batch: Batch): this {
    this.reset(batch.source, batch.itemsStart, batch.itemsEnd);
    this.#left = batch.count;
    return this;
  }

  override next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    if (!super.next()) throw TRUNCATED;
    if (this.type !== FrameType.deliver && this.type !== FrameType.receipt && isKnownFrame(this.type)) {
      throw BAD_FIELD;
    }
    return true;
  }
}
