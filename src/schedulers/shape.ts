import type { TermReader } from './term-reader.js';

/** Keys of an object that has a shape. */
const KEYS_MAX = 64;
/** Values of a field that are tried as one that comes again and again. */
const TRIES_MAX = 8;

/**
 * What plain objects with the same keys in the same order have in common: written once, not with each of them. Also
 * what is known by experience about the values of each field, so that the next object is written without a search.
 */
export class Shape {
  /** For each field, a text that it has had, and its number among the texts that come again. */
  readonly texts: (string | null)[];
  readonly textNumbers: number[];
  /** How often another text may still be tried. */
  readonly tries: number[];
  /** For each field, the shape of the object that it had last. */
  readonly inner: (Shape | null)[];
  /** Makes an object of this shape of the values that come next. */
  readonly read: (values: TermReader) => object;

  constructor(
    readonly number: number,
    readonly keys: readonly string[],
  ) {
    this.texts = keys.map(() => null);
    this.textNumbers = keys.map(() => -1);
    this.tries = keys.map(() => TRIES_MAX);
    this.inner = keys.map(() => null);
    this.read = compile(keys);
  }
}

/** An object literal is the fastest way to an object: six times as fast as a loop over the keys. */
function compile(keys: readonly string[]): (values: TermReader) => object {
  const fields = keys.map((key) => `${JSON.stringify(key)}: values.value()`).join(', ');
  try {
    return new Function('values', `return { ${fields} };`) as (values: TermReader) => object;
  } catch (error) {
    // Where code may not be made from texts.
    if (!(error instanceof EvalError)) throw error;
    return (values) => {
      const object: Record<string, unknown> = {};
      for (const key of keys) object[key] = values.value();
      return object;
    };
  }
}

interface Node {
  readonly next: Map<string, Node>;
  shape: Shape | null;
}

/** The shapes seen so far: up to a bound, as objects used as tables would bring ever new ones. */
export class Shapes {
  readonly #root: Node = { next: new Map(), shape: null };
  readonly #shapes: Shape[] = [];

  constructor(private readonly shapesMax: number) {}

  /** The shape of a plain object; null if it has none. */
  of(object: object): Shape | null {
    const keys = Object.keys(object);
    if (keys.length > KEYS_MAX || keys.includes('__proto__')) return null;
    let node = this.#root;
    for (const key of keys) {
      let next = node.next.get(key);
      if (next === undefined) {
        if (this.#shapes.length >= this.shapesMax) return null;
        next = { next: new Map(), shape: null };
        node.next.set(key, next);
      }
      node = next;
    }
    if (node.shape === null) {
      if (this.#shapes.length >= this.shapesMax) return null;
      node.shape = new Shape(this.#shapes.length, keys);
      this.#shapes.push(node.shape);
    }
    return node.shape;
  }

  at(number: number): Shape {
    return this.#shapes[number]!;
  }
}
