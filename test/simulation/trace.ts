import type { Clock } from '../../src/structures/clock.js';

/** How many lines are kept for the report of a failure. */
const LINES_MAX = 400;
const WORDS_MAX = 400;

/**
 * What happened in a history, as a hash: two runs of one seed have the same hash, or something is not deterministic.
 * With `verbose` also as lines, the last of which are kept for the report.
 */
export class Trace {
  readonly #clock: Clock;
  readonly #verbose: boolean;
  readonly #print: ((line: string) => void) | null;
  readonly #lines: string[] = [];
  #a = 0x811c_9dc5;
  #b = 0x9e37_79b9;
  #events = 0;

  constructor(clock: Clock, verbose: boolean, print: ((line: string) => void) | null) {
    this.#clock = clock;
    this.#verbose = verbose || print !== null;
    this.#print = print;
  }

  get events(): number {
    return this.#events;
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    const hex = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
    return hex(this.#a) + hex(this.#b);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** `text` is asked for only when somebody reads. */
  note(kind: string, a: number, b: number, text: () => string = () => ''): void {
    this.#events++;
    for (let at = 0; at < kind.length; at++) this.#mix(kind.charCodeAt(at));
    const now = this.#clock.now();
    this.#mix(now * 1024);
    this.#mix(a);
    this.#mix(b);
    if (!this.#verbose) return;
    const said = text();
    const words = said.length > WORDS_MAX ? `${said.slice(0, WORDS_MAX)}…` : said;
    const line = `${now.toFixed(2).padStart(12)}  ${kind.padEnd(14)} ${a} ${words}`;
    this.#print?.(line);
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, LINES_MAX / 4);
  }

  /** Takes bytes that went somewhere into the hash. */
  bytes(bytes: Uint8Array): void {
    let hash = this.#a;
    for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
    this.#a = hash;
  }

  #mix(value: number): void {
    const low = value | 0;
    const high = (value / 0x1_0000_0000) | 0;
    this.#a = Math.imul(this.#a ^ low, 0x0100_0193);
    this.#b = Math.imul((this.#b ^ (this.#b >>> 15)) + low, 0x85eb_ca6b) ^ high;
  }
}
