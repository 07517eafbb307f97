/** Traces of processes: their messages, one line each, for a bounded time and count. */

export interface TraceLine {
  /** Ms since the trace began. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  /** `in`: who sent it, or at least which other thread, if that is known; `out`: to whom. With its label, where that is known. */
  readonly peer: string | null;
  /** In outline, without what people have written. */
  readonly message: string;
  /** Of the texts and bytes in it. */
  readonly bytes: number;
}

export interface TraceStarted {
  /** For {@link Traces.read}. */
  readonly trace: string;
  readonly pid: string;
  readonly label: string;
}

export interface TracePart {
  readonly lines: readonly TraceLine[];
  /** Messages that were not kept because nobody fetched those before. */
  readonly dropped: number;
  /** Why there will be no more; null: it goes on. */
  readonly ended: 'time' | 'count' | 'process' | 'stopped' | null;
}

export interface TraceQuery {
  readonly forMs: number;
  /** Messages at most. */
  readonly max: number;
  readonly direction: 'in' | 'out' | 'both';
}

/** Implemented by the composition root. Whatever is refused is an `ActionRefused`. */
export interface Traces {
  begin(pid: string, query: TraceQuery): Promise<TraceStarted>;
  /** What has come since it was read last. One that nobody reads for a while ends. */
  read(trace: string): Promise<TracePart>;
  stop(trace: string): Promise<TracePart>;
}
