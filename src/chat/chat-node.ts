import type { Pid } from '../actors/pid.js';
import type { Runtime } from '../actors/runtime.js';
import type { FrameWriter } from '../protocol/index.js';
import type { StorePort } from '../storage/stores.js';
import type { Clock } from '../structures/clock.js';
import type { Corks } from '../transport/cork.js';
import type { ChatLimits } from './chat-limits.js';
import type { ChatModules } from './chat-modules.js';
import type { ChatStats } from './chat-stats.js';
import type { MessageMarks } from './message-marks.js';
import type { PartitionMessage, RegistrarMessage, SessionMessage } from './messages.js';
import type { Occupancy } from './occupancy.js';
import type { Requesters, RequestNumbers } from './requesters.js';
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
  readonly occupancy: Occupancy;
  /** When sampled messages passed here. */
  readonly marks: MessageMarks;
  /** What can be changed while it runs. */
  readonly modules: ChatModules;
  /** The sessions of this scheduler, by the number that the store echoes. */
  readonly sessions: Requesters<Pid<SessionMessage>>;
  /** The process that owns a partition's inboxes now, here or on another scheduler; undefined before its first start. */
  partition(partition: number): Pid<PartitionMessage> | undefined;
  /** The same, if it lives on this scheduler. */
  ownPartition(partition: number): Pid<PartitionMessage> | undefined;
  /** The port that leads to the scheduler of a partition; 0: it is this one, or there is no such port. */
  homePort(partition: number): number;
  registrar(): Pid<RegistrarMessage> | undefined;
  /** Numbers for what the registrar and the partitions of this scheduler ask the store. */
  readonly requests: RequestNumbers;
}
