import type { ModuleReport } from './module-table.js';
import type { CodeState, CodeText, Holders, Operation, Prepared } from './operation.js';

/** A thread with a module table, as the code server sees it. null: it does not answer. */
export interface CodeNode {
  readonly name: string;
  prepare(operation: Operation): Promise<Prepared | null>;
  abort(number: number): void;
  restore(state: CodeState): Promise<true | null>;
  report(): Promise<readonly ModuleReport[] | null>;
  /** Who runs the previous version of a module, when everybody has been brought along who can be. */
  holders(module: string): Promise<Holders | null>;
}

/** One line of the history. */
export interface ReleaseRecord {
  readonly number: number;
  readonly kind: 'load' | 'canary' | 'promote' | 'withdraw' | 'rollback' | 'purge';
  /** What runs behind it; of a canary the canary, of a purge what is gone. */
  readonly modules: readonly { readonly module: string; readonly version: number; readonly hash: string }[];
  readonly author: string;
  readonly message: string;
  /** Wall-clock ms. */
  readonly at: number;
  /** Of what happened by itself: why. */
  readonly evidence?: string;
  /** false: it stays even if it is worse than what was before. */
  readonly automatic?: false;
}

/** A text that is to become a version: what bundle.ts makes of a file. */
export type NewCode = Omit<CodeText, 'number' | 'loadedAt'> & {
  /** See `Change`. Default false. */
  readonly suspend?: boolean;
};

export interface LoadOptions {
  readonly author: string;
  readonly message: string;
  /** Share of keys from 0 to 1; without it all. */
  readonly canary?: number;
  /** A canary that has proved good becomes the current version by itself. */
  readonly promote?: boolean;
  /** Whether a version that is worse goes by itself. Default true. */
  readonly automatic?: boolean;
  readonly extra?: unknown;
}

export interface Release {
  readonly record: ReleaseRecord;
  /** From the request until all threads had it ready, and until it was effective in all of them, in ms. */
  readonly preparedMs: number;
  readonly effectiveMs: number;
  /** Live states of whose copies the dry run has changed, and those that could not be copied. */
  readonly tried: number;
  readonly notTried: number;
  /** Threads that did not answer: a way back does not wait for them, and they take it when they do. */
  readonly late: readonly string[];
}

/** A module whose previous version is still run, or may still be gone back to. */
export interface Held extends Holders {
  readonly module: string;
  /** The release that would go back to it, if it proves worse; null: none is on probation. */
  readonly probation: number | null;
}

/** What a purge has done. */
export interface Purge {
  /** null: there was nothing to let go of. */
  readonly release: Release | null;
  readonly purged: readonly string[];
  /** Previous versions that stay. */
  readonly left: readonly Held[];
  /** Of a hard purge: who was ended. */
  readonly ended: readonly Held[];
}

/** A release that was not made. Nothing has changed anywhere. */
export class ReleaseRefused extends Error {
  override readonly name = 'ReleaseRefused';
}

/** The author of what happens by itself. */
export const AUTOMATIC = 'rookery';
