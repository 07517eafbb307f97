import type { Pid } from '../actors/pid.js';
import type { EphemeralKind } from '../protocol/index.js';
import type {
  Account,
  AppendStatus,
  CommandKind,
  ControlResult,
  DeviceId,
  Entry,
  EntryKind,
  Seq,
  StoreFailure,
  UserId,
} from '../storage/stores.js';

/**
 * Everything that sessions, partitions and the registrar say to each other. Plain data, so that each of them may
 * live on another scheduler than its partner.
 *
 * Messages made for each frame or store event (`socket`, `appended`, `entry`, …) exist once for each scheduler and
 * are refilled when their receiver can take them at once on this stack; only when it cannot are they copied.
 */

/** A WebSocket message from the client. */
export interface SocketMessage {
  readonly type: 'socket';
  bytes: Uint8Array;
  isBinary: boolean;
  /** It has waited in the mailbox: its bytes are counted there. */
  readonly hasWaited: boolean;
}
/** The socket's send buffer shrank. */
export interface Drained {
  readonly type: 'drained';
}
/** The socket is gone. */
export interface SocketClosed {
  readonly type: 'socket-closed';
  readonly code: number;
  readonly reason: string;
}

/** Result of an append. */
export interface Appended {
  readonly type: 'appended';
  ref: number;
  status: AppendStatus;
  seq: Seq;
  time: number;
  partition: number;
  highest: number;
}
export interface Controlled {
  readonly type: 'controlled';
  readonly requester: number;
  /** The session's number for its question. */
  readonly ref: number;
  readonly result: ControlResult;
}
/** A command of this process could not be made durable. */
export interface StoreFailed {
  readonly type: 'store-failed';
  readonly command: CommandKind;
  readonly ref: number;
  readonly failure: StoreFailure;
  /** For the partition: what the failed read or lookup was for. */
  readonly requester: number;
}

/** A new entry in an inbox; forwarded from the partition to the user's session as it is. */
export interface EntryMessage {
  readonly type: 'entry';
  inbox: UserId;
  seq: Seq;
  time: number;
  kind: EntryKind;
  from: UserId;
  ref: number;
  partition: number;
  source: Uint8Array;
  bodyStart: number;
  bodyEnd: number;
}
/** What was read for a pull. */
export interface PageMessage {
  readonly type: 'page';
  /** The partition's number for the read. */
  readonly requester: number;
  /** The session's number for the pull. */
  ref: number;
  readonly inbox: UserId;
  readonly entries: readonly Entry[];
  readonly hasMore: boolean;
}
export interface AccountMessage {
  readonly type: 'account';
  readonly requester: number;
  readonly account: Account;
}
export interface DeviceReplacedMessage {
  readonly type: 'device-replaced';
  readonly user: UserId;
  readonly device: DeviceId;
}
export interface TruncatedMessage {
  readonly type: 'truncated';
  readonly inbox: UserId;
  readonly truncated: Seq;
}

/** Session → partition: this connection claims to be `user`'s device. */
export interface Attach {
  readonly type: 'attach';
  readonly session: Pid<SessionMessage>;
  /** The session's number at the store: no other session of the server has it. */
  readonly requester: number;
  readonly user: UserId;
  readonly device: DeviceId;
  /** Null: the session was attached before to an earlier incarnation of this partition. */
  readonly key: Uint8Array | null;
  readonly epoch: number;
  readonly seq: Seq;
  readonly active: boolean;
}
export const ResumeState = { resumed: 0, reset: 1, truncated: 2 } as const;
export type ResumeState = (typeof ResumeState)[keyof typeof ResumeState];
export interface Attached {
  readonly type: 'attached';
  readonly state: ResumeState;
  readonly head: Seq;
  readonly acked: Seq;
  readonly truncated: Seq;
  readonly pendingCount: number;
  readonly pendingBytes: number;
}
export interface AttachRefused {
  readonly type: 'attach-refused';
  readonly reason: 'credentials' | 'device-replaced' | 'store';
}
/** Partition → session: another connection took the place of this one. */
export interface Superseded {
  readonly type: 'superseded';
  readonly by: 'connection' | 'device';
}
/** To every session of a scheduler: these partitions have begun anew, here or elsewhere, and know nobody. */
export interface PartitionsBegun {
  readonly type: 'partitions-begun';
  readonly partitions: ReadonlySet<number>;
}

