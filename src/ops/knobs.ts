/** What operators see of knobs: settings that are changed while the server runs. Values are texts as one writes them: `30s`, `64KiB`, `on`. */

export interface KnobReport {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  /** As it is now. */
  readonly value: string;
  readonly default: string;
  /** What the configuration says; it holds again when the knob is reverted. */
  readonly configured: string;
  /** What is allowed, in words, with units. */
  readonly range: string;
  /** All that it may be; null: too many to be listed. */
  readonly choices: readonly string[] | null;
  /** `default`, `--port`, `rookery.toml: port`, or `knob 12 by ada`. */
  readonly source: string;
  /** Wall-clock ms at which it was turned; null: it was not. */
  readonly changedAt: number | null;
  /** Threads that heed it. */
  readonly threads: readonly string[];
}

/** An entry of the ledger about knobs: one, or several at once. */
export interface KnobEntry {
  readonly number: number;
  /** Wall-clock ms. */
  readonly at: number;
  readonly author: string;
  readonly from: string;
  readonly message: string;
  /** Null: what the configuration says. */
  readonly changes: readonly {
    readonly name: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
}

export interface KnobOutcome {
  /** Null: nothing had to be changed. */
  readonly entry: KnobEntry | null;
  /** Threads in which it is in effect. */
  readonly effective: readonly string[];
  /** Threads that have not said so yet: they hang, or are starting. */
  readonly late: readonly string[];
}

/** Implemented by the composition root. Whatever is refused is an `ActionRefused`, and nothing has changed. */
export interface Knobs {
  list(): Promise<readonly KnobReport[]>;
  get(name: string): Promise<KnobReport>;
  set(values: Readonly<Record<string, unknown>>, by: KnobAuthor): Promise<KnobOutcome>;
  /** Newest first, at most `limit`, of one knob or all. */
  history(name: string | null, limit: number): readonly KnobEntry[];
  /** What the configuration says holds again. */
  revert(name: string, by: KnobAuthor): Promise<KnobOutcome>;
  /** All knobs as they were after this entry (0: before the first). */
  revertTo(entry: number, by: KnobAuthor): Promise<KnobOutcome>;
}

export interface KnobAuthor {
  readonly author: string;
  readonly address: string;
  /** Why, in his words. */
  readonly message: string;
}
