import {
  BadArgument,
  CallMessage,
  CastMessage,
  type ExitReason,
  type From,
  type RemoteSignal,
  StopMessage,
} from '../actors/index.js';
import { RemotePid } from '../actors/pid.js';
import { Process } from '../actors/process.js';
import { SysMessage } from '../actors/sys-request.js';
import { copyBytes, RecordMemory, recordLength } from '../structures/record-memory.js';
import type { RingOutlet } from '../structures/ring-outlet.js';
import type { MessageCodec, MessageCodecs } from './message-codec.js';
import { NotEncodable } from './not-encodable.js';
import { DETAILED_REASON, HEADER_BYTES, RecordKind, reasonForm, TermForm } from './record-kind.js';
import { RecordWriter } from './record-writer.js';
import type { TermCodec } from './term-codec.js';

/** The longest record. */
export const RECORD_BYTES_MAX = 128 * 1024 * 1024;
/** Bytes of a fragment before its piece, with the piece's own length. */
const FRAGMENT_HEAD_BYTES = HEADER_BYTES + 16 + 4;

/** Even the memory behind a ring is used up: there is no way left to tell the other scheduler what it must know. */
export class PortBroken extends Error {
  override readonly name = 'PortBroken';
}

/** Writes messages and signals as records (record-kind.ts) into the ring to another scheduler. */
export class RecordEncoder {
  readonly #codecs: MessageCodecs;
  readonly #terms: TermCodec;
  readonly #writer = new RecordWriter();
  #scratch: RecordMemory | null = null;
  // The record being written.
  #memory: RecordMemory | null = null;
  #at = 0;
  #inScratch = false;
  /** Records begun, modulo 2^32. */
  #begun = 0;
  /** Where it is, while a codec writes it. */
  #unfinished: RingOutlet | null = null;
  // Its heads.
  #first = 0;
  #second = 0;
  #third = 0;

  constructor(codecs: MessageCodecs, terms: TermCodec) {
    this.#codecs = codecs;
    this.#terms = terms;
  }

  /**
   * Returns the record's length. When it throws nothing was written.
   *
   * @throws NotEncodable, PortBroken
   */
  message(outlet: RingOutlet, id: number, message: unknown): number {
    if (this.#unfinished !== null) this.recover();
    if (message instanceof CallMessage)
      return this.#call(outlet, RecordKind.call, id, message.from, message.request);
    if (message instanceof CastMessage) return this.#term(outlet, RecordKind.cast, id, 0, message.message);
    if (message instanceof StopMessage) return this.#stop(outlet, id, message);
    if (message instanceof SysMessage)
      return this.#call(outlet, RecordKind.system, id, message.from as From<unknown>, message.operation);
    return this.#term(outlet, RecordKind.message, id, 0, message);
  }

  /** Likewise. Only an alias's message can be one that is not encodable. */
  signal(outlet: RingOutlet, id: number, signal: RemoteSignal): number {
    if (this.#unfinished !== null) this.recover();
    if (signal.type === 'alias') {
      this.#first = signal.ref;
      return this.#term(outlet, RecordKind.alias, id, 1, signal.message);
    }
    this.#first = signal.from.id;
    this.#second = signal.from.scheduler;
    switch (signal.type) {
      case 'link':
        return this.#bare(outlet, RecordKind.link, id, 2);
      case 'unlink':
        return this.#bare(outlet, RecordKind.unlink, id, 2);
      case 'exit':
        return this.#reason(
          outlet,
          signal.link ? RecordKind.exitLink : RecordKind.exit,
          id,
          2,
          signal.reason,
        );
      case 'monitor':
        this.#third = signal.ref;
        return this.#bare(outlet, RecordKind.monitor, id, 3);
      case 'demonitor':
        this.#third = signal.ref;
        return this.#bare(outlet, RecordKind.demonitor, id, 3);
      case 'down':
        this.#third = signal.ref;
        return this.#reason(outlet, RecordKind.down, id, 3, signal.reason);
    }
  }

  #call(outlet: RingOutlet, kind: RecordKind, id: number, from: From<unknown>, request: unknown): number {
    this.#first = from.caller.id;
    this.#second = from.caller.scheduler;
    this.#third = from.export();
    return this.#term(outlet, kind, id, 3, request);
  }

