/**
 * What the main thread and its worker threads say to each other over their MessagePorts: rare control traffic
 * only. Everything for each message of a chat goes over the rings.
 */
import type { ChatStats } from '../chat/chat-stats.js';
import type { RegistrationMemory } from '../chat/registration-limits.js';
import type { StoreRings } from '../storage/store-rings.js';
import type { AdmissionMemory } from '../transport/admission-memory.js';
import type { Config } from './config.js';

/** What a scheduler thread is started with. */
export interface SchedulerData {
  readonly role: 'scheduler';
  readonly index: number;
  /** Number of this start of a scheduler among all of this server's. */
  readonly incarnation: number;
  readonly config: Config;
  /** The port to listen on: after a restart the one that the first incarnation got. */
  readonly port: number;
  readonly epoch: number;
  readonly secret: Uint8Array;
  readonly version: string;
  readonly rings: StoreRings;
  /** What all schedulers count together, so that limits of the server hold for the sum. */
  readonly admission: AdmissionMemory;
  readonly registrations: RegistrationMemory;
}

/** What the writer thread is started with. */
export interface WriterData {
  readonly role: 'writer';
  readonly config: Config;
  /** The rings of each scheduler, by its index. */
  readonly rings: readonly { readonly scheduler: number; readonly rings: StoreRings }[];
}

export type ToScheduler =
  | { readonly type: 'drain'; readonly graceMs: number; readonly jitterMs: number }
  | { readonly type: 'stats'; readonly id: number }
  | { readonly type: 'sms-result'; readonly id: number; readonly failure: string | null }
  | { readonly type: 'inject'; readonly fault: InjectedFault };

/** Development only: faults that the tests inject into a running thread. */
export type InjectedFault =
  | { readonly kind: 'crash-session'; readonly user: number }
  | { readonly kind: 'crash-partition'; readonly partition: number }
  | { readonly kind: 'crash-thread' }
  /** The writer: between its next commit and that commit's events. */
  | { readonly kind: 'crash-commit' };

export type FromScheduler =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'drained'; readonly terminated: number }
  | { readonly type: 'stats'; readonly id: number; readonly stats: SchedulerStats }
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
  | { readonly type: 'stats'; readonly id: number }
  | { readonly type: 'inject'; readonly fault: InjectedFault }
  | { readonly type: 'close' };

export type FromWriter =
  | { readonly type: 'open'; readonly epoch: number; readonly secret: Uint8Array }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'stats'; readonly id: number; readonly stats: WriterStats }
  | { readonly type: 'closed' }
  | ThreadEvent;

/** A line for the log that comes from another thread's processes. */
export interface ThreadEvent {
  readonly type: 'event';
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface SchedulerStats {
  readonly chat: ChatStats;
  readonly processes: number;
  readonly mailboxTotal: number;
  readonly mailboxLongest: number;
  readonly listener: Readonly<Record<string, number>>;
  readonly connections: number;
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
  readonly walBytes: number;
  readonly youngBytes: number;
  /** Since the last question: the largest batch in commands, the longest in ms. */
  readonly batchMax: number;
  readonly batchMsMax: number;
  readonly heapUsedBytes: number;
  readonly utilization: number;
}
