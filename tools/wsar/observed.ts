import type { Sample } from '../../src/metrics/recording/sample.js';

/** What is looked at, live or from files, one after the other. */
export type Observed =
  /** The tables of a sample are good until the next one. */
  | { readonly type: 'sample'; readonly sample: Sample }
  /** What is looked at was started anew: counters began again. `program`: what it is now. */
  | { readonly type: 'restart'; readonly at: number; readonly program: string }
  /** For people, beside the figures: something could not be read. */
  | { readonly type: 'note'; readonly text: string }
  /** Nothing more for now; whoever follows waits. */
  | { readonly type: 'pause' };

/** Where it comes from, for the first line. */
export interface Origin {
  readonly program: string;
  readonly system: string;
  readonly host: string;
  readonly cpus: number | null;
}
