import type { Severity } from './alert.js';

/** Whence a rule has its value. */
export type RuleSource =
  /** Of each process with messages waiting: how many, by how many more each second, and the ms that the oldest has waited. */
  | { readonly kind: 'process'; readonly figure: 'length' | 'growth' | 'age' }
  /** Of each row of a group of figures. */
  | {
      readonly kind: 'figure';
      readonly group: string;
      readonly column: string;
      readonly as: FigureUse;
      readonly instance?: string;
    }
  /** What threads report: so many within the last minute. */
  | { readonly kind: 'event'; readonly event: AlertEventName }
  /** Of a scheduler that runs: the ms for which it has not answered. */
  | { readonly kind: 'silence' };

/** What is made of a column. */
export type FigureUse =
  /** As it is. */
  | { readonly of: 'value' }
  /** Of a counter: how much it has grown since the look before, a second. */
  | { readonly of: 'rate' }
  /** How much of another column it is, 0 to 1. */
  | { readonly of: 'share'; readonly whole: string }
  /** Of a counter: how much of the growth of another one it is not, 0 to 1. */
  | { readonly of: 'rest'; readonly whole: string }
  /** The ms for which it was above 0 at every look, and `progress` did not move. */
  | { readonly of: 'standstill'; readonly progress: string };

export type AlertEventName = 'long_schedule' | 'blocked';

/** How a value is written. */
export type ValueUnit = 'count' | 'rate' | 'ms' | 'bytes' | 'share';

/** The settings that are limits of rules. Percentages count from 0 to 100; 0: the rule is off. */
export type LimitName =
  | 'alertMailboxLength'
  | 'alertMailboxGrowth'
  | 'alertMailboxAgeMs'
  | 'alertRingBytes'
  | 'alertWriterPercent'
  | 'alertWalBytes'
  | 'alertSilentMs'
  | 'alertBlocked'
  | 'alertUtilizationPercent'
  | 'alertLongSchedules'
  | 'alertMemoryPercent'
  | 'alertHeapPercent'
  | 'alertFilesPercent'
  | 'alertDiskPercent'
  | 'alertListenOverflows';

export interface AlertRule {
  readonly name: string;
  /** Rules of one family make one alert for each thing that is wrong, whichever of them say so. */
  readonly family: string;
  readonly severity: Severity;
  readonly source: RuleSource;
  readonly unit: ValueUnit;
  /** It is wrong from this setting's value on … */
  readonly limit: LimitName;
  /** … for so long … */
  readonly forMs: number;
  /** … until it is below this share of the limit … */
  readonly clearShare: number;
  /** … for so long. */
  readonly clearForMs: number;
  /** The line, of all but processes: `{instance}` is the row, `{value}` the value, `{limit}` the limit. */
  readonly says: string;
}

const second = 1000;

/**
 * What counts as wrong. docs/operations/alerts.md says of each rule what it means and what to do.
 *
 * Those that need no time above the limit have it in their value (an age, a standstill) or would be too late with it.
 */
