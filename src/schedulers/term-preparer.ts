import { type Pid, RemotePid } from '../actors/pid.js';
import { Process } from '../actors/process.js';
import { Ref, RemoteRef } from '../actors/ref.js';
import { RemoteFrom, Request } from '../actors/request.js';
import { DownMessage, ExitMessage } from '../actors/system-message.js';
import { describeValue, keyPath, NotEncodable } from './not-encodable.js';

/** What stands for a value that MessagePack has no form for: a number that says what it is, and a plain value. */
export class Special {
  constructor(
    readonly kind: SpecialKind,
    readonly datum: unknown,
  ) {}
}

export const SpecialKind = {
  pid: 1,
  ref: 2,
  from: 3,
  exitMessage: 4,
  downMessage: 5,
  map: 6,
  set: 7,
  error: 8,
  date: 9,
  regExp: 10,
  typedArray: 11,
  arrayBuffer: 12,
  bigint: 13,
  negativeZero: 14,
  utf16: 15,
  entries: 16,
} as const;
export type SpecialKind = (typeof SpecialKind)[keyof typeof SpecialKind];

/** Nesting beyond this is taken for a circle. */
const DEPTH_MAX = 200;
/** Values in one message, so that one whose parts are shared many times over does not take for ever. */
const VALUES_MAX = 4_000_000;

/** The classes of typed arrays that travel as what they are. Uint8Array is MessagePack's own. */
export const TYPED_ARRAYS: readonly {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): ArrayBufferView;
}[] = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

/**
 * Looks through a value before it is packed: says no to what cannot travel, with its path, and puts a
 * {@link Special} in the place of what MessagePack alone would change. A value that is plain throughout is returned
 * as it is; of others the objects on the way to the special ones are copied, never changed.
 *
 * In a `lenient` one what cannot travel becomes a text that describes it: for exit reasons, since a process ends
 * whatever its reason holds.
 */
export class TermPreparer {
  #lenient = false;
  #left = 0;

  /** @throws NotEncodable unless `lenient` */
  prepare(value: unknown, path: string, lenient: boolean): unknown {
    this.#lenient = lenient;
    this.#left = VALUES_MAX;
    return this.#prepare(value, path, 0);
  }

