/**
 * V8's CPU profile as the inspector and `--cpu-prof` write it (a .cpuprofile file): which call stacks were found, and when.
 * speedscope and Chrome's DevTools open it. Format: Profiler.Profile of the Chrome DevTools Protocol.
 */
export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[];
  /** Monotonic µs. */
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes: the top of the stack of each sample. */
  readonly samples: readonly number[];
  /** For each sample, µs since the one before; of the first since `startTime`. */
  readonly timeDeltas: readonly number[];
}

/** A function as it was called: its callers are the nodes above it. */
export interface CpuProfileNode {
  readonly id: number;
  readonly callFrame: CpuProfileFrame;
  readonly children?: readonly number[];
}

export interface CpuProfileFrame {
  /** '' if it has none; `(idle)`, `(program)`, `(garbage collector)`, `(root)`. */
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}
