/**
 * The journal: events and snapshots under keys, for whoever keeps his state as the sum of what happened to him. Many
 * small, independent streams in one file, unlike the store's one log.
 *
 *     key "account-17":  1  2  3  4  5  6          events, numbered by their owner, strictly upwards
 *                                 ▲
 *                                 snapshot at 4: what the events up to 4 amount to
 *
 * A request is answered after the commit that holds it; what gathered while the last commit ran is the next one.
 */

/** An event. `data` is JSON; what it means is its owner's business. */
export interface JournalEvent {
  /** Well-formed Unicode, not empty. */
  readonly key: string;
  /** Greater than those of all events of the key so far; at least 1. */
  readonly sequence: number;
  /** Wall-clock ms. */
  readonly createdAt: number;
  /** It keeps its place in the numbering and means nothing any more. */
  readonly isDeleted: boolean;
  readonly tags: readonly string[];
  readonly data: string;
}

/** What the events of a key up to `sequence` amount to, as JSON. */
export interface JournalSnapshot {
  readonly key: string;
  readonly sequence: number;
  /** Wall-clock ms. */
  readonly createdAt: number;
  readonly data: string;
}

/** Stores an event. */
export interface PersistRequest {
  readonly op: 'persist';
  readonly event: JournalEvent;
  /** It was asked for before, of a writer that died: if exactly this event is there, it was stored then. */
  readonly again: boolean;
}

/** Stores a snapshot, in the place of one with the same sequence; older ones beyond those that are kept go. */
export interface TakeSnapshotRequest {
  readonly op: 'take-snapshot';
  readonly snapshot: JournalSnapshot;
}

/** Asks for the snapshot with the highest sequence: a {@link JournalSnapshot} or null. */
export interface LatestSnapshotRequest {
  readonly op: 'latest-snapshot';
  readonly key: string;
}

/** Asks for a page of events in order: an {@link EventPage}. */
export interface ReadRequest {
  readonly op: 'read';
  readonly key: string;
  /** Only events behind this one. */
  readonly after: number;
  /** Only events up to this one. */
  readonly upTo: number;
  readonly countMax: number;
  /** Only events that have all of these. */
  readonly tags: readonly string[];
}

/**
 * Takes away data and tags of events, as far as one step goes: a {@link DeletedStep}. The event stays as a deleted one as
 * long as a living one stands before it, or it is the last; so the numbering goes on.
 */
export interface DeleteEventsRequest {
  readonly op: 'delete-events';
  readonly key: string;
  readonly from: number;
  readonly upTo: number;
}

/** Takes away the snapshots up to a sequence: how many. */
export interface DeleteSnapshotsRequest {
  readonly op: 'delete-snapshots';
  readonly key: string;
  readonly upTo: number;
}

export type JournalRequest =
  | PersistRequest
  | TakeSnapshotRequest
  | LatestSnapshotRequest
  | ReadRequest
  | DeleteEventsRequest
  | DeleteSnapshotsRequest;

/** Some events, and where to go on: it need not be full when there are more. */
export interface EventPage {
  readonly events: readonly JournalEvent[];
  /** Ask again behind this one, if not done. */
  readonly next: number;
  /** The last event of the key, within `upTo`, when this page was read: up to there goes a consistent reading. */
  readonly last: number;
  readonly done: boolean;
}

/** Ask again from `next`, if not done. */
export interface DeletedStep {
  readonly deleted: number;
  readonly next: number;
  readonly done: boolean;
}

/** Why a request came to nothing. */
export const JournalFailure = {
  /** The commit failed; the same request may work later. */
  diskFull: 'disk-full',
  readOnly: 'read-only',
  io: 'io',
  /** The file is damaged. */
  corrupt: 'corrupt',
  /** An event with this sequence, or one behind it, is stored already: somebody else writes under this key. */
  sequence: 'sequence',
  /** An earlier event of the key failed, and this one was under way behind it: stored, it would leave a hole. */
  behind: 'behind',
  /** Too much is waiting already. */
  busy: 'busy',
  /** What was asked for makes no sense, or cannot be written as JSON. */
  argument: 'argument',
  /** The journal was closed. */
  closed: 'closed',
  /** The thread of the journal died: whether this was stored is not known. */
  lost: 'lost',
} as const;
export type JournalFailure = (typeof JournalFailure)[keyof typeof JournalFailure];

/** The answer to one request. What `value` is depends on the request. */
export type JournalAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: JournalFailure; readonly message: string };

/** What a writer works on: one file, one thread. Writes of one batch are one commit; a read is a batch of its own. */
export interface Journal {
  /** Begins a batch. */
  begin(): void;
  /** Does one request. An answer that is ok counts only once {@link commit} has answered null. */
  apply(request: JournalRequest): JournalAnswer;
  /** Ends the batch: null, or why nothing of it was stored. */
  commit(): JournalFailure | null;
  close(): void;
}

/** Whether a request changes something. */
export function isWrite(request: JournalRequest): boolean {
  return request.op !== 'read' && request.op !== 'latest-snapshot';
}

/** The key under which a request must not overtake an event that was refused; null if there is none. */
export function orderedKey(request: JournalRequest): string | null {
  if (request.op === 'persist') return request.event.key;
  return request.op === 'take-snapshot' ? request.snapshot.key : null;
}
