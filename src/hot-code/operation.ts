/** The code of one version: a self-contained CommonJS text, see bundle.ts. Can be sent in a message. */
export interface CodeText {
  readonly module: string;
  /** The release that brings it. */
  readonly number: number;
  /** SHA-256 of the text, the first 12 hexadecimal digits. */
  readonly hash: string;
  readonly text: string;
  /** What it requires, from outside of itself. */
  readonly imports: readonly string[];
  /** Where it came from, for stack traces. */
  readonly file: string;
  /** Wall-clock ms. */
  readonly loadedAt: number;
}

/** What an operation does to one module. */
export type Change =
  | {
      readonly type: 'load';
      readonly code: CodeText;
      /** Of all keys the part from 0 to 1 that gets it, beside the current version; null: all, in its place. */
      readonly canary: number | null;
      /** The state of its processes is changed at once, before any of them handles another message; else each at its next message. */
      readonly suspend: boolean;
      /** For `codeChange`. */
      readonly extra: unknown;
    }
  /** The canary becomes the current version. */
  | { readonly type: 'promote'; readonly module: string }
  /** The canary is given up. */
  | { readonly type: 'withdraw'; readonly module: string }
  /** The previous version becomes the current one, and the other way round. */
  | { readonly type: 'rollback'; readonly module: string }
  /** The previous version goes. `kill`: with the processes that still run it; else it stays as long as there are any. */
  | { readonly type: 'purge'; readonly module: string; readonly kill: boolean }
  /** Nothing changes: it is for the history. */
  | { readonly type: 'restate'; readonly module: string };

export function moduleOf(change: Change): string {
  return change.type === 'load' ? change.code.module : change.module;
}

/** Several changes that become effective together, in this order. */
export interface Operation {
  /** Operations are numbered 1, 2, … over the life of a server. */
  readonly number: number;
  readonly changes: readonly Change[];
}

/** What a thread says to a prepared operation. */
export interface Prepared {
  /** Of what the dry run has found: states of which `codeChange` has changed a copy, and those that could not be copied. */
  readonly tried: number;
  readonly notTried: number;
  /** Why it cannot be done; null: it can. */
  readonly failure: PrepareFailure | null;
}

export interface PrepareFailure {
  readonly module: string;
  readonly step: 'compile' | 'run' | 'contract' | 'state' | 'table';
  /** In words, with the place in the code where there is one. */
  readonly message: string;
}

/** Who runs the previous version of a module. */
export interface Holders {
  /** Processes, and requests under way. */
  readonly users: number;
  /** A few of the processes, such as `session <1.25>`. */
  readonly processes: readonly string[];
}

/** What a new thread needs to stand where the others are. */
export interface CodeState {
  /** The last operation that is in it. */
  readonly number: number;
  readonly modules: readonly ModuleState[];
}

export interface ModuleState {
  readonly module: string;
  /** null: the code that the program was started with. */
  readonly current: CodeText | null;
  /** undefined: there is none. */
  readonly previous?: CodeText | null;
  readonly canary?: CodeText;
  readonly canaryShare?: number;
  /** For `codeChange`, of the release that brought the current version or the canary. */
  readonly extra?: unknown;
}
