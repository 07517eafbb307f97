import type { Pid } from '../actors/pid.js';
import type { Runtime } from '../actors/runtime.js';
import type { FrameWriter } from '../protocol/index.js';
import type { StorePort } from '../storage/stores.js';
import type { Clock } from '../structures/clock.js';
import type { Corks } from '../transport/cork.js';
import type { ChatLimits } from './chat-limits.js';
import type { ChatStats } from './chat-stats.js';
import type { HandlerTable } from './handler-table.js';
import type { PartitionMessage, RegistrarMessage, SessionMessage } from './messages.js';
import { Requesters } from './requesters.js';
import type { SessionOutput } from './session-output.js';

/**
 * What the chat processes of one scheduler share. Made once by the composition root, handed to each process;
 * nothing in it belongs to one user.
 */
export interface ChatNode {
  readonly name: string;
  readonly version: string;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly store: StorePort;
  /** The incarnation of the database. */
  readonly epoch: number;
  readonly corks: Corks<FrameWriter, SessionOutput>;
  readonly limits: ChatLimits;
  readonly stats: ChatStats;
  readonly handlers: HandlerTable;
  /** The sessions of this scheduler, by the number that the store echoes. */
  readonly sessions: Requesters<Pid<SessionMessage>>;
  /** The process that owns a partition's inboxes now, or undefined while it is being restarted. */
  partition(partition: number): Pid<PartitionMessage> | undefined;
  registrar(): Pid<RegistrarMessage> | undefined;
  /** The last number that the registrar has used at the store. */
  lastRegistrarRequest: number;
}

/**
 * Requester numbers that are not a session's: those of slot 0, which no session has. 0 is nobody; the others are the
 * registrar's, one for each request under way, so that an answer that was lost or came twice concerns one request.
 */
export const Requester = {
  /** Nobody wants the result. */
  nobody: 0,

  isRegistrar(requester: number): boolean {
    return requester !== 0 && requester % Requesters.slotsMax === 0;
  },

  /** The registrar's number behind `last`. The row goes on over its incarnations, so that none hears of another's. */
  nextOfRegistrar(last: number): number {
    const next = last + Requesters.slotsMax;
    return next >= 2 ** 32 ? Requesters.slotsMax : next;
  },
} as const;