export const ALERT_RULES: readonly AlertRule[] = [
  // ——— processes
  {
    name: 'mailbox-age',
    family: 'mailbox',
    severity: 'critical',
    source: { kind: 'process', figure: 'age' },
    unit: 'ms',
    limit: 'alertMailboxAgeMs',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 2 * second,
    says: '',
  },
  {
    name: 'mailbox-length',
    family: 'mailbox',
    severity: 'critical',
    source: { kind: 'process', figure: 'length' },
    unit: 'count',
    limit: 'alertMailboxLength',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 2 * second,
    says: '',
  },
  {
    name: 'mailbox-growth',
    family: 'mailbox',
    severity: 'critical',
    source: { kind: 'process', figure: 'growth' },
    unit: 'rate',
    limit: 'alertMailboxGrowth',
    forMs: 3 * second,
    clearShare: 0.5,
    clearForMs: 5 * second,
    says: '',
  },
  // ——— ways between threads
  {
    name: 'ring-backlog',
    family: 'ring',
    severity: 'critical',
    source: { kind: 'figure', group: 'ring', column: 'overflow_bytes', as: { of: 'value' } },
    unit: 'bytes',
    limit: 'alertRingBytes',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 10 * second,
    says: 'the ring {instance} is full and {value} wait behind it: its reader does not keep up',
  },
  {
    name: 'writer-backlog',
    family: 'writer',
    severity: 'critical',
    source: resource('writer'),
    unit: 'share',
    limit: 'alertWriterPercent',
    forMs: 4 * second,
    clearShare: 0.5,
    clearForMs: 10 * second,
    says: 'the store is behind: the way to the writer is {value} full, and every first checkmark waits there',
  },
  {
    name: 'wal-size',
    family: 'wal',
    severity: 'warning',
    source: { kind: 'figure', group: 'store', column: 'wal_bytes', as: { of: 'value' } },
    unit: 'bytes',
    limit: 'alertWalBytes',
    forMs: 10 * second,
    clearShare: 0.5,
    clearForMs: 10 * second,
    says: "SQLite's write-ahead log has grown to {value}: its checkpoints do not keep up",
  },
  // ——— schedulers
  {
    name: 'thread-silent',
    family: 'sleepy',
    severity: 'critical',
    source: { kind: 'silence' },
    unit: 'ms',
    limit: 'alertSilentMs',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 5 * second,
    says: '{instance} has not answered for {value}: whoever needs it waits',
  },
  {
    name: 'scheduler-sleepy',
    family: 'sleepy',
    severity: 'critical',
    source: {
      kind: 'figure',
      group: 'sched',
      column: 'run_queue',
      as: { of: 'standstill', progress: 'slices' },
    },
    unit: 'ms',
    limit: 'alertSilentMs',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 5 * second,
    says: '{instance} has processes that could run, and has run none for {value}',
  },
  {
    name: 'scheduler-saturated',
    family: 'saturated',
    severity: 'warning',
    source: {
      kind: 'figure',
      group: 'sched',
      column: 'idle_ms',
      as: { of: 'rest', whole: 'elapsed_ms' },
    },
    unit: 'share',
    limit: 'alertUtilizationPercent',
    forMs: 30 * second,
    clearShare: 0.9,
    clearForMs: 30 * second,
    says: '{instance} is busy {value} of its time: everything on it waits its turn',
  },
  {
    name: 'scheduler-blocked',
    family: 'blocked',
    severity: 'warning',
    source: { kind: 'event', event: 'blocked' },
    unit: 'count',
    limit: 'alertBlocked',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 0,
    says: '{instance} did not come back to its loop {value} times within a minute',
  },
  {
    name: 'long-schedule',
    family: 'long-schedule',
    severity: 'warning',
    source: { kind: 'event', event: 'long_schedule' },
    unit: 'count',
    limit: 'alertLongSchedules',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 0,
    says: 'on {instance} a process has held up all others, {value} times within a minute',
  },
  // ——— what the machine gives
  {
    name: 'memory',
    family: 'memory',
    severity: 'critical',
    source: resource('memory'),
    unit: 'share',
    limit: 'alertMemoryPercent',
    forMs: 5 * second,
    clearShare: 0.9,
    clearForMs: 30 * second,
    says: 'the server uses {value} of the memory that it may have',
  },
  {
    name: 'heap',
    family: 'heap',
    severity: 'critical',
    source: { kind: 'figure', group: 'heap', column: 'share', as: { of: 'value' } },
    unit: 'share',
    limit: 'alertHeapPercent',
    forMs: 5 * second,
    clearShare: 0.9,
    clearForMs: 30 * second,
    says: '{instance} uses {value} of its heap: at 100 % the thread ends',
  },
  {
    name: 'files',
    family: 'files',
    severity: 'critical',
    source: { kind: 'figure', group: 'files', column: 'open', as: { of: 'share', whole: 'limit' } },
    unit: 'share',
    limit: 'alertFilesPercent',
    forMs: 0,
    clearShare: 0.9,
    clearForMs: 30 * second,
    says: 'the server has {value} of the open files that it may have: at 100 % nobody can connect',
  },
  {
    name: 'disk-space',
    family: 'disk',
    severity: 'critical',
    source: resource('disk'),
    unit: 'share',
    limit: 'alertDiskPercent',
    forMs: 0,
    clearShare: 0.95,
    clearForMs: 30 * second,
    says: 'the disk of the data folder is {value} full: at 100 % no message is accepted',
  },
  {
    name: 'listen-overflows',
    family: 'listen',
    severity: 'warning',
    source: { kind: 'figure', group: 'net', column: 'overflows', as: { of: 'rate' } },
    unit: 'rate',
    limit: 'alertListenOverflows',
    forMs: 0,
    clearShare: 0.5,
    clearForMs: 30 * second,
    says: 'clients are turned away, {value}: the queue of the listening socket is full',
  },
];

/** A row of the group `resource`. */
function resource(instance: string): RuleSource {
  return { kind: 'figure', group: 'resource', column: 'share', as: { of: 'value' }, instance };
}
