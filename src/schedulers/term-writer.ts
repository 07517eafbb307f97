import { CallMessage, CastMessage, type Runtime } from '../actors/index.js';
import { RemotePid } from '../actors/pid.js';
import { Process } from '../actors/process.js';
import { ProcessFlag } from '../actors/process-flag.js';
import type { RecordMemory } from '../structures/record-memory.js';
import { generationOf } from '../structures/slot-table.js';
import type { MessageCodec, MessageCodecs } from './message-codec.js';
import { RecordFull, RecordWriter } from './record-writer.js';
import type { Shape, Shapes } from './shape.js';
import { type KnownTexts, TermConstant, TermTag } from './term-tag.js';

/** Longer ones are left on the heap, where they are large objects of their own, which the collector does not move. */
const LENGTH_MAX = 16 * 1024;
/** Nesting beyond this is taken for a circle. */
const DEPTH_MAX = 32;
const KNOWN_LENGTH_MAX = 64;

/**
 * Writes messages into memory outside of the heap. What is plain is copied: numbers, texts, true, false, null, undefined,
 * arrays, plain objects, bytes (`Uint8Array`), pids, casts and calls with such a request, and messages with a
 * {@link MessageCodec}. Everything else (functions, instances of other classes, references, symbols, bigints, objects
 * without a prototype, arrays with holes, circles, very long texts and bytes) stays as itself, in `asides`, and is found
 * there again in the same order.
 *
 * Of what is copied these do not come back: properties with symbols as keys, hidden ones (not enumerable) and those of an
 * array beside its elements, getters (their value comes back), and whether it was frozen. It is the same on the way
 * to another scheduler.
 */
export class TermWriter {
  /** Values that stayed on the heap. The writer's user takes it, and puts a new one in its place. */
  asides: unknown[] = [];
  /** Messages that stayed on the heap as a whole. */
  wholes = 0;
  readonly #runtime: Runtime;
  readonly #codecs: MessageCodecs;
  readonly #shapes: Shapes;
  readonly #texts: KnownTexts;
  readonly #out: RecordWriter;
  /** Of messages and of what stands in arrays: the shape that one of this `type` had last. */
  readonly #byType = new Map<string, Shape>();
  #end = 0;

