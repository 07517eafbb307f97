import {
  CallMessage,
  CastMessage,
  ExitReason,
  type Pid,
  type Runtime,
  StopMessage,
} from '../actors/index.js';
import { SysMessage, type SysOperation } from '../actors/sys-request.js';
import { RecordMemory } from '../structures/record-memory.js';
import type { MessageCodecs } from './message-codec.js';
import { RECORD_BYTES_MAX } from './record-encoder.js';
import { DETAILED_REASON, HEADER_BYTES, PLAIN_REASONS, RecordKind, TermForm } from './record-kind.js';
import { RecordReader, UndecodableRecord } from './record-reader.js';
import type { TermCodec } from './term-codec.js';

/** Reads the records of one ring and hands to the runtime what they say. */
export class RecordDecoder {
  readonly #runtime: Runtime;
  readonly #codecs: MessageCodecs;
  readonly #terms: TermCodec;
  readonly #reader: RecordReader;
  #packed = new Uint8Array(4096);
  /** A record of which pieces have come. */
  #fragments: RecordMemory | null = null;
  #fragmentsEnd = 0;

  constructor(runtime: Runtime, codecs: MessageCodecs, terms: TermCodec) {
    this.#runtime = runtime;
    this.#codecs = codecs;
    this.#terms = terms;
    this.#reader = new RecordReader(runtime);
  }

