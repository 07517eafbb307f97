/** What is not to be told for a time: all that is given must match. */
export interface SilenceMatch {
  /** Name of a rule; `*` stands for any letters, in all three. */
  readonly rule: string | null;
  /** Label of a process. */
  readonly label: string | null;
  /** What the alert is about: a pid such as `<2.45>`, a scheduler, a ring, …. */
  readonly subject: string | null;
}

export interface Silence extends SilenceMatch {
  readonly id: number;
  readonly by: string;
  readonly comment: string;
  /** Wall-clock ms. */
  readonly from: number;
  readonly until: number;
}

/** There can be no more silences: the oldest ones have to go first. */
export class TooManySilences extends RangeError {
  override readonly name = 'TooManySilences';
}

/** At the same time. */
export const SILENCES_MAX = 256;

/** What operators do not want to hear of. */
export class Silences {
  readonly #all = new Map<number, Silence>();

  /** @throws TooManySilences */
  checkRoom(wall: number): void {
    this.expire(wall);
    if (this.#all.size >= SILENCES_MAX)
      throw new TooManySilences(`there are ${SILENCES_MAX} silences already: take some away first`);
  }

  /** Takes one in; in the place of another one with its number. Beyond the bound the one that would end first goes. */
  put(silence: Silence): void {
    this.#all.set(silence.id, silence);
    if (this.#all.size <= SILENCES_MAX) return;
    const first = [...this.#all.values()].reduce((one, other) => (other.until < one.until ? other : one));
    this.#all.delete(first.id);
  }

  get(id: number): Silence | undefined {
    return this.#all.get(id);
  }

  remove(id: number): void {
    this.#all.delete(id);
  }

  /** Those that are over go. */
  expire(wall: number): void {
    for (const { id, until } of this.#all.values()) if (until <= wall) this.#all.delete(id);
  }

  list(): readonly Silence[] {
    return [...this.#all.values()];
  }

  /** Whether one of them holds for this rule, of this process or other thing. */
  holds(rule: string, label: string | null, subject: string, wall: number): boolean {
    for (const silence of this.#all.values()) {
      if (silence.until <= wall) continue;
      if (fits(silence.rule, rule) && fits(silence.label, label) && fits(silence.subject, subject))
        return true;
    }
    return false;
  }
}

function fits(pattern: string | null, text: string | null): boolean {
  return pattern === null || (text !== null && matches(pattern, text));
}

/** Whether a text is of a pattern in which `*` stands for any letters. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0]!;
  if (parts.length === 1) return pattern === text;
  const last = parts[parts.length - 1]!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
