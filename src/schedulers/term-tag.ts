/**
 * How values stand in memory outside of the heap, for the same thread to read them again: a 32-bit word with the tag in its
 * lower 4 bits, a number in the others, and then what the tag says. See {@link TermWriter}.
 */
export const TermTag = {
  /** The number is the value. */
  small: 0,
  /** A double follows. */
  double: 1,
  /** The number is one of {@link TermConstant}. */
  constant: 2,
  /** The number is that of a text that comes again and again. */
  known: 3,
  /** A text follows. */
  text: 4,
  /** The number is the slot of a process of this scheduler; its generation follows. */
  process: 5,
  /** The number is a scheduler; the id of a process there follows. */
  remote: 6,
  /** Bytes follow. */
  bytes: 7,
  /** The value itself stayed on the heap: the next of those beside the memory. */
  aside: 8,
  /** The number is that of a shape; a value for each of its keys follows. */
  object: 9,
  /** So many values follow. */
  array: 10,
  /** The number is the code of a message codec; the length of what it has written follows, and that. */
  codec: 11,
  /** A cast: its message follows. */
  cast: 12,
  /** A call: who asked, and the request. */
  call: 13,
} as const;

export const TermConstant = { undefined: 0, null: 1, true: 2, false: 3 } as const;

/** Texts that come again and again, by their numbers. */
export class KnownTexts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  constructor(private readonly textsMax: number) {}

  /** −1: there are too many. */
  numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number !== undefined) return number;
    number = this.#texts.length;
    if (number >= this.textsMax) return -1;
    this.#texts.push(text);
    this.#numbers.set(text, number);
    return number;
  }

  at(number: number): string {
    return this.#texts[number]!;
  }
}