  /** @throws UndecodableRecord, and then nothing was delivered */
  deliver(memory: RecordMemory, at: number): void {
    const type = memory.i32[(at >> 2) + 1]!;
    const kind = type & 255;
    if (kind === RecordKind.message) {
      this.#message(memory, at, type);
      return;
    }
    const runtime = this.#runtime;
    const { f64 } = memory;
    const field = at >> 3;
    const id = f64[field + 1]!;
    switch (kind) {
      case RecordKind.cast:
        runtime.deliver(id, new CastMessage(this.#term(memory, at, type, 0)));
        return;
      case RecordKind.call:
      case RecordKind.system: {
        const request = this.#term(memory, at, type, 3);
        const from = runtime.importFrom(this.#pid(f64, field), integer(f64[field + 4]));
        const isCall = kind === RecordKind.call;
        runtime.deliver(
          id,
          isCall ? new CallMessage(from, request) : new SysMessage(from, request as SysOperation),
        );
        return;
      }
      case RecordKind.stop: {
        const reason = this.#reason(memory, at, type, 3);
        const ref = integer(f64[field + 4]);
        const teller = ref === 0 ? null : runtime.importFrom(this.#pid(f64, field), ref);
        runtime.deliver(id, new StopMessage(reason, teller));
        return;
      }
      case RecordKind.link:
        runtime.deliverSignal(id, { type: 'link', from: this.#pid(f64, field) });
        return;
      case RecordKind.unlink:
        runtime.deliverSignal(id, { type: 'unlink', from: this.#pid(f64, field) });
        return;
      case RecordKind.exit:
      case RecordKind.exitLink: {
        const reason = this.#reason(memory, at, type, 2);
        const link = kind === RecordKind.exitLink;
        runtime.deliverSignal(id, { type: 'exit', from: this.#pid(f64, field), reason, link });
        return;
      }
      case RecordKind.monitor:
      case RecordKind.demonitor: {
        const ref = integer(f64[field + 4]);
        const signal = kind === RecordKind.monitor ? 'monitor' : 'demonitor';
        runtime.deliverSignal(id, { type: signal, from: this.#pid(f64, field), ref });
        return;
      }
      case RecordKind.down: {
        const reason = this.#reason(memory, at, type, 3);
        const ref = integer(f64[field + 4]);
        runtime.deliverSignal(id, { type: 'down', from: this.#pid(f64, field), ref, reason });
        return;
      }
      case RecordKind.alias: {
        const message = this.#term(memory, at, type, 1);
        runtime.deliverSignal(id, { type: 'alias', ref: integer(f64[field + 2]), message });
        return;
      }
      case RecordKind.fragment:
        this.#fragment(memory, at);
        return;
      default:
        throw new UndecodableRecord(`a record of kind ${kind}`);
    }
  }

  #message(memory: RecordMemory, at: number, type: number): void {
    const runtime = this.#runtime;
    const id = memory.f64[(at >> 3) + 1]!;
    if (((type >> 8) & 255) === TermForm.codec) {
      const codec = this.#codecs.withCode(type >>> 16);
      if (codec?.borrow !== undefined) {
        const process = runtime.process(id);
        if (process === undefined) return;
        this.#open(memory, at, 0);
        if (runtime.tryDispatch(process as unknown as Pid<unknown>, codec.borrow(this.#reader))) return;
      }
    }
    runtime.deliver(id, this.#term(memory, at, type, 0));
  }

  #open(memory: RecordMemory, at: number, heads: number): void {
    const start = at + HEADER_BYTES + (heads << 3);
    this.#reader.open(memory, start, at + memory.i32[at >> 2]!);
  }

  #term(memory: RecordMemory, at: number, type: number, heads: number): unknown {
    const reader = this.#reader;
    this.#open(memory, at, heads);
    switch ((type >> 8) & 255) {
      case TermForm.undefined:
        return undefined;
      case TermForm.null:
        return null;
      case TermForm.false:
        return false;
      case TermForm.true:
        return true;
      case TermForm.number:
        return reader.number();
      case TermForm.text:
        return reader.text();
      case TermForm.bytes:
        return reader.bytes();
      case TermForm.pid:
        return reader.pid();
      case TermForm.messagePack:
        return this.#unpack();
      case TermForm.codec: {
        const codec = this.#codecs.withCode(type >>> 16);
        if (codec === undefined) throw new UndecodableRecord(`there is no message codec ${type >>> 16}`);
        return codec.decode(reader);
      }
      default:
        throw new UndecodableRecord(`a term of form ${(type >> 8) & 255}`);
    }
  }

  #unpack(): unknown {
    const reader = this.#reader;
    const length = reader.view();
    const start = reader.at - ((length + 3) & ~3);
    if (this.#packed.length < length) this.#packed = new Uint8Array(2 * length);
    // Not in shared memory: the unpacker's text decoder refuses that.
    const packed = this.#packed.subarray(0, length);
    packed.set(reader.source.subarray(start, start + length));
    const value = this.#terms.unpack(packed);
    if (length > 1024 * 1024) this.#packed = new Uint8Array(4096);
    return value;
  }

  #reason(memory: RecordMemory, at: number, type: number, heads: number): ExitReason {
    const form = (type >> 8) & 255;
    if (form !== DETAILED_REASON) {
      const reason = PLAIN_REASONS[form];
      if (reason === undefined) throw new UndecodableRecord(`a reason of form ${form}`);
      return reason;
    }
    this.#open(memory, at, heads);
    const value = this.#unpack();
    const known =
      typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return known ? (value as ExitReason) : ExitReason.custom(value);
  }

  /** The process of the first two heads. */
  #pid(f64: Float64Array, field: number): Pid {
    return this.#runtime.pid(integer(f64[field + 3]), integer(f64[field + 2]));
  }

  #fragment(memory: RecordMemory, at: number): void {
    const length = integer(memory.f64[(at >> 3) + 2]);
    const from = integer(memory.f64[(at >> 3) + 3]);
    this.#open(memory, at, 2);
    const piece = this.#reader.view();
    const start = this.#reader.at - ((piece + 3) & ~3);
    if (from === 0) {
      if (length > RECORD_BYTES_MAX) throw new UndecodableRecord(`a record of ${length} bytes`);
      this.#fragments = new RecordMemory(new ArrayBuffer(length), 0, length);
      this.#fragmentsEnd = 0;
    }
    const whole = this.#fragments;
    if (whole === null || from !== this.#fragmentsEnd || from + piece > whole.bytes.length) {
      this.#fragments = null;
      throw new UndecodableRecord('a fragment that does not fit');
    }
    whole.bytes.set(memory.bytes.subarray(start, start + piece), from);
    this.#fragmentsEnd = from + piece;
    if (this.#fragmentsEnd !== whole.bytes.length) return;
    this.#fragments = null;
    if (whole.i32[0] !== whole.bytes.length || (whole.i32[1]! & 255) === RecordKind.fragment)
      throw new UndecodableRecord('a record of fragments with a bad length');
    this.deliver(whole, 0);
  }
}

function integer(value: number | undefined): number {
  if (value === undefined || !Number.isSafeInteger(value) || value < 0)
    throw new UndecodableRecord(`${value} in the place of a number`);
  return value;
}