  /** `onEnded` is told of processes whose pids are written, though they have ended. */
  constructor(
    runtime: Runtime,
    codecs: MessageCodecs,
    shapes: Shapes,
    texts: KnownTexts,
    onEnded: (process: Process<never>) => void,
  ) {
    this.#out = new RecordWriter((pid) => {
      if (!(pid instanceof Process) || pid.runtime !== runtime) return;
      if (pid.alive) pid.flags |= ProcessFlag.spilled;
      else onEnded(pid);
    });
    this.#runtime = runtime;
    this.#codecs = codecs;
    this.#shapes = shapes;
    this.#texts = texts;
  }

  /** Begins at a multiple of 8. */
  open(memory: RecordMemory, at: number, end: number): void {
    if (this.asides.length !== 0) this.asides = [];
    this.wholes = 0;
    this.#end = end;
    this.#out.open(memory, at, end);
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#out.at;
  }

  /**
   * Writes a message.
   *
   * @throws RecordFull when there is no room; then what was written of this message counts for nothing
   */
  message(message: unknown): void {
    if (typeof message !== 'object' || message === null) {
      this.#value(message, null, 0, 0);
      return;
    }
    const codec = this.#codecs.for(message);
    if (codec !== undefined && this.#encoded(codec, message)) return;
    if (message instanceof CastMessage) {
      this.#out.int(TermTag.cast);
      this.#value(message.message, null, 0, 0);
    } else if (message instanceof CallMessage) {
      this.#out.int(TermTag.call);
      this.#aside(message.from);
      this.#value(message.request, null, 0, 0);
    } else {
      this.#value(message, null, 0, 0);
    }
  }

  /** Leaves a message on the heap, of which something was written from `at` on, with `asides` before it. */
  whole(message: unknown, at: number, asides: number): void {
    this.#out.at = at;
    this.asides.length = asides;
    this.wholes++;
    this.#aside(message);
  }

  #encoded(codec: MessageCodec, message: object): boolean {
    const bytesMax = codec.bytesMax(message);
    if (bytesMax < 0 || bytesMax > 4 * LENGTH_MAX) return false;
    const out = this.#out;
    const start = out.at;
    if (start + bytesMax + 16 > this.#end) throw new RecordFull('no room for the message');
    out.int(TermTag.codec | (codec.code << 4));
    out.int(0);
    const begin = out.at;
    codec.encode(message, out);
    const { at } = out;
    out.at = begin - 4;
    out.int(at - begin);
    out.at = at;
    return true;
  }

  #value(value: unknown, shape: Shape | null, field: number, depth: number): void {
    switch (typeof value) {
      case 'number':
        this.#number(value);
        break;
      case 'string':
        if (shape === null || !this.#known(value, shape, field)) this.#text(value);
        break;
      case 'object':
        if (value === null) this.#out.int(TermTag.constant | (TermConstant.null << 4));
        else this.#object(value, shape, field, depth);
        break;
      case 'boolean':
        this.#out.int(TermTag.constant | ((value ? TermConstant.true : TermConstant.false) << 4));
        break;
      case 'undefined':
        this.#out.int(TermTag.constant | (TermConstant.undefined << 4));
        break;
      default:
        if (depth === 0) this.wholes++;
        this.#aside(value);
    }
  }

  #number(value: number): void {
    // −0 is no small number, though its bits say so.
    if ((value << 4) >> 4 === value && (value !== 0 || 1 / value > 0)) {
      this.#out.int(TermTag.small | (value << 4));
    } else {
      this.#out.int(TermTag.double);
      this.#out.number(value);
    }
  }

  #aside(value: unknown): void {
    this.#out.int(TermTag.aside);
    this.asides.push(value);
  }

  /** Whether a text was written as one that comes again and again in this field. */
  #known(text: string, shape: Shape, field: number): boolean {
    if (text !== shape.texts[field]) {
      if (shape.tries[field] === 0 || text.length > KNOWN_LENGTH_MAX) return false;
      shape.tries[field]!--;
      const number = this.#texts.numberOf(text);
      if (number < 0) return false;
      shape.texts[field] = text;
      shape.textNumbers[field] = number;
    }
    this.#out.int(TermTag.known | (shape.textNumbers[field]! << 4));
    return true;
  }

  #text(text: string): void {
    if (text.length > LENGTH_MAX) {
      this.#aside(text);
    } else {
      this.#out.int(TermTag.text);
      this.#out.text(text);
    }
  }

  #object(value: object, parent: Shape | null, field: number, depth: number): void {
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype) {
      if (this.#plain(value, parent, field, depth)) return;
    } else if (prototype === Array.prototype) {
      if (this.#array(value as unknown[], depth)) return;
    } else if (prototype === Uint8Array.prototype) {
      if (this.#bytes(value as Uint8Array)) return;
    } else if (value instanceof Process) {
      if (this.#process(value)) return;
    } else if (value instanceof RemotePid) {
      this.#out.int(TermTag.remote | (value.scheduler << 4));
      this.#out.number(value.id);
      return;
    }
    if (depth === 0) this.wholes++;
    this.#aside(value);
  }

  #plain(object: object, parent: Shape | null, field: number, depth: number): boolean {
    if (depth === DEPTH_MAX) return false;
    const { type: named } = object as { readonly type?: unknown };
    const type = typeof named === 'string' ? named : '';
    let shape = (parent === null ? this.#byType.get(type) : parent.inner[field]) ?? null;
    const { at } = this.#out;
    const asides = this.asides.length;
    if (shape !== null && this.#fields(object, shape, depth)) return true;
    this.#out.at = at;
    this.asides.length = asides;
    shape = this.#shapes.of(object);
    if (shape === null) return false;
    if (parent !== null) parent.inner[field] = shape;
    else if (this.#byType.size < 1024 || this.#byType.has(type)) this.#byType.set(type, shape);
    if (this.#fields(object, shape, depth)) return true;
    this.#out.at = at;
    this.asides.length = asides;
    return false;
  }

  /** False if the object has another shape; then it may have written something. */
  #fields(object: object, shape: Shape, depth: number): boolean {
    const { keys } = shape;
    this.#out.int(TermTag.object | (shape.number << 4));
    let field = 0;
    for (const key in object) {
      if (key !== keys[field]) return false;
      this.#value((object as Record<string, unknown>)[key], shape, field, depth + 1);
      field++;
    }
    return field === keys.length;
  }

  #array(array: readonly unknown[], depth: number): boolean {
    const { length } = array;
    if (depth === DEPTH_MAX || length > LENGTH_MAX) return false;
    const { at } = this.#out;
    const asides = this.asides.length;
    this.#out.int(TermTag.array | (length << 4));
    for (let index = 0; index < length; index++) {
      const value = array[index];
      if (value === undefined && !(index in array)) {
        this.#out.at = at;
        this.asides.length = asides;
        return false;
      }
      this.#value(value, null, 0, depth + 1);
    }
    return true;
  }

  #bytes(bytes: Uint8Array): boolean {
    if (bytes.length > LENGTH_MAX || !(bytes.buffer instanceof ArrayBuffer)) return false;
    this.#out.int(TermTag.bytes);
    this.#out.bytes(bytes);
    return true;
  }

  /** One that has ended already is not to be found by its id any more. */
  #process(process: Process<never>): boolean {
    if (process.runtime !== this.#runtime || !process.alive) return false;
    process.flags |= ProcessFlag.spilled;
    this.#out.int(TermTag.process | (process.slot << 4));
    this.#out.int(generationOf(process.id));
    return true;
  }
}
