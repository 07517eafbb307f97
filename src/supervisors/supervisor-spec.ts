import type { StartOutcome } from '../actors/index.js';
import type { AutoShutdown, Strategy } from './check-spec.js';
import type { AnyChildSpec, ChildSpec } from './child-spec.js';
import type { Naming } from './initialize.js';
import type { SupervisorPid } from './requests.js';

/** How often children may be restarted. */
export interface RestartLimits {
  /** Restarts that are allowed in `periodMs`. Default 1. */
  readonly intensity?: number;
  /** Default 5000. */
  readonly periodMs?: number;
}

/** What the init of a supervisor returns: its flags and its children. */
export type SupervisorInit = RestartLimits & {
  /** Default one_for_one. */
  readonly strategy?: Strategy;
} & (
    | {
        /** Default never. */
        readonly autoShutdown?: 'never';
        readonly children?: readonly ChildSpec[];
      }
    | {
        readonly autoShutdown: Exclude<AutoShutdown, 'never'>;
        readonly children?: readonly AnyChildSpec[];
      }
  );

/** What the init of a supervisor of one template returns: simple_one_for_one. */
export interface SimpleSupervisorInit<Args extends readonly unknown[]> extends RestartLimits {
  readonly strategy: 'simple_one_for_one';
  readonly autoShutdown?: 'never';
  /** Its start is given the arguments of each `startChild`. */
  readonly children: readonly [ChildSpec<Args>];
}

export type SupervisorSpec = SupervisorInit & Naming;
export type SimpleSupervisorSpec<Args extends readonly unknown[]> = SimpleSupervisorInit<Args> & Naming;

declare const templateArgs: unique symbol;

/** A supervisor of one template: it knows with what its children are started. */
export interface SimpleSupervisorPid<in Args extends readonly unknown[]> extends SupervisorPid {
  readonly [templateArgs]?: (args: Args) => void;
}

/** What came of starting a supervisor. */
export type SupervisorStart = StartOutcome<SupervisorPid>;
