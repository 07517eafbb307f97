/**
 * Erlang's terms as the oracle holds them: atoms are strings, integers numbers, lists arrays, tuples {@link Tuple},
 * maps Maps with atoms as keys; pids, references and functions are what the runtime makes of them.
 */
export type Term = unknown;

export class Tuple {
  constructor(readonly items: readonly Term[]) {}
}

export function tuple(...items: Term[]): Tuple {
  return new Tuple(items);
}

/** Something that a trace shows only as what kind of thing it is: `#stack`, `#mfa`, `#from`, … */
export class Opaque {
  private constructor(readonly text: string) {}

  static readonly stack = new Opaque('#stack');
  static readonly mfa = new Opaque('#mfa');
  static readonly child = new Opaque('#child');
  static readonly node = new Opaque('#node');
  static readonly module = new Opaque('#module');
  static readonly from = new Opaque('#from');
  static readonly ref = new Opaque('#ref');
  static readonly tag = new Opaque('#tag');
}

/** Whether a term is a tuple that begins with these items. */
export function isTuple(term: Term, ...begin: Term[]): term is Tuple {
  return term instanceof Tuple && begin.every((item, at) => equal(term.items[at], item));
}

/** Erlang's `=:=`. */
export function equal(one: Term, other: Term): boolean {
  if (Object.is(one, other)) return true;
  if (one instanceof Tuple) return other instanceof Tuple && equal(one.items, other.items);
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) && one.length === other.length && one.every((item, at) => equal(item, other[at]))
    );
  }
  if (one instanceof Map) {
    if (!(other instanceof Map) || one.size !== other.size) return false;
    return [...one].every(([key, value]) => other.has(key) && equal(value, other.get(key)));
  }
  return false;
}