/**
 * Store → partitions → the sessions of users: entries may have been committed that nobody was told of. A session
 * attaches anew and pulls what it missed.
 */
export interface Resync {
  readonly type: 'resync';
}

/** Session → partition: read on behalf of a pull. */
export interface Pull {
  readonly type: 'pull';
  readonly session: Pid<SessionMessage>;
  /** The session's own number for it; comes back with the page. */
  readonly ref: number;
  readonly user: UserId;
  readonly after: Seq;
  readonly countMax: number;
  readonly bytesMax: number;
}
/** Session → partition: stop forwarding entries until the next complete page. */
export interface Pause {
  readonly type: 'pause';
  readonly session: Pid<SessionMessage>;
  readonly user: UserId;
}
export interface PullRefused {
  readonly type: 'pull-refused';
}
export interface Activity {
  readonly type: 'activity';
  readonly session: Pid<SessionMessage>;
  readonly user: UserId;
  readonly active: boolean;
}
/** Session → partition: the user has (un)blocked somebody. */
export interface Blocking {
  readonly type: 'blocking';
  readonly session: Pid<SessionMessage>;
  readonly user: UserId;
  readonly peer: UserId;
  readonly on: boolean;
}

/** Something of the moment: never stored, the latest wins, the first to be dropped. */
export interface Ephemeral {
  readonly type: 'ephemeral';
  readonly kind: EphemeralKind;
  readonly to: UserId;
  readonly from: UserId;
  readonly value: number;
  readonly time: number;
}
export interface Watch {
  readonly type: 'watch';
  readonly session: Pid<SessionMessage>;
  readonly watcher: UserId;
  readonly user: UserId;
  readonly on: boolean;
}
/** Asks a session to leave: GOAWAY, then close after the grace. */
export interface Leave {
  readonly type: 'leave';
  readonly delayMs: number;
  readonly graceMs: number;
}

/** Session → registrar. */
export interface AskPin {
  readonly type: 'ask-pin';
  readonly session: Pid<SessionMessage>;
  readonly ref: number;
  readonly user: UserId;
  readonly address: string;
}
export interface VerifyPin {
  readonly type: 'verify-pin';
  readonly session: Pid<SessionMessage>;
  readonly ref: number;
  readonly user: UserId;
  readonly pin: string;
  readonly name: string;
  readonly address: string;
}
/** Registrar → session. */
export interface PinSent {
  readonly type: 'pin-sent';
  readonly ref: number;
  readonly digits: number;
  readonly expiresMs: number;
  readonly resendAfterMs: number;
}
export interface Registered {
  readonly type: 'registered';
  readonly ref: number;
  readonly user: UserId;
  readonly device: DeviceId;
  readonly key: Uint8Array;
  readonly firstMessageId: number;
}
export interface RegistrationRefused {
  readonly type: 'registration-refused';
  readonly ref: number;
  readonly reason: 'limited' | 'wrong-pin' | 'gateway' | 'store';
  readonly retryAfterMs: number;
  readonly triesLeft: number;
}

export type SessionMessage =
  | SocketMessage
  | Drained
  | SocketClosed
  | Appended
  | Controlled
  | StoreFailed
  | EntryMessage
  | PageMessage
  | Attached
  | AttachRefused
  | Superseded
  | TruncatedMessage
  | PartitionsBegun
  | Resync
  | PullRefused
  | Ephemeral
  | Leave
  | PinSent
  | Registered
  | RegistrationRefused;

export type PartitionMessage =
  | EntryMessage
  | PageMessage
  | AccountMessage
  | DeviceReplacedMessage
  | TruncatedMessage
  | Resync
  | StoreFailed
  | Attach
  | Pull
  | Pause
  | Activity
  | Blocking
  | Ephemeral
  | Watch;

export type RegistrarMessage = AskPin | VerifyPin | Controlled | StoreFailed | Resync;