  #prepare(value: unknown, path: string, depth: number): unknown {
    switch (typeof value) {
      case 'number':
        return Object.is(value, -0) ? new Special(SpecialKind.negativeZero, null) : value;
      case 'string':
        return (value as unknown as { isWellFormed(): boolean }).isWellFormed()
          ? value
          : new Special(SpecialKind.utf16, new Uint8Array(Buffer.from(value, 'utf16le')));
      case 'bigint':
        return new Special(SpecialKind.bigint, String(value));
      case 'object':
        return value === null ? null : this.#object(value, path, depth);
      case 'function':
      case 'symbol':
        return this.#refuse(path, value);
      default:
        return value;
    }
  }

  #object(value: object, path: string, depth: number): unknown {
    if (depth > DEPTH_MAX)
      return this.#refuse(path, value, `what is nested deeper than ${DEPTH_MAX}, or in a circle,`);
    if (--this.#left < 0) return this.#refuse(path, value, `a message of more than ${VALUES_MAX} values`);
    if (Array.isArray(value)) return this.#array(value, path, depth);
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype) return this.#plain(value as Record<string, unknown>, path, depth);
    if (prototype === Uint8Array.prototype) return value;
    if (value instanceof Process || value instanceof RemotePid) return pidSpecial(value);
    if (prototype === null) return this.#entries(value as Record<string, unknown>, path, depth);
    return this.#special(value, prototype, path, depth);
  }

  #array(value: readonly unknown[], path: string, depth: number): unknown {
    let copy: unknown[] | null = null;
    for (let index = 0; index < value.length; index++) {
      const before = value[index];
      const after = this.#prepare(before, keyPath(path, index), depth + 1);
      if (after === before) continue;
      copy ??= value.slice();
      copy[index] = after;
    }
    return copy ?? value;
  }

  #plain(value: Record<string, unknown>, path: string, depth: number): unknown {
    // The packer looks at `constructor`, and the unpacker keeps `__proto__` from being set.
    if (Object.hasOwn(value, 'constructor') || Object.hasOwn(value, '__proto__'))
      return this.#entries(value, path, depth);
    let copy: Record<string, unknown> | null = null;
    for (const key of Object.keys(value)) {
      const before = value[key];
      const after = this.#prepare(before, keyPath(path, key), depth + 1);
      if (after === before) continue;
      copy ??= { ...value };
      copy[key] = after;
    }
    return copy ?? value;
  }

  /** An object whose keys the packer would take for something else. */
  #entries(value: Record<string, unknown>, path: string, depth: number): Special {
    const flat: unknown[] = [Object.getPrototypeOf(value) === null];
    for (const key of Object.keys(value)) {
      flat.push(this.#prepare(key, path, depth + 1));
      flat.push(this.#prepare(value[key], keyPath(path, key), depth + 1));
    }
    return new Special(SpecialKind.entries, flat);
  }

  #special(value: object, prototype: object, path: string, depth: number): unknown {
    const inner = (part: unknown, key: string | number) => this.#prepare(part, keyPath(path, key), depth + 1);
    // As everywhere, a reason travels whatever it holds.
    const reason = (part: unknown) => this.#leniently(() => inner(part, 'reason'));
    if (value instanceof Request || value instanceof RemoteFrom) {
      const { caller } = value as { readonly caller: Pid };
      return new Special(SpecialKind.from, [caller.scheduler, caller.id, value.export()]);
    }
    if (value instanceof Ref) {
      return new Special(SpecialKind.ref, [value.owner.scheduler, value.owner.id, value.export()]);
    }
    if (value instanceof RemoteRef) {
      return new Special(SpecialKind.ref, [value.owner.scheduler, value.owner.id, value.number]);
    }
    if (value instanceof ExitMessage) {
      return new Special(SpecialKind.exitMessage, [inner(value.from, 'from'), reason(value.reason)]);
    }
    if (value instanceof DownMessage) {
      const { ref, from, tag } = value;
      return new Special(SpecialKind.downMessage, [
        inner(ref, 'ref'),
        inner(from, 'from'),
        reason(value.reason),
        inner(tag, 'tag'),
      ]);
    }
    if (prototype === Map.prototype) {
      const flat: unknown[] = [];
      for (const [key, item] of value as Map<unknown, unknown>) {
        flat.push(inner(key, 'key'), inner(item, typeof key === 'number' ? key : String(key)));
      }
      return new Special(SpecialKind.map, flat);
    }
    if (prototype === Set.prototype) {
      return new Special(
        SpecialKind.set,
        Array.from(value as Set<unknown>, (item, index) => inner(item, index)),
      );
    }
    if (value instanceof Error) return this.#error(value, path, depth);
    if (prototype === Date.prototype) return new Special(SpecialKind.date, (value as Date).getTime());
    if (prototype === RegExp.prototype) {
      return new Special(SpecialKind.regExp, [(value as RegExp).source, (value as RegExp).flags]);
    }
    if (value instanceof Uint8Array)
      return value.constructor.name === 'Buffer' ? plainBytes(value) : this.#refuse(path, value);
    if (ArrayBuffer.isView(value)) {
      const index = TYPED_ARRAYS.indexOf(value.constructor as (typeof TYPED_ARRAYS)[number]);
      if (index >= 0) return new Special(SpecialKind.typedArray, [index, plainBytes(value)]);
    }
    if (prototype === ArrayBuffer.prototype) {
      return new Special(SpecialKind.arrayBuffer, new Uint8Array(value as ArrayBuffer));
    }
    return this.#refuse(path, value);
  }

  /** An error always travels: it is what tells of everything else. */
  #error(error: Error, path: string, depth: number): Special {
    const { name, message, stack, cause } = error;
    const { code } = error as { code?: unknown };
    const text = (value: unknown) => this.#prepare(String(value), path, depth + 1);
    return new Special(SpecialKind.error, [
      text(name),
      text(message),
      stack === undefined ? null : text(stack),
      typeof code === 'string' || typeof code === 'number' ? code : null,
      Object.hasOwn(error, 'cause')
        ? [this.#leniently(() => this.#prepare(cause, keyPath(path, 'cause'), depth + 1))]
        : null,
    ]);
  }

  #leniently(prepare: () => unknown): unknown {
    const lenient = this.#lenient;
    this.#lenient = true;
    const prepared = prepare();
    this.#lenient = lenient;
    return prepared;
  }

  #refuse(path: string, value: unknown, what = describeValue(value)): string {
    if (this.#lenient) return `[${what}]`;
    throw new NotEncodable(path, what);
  }
}

function pidSpecial(pid: Pid): Special {
  return new Special(SpecialKind.pid, [pid.scheduler, pid.id]);
}

function plainBytes(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
