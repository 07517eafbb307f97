/**
 * Figures of a running system, in a form that needs no knowledge of any of them: groups of columns, with one row for
 * each thing that has them. What collects them, the recorder, the operator's page and the exporters meet here.
 *
 * Counters and not rates: whoever wants a rate takes the difference of two readings over the difference of their
 * `uptimeMs`, over whatever time he likes.
 */

/**
 * What a column's figures are:
 *
 * - `counter`: it only grows while the thing lives; shown as a rate. A smaller figure than before: the thing began anew;
 * - `gauge`: as it is now; over a time it is averaged;
 * - `peak`: the most since the reader's own reading before; over a time its maximum counts.
 */
export type ColumnKind = 'counter' | 'gauge' | 'peak';

/** In OpenTelemetry's spelling (UCUM): `By` bytes, `ms`, `s`, `1` for shares from 0 to 1, `{message}` and the like for things counted. */
export type Unit = string;

export interface Column {
  /** Letters, digits and `_`; unique in its group. The order of columns never changes within a version. */
  readonly name: string;
  readonly kind: ColumnKind;
  readonly unit: Unit;
  /** One sentence for a help text. */
  readonly description: string;
}

/** What is known of a group beforehand. */
export interface GroupDescription {
  /** Such as `sched`: letters, digits and `_`. */
  readonly name: string;
  /** Raised when a column is taken away or changes its meaning; new ones only go to the end. */
  readonly version: number;
  readonly title: string;
  /** What a row stands for: `scheduler`, `device`, `ring`; null: there is one row, its instance is ''. */
  readonly instance: string | null;
  /**
   * Its rows are of things that come and go by the second, such as processes: for looking and for recordings, and not for
   * exporters, where each of them would be a time series for good.
   */
  readonly transient?: true;
  readonly columns: readonly Column[];
}

/** null: not to be had on this machine (shown as n/a, and never as 0). */
export type Figure = number | null;

export interface Row {
  readonly instance: string;
  /** In the order of the group's columns. */
  readonly figures: readonly Figure[];
}

/** One look at everything. */
export interface Reading {
  /** Of this format. */
  readonly version: 1;
  /** Wall-clock ms. */
  readonly at: number;
  /** Monotonic ms since the start of what is read; smaller than before: it was started anew. No two readings have the same. */
  readonly uptimeMs: number;
  /** By the names of the groups. */
  readonly groups: Readonly<Record<string, readonly Row[]>>;
}

/** A plug-in that knows one group. */
export interface GroupSource {
  readonly description: GroupDescription;
  /**
   * Reads now. Asked at most once for all who look at the same time, and never when nobody looks. What it cannot have it
   * gives as null; a throw leaves the group out of this reading. Peaks it gives since it was asked last, and begins anew.
   *
   * A frozen array that is given again says that nothing has changed; then nobody looks for what has.
   */
  read(): readonly Row[] | Promise<readonly Row[]>;
}
