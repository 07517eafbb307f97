/** One version of a module in one thread. Freed when the table has let go of it and no process runs it. */
export class ModuleVersion<Exports extends object = object> {
  /** Processes that run it, and requests that it has begun. */
  users = 0;
  /** Times that it was called, modulo 2^32. */
  calls = 0;
  /** Calls that threw. */
  failures = 0;
  /** Of every so many calls one is timed: how many were, and how long they took together, in ms. */
  timedCalls = 0;
  timedMs = 0;
  longestMs = 0;
  /** Slices of its processes that were too long, as the runtime has reported them. */
  longSchedules = 0;

  constructor(
    /** Of its module. */
    readonly module: string,
    /** 0: the code that the program was started with. Otherwise the number of the release that brought it. */
    readonly number: number,
    /** SHA-256 of its code, the first 12 hexadecimal digits; of version 0 that of the program's version. */
    readonly hash: string,
    readonly exports: Exports,
    /** Wall-clock ms. */
    readonly loadedAt: number,
  ) {}

  figures(): VersionFigures {
    const { number, hash, loadedAt, users, calls, failures, timedCalls, timedMs, longestMs, longSchedules } =
      this;
    return {
      number,
      hash,
      loadedAt,
      users,
      calls: calls >>> 0,
      failures,
      timedCalls,
      timedMs,
      longestMs,
      longSchedules,
    };
  }
}

export interface VersionFigures {
  readonly number: number;
  readonly hash: string;
  readonly loadedAt: number;
  readonly users: number;
  readonly calls: number;
  readonly failures: number;
  readonly timedCalls: number;
  readonly timedMs: number;
  readonly longestMs: number;
  readonly longSchedules: number;
}

/** The figures of a version over several threads. */
export function sumOf(all: readonly VersionFigures[]): VersionFigures | null {
  const [first] = all;
  if (first === undefined) return null;
  const sum = (figure: (of: VersionFigures) => number) => all.reduce((total, of) => total + figure(of), 0);
  return {
    number: first.number,
    hash: first.hash,
    loadedAt: Math.min(...all.map(({ loadedAt }) => loadedAt)),
    users: sum(({ users }) => users),
    calls: sum(({ calls }) => calls),
    failures: sum(({ failures }) => failures),
    timedCalls: sum(({ timedCalls }) => timedCalls),
    timedMs: sum(({ timedMs }) => timedMs),
    longestMs: Math.max(...all.map(({ longestMs }) => longestMs)),
    longSchedules: sum(({ longSchedules }) => longSchedules),
  };
}
