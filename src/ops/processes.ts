/** What operators see of processes, wherever they run. Pids are in the form in which logs and alerts print them: `<scheduler.slot.generation>`. */

/** A process in a list. The counters wrap at 2^32. */
export interface ProcessRow {
  readonly pid: string;
  readonly label: string;
  readonly name: string | null;
  /** The thread in which it lives: `main`, `scheduler-1`. */
  readonly thread: string;
  /** Messages that wait, and the most that ever did. */
  readonly mailbox: number;
  readonly longest: number;
  readonly received: number;
  readonly handled: number;
  readonly sent: number;
  readonly suspended: boolean;
}

export interface ProcessPage {
  readonly processes: readonly ProcessRow[];
  /** For the next page; null: these were the last. */
  readonly next: string | null;
  /** Threads that did not answer: their processes are missing. */
  readonly silent: readonly string[];
}

/** Some of a list, and how many it has. */
export interface Some<T> {
  readonly count: number;
  readonly first: readonly T[];
}

/** A message that waits: what it is, and not what people have written. */
export interface WaitingMessage {
  /** In words: fields with numbers and types, texts and bytes as their sizes. */
  readonly outline: string;
  /** Of the texts and bytes in it. */
  readonly bytes: number;
}

/** A second, decaying over 1, 10 and 100 s. */
export type Rates = readonly [number, number, number];

export interface ProcessRates {
  readonly in: Rates;
  readonly handled: Rates;
  readonly sent: Rates;
}

/** Everything about one process. */
export interface ProcessReport extends ProcessRow {
  /** Labels of the processes above it, topmost first. */
  readonly path: readonly string[];
  readonly parent: string | null;
  readonly priority: string;
  readonly trapExit: boolean;
  /** What it is: `GenServer`, `Supervisor`, the name of its class, `generator`, `async function`. */
  readonly kind: string;
  /** It waits inside of a callback or a generator: what comes is put aside unless it is waited for. */
  readonly waits: boolean;
  readonly links: Some<string>;
  readonly monitoring: Some<string>;
  readonly monitoredBy: Some<string>;
  readonly timers: number;
  /** What it runs, or runs next: `Partition.receive(entry)`; empty: nothing waits. */
  readonly handler: string;
  /** Of messages that come, are handled and are sent; null: nobody has looked before, they are known from now on. */
  readonly rates: ProcessRates | null;
  /** How long the oldest message has waited, and for how long nothing was handled; of one without a backlog 0, as are the next two. */
  readonly oldestMs: number;
  readonly stalledMs: number;
  /** How long a message that comes now will wait; null: nothing is handled. */
  readonly delayMs: number | null;
  /** In how long the mailbox will be empty as it goes now; null: never. */
  readonly drainMs: number | null;
  /** The oldest messages that wait. */
  readonly messages: readonly WaitingMessage[];
  /** An outline of its state, without what people have written; null: it has none to be read. */
  readonly state: string | null;
  /** Why there is no state, if it has one. */
  readonly stateMissing: string | null;
}

/** What became of an operation on a process. */
export interface ProcessOutcome {
  readonly pid: string;
  readonly label: string;
  /** In words. */
  readonly outcome: string;
}

/** Implemented by the composition root. Whatever is refused is an `ActionRefused`. */
export interface Processes {
  /** The pid of a process that somebody names by its pid, its registered name or its label. */
  resolve(target: string): Promise<string>;
  list(query: ProcessQuery): Promise<ProcessPage>;
  inspect(pid: string, messages: number): Promise<ProcessReport>;
  perform(pid: string, operation: ProcessOperation): Promise<ProcessOutcome>;
}

export interface ProcessQuery {
  /** With `*` for any characters. */
  readonly label: string | null;
  readonly name: string | null;
  /** `main`, `scheduler-1`; null: all. */
  readonly thread: string | null;
  /** With at least so many messages waiting. */
  readonly mailboxMin: number;
  readonly limit: number;
  /** {@link ProcessPage.next} of the page before; null: from the beginning. */
  readonly after: string | null;
}

export type ProcessOperation =
  | { readonly op: 'send'; readonly message: unknown; readonly first: boolean; readonly cast: boolean }
  /** Takes the oldest messages out of the mailbox, at most so many. */
  | { readonly op: 'flush'; readonly max: number }
  | { readonly op: 'kill'; readonly force: boolean }
  /** `hard`: by the run queue even if it is a behaviour, which would else be asked. */
  | { readonly op: 'suspend'; readonly hard: boolean; readonly force: boolean }
  | { readonly op: 'resume' };
