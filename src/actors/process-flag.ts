/** @internal Bits of `Process.flags`. */
export const ProcessFlag = {
  /** In the run queue, or running: somebody will look at the mailbox. */
  scheduled: 1,
  /** One of its callbacks is on the stack. */
  running: 2,
  dead: 4,
  trapExit: 8,
  /** Its receiver is wrapped by one that finishes requests. */
  requests: 16,
  /** Priorities; none of them: normal. */
  max: 32,
  high: 64,
  low: 128,
  /** Its terminate runs, or waits. */
  terminating: 256,
  /** It waits in a generator or an async function: what it is handed may be put aside. */
  waits: 512,
  /** It gets no slices until it is resumed; `scheduled` is set meanwhile, so that nobody puts it into the run queue. */
  suspended: 1024,
  /** Somebody sees its messages: see `trace`. */
  traced: 2048,
  /** The `MailboxMonitor` counts it among those with a backlog. */
  backlogged: 1 << 14,
  /** The `SystemMonitor` has told of its mailbox. */
  long: 1 << 15,
  /** Its pid may stand in messages outside of the heap: see `MailboxSpill`. */
  spilled: 4096,
} as const;

/** @internal */
export const PriorityMask = ProcessFlag.max | ProcessFlag.high | ProcessFlag.low;

/**
 * @internal The topmost bits of `Process.flags` are its pace. Up to 6: the power of two of messages that it handles between
 * two looks at the clock. Above: so many whole slices without one. See `Turns`.
 */
export const Pace = { shift: 27, mask: 15 << 27, chunks: 6, free: 7 << 27, max: 9 } as const;

/** Who runs first: see `Turns`. */
export type Priority = 'max' | 'high' | 'normal' | 'low';
