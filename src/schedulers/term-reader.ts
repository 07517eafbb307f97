import { CallMessage, CastMessage, type From, type Runtime } from '../actors/index.js';
import type { RecordMemory } from '../structures/record-memory.js';
import type { MessageCodecs } from './message-codec.js';
import { RecordReader, UndecodableRecord } from './record-reader.js';
import type { Shapes } from './shape.js';
import { type KnownTexts, TermConstant, TermTag } from './term-tag.js';

/** Reads what a {@link TermWriter} with the same shapes and texts has written. */
export class TermReader {
  readonly #runtime: Runtime;
  readonly #codecs: MessageCodecs;
  readonly #shapes: Shapes;
  readonly #texts: KnownTexts;
  readonly #in: RecordReader;
  #memory: RecordMemory | null = null;
  #end = 0;
  #asides: readonly unknown[] = [];
  #aside = 0;

  constructor(runtime: Runtime, codecs: MessageCodecs, shapes: Shapes, texts: KnownTexts) {
    this.#runtime = runtime;
    this.#codecs = codecs;
    this.#shapes = shapes;
    this.#texts = texts;
    this.#in = new RecordReader(runtime);
  }

  open(memory: RecordMemory, at: number, end: number, asides: readonly unknown[]): void {
    this.#memory = memory;
    this.#end = end;
    this.#asides = asides;
    this.#aside = 0;
    this.#in.open(memory, at, end);
  }

  /**
   * The next message, or a value within it.
   *
   * @throws UndecodableRecord
   */
  value(): unknown {
    const word = this.#in.int();
    switch (word & 15) {
      case TermTag.small:
        return word >> 4;
      case TermTag.known:
        return this.#texts.at(word >> 4);
      case TermTag.object:
        return this.#shapes.at(word >> 4).read(this);
      case TermTag.double:
        return this.#in.number();
      case TermTag.constant:
        return constant(word >> 4);
      case TermTag.text:
        return this.#in.text();
      case TermTag.process:
        return this.#runtime.pid(this.#runtime.scheduler, (word >> 4) + this.#in.int() * 2 ** 24);
      case TermTag.remote:
        return this.#runtime.pid(word >> 4, this.#in.number());
      case TermTag.bytes:
        return this.#in.bytes();
      case TermTag.aside:
        return this.#asides[this.#aside++];
      case TermTag.array:
        return this.#array(word >> 4);
      case TermTag.codec:
        return this.#decoded(word >>> 4);
      case TermTag.cast:
        return new CastMessage(this.value());
      case TermTag.call:
        return new CallMessage(this.value() as From<unknown>, this.value());
      default:
        throw new UndecodableRecord(`a value with the tag ${word & 15}`);
    }
  }

  #array(length: number): unknown[] {
    const array: unknown[] = [];
    for (let left = length; left > 0; left--) array.push(this.value());
    return array;
  }

  #decoded(code: number): unknown {
    const length = this.#in.int();
    const { at } = this.#in;
    const codec = this.#codecs.withCode(code);
    if (codec === undefined) throw new UndecodableRecord(`there is no message codec ${code}`);
    const message = codec.decode(this.#in);
    // Wherever it stopped reading.
    this.#in.open(this.#memory!, at + length, this.#end);
    return message;
  }
}

function constant(number: number): unknown {
  switch (number) {
    case TermConstant.null:
      return null;
    case TermConstant.true:
      return true;
    case TermConstant.false:
      return false;
    default:
      return undefined;
  }
}
