import {
  BadArgument,
  type Blocking,
  call,
  type Pid,
  type Process,
  type Ref,
  type ReplyTo,
  type Runtime,
  receive,
  type ServerPid,
  type StartOutcome,
  startProcess,
  type Wait,
} from '../actors/index.js';
import type { ChildSpec } from '../supervisors/index.js';
import {
  type GroupCalls,
  GroupMessage,
  type GroupMonitor,
  type GroupName,
  NotLocal,
  type ScopeMonitor,
} from './group-messages.js';
import { GroupScope } from './group-scope.js';
import type { GroupTable } from './group-table.js';

/** The tables of the scopes, by the process of each: they can be read without asking it, and go with it. */
const tables = new WeakMap<Pid, GroupTable>();

/**
 * Groups of processes over all schedulers, by name: OTP's pg. A group is there while it has members; a process may be in
 * any number of groups, and in one as often as it joined; it leaves all when it ends.
 *
 * ```ts
 * import { defaultRuntime, type Pid, ProcessGroups, receive, Supervisor } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * const rooms = new ProcessGroups<string, Pid<string>>('rooms');
 * Supervisor.start(runtime, { children: [rooms.child()] }); // on every scheduler
 *
 * const guest = (name: string) =>
 *   runtime.spawn<string>(function* (self) {
 *     yield* rooms.join('lobby', self);
 *     console.log(name, 'hears', yield* receive<string>());
 *   });
 * guest('Ada');
 * guest('Joe');
 * runtime.flush();
 * for (const pid of rooms.getMembers(runtime, 'lobby')) runtime.send(pid, 'hello');
 * runtime.flush(); // → Joe hears hello
 * // → Ada hears hello
 * console.log(rooms.whichGroups(runtime)); // → []
 * ```
 *
 * **From a process of callbacks**: `self.block(rooms.join('lobby', self))`.
 *
 * **Scopes** are groups of groups, each with a process of its own on every scheduler, under the scope's name. Only members
 * of its own scheduler are in its hand: who joins and leaves must be local. The scopes of the same name find each other,
 * when they start and when a scheduler comes up, and tell each other of their members.
 *
 * **Reading** (`getMembers`, `whichGroups`, …) asks nobody: it shows what the scope of this scheduler knows now. Between
 * schedulers membership is eventually consistent: what one does all others see in the same order, but different ones may
 * see what two have done in different orders. When a scheduler is lost its processes leave.
 *
 * **Monitors.** `monitor` gives who is in a group now, and from then on a {@link GroupMessage} for each change;
 * `monitorScope` does it for all groups. A monitor goes with its owner.
 *
 * **When a scope ends** its members are unharmed; they have left, and have to join again.
 */
export class ProcessGroups<G extends GroupName = string, P extends Pid = Pid<unknown>> {
  /** @param scope its name: a registered name on every scheduler */
  constructor(readonly scope: string = 'pg') {}

  // ---- the scope's process -------------------------------------------------------------------------------------

  /** Starts the scope here; `already_started` if it runs. */
  start(runtime: Runtime): StartOutcome<ServerPid<GroupCalls<G, P>>> {
    return this.#start(runtime, null);
  }

  /** The same, linked with `parent`. */
  startLink(parent: Process<never>): StartOutcome<ServerPid<GroupCalls<G, P>>> {
    return this.#start(parent.runtime, parent);
  }

  /** The scope as a child of a supervisor. */
  child(overrides: Partial<Omit<ChildSpec, 'start'>> = {}): ChildSpec {
    return { id: this.scope, start: (supervisor) => this.startLink(supervisor), ...overrides };
  }

