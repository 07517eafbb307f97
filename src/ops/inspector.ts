/**
 * What the operator's pages show, collected without any of them in mind: the pages only read a
 * {@link Snapshot}. Counters, not rates: who wants a rate takes the difference of two snapshots over the
 * difference of their `uptimeMs`.
 */
export interface Snapshot {
  /** Of this format. */
  readonly version: 1;
  /** Wall-clock ms at which it was taken. */
  readonly at: number;
  /** Monotonic ms since the start. */
  readonly uptimeMs: number;
  readonly server: {
    readonly name: string;
    readonly version: string;
    readonly node: string;
    readonly pid: number;
    readonly state: 'starting' | 'running' | 'draining';
    /** Incarnation of the database. */
    readonly epoch: number;
    readonly development: boolean;
    /** Where people chat. */
    readonly chatUrl: string;
  };
  readonly memory: { readonly residentBytes: number };
  readonly threads: readonly ThreadSnapshot[];
  readonly connections: {
    readonly open: number;
    readonly opened: number;
    readonly closed: number;
    readonly refused: number;
  };
  readonly sessions: {
    /** Processes, one for each connection. */
    readonly running: number;
    /** Those that said who they are. */
    readonly online: number;
    /** Those of them that are on the scheduler of their partition: no message for them takes a hop. */
    readonly atHome: number;
  };
  /** New entries of inboxes that were forwarded to a session of the same scheduler, and of another one. */
  readonly locality: { readonly local: number; readonly remote: number };
  readonly mailboxes: {
    readonly processes: number;
    /** Messages in all mailboxes. */
    readonly waiting: number;
    readonly longest: number;
  };
  readonly store: {
    readonly commits: number;
    readonly commands: number;
    readonly failures: number;
    readonly walBytes: number;
    /** Bytes of the young generation: what came lately and waits for its users. */
    readonly youngBytes: number;
    /** Bytes of commands on their way to the writer: now, and the most that ever waited. Growing: the store is behind. */
    readonly queuedBytes: number;
    readonly queuedBytesMax: number;
  };
  /** Counters of the chat by name. The page knows `sendAcks` and `deliveries`. */
  readonly chat: Readonly<Record<string, number>>;
}

export interface ThreadSnapshot {
  readonly name: string;
  readonly state: 'running' | 'restarting' | 'silent';
  /** 0–1: the share of the time in which its event loop was busy, since the last snapshot. */
  readonly utilization: number;
  readonly heapUsedBytes: number;
  /** Of a scheduler: what runs there. */
  readonly partitions?: number;
  readonly connections?: number;
}

/** Implemented by the composition root. */
export interface Inspector {
  /** Must answer within a second or two even if a thread does not (such a thread is `silent`). */
  snapshot(): Promise<Snapshot>;
}

/** Collects once for all who ask at the same time, so that watchers cost no more than one watcher. */
export class SharedInspector implements Inspector {
  readonly #inspector: Inspector;
  #underWay: Promise<Snapshot> | null = null;

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  snapshot(): Promise<Snapshot> {
    this.#underWay ??= this.#inspector.snapshot().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }
}

/** A PIN that was sent a moment ago, for the page of a development server. */
export interface SentPin {
  /** Phone number as an integer. */
  readonly user: number;
  readonly pin: string;
  /** Wall-clock ms. */
  readonly sentAt: number;
  readonly expiresAt: number;
}
