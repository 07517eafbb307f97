import { addExtension, Packr } from 'msgpackr';
import type { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Ref } from '../actors/ref.js';
import type { Runtime } from '../actors/runtime.js';
import { DownMessage, ExitMessage } from '../actors/system-message.js';
import { UndecodableRecord } from './record-reader.js';
import { Special, SpecialKind, TermPreparer, TYPED_ARRAYS } from './term-preparer.js';

/** Of the numbers that MessagePack leaves to applications. */
const EXTENSION = 33;
/** msgpackr's extensions are known to all that use it in a thread: this says whose pids are being made. */
let reading: Runtime | null = null;

addExtension({
  Class: Special,
  type: EXTENSION,
  write: (special: Special) => [special.kind, special.datum],
  read: (pair: unknown) => {
    if (!Array.isArray(pair) || reading === null) throw new UndecodableRecord('a bad extension');
    return revive(reading, pair[0], pair[1]);
  },
});

const packr = new Packr({ useRecords: false, useToJSON: false, copyBuffers: true });

/**
 * Any value as MessagePack. What arrives is a copy: plain objects, arrays, Map, Set, Date, RegExp, Error (name,
 * message, stack, code, cause), bytes and typed arrays, bigint, pids, references, the `from` of a call, EXIT and DOWN
 * messages. What cannot travel (functions, symbols, instances of classes, circles) is a {@link NotEncodable}.
 */
export class TermCodec {
  readonly #runtime: Runtime;
  readonly #preparer = new TermPreparer();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * The bytes are good until the next call.
   *
   * @throws NotEncodable
   */
  pack(value: unknown): Uint8Array {
    return packr.pack(this.#preparer.prepare(value, 'message', false));
  }

  /** A reason always travels: what in it cannot is replaced by a text that describes it. */
  packReason(reason: ExitReason): Uint8Array {
    return packr.pack(this.#preparer.prepare(reason, 'reason', true));
  }

  /**
   * `bytes` must not be in shared memory, and may be used again afterwards.
   *
   * @throws UndecodableRecord
   */
  unpack(bytes: Uint8Array): unknown {
    // Of a Buffer the bytes within would be Buffers, too.
    const plain =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    reading = this.#runtime;
    try {
      return packr.unpack(plain);
    } catch (error) {
      if (error instanceof UndecodableRecord) throw error;
      throw new UndecodableRecord('it is no MessagePack', { cause: error });
    } finally {
      reading = null;
    }
  }
}

function revive(runtime: Runtime, kind: unknown, datum: unknown): unknown {
  const parts = datum as unknown[];
  switch (kind as SpecialKind) {
    case SpecialKind.pid:
      return runtime.pid(numberIn(parts, 0), numberIn(parts, 1));
    case SpecialKind.ref:
      return runtime.importRef(runtime.pid(numberIn(parts, 0), numberIn(parts, 1)), numberIn(parts, 2));
    case SpecialKind.from:
      return runtime.importFrom(runtime.pid(numberIn(parts, 0), numberIn(parts, 1)), numberIn(parts, 2));
    case SpecialKind.exitMessage:
      return new ExitMessage(parts[0] as Pid, parts[1] as ExitReason);
    case SpecialKind.downMessage:
      return new DownMessage(parts[0] as Ref, parts[1] as Pid | string, parts[2] as ExitReason, parts[3]);
    case SpecialKind.map: {
      const map = new Map<unknown, unknown>();
      for (let index = 0; index < parts.length; index += 2) map.set(parts[index], parts[index + 1]);
      return map;
    }
    case SpecialKind.set:
      return new Set(parts);
    case SpecialKind.error:
      return reviveError(parts);
    case SpecialKind.date:
      return new Date(datum as number);
    case SpecialKind.regExp:
      return new RegExp(parts[0] as string, parts[1] as string);
    case SpecialKind.typedArray: {
      const type = TYPED_ARRAYS[numberIn(parts, 0)];
      if (type === undefined) break;
      return new type(exactBuffer(parts[1] as Uint8Array));
    }
    case SpecialKind.arrayBuffer:
      return exactBuffer(datum as Uint8Array);
    case SpecialKind.bigint:
      return BigInt(datum as string);
    case SpecialKind.negativeZero:
      return -0;
    case SpecialKind.utf16:
      return Buffer.from(datum as Uint8Array).toString('utf16le');
    case SpecialKind.entries: {
      const object: object = parts[0] === true ? Object.create(null) : {};
      for (let index = 1; index < parts.length; index += 2) {
        Object.defineProperty(object, parts[index] as string, {
          value: parts[index + 1],
          configurable: true,
          enumerable: true,
          writable: true,
        });
      }
      return object;
    }
  }
  throw new UndecodableRecord(`a special value of kind ${String(kind)}`);
}

function numberIn(parts: unknown, index: number): number {
  const value: unknown = Array.isArray(parts) ? parts[index] : undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new UndecodableRecord(`${String(value)} in the place of a number`);
  return value;
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function reviveError(parts: unknown[]): Error {
  const [name, message, stack, code, cause] = parts;
  const type = ERRORS[name as string] ?? Error;
  const error = new type(message as string, Array.isArray(cause) ? { cause: cause[0] } : undefined);
  const define = (key: string, value: unknown) => {
    Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
  };
  if (error.name !== name) define('name', name);
  define('stack', stack ?? undefined);
  if (code !== null) define('code', code);
  return error;
}
