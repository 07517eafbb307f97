/** What the page reads of the actions about knobs. */
export interface KnobEntry {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  /** As one writes it: `30s`, `64KiB`, `on`. */
  readonly value: string;
  readonly configured: string;
  /** What is allowed, in words. */
  readonly range: string;
  /** All that it may be; null: too many to be listed. */
  readonly choices: readonly string[] | null;
  readonly source: string;
  readonly changedAt: number | null;
}

export interface KnobHistoryEntry {
  readonly number: number;
  readonly at: number;
  readonly author: string;
  readonly message: string;
  readonly changes: readonly {
    readonly name: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
}
