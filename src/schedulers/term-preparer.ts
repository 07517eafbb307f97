import { type Pid, RemotePid } from '../actors/pid.js';
import { Process } from '../actors/process.js';
import { Ref, RemoteRef } from '../actors/ref.js';
import { RemoteFrom, Request } from '../actors/request.js';
import { DownMessage, ExitMessage } from '../actors/system-message.js';
import { describeValue, keyPath, NotEncodable } from './not-encodable.js';
import { isWellFormed } from './record-writer.js';

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
  #root = '';
  /** The way to the value that is being looked at: as many keys as it is deep. */
  readonly #keys: (string | number)[] = [];

  /**
   * @param root what the value is called in the path
   * @throws NotEncodable unless `lenient`
   */
  prepare(value: unknown, root: string, lenient: boolean): unknown {
    this.#root = root;
    this.#lenient = lenient;
    this.#left = VALUES_MAX;
    return this.#prepare(value, 0);
  }

  #prepare(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'number':
        return Object.is(value, -0) ? new Special(SpecialKind.negativeZero, null) : value;
      case 'string':
        return isWellFormed(value)
          ? value
          : new Special(SpecialKind.utf16, new Uint8Array(Buffer.from(value, 'utf16le')));
      case 'bigint':
        return new Special(SpecialKind.bigint, String(value));
      case 'object':
        return value === null ? null : this.#object(value, depth);
      case 'function':
      case 'symbol':
        return this.#refuse(depth, describeValue(value));
      default:
        return value;
    }
  }

  /** A part of the value that is `depth` deep. */
  #inner(part: unknown, key: string | number, depth: number): unknown {
    this.#keys[depth] = key;
    return this.#prepare(part, depth + 1);
  }

  #object(value: object, depth: number): unknown {
    if (depth > DEPTH_MAX)
      return this.#refuse(depth, `what is nested deeper than ${DEPTH_MAX}, or in a circle,`);
    if (--this.#left < 0) return this.#refuse(depth, `a message of more than ${VALUES_MAX} values`);
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Array.prototype) return this.#array(value as unknown[], depth);
    if (prototype === Object.prototype) return this.#plain(value as Record<string, unknown>, depth);
    if (prototype === Uint8Array.prototype) return value;
    if (value instanceof Process || value instanceof RemotePid) return pidSpecial(value);
    if (prototype === null) return this.#entries(value as Record<string, unknown>, depth);
    return this.#core(value, depth) ?? this.#builtIn(value, prototype, depth);
  }

  #array(value: readonly unknown[], depth: number): unknown {
    let copy: unknown[] | null = null;
    for (let index = 0; index < value.length; index++) {
      const before = value[index];
      const after = this.#inner(before, index, depth);
      if (after === before) continue;
      copy ??= value.slice();
      copy[index] = after;
    }
    return copy ?? value;
  }

  #plain(value: Record<string, unknown>, depth: number): unknown {
    // The packer looks at `constructor`, and the unpacker keeps `__proto__` from being set.
    if (Object.hasOwn(value, 'constructor') || Object.hasOwn(value, '__proto__'))
      return this.#entries(value, depth);
    let copy: Record<string, unknown> | null = null;
    for (const key of Object.keys(value)) {
      const before = value[key];
      const after = this.#inner(before, key, depth);
      if (after === before) continue;
      copy ??= { ...value };
      copy[key] = after;
    }
    return copy ?? value;
  }

  /** An object whose keys the packer would take for something else. */
  #entries(value: Record<string, unknown>, depth: number): Special {
    const flat: unknown[] = [Object.getPrototypeOf(value) === null];
    for (const key of Object.keys(value)) {
      flat.push(this.#prepare(key, depth));
      flat.push(this.#inner(value[key], key, depth));
    }
    return new Special(SpecialKind.entries, flat);
  }

  /** What belongs to the process core; undefined for everything else. */
  #core(value: object, depth: number): Special | undefined {
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
      const { from, reason } = value;
      return new Special(SpecialKind.exitMessage, [
        this.#inner(from, 'from', depth),
        this.#leniently(reason, 'reason', depth),
      ]);
    }
    if (value instanceof DownMessage) {
      const { ref, from, reason, tag } = value;
      return new Special(SpecialKind.downMessage, [
        this.#inner(ref, 'ref', depth),
        this.#inner(from, 'from', depth),
        this.#leniently(reason, 'reason', depth),
        this.#inner(tag, 'tag', depth),
      ]);
    }
    return undefined;
  }

  #builtIn(value: object, prototype: object, depth: number): unknown {
    if (prototype === Map.prototype) return this.#map(value as Map<unknown, unknown>, depth);
    if (prototype === Set.prototype) {
      const items = Array.from(value as Set<unknown>, (item, index) => this.#inner(item, index, depth));
      return new Special(SpecialKind.set, items);
    }
    if (value instanceof Error) return this.#error(value, depth);
    if (prototype === Date.prototype) return new Special(SpecialKind.date, (value as Date).getTime());
    if (prototype === RegExp.prototype) {
      return new Special(SpecialKind.regExp, [(value as RegExp).source, (value as RegExp).flags]);
    }
    if (prototype === Buffer.prototype) return plainBytes(value as Buffer);
    if (ArrayBuffer.isView(value)) {
      const index = TYPED_ARRAYS.indexOf(value.constructor as (typeof TYPED_ARRAYS)[number]);
      if (index >= 0) return new Special(SpecialKind.typedArray, [index, plainBytes(value)]);
    }
    if (prototype === ArrayBuffer.prototype) {
      return new Special(SpecialKind.arrayBuffer, new Uint8Array(value as ArrayBuffer));
    }
    return this.#refuse(depth, describeValue(value));
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): Special {
    const flat: unknown[] = [];
    for (const [key, item] of value) {
      flat.push(this.#inner(key, 'key', depth));
      flat.push(this.#inner(item, typeof key === 'string' || typeof key === 'number' ? key : 'value', depth));
    }
    return new Special(SpecialKind.map, flat);
  }

  /** An error always travels: it is what tells of everything else. */
  #error(error: Error, depth: number): Special {
    const { name, message, stack, cause } = error;
    const { code } = error as { code?: unknown };
    return new Special(SpecialKind.error, [
      this.#prepare(String(name), depth),
      this.#prepare(String(message), depth),
      stack === undefined ? null : this.#prepare(String(stack), depth),
      typeof code === 'string' || typeof code === 'number' ? code : null,
      Object.hasOwn(error, 'cause') ? [this.#leniently(cause, 'cause', depth)] : null,
    ]);
  }

  #leniently(part: unknown, key: string, depth: number): unknown {
    const lenient = this.#lenient;
    this.#lenient = true;
    const prepared = this.#inner(part, key, depth);
    this.#lenient = lenient;
    return prepared;
  }

  #refuse(depth: number, what: string): string {
    if (this.#lenient) return `[${what}]`;
    let path = this.#root;
    for (const key of this.#keys.slice(0, depth)) path = keyPath(path, key);
    throw new NotEncodable(path, what);
  }
}

function pidSpecial(pid: Pid): Special {
  return new Special(SpecialKind.pid, [pid.scheduler, pid.id]);
}

function plainBytes(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
