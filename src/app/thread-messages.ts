/**
 * What the main thread and its worker threads say to each other over their MessagePorts: rare control traffic
 * only. Everything for each message of a chat goes over the rings.
 */
import type { MessagePort } from 'node:worker_threads';
import type { RuntimeStat } from '../actors/runtime-stats.js';
import type { ChatStats } from '../chat/chat-stats.js';
import type { RegistrationMemory } from '../chat/registration-limits.js';
import type { CodeEvent, CodeState } from '../hot-code/index.js';
import type { AlertEventName } from '../metrics/alerts/alert-rules.js';
import type { GcCounter } from '../metrics/gc/gc-counters.js';
import type { GuardHandle, SchedulerLinks, StatsMemory } from '../schedulers/index.js';
import type { StoreRings } from '../storage/store-rings.js';
import type { StoreWriterStat } from '../storage/store-writer-stats.js';
import type { AdmissionMemory } from '../transport/admission-memory.js';
import type { ListenerOptions } from '../transport/listener.js';
import type { Config } from './config.js';
import type { PartitionAddress } from './placement.js';
import type { Answer, Question } from './thread-questions.js';

/** What a scheduler thread is started with. */
export interface SchedulerData {
  readonly role: 'scheduler';
  /** Which of the schedulers it is: 1, 2, … */
  readonly place: number;
  /** Number of this start of a scheduler among all of this server's. */
  readonly incarnation: number;
  readonly config: Config;
  /** The common port: of a later start the one that the first got. */
  readonly port: number;
  readonly sharing: ListenerOptions['sharing'];
  /** The port of its own; null: none. */
  readonly homePort: number | null;
  readonly epoch: number;
  readonly secret: Uint8Array;
  readonly version: string;
  /** To the other schedulers. Its port goes into the transfer list. */
  readonly links: SchedulerLinks;
  /** To the writer. */
  readonly rings: StoreRings;
  /** What its runtime counts. */
  readonly stats: StatsMemory<RuntimeStat>;
  /** What it counts of its garbage collector. */
  readonly gc: StatsMemory<GcCounter>;
  /** What all schedulers count together, so that limits of the server hold for the sum. */
  readonly admission: AdmissionMemory;
  readonly registrations: RegistrationMemory;
  /** Of the last change of code that is effective, for all schedulers; and where the others stand. */
  readonly codeWord: Int32Array;
  readonly code: CodeState;
}

/** What the writer thread is started with. */
export interface WriterData {
  readonly role: 'writer';
  readonly config: Config;
  /** The rings of each scheduler, by its place. */
  readonly rings: readonly { readonly scheduler: number; readonly rings: StoreRings }[];
  /** Place of the scheduler of each partition; 0: it has none. */
  readonly routes: readonly number[];
  /** What the writer counts. */
  readonly stats: StatsMemory<StoreWriterStat>;
  readonly gc: StatsMemory<GcCounter>;
  /** The other end of the JournalPort of the operator's ledger. */
  readonly journal: MessagePort;
}

export type ToScheduler =
  /** Answered with `partition-started` for each, and with `partitions-stopped`. */
  | { readonly type: 'start-partitions'; readonly partitions: readonly number[] }
  | { readonly type: 'stop-partitions'; readonly partitions: readonly number[] }
  | {
      readonly type: 'partition-at';
      readonly partition: number;
      readonly place: number;
      readonly address: PartitionAddress;
      /** Of the scheduler there; 0: it has none, or it is not to be told. */
      readonly homePort: number;
    }
  /** Sends the clients away. Answered with `drained`. */
  | { readonly type: 'drain'; readonly graceMs: number; readonly jitterMs: number }
  /** Ends the thread. */
  | { readonly type: 'end' }
  /** The store has left it behind: nobody listens to it any more. */
  | { readonly type: 'left' }
  | Question
  | { readonly type: 'sms-result'; readonly id: number; readonly failure: string | null }
  | { readonly type: 'inject'; readonly fault: InjectedFault };

/** Development only: faults that the tests inject into a running thread. */
export type InjectedFault =
  | { readonly kind: 'crash-session'; readonly user: number }
  | { readonly kind: 'crash-partition'; readonly partition: number }
  | { readonly kind: 'crash-thread' }
  /** What the client of this session sends next is never done with. */
  | { readonly kind: 'loop-session'; readonly user: number }
  | { readonly kind: 'loop-partition'; readonly partition: number }
  /** It handles so many messages a second from now on; 0: none. */
  | { readonly kind: 'stall-partition'; readonly partition: number; readonly rate: number }
  | { readonly kind: 'cure-partition'; readonly partition: number }
  /** Outside of any process. */
  | { readonly kind: 'loop-thread' }
  /** The writer: between its next commit and that commit's events. */
  | { readonly kind: 'crash-commit' };

export type FromScheduler =
  /** It serves. `homePort`: 0 if it has none. */
  | { readonly type: 'listening'; readonly port: number; readonly homePort: number }
  | {
      readonly type: 'partition-started';
      readonly partition: number;
      readonly address: PartitionAddress;
    }
  | { readonly type: 'partitions-stopped'; readonly partitions: readonly number[] }
  | { readonly type: 'refused'; readonly message: string }
  /** It can be watched, and what runs in it cut off. */
  | { readonly type: 'guarded'; readonly guard: GuardHandle }
  | { readonly type: 'drained'; readonly terminated: number }
  | { readonly type: 'code'; readonly event: CodeEvent }
  | Answer
  | {
      readonly type: 'sms';
      readonly id: number;
      readonly user: number;
      readonly pin: string;
      readonly expiresMs: number;
    }
  | ThreadEvent;

export type ToWriter =
  | { readonly type: 'attach'; readonly scheduler: number; readonly rings: StoreRings }
  | { readonly type: 'detach'; readonly scheduler: number }
  /** Answered with `routed`. */
  | {
      readonly type: 'route';
      readonly transfer: number;
      readonly scheduler: number;
      readonly partitions: readonly number[];
    }
  | Question
  | { readonly type: 'inject'; readonly fault: InjectedFault }
  | { readonly type: 'close' };

export type FromWriter =
  | { readonly type: 'open'; readonly epoch: number; readonly secret: Uint8Array }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'routed'; readonly transfer: number }
  /** This scheduler takes no events: the store does not wait for it any more. */
  | { readonly type: 'left'; readonly scheduler: number }
  | Answer
  | { readonly type: 'closed' }
  | ThreadEvent;

/** A line for the log that comes from another thread's processes. */
export interface ThreadEvent {
  readonly type: 'event';
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What it counts as, if it is an alert when it comes often. */
  readonly alert?: AlertEventName;
}

export interface SchedulerStats {
  readonly chat: ChatStats;
  readonly processes: number;
  readonly mailboxTotal: number;
  readonly mailboxLongest: number;
  readonly listener: Readonly<Record<string, number>>;
  readonly connections: number;
  /** That it runs. */
  readonly partitions: number;
  /** By partition: users online, and those whose session is here, too. */
  readonly users: readonly number[];
  readonly atHome: readonly number[];
  /** Bytes of commands that wait for the writer in its ring: now, and the most that ever did. */
  readonly queuedBytes: number;
  readonly queuedBytesMax: number;
  readonly heapUsedBytes: number;
  readonly utilization: number;
}

export interface WriterStats {
  readonly commits: number;
  readonly commands: number;
  readonly failures: number;
  /** Size of SQLite's write-ahead log; null: it cannot be told. */
  readonly walBytes: number | null;
  readonly youngBytes: number;
  readonly heapUsedBytes: number;
  readonly utilization: number;
}