  #start(runtime: Runtime, parent: Process<never> | null): StartOutcome<ServerPid<GroupCalls<G, P>>> {
    const { scope } = this;
    return startProcess<never>(
      runtime,
      { name: scope, localName: true, label: scope, ...(parent === null ? {} : { parent, link: true }) },
      (self, ack) => {
        const groups = new GroupScope(self, parent, scope);
        tables.set(self, groups.table);
        ack.ok();
        return groups;
      },
    );
  }

  // ---- members -------------------------------------------------------------------------------------------------

  /** Adds processes of this scheduler to a group, those given several times as often. Throws a {@link BadArgument} for others. */
  *join(group: G, pids: P | readonly P[]): Blocking<void> {
    this.#checkLocal(yield* this.#call({ op: 'join', group: checkGroup(group), pids: listOf<P>(pids) }));
  }

  /** Takes them out again, each as often as it is given. `not_joined` if none of them is in it. Throws likewise. */
  *leave(group: G, pids: P | readonly P[]): Blocking<'ok' | 'not_joined'> {
    return this.#checkLocal(yield* this.#call({ op: 'leave', group, pids: listOf<P>(pids) }));
  }

  /** All members of a group, the latest first. None if there is no such group, or no scope. */
  getMembers(runtime: Runtime, group: G): readonly P[] {
    return (this.#table(runtime)?.members(group) ?? []) as readonly Pid[] as readonly P[];
  }

  /** The members of a group that live on this scheduler. */
  getLocalMembers(runtime: Runtime, group: G): readonly P[] {
    return (this.#table(runtime)?.localMembers(group) ?? []) as readonly Pid[] as readonly P[];
  }

  /** All groups. Throws a {@link BadArgument} if the scope does not run. */
  whichGroups(runtime: Runtime): G[] {
    return this.#runningTable(runtime).groups as G[];
  }

  /** The groups with members of this scheduler. Throws a {@link BadArgument} if the scope does not run. */
  whichLocalGroups(runtime: Runtime): G[] {
    return this.#runningTable(runtime).localGroups as G[];
  }

  // ---- monitors ------------------------------------------------------------------------------------------------

  /** Who is in a group now; from now on this process gets a {@link GroupMessage} for each change. */
  *monitor(group: G): Blocking<GroupMonitor<P>> {
    return yield* this.#call({ op: 'monitor', group: checkGroup(group) });
  }

  /** The same for all groups of the scope. */
  *monitorScope(): Blocking<ScopeMonitor<G, P>> {
    return yield* this.#call({ op: 'monitor_scope' });
  }

  /** Ends a monitor, and removes what of it waits in the mailbox. False if there was none. */
  *demonitor(ref: Ref): Blocking<boolean> {
    const had = yield* this.#call({ op: 'demonitor', ref });
    if (!had) return false;
    const ofThis = (message: unknown) => message instanceof GroupMessage && message.ref === ref;
    while ((yield* receive(ofThis, 0)) !== undefined);
    return true;
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #call<const Q extends GroupCalls<G, P>[0]>(request: Q): Wait<ReplyTo<GroupCalls<G, P>, Q>> {
    return call(this.scope, request, Number.POSITIVE_INFINITY);
  }

  #checkLocal<T>(reply: T | NotLocal): T {
    if (reply instanceof NotLocal)
      throw new BadArgument(
        `${String(reply.pid)} is no process of this scheduler: it cannot join or leave here`,
      );
    return reply;
  }

  #table(runtime: Runtime): GroupTable | undefined {
    const process = runtime.names.local(this.scope);
    return process === undefined ? undefined : tables.get(process);
  }

  #runningTable(runtime: Runtime): GroupTable {
    const table = this.#table(runtime);
    if (table === undefined)
      throw new BadArgument(`the scope ${this.scope} does not run on scheduler ${runtime.scheduler}`);
    return table;
  }
}

function listOf<P extends Pid>(pids: P | readonly P[]): readonly P[] {
  // Whoever gave the list may change it later.
  return Array.isArray(pids) ? [...(pids as readonly P[])] : [pids as P];
}

function checkGroup<G extends GroupName>(group: G): G {
  const type = typeof group;
  if (type !== 'string' && type !== 'number' && type !== 'bigint' && type !== 'boolean')
    throw new BadArgument(`bad name of a group: ${String(group)}`);
  return group;
}
