import type { Pid, Ref } from '../actors/index.js';

/** What a group may be called. It has to look the same on all schedulers, so it is a plain value. */
export type GroupName = string | number | bigint | boolean;

/** What a monitor of a group or a scope tells: these have joined a group, or left it. Of a process as often as it did. */
export class GroupMessage<G extends GroupName = GroupName, P extends Pid = Pid<unknown>> {
  constructor(
    readonly type: 'join' | 'leave',
    /** What `monitor` or `monitorScope` returned. */
    readonly ref: Ref,
    readonly group: G,
    readonly pids: readonly P[],
  ) {}
}

/** What a scope can be asked, with the types of the answers: for `self.request`. {@link ProcessGroups} has functions. */
export type GroupCalls<G extends GroupName = GroupName, P extends Pid = Pid<unknown>> =
  | [{ readonly op: 'join'; readonly group: G; readonly pids: readonly P[] }, 'ok' | NotLocal]
  | [{ readonly op: 'leave'; readonly group: G; readonly pids: readonly P[] }, 'ok' | 'not_joined' | NotLocal]
  | [{ readonly op: 'monitor'; readonly group: G }, GroupMonitor<P>]
  | [{ readonly op: 'monitor_scope' }, ScopeMonitor<G, P>]
  | [{ readonly op: 'demonitor'; readonly ref: Ref }, boolean];

/** A process of another scheduler, or none at all, was to join or leave. */
export class NotLocal {
  constructor(readonly pid: unknown) {}
}

/** A monitor of a group, and who is in it now. */
export interface GroupMonitor<P extends Pid> {
  readonly ref: Ref;
  readonly members: readonly P[];
}

/** A monitor of all groups of a scope, and who is in which now. */
export interface ScopeMonitor<G extends GroupName, P extends Pid> {
  readonly ref: Ref;
  readonly groups: ReadonlyMap<G, readonly P[]>;
}

/**
 * What the scopes of different schedulers tell each other: pg's protocol, as plain objects.
 *
 *     new scope ──discover──▶ all that there are         and to each scheduler that comes up
 *               ◀──sync────── whom I have
 *               ◀──discover── (if it was not known) ──sync──▶
 *     later     ──join, leave──▶ all that are known
 */
export type PeerMessage =
  | { readonly type: 'pg_discover'; readonly peer: Pid<PeerMessage> }
  | {
      readonly type: 'pg_sync';
      readonly peer: Pid<PeerMessage>;
      readonly groups: readonly (readonly [group: GroupName, pids: readonly Pid<unknown>[]])[];
    }
  | {
      readonly type: 'pg_join';
      readonly peer: Pid<PeerMessage>;
      readonly group: GroupName;
      readonly pids: readonly Pid<unknown>[];
    }
  | {
      readonly type: 'pg_leave';
      readonly peer: Pid<PeerMessage>;
      readonly pids: readonly Pid<unknown>[];
      readonly groups: readonly GroupName[];
    };
