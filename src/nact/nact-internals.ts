/**
 * What is used of nact beyond its documented interface, typed here because nact has no types for it. The version is pinned;
 * test/nact/internals.test.ts compares this with what the package has.
 */
import type { PersistedEvent, PersistedSnapshot } from 'nact';
// @ts-expect-error nact has no types for its inner modules
import persistenceModule from 'nact/lib/persistence/index.js';
// @ts-expect-error
import referencesModule from 'nact/lib/references.js';
// @ts-expect-error
import supervisionModule from 'nact/lib/supervision.js';
// @ts-expect-error
import systemMapModule from 'nact/lib/system-map.js';

interface Persistence {
  readonly PersistedEvent: new (
    data: unknown,
    sequenceNumber: number,
    key: string,
    tags?: string[],
    createdAt?: number,
    isDeleted?: boolean,
  ) => PersistedEvent;
  readonly PersistedSnapshot: new (
    data: unknown,
    sequenceNumber: number,
    key: string,
    createdAt?: number,
  ) => PersistedSnapshot;
}

export const persistence = persistenceModule as Persistence;

/** What nact's functions take for an address: `find` of the system of this name is asked what stands behind it. */
export interface Reference {
  readonly type: string;
  readonly system: { readonly name: string | undefined };
  readonly path?: { readonly parts: readonly string[]; readonly system?: string };
  readonly name?: string;
}

/** What stands behind a reference: whatever of this it has, it can do. */
export interface Concrete {
  dispatch?(message: unknown, sender?: Reference): void;
  query?(message: unknown, timeoutMs: number): Promise<unknown>;
  stop?(): void;
  assertNotStopped?(): boolean;
}

/** A system, or something that passes for one. */
export interface System {
  readonly name: string;
  find(reference: Reference): Concrete | undefined;
}

interface SystemMap {
  add: (system: System) => void;
  readonly find: (name: string | undefined, reference?: Reference) => unknown;
  readonly remove: (name: string) => void;
}

/** All systems of the thread by name. Its functions may be replaced: nact calls them through it. */
export const systemMap = systemMapModule as SystemMap;

export type Decision = symbol | undefined;

type DecisionName =
  | 'stop'
  | 'stopAll'
  | 'stopChild'
  | 'stopAllChildren'
  | 'escalate'
  | 'resume'
  | 'reset'
  | 'resetAll'
  | 'resetChild'
  | 'resetAllChildren';

interface Supervision {
  readonly SupervisionActions: Readonly<Record<DecisionName, symbol>>;
  readonly defaultSupervisionPolicy: Policy;
}

/** What decides when an actor has failed (no child), or a child's failure was escalated to it. */
export type Policy = (
  message: unknown,
  error: unknown,
  context: Readonly<Record<string, unknown>>,
  child?: { readonly name: string },
) => Decision | Promise<Decision>;

export const { SupervisionActions, defaultSupervisionPolicy } = supervisionModule as Supervision;

export const { Nobody } = referencesModule as { readonly Nobody: new () => Reference };

/** What an actor and a system have in common. */
export interface ConcreteParent {
  readonly name: string;
  readonly reference: Reference;
  readonly children: Map<string, ConcreteActor>;
  stopped: boolean;
  childSpawned(child: ConcreteActor): void;
  stop(): void;
  handleFault(
    message: unknown,
    sender: unknown,
    error: unknown,
    child?: { readonly name: string },
  ): Promise<void> | void;
}

export interface ConcreteSystem extends ConcreteParent, System {
  find(reference: Reference): Concrete | undefined;
}

export interface Mailbox {
  push(item: Mail): void;
  shift(): Mail | undefined;
  toArray(): Mail[];
}

export interface Mail {
  readonly message: unknown;
  readonly sender: Reference;
}

export interface ConcreteActor extends ConcreteParent {
  readonly f: (this: unknown, state: unknown, message: unknown, context: unknown) => unknown;
  state: unknown;
  /** It handles a message, recovers, or waits for its policy: what comes has to wait. */
  busy: boolean;
  mailbox: Mailbox;
  /** Ms of idleness after which it stops; not there if it does not. */
  readonly shutdownPeriod?: number;
  onCrash: Policy;
  afterStop: (state: unknown, context: unknown) => unknown;
  /** Of a persistent actor. */
  persistenceEngine?: object;
  dispatch(message: unknown, sender?: Reference): void;
  reset(): void;
  /** It is done with what made it busy. */
  processNext(): void;
  afterMessage(): unknown;
  createContext(sender: unknown): object;
  setTimeout: () => void;
  clearTimeout: () => void;
}
