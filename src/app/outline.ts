import { formatPid, RemotePid } from '../actors/pid.js';
import { Process } from '../actors/process.js';

export interface OutlineLimits {
  /** Levels of objects within objects. */
  readonly depth: number;
  /** Entries of one object, list or map. */
  readonly entries: number;
  readonly chars: number;
}

/** What an outline is made of. */
export interface Outline {
  readonly text: string;
  /** Of the texts and bytes within it, as far as they were looked at. */
  readonly bytes: number;
}

/** Fields whose text says what kind of thing it is, and not what somebody has written. */
const KINDS = new Set(['type', 'kind', 'op', 'phase', 'state', 'topic', 'behaviour', 'label']);
const KIND = /^[\w$ .:<>-]{1,40}$/;

/**
 * A value in words, for operators: numbers, types and fields, but of texts and bytes the sizes only. Messages pass through
 * here before they leave the server: what people have written to each other stands in none of it.
 *
 *     { type: "entry", inbox: 15550001, seq: 12, source: (532 bytes), note: (11 characters) }
 */
export function outline(value: unknown, limits: OutlineLimits): Outline {
  const drawing = new Drawing(limits);
  drawing.add(value, '', limits.depth);
  return { text: drawing.text, bytes: drawing.bytes };
}

class Drawing {
  text = '';
  bytes = 0;
  readonly #limits: OutlineLimits;
  readonly #above: object[] = [];

  constructor(limits: OutlineLimits) {
    this.#limits = limits;
  }

  add(value: unknown, field: string, depth: number): void {
    if (this.#isFull) return;
    switch (typeof value) {
      case 'string':
        this.bytes += value.length;
        this.#put(
          KINDS.has(field) && KIND.test(value) ? JSON.stringify(value) : `(${value.length} characters)`,
        );
        break;
      case 'function':
        this.#put(`(function ${value.name})`);
        break;
      case 'symbol':
        this.#put(`(${value.description ?? 'symbol'})`);
        break;
      case 'object':
        if (value === null) this.#put('null');
        else this.#object(value, depth);
        break;
      default:
        this.#put(String(value));
    }
  }

  get #isFull(): boolean {
    return this.text.length >= this.#limits.chars;
  }

  #put(text: string): void {
    if (this.#isFull) return;
    this.text += text;
    if (this.#isFull) this.text = `${this.text.slice(0, this.#limits.chars - 1)}…`;
  }

  #object(value: object, depth: number): void {
    const bytes = bytesOf(value);
    if (bytes !== null) {
      this.bytes += bytes;
      this.#put(`(${bytes} bytes)`);
    } else if (value instanceof Process || value instanceof RemotePid) {
      this.#put(formatPid(value));
    } else if (value instanceof Error) {
      this.#put(`(${value.name})`);
    } else if (this.#above.includes(value)) {
      this.#put('(circular)');
    } else {
      this.#above.push(value);
      if (Array.isArray(value)) this.#list('[', value.length, value, ']', depth);
      else if (value instanceof Map) this.#map(value, depth);
      else if (value instanceof Set) this.#list(`Set(${value.size}) {`, value.size, value, '}', depth);
      else this.#fields(value, depth);
      this.#above.pop();
    }
  }

  #list(begin: string, count: number, items: Iterable<unknown>, end: string, depth: number): void {
    this.#put(begin);
    if (depth === 0 && count > 0) this.#put(`${count} items`);
    else this.#some(items, count, (item) => this.add(item, '', depth - 1));
    this.#put(end);
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#put(`Map(${map.size}) {`);
    if (depth > 0) {
      this.#some(map, map.size, ([key, value]) => {
        this.add(key, '', 0);
        this.#put(' => ');
        this.add(value, '', depth - 1);
      });
    }
    this.#put('}');
  }

  #fields(value: object, depth: number): void {
    const name = (Object.getPrototypeOf(value) as object | null)?.constructor?.name ?? '';
    this.#put(name === 'Object' || name === '' ? '{' : `${name} {`);
    const properties = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(
      ([, { enumerable }]) => enumerable === true,
    );
    if (depth === 0 && properties.length > 0) {
      this.#put('…');
    } else {
      this.#some(properties, properties.length, ([field, property]) => {
        this.#put(/^\w{1,40}$/.test(field) ? `${field}: ` : `(${field.length} characters): `);
        // A getter may do anything.
        if ('value' in property) this.add(property.value, field, depth - 1);
        else this.#put('(getter)');
      });
    }
    this.#put('}');
  }

  #some<T>(items: Iterable<T>, count: number, draw: (item: T) => void): void {
    let drawn = 0;
    for (const item of items) {
      if (this.#isFull) return;
      this.#put(drawn === 0 ? ' ' : ', ');
      if (drawn === this.#limits.entries) {
        this.#put(`… ${count - drawn} more`);
        break;
      }
      draw(item);
      drawn++;
    }
    if (drawn > 0) this.#put(' ');
  }
}

function bytesOf(value: object): number | null {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
    ? value.byteLength
    : null;
}