  #stop(outlet: RingOutlet, id: number, { from, reason }: StopMessage): number {
    this.#first = from?.caller.id ?? 0;
    this.#second = from?.caller.scheduler ?? 0;
    this.#third = from?.export() ?? 0;
    return this.#reason(outlet, RecordKind.stop, id, 3, reason);
  }

  #bare(outlet: RingOutlet, kind: RecordKind, id: number, heads: number): number {
    this.#begin(outlet, kind, id, heads, 0);
    return this.#finish(outlet);
  }

  #reason(outlet: RingOutlet, kind: RecordKind, id: number, heads: number, reason: ExitReason): number {
    const form = reasonForm(reason);
    if (form !== DETAILED_REASON) {
      this.#begin(outlet, kind | (form << 8), id, heads, 0);
    } else {
      const packed = this.#terms.packReason(reason);
      this.#begin(outlet, kind | (form << 8), id, heads, packed.length + 8);
      this.#writer.bytes(packed);
    }
    return this.#finish(outlet);
  }

  #term(outlet: RingOutlet, kind: RecordKind, id: number, heads: number, value: unknown): number {
    switch (typeof value) {
      case 'object':
        return this.#object(outlet, kind, id, heads, value);
      case 'undefined':
        this.#begin(outlet, kind | (TermForm.undefined << 8), id, heads, 0);
        break;
      case 'boolean':
        this.#begin(outlet, kind | ((value ? TermForm.true : TermForm.false) << 8), id, heads, 0);
        break;
      case 'number':
        this.#begin(outlet, kind | (TermForm.number << 8), id, heads, 8);
        this.#writer.number(value);
        break;
      case 'string':
        this.#begin(outlet, kind | (TermForm.text << 8), id, heads, 8 + 3 * value.length);
        this.#writer.text(value);
        break;
      default:
        this.#pack(outlet, kind, id, heads, value);
    }
    return this.#finish(outlet);
  }

  #object(outlet: RingOutlet, kind: RecordKind, id: number, heads: number, value: object | null): number {
    if (value === null) {
      this.#begin(outlet, kind | (TermForm.null << 8), id, heads, 0);
      return this.#finish(outlet);
    }
    const codec = this.#codecs.for(value);
    const bytesMax = codec === undefined ? -1 : codec.bytesMax(value);
    if (bytesMax >= 0) {
      this.#begin(outlet, kind | (TermForm.codec << 8) | (codec!.code << 16), id, heads, bytesMax);
      this.#encode(outlet, codec!, value);
    } else if (value.constructor === Uint8Array) {
      const bytes = value as Uint8Array;
      this.#begin(outlet, kind | (TermForm.bytes << 8), id, heads, 8 + bytes.length);
      this.#writer.bytes(bytes);
    } else if (value instanceof Process || value instanceof RemotePid) {
      this.#begin(outlet, kind | (TermForm.pid << 8), id, heads, 16);
      this.#writer.pid(value);
    } else {
      this.#pack(outlet, kind, id, heads, value);
    }
    return this.#finish(outlet);
  }

  #encode(outlet: RingOutlet, codec: MessageCodec, value: object): void {
    const record = this.#begun;
    this.#unfinished = this.#inScratch ? null : outlet;
    try {
      codec.encode(value, this.#writer);
    } catch (error) {
      this.recover();
      throw error;
    }
    if (this.#begun !== record)
      throw new BadArgument(`message codec ${codec.code} sent a message while it wrote one`);
    this.#unfinished = null;
  }

  /**
   * Takes back a record whose codec did not come to its end: it threw, or its process was cut off in the middle, which
   * runs no `catch`. To be called before anything else is done with the ring.
   */
  recover(): void {
    this.#unfinished?.cancel(this.#at);
    this.#unfinished = null;
  }

  #pack(outlet: RingOutlet, kind: RecordKind, id: number, heads: number, value: unknown): void {
    const packed = this.#terms.pack(value);
    this.#begin(outlet, kind | (TermForm.messagePack << 8), id, heads, packed.length + 8);
    this.#writer.bytes(packed);
  }

  /** Makes room for a record with up to `bytesMax` behind its heads and writes everything before that. */
  #begin(outlet: RingOutlet, type: number, id: number, heads: number, bytesMax: number): void {
    this.#begun = (this.#begun + 1) | 0;
    const start = HEADER_BYTES + (heads << 3);
    const length = start + bytesMax;
    let memory: RecordMemory;
    let at = 0;
    this.#inScratch = length > outlet.capacity >> 2;
    if (this.#inScratch) {
      memory = this.#scratchOf(length);
    } else {
      at = outlet.reserve(length);
      if (at < 0) throw new PortBroken('the memory behind a ring is used up');
      memory = outlet.memory;
    }
    memory.i32[(at >> 2) + 1] = type;
    const { f64 } = memory;
    const field = at >> 3;
    f64[field + 1] = id;
    if (heads > 0) f64[field + 2] = this.#first;
    if (heads > 1) f64[field + 3] = this.#second;
    if (heads > 2) f64[field + 4] = this.#third;
    this.#memory = memory;
    this.#at = at;
    this.#writer.open(memory, at + start, at + length);
  }

  #finish(outlet: RingOutlet): number {
    const used = this.#writer.at - this.#at;
    if (!this.#inScratch) {
      outlet.trim(this.#at, used);
      return used;
    }
    const scratch = this.#memory!;
    scratch.i32[0] = recordLength(used);
    if (used <= outlet.capacity >> 2) {
      const at = outlet.reserve(used);
      if (at < 0) throw new PortBroken('the memory behind a ring is used up');
      copyBytes(outlet.memory.bytes, at + 4, scratch.bytes, 4, used);
    } else {
      this.#fragments(outlet, scratch, recordLength(used));
    }
    // A long one is rare, and its memory is not kept.
    if (scratch.bytes.length > 1024 * 1024) this.#scratch = null;
    return used;
  }

  #fragments(outlet: RingOutlet, scratch: RecordMemory, length: number): void {
    const pieceMax = (outlet.capacity >> 2) - FRAGMENT_HEAD_BYTES;
    for (let from = 0; from < length; from += pieceMax) {
      const end = Math.min(length, from + pieceMax);
      const at = outlet.reserve(FRAGMENT_HEAD_BYTES + end - from);
      if (at < 0) throw new PortBroken('the memory behind a ring is used up');
      const { i32, f64, bytes } = outlet.memory;
      i32[(at >> 2) + 1] = RecordKind.fragment;
      f64[(at >> 3) + 2] = length;
      f64[(at >> 3) + 3] = from;
      i32[(at >> 2) + 8] = end - from;
      bytes.set(scratch.bytes.subarray(from, end), at + FRAGMENT_HEAD_BYTES);
    }
  }

  #scratchOf(length: number): RecordMemory {
    if (length > RECORD_BYTES_MAX) throw new NotEncodable('message', `a message of ${length} bytes`);
    if (this.#scratch === null || this.#scratch.bytes.length < length) {
      const size = Math.max(64 * 1024, recordLength(length));
      this.#scratch = new RecordMemory(new ArrayBuffer(size), 0, size);
    }
    return this.#scratch;
  }
}
