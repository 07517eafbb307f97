/** What the page reads of the action `alerts`. */
export interface AlertsAnswer {
  readonly active: readonly AlertEntry[];
  readonly recent: readonly AlertEntry[];
  readonly silences: readonly SilenceEntry[];
  readonly rules: readonly RuleEntry[];
}

export interface AlertEntry {
  readonly id: number;
  readonly severity: 'warning' | 'critical';
  readonly rules: readonly string[];
  readonly subject: string;
  readonly label: string | null;
  /** Everything in one line. */
  readonly line: string;
  readonly raisedAt: number;
  readonly clearedAt: number | null;
  readonly acknowledged: { readonly by: string; readonly at: number; readonly comment: string } | null;
  readonly silenced: boolean;
}

export interface SilenceEntry {
  readonly id: number;
  readonly rule: string | null;
  readonly label: string | null;
  readonly subject: string | null;
  readonly by: string;
  readonly comment: string;
  readonly until: number;
}

export interface RuleEntry {
  readonly name: string;
  readonly severity: string;
  readonly setting: string;
  readonly limit: number | null;
  readonly unit: string;
  readonly isWatched: boolean;
}
