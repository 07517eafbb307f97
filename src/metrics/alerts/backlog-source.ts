/** A process with messages waiting, as its scheduler knows it. */
export interface BackloggedProcess {
  /** `<2.45>`. */
  readonly pid: string;
  readonly label: string;
  /** Labels of the processes above it, topmost first. */
  readonly path: readonly string[];
  /** What it runs, or ran last, such as `Partition.receive(entry)`; null: not known. */
  readonly handler: string | null;
  /** An operator, or somebody else, holds it. */
  readonly suspended: boolean;
  readonly length: number;
  /** How long its oldest message has waited, in ms. */
  readonly oldestMs: number;
  /** Messages a second that come and go, over the last second or so. */
  readonly fillPerSecond: number;
  readonly drainPerSecond: number;
  /** Ms until it is empty if both go on so; null: never. */
  readonly drainMs: number | null;
}

/** What one scheduler says. */
export interface Backlog {
  /** Those with a backlog; if they are too many, the longest. */
  readonly processes: readonly BackloggedProcess[];
}

/** A scheduler as whoever looks for backlogs sees it. Implemented by the composition root. */
export interface BacklogSource {
  /** `scheduler-1`. */
  readonly name: string;
  readonly isRunning: boolean;
  /** Processes that have a backlog: read from shared memory, so that it costs nothing to look. */
  backlogged(): number;
  /** Asks it for its processes with a backlog, at most `max`. Null: it does not answer. */
  ask(max: number): Promise<Backlog | null>;
}
