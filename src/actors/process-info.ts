import type { Pid } from './pid.js';
import type { Priority } from './process-flag.js';

/** A snapshot of a process, for inspection. The counters wrap at 2^32. */
export interface ProcessInfo {
  readonly pid: Pid;
  readonly label: string;
  readonly name: string | null;
  /** Labels of the processes above it, topmost first: the way through the supervision tree. */
  readonly path: readonly string[];
  readonly parent: Pid | null;
  readonly running: boolean;
  /** It gets no slices: see `Runtime.suspend`. A behaviour that `sys.suspend` holds is not meant. */
  readonly suspended: boolean;
  readonly trapExit: boolean;
  readonly priority: Priority;
  readonly mailboxLength: number;
  readonly mailboxLongest: number;
  readonly received: number;
  readonly handled: number;
  readonly sent: number;
  readonly links: readonly Pid[];
  /** What it monitors, once for each monitor; a name for a monitor by name. */
  readonly monitoring: readonly (Pid | string)[];
  /** Who monitors it, once for each monitor. */
  readonly monitoredBy: readonly Pid[];
  readonly timers: number;
}
