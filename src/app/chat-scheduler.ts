import { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { Runtime } from '../actors/runtime.js';
import type { ChatLimits } from '../chat/chat-limits.js';
import type { ChatNode } from '../chat/chat-node.js';
import { ChatStats } from '../chat/chat-stats.js';
import { MessageMarks } from '../chat/message-marks.js';
import type { PartitionMessage, RegistrarMessage, SessionMessage } from '../chat/messages.js';
import { Occupancy } from '../chat/occupancy.js';
import type { RegistrarOptions } from '../chat/registrar.js';
import { Requesters, RequestNumbers } from '../chat/requesters.js';
import { Session } from '../chat/session.js';
import type { SessionOutput } from '../chat/session-output.js';
import { StoreDispatch } from '../chat/store-dispatch.js';
import { CloseCode, closeName, FrameWriter, SERVER_MESSAGE_BYTES_MAX } from '../protocol/index.js';
import { PARTITIONS, type StorePort, type UserId } from '../storage/stores.js';
import type { Clock } from '../structures/clock.js';
import { Corks } from '../transport/cork.js';
import type { Listener } from '../transport/listener.js';
import type { ConnectionAcceptor, ConnectionHandler, Socket } from '../transport/socket.js';
import { type ChatCode, chatCode } from './chat-code.js';
import { OwnPartitions } from './own-partitions.js';
import { PartitionDirectory } from './partition-directory.js';
import { startChatTree } from './tree.js';

/** What a scheduler's chat is made of; over real parts in a thread, over simulated ones in the simulation. */
export interface ChatSchedulerParts {
  readonly name: string;
  readonly version: string;
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Added to the clock it is the time of all threads of the process. Default 0. */
  readonly timeOffsetMs?: number;
  readonly store: StorePort;
  readonly epoch: number;
  /** Which of the schedulers it is: 1, 2, … */
  readonly place: number;
  /** Number of this start of a scheduler among all that the server has seen. */
  readonly incarnation: number;
  readonly limits: ChatLimits;
  readonly registrar: RegistrarOptions;
  /** Opens the port for this acceptor. Null: sockets come in by another way. */
  readonly listen: ((acceptor: ConnectionAcceptor) => Listener) | null;
  /** A partition's process has begun here, for the first time or again: the other schedulers are to hear of it. */
  readonly onPartition: (index: number, pid: Pid<PartitionMessage>) => void;
  /** Its modules; without them those of the program, which never change. */
  readonly code?: ChatCode;
  /** The top of the tree has ended: because it was told to, or because it gave up. */
  readonly onEnd: (reason: ExitReason) => void;
}

/**
 * The chat of one scheduler: its processes under their supervisors, and the doors through which sockets and store
 * events come in. It runs the partitions that it is told to, none at first, and is told where the others are.
 */
export class ChatScheduler implements ConnectionAcceptor {
  readonly node: ChatNode;
  readonly events: StoreDispatch;
  readonly #startSession: (socket: Socket) => Session | null;
  /** The top supervisor. */
  readonly top: Pid;
  readonly #partitions: OwnPartitions;
  readonly #directory = new PartitionDirectory(PARTITIONS);
  /** Partitions that have moved or begun anew, and whose sessions have not heard of it. */
  #begun = new Set<number>();
  #registrar: Pid<RegistrarMessage> | undefined;

  constructor(parts: ChatSchedulerParts) {
    const { clock } = parts;
    const directory = this.#directory;
    const { modules } = parts.code ?? chatCode({ runtime: parts.runtime, clock });
    let flushAhead = false;
    const flush = () => {
      flushAhead = false;
      corks.flush();
    };
    const corks = new Corks<FrameWriter, SessionOutput>({
      makeWriter: () => new FrameWriter(SERVER_MESSAGE_BYTES_MAX, 4096),
      poolMax: 1024,
      keptBytesMax: 64 * 1024,
      // One flush for all that a turn of the event loop wrote: sockets first, then the run queue, then this.
      onDirty: () => {
        if (flushAhead) return;
        clock.defer(flush);
        flushAhead = true;
      },
      onFlushed: (session, result) => session.flushed(result),
    });
    this.node = {
      name: parts.name,
      version: parts.version,
      runtime: parts.runtime,
      clock,
      store: parts.store,
      epoch: parts.epoch,
      corks,
      limits: parts.limits,
      stats: new ChatStats(),
      occupancy: new Occupancy(),
      marks: new MessageMarks(clock, parts.timeOffsetMs ?? 0),
      modules,
      sessions: new Requesters<Pid<SessionMessage>>(parts.incarnation),
      requests: new RequestNumbers(parts.incarnation),
      partition: (index) => directory.get(index),
      ownPartition: (index) => directory.own(index),
      homePort: (index) => directory.homePort(index),
      registrar: () => this.#registrar,
    };
    this.events = new StoreDispatch(this.node);
    this.#partitions = new OwnPartitions(parts.runtime, parts.place, (index, pid) => {
      directory.startedHere(index, pid);
      this.#tellSessions(index);
      parts.onPartition(index, pid);
    });
    const tree = startChatTree({
      node: this.node,
      place: parts.place,
      registrar: parts.registrar,
      partitions: this.#partitions,
      listen: parts.listen === null ? null : () => (parts.listen as NonNullable<typeof parts.listen>)(this),
      onRegistrar: (pid) => {
        this.#registrar = pid;
      },
      onExit: (reason) => {
        parts.onEnd(reason);
      },
    });
    this.#startSession = tree.startSession;
    this.top = tree.top;
  }

  /** A new connection: one process, under the sessions' supervisor. */
  opened(socket: Socket): ConnectionHandler | null {
    const session = this.#startSession(socket);
    if (session === null) socket.close(CloseCode.overloaded, closeName(CloseCode.overloaded));
    return session;
  }

  /** Sends every session away: each hears when to come back, spread over the jitter, and is closed after the grace. */
  leave(graceMs: number, jitterMs: number): void {
    const { runtime, sessions } = this.node;
    sessions.forEach((session) => {
      runtime.send(session, { type: 'leave', delayMs: runtime.random.next() * jitterMs, graceMs });
    });
  }

  /** The session of a user that is online on this scheduler. */
  sessionOf(user: UserId): Pid<SessionMessage> | undefined {
    let found: Pid<SessionMessage> | undefined;
    this.node.sessions.forEach((pid) => {
      const { receiver } = pid as unknown as { receiver: unknown };
      if (Session.behind(receiver)?.user === user) found = pid;
    });
    return found;
  }

  /** Messages in the mailboxes of sessions and partitions. Walks through all of them: for people, not for loops. */
  mailboxes(): { waiting: number; longest: number } {
    let waiting = 0;
    let longest = 0;
    const count = (pid: Pid | undefined) => {
      const length = (pid as Process<never> | undefined)?.mailboxLength ?? 0;
      waiting += length;
      if (length > longest) longest = length;
    };
    this.node.sessions.forEach((pid) => {
      count(pid as Pid);
    });
    for (let index = 0; index < PARTITIONS; index++) count(this.node.ownPartition(index) as Pid | undefined);
    return { waiting, longest };
  }

  /** Runs these partitions from now on; {@link ChatSchedulerParts.onPartition} follows for each. */
  startPartitions(indexes: readonly number[]): void {
    this.#partitions.start(indexes);
  }

  /** Does not run these partitions any more; `done` when they have ended. */
  stopPartitions(indexes: readonly number[], done: () => void): void {
    for (const index of indexes) this.#directory.stoppedHere(index);
    this.#partitions.stop(indexes, done);
  }

  /** Partitions that it runs. */
  get partitionCount(): number {
    return this.#partitions.size;
  }

  /** A partition runs on another scheduler, which has this home port (0: none). */
  partitionAt(index: number, pid: Pid<PartitionMessage>, homePort: number): void {
    if (pid.scheduler === this.node.runtime.scheduler) return;
    if (this.#directory.startedElsewhere(index, pid, homePort)) this.#tellSessions(index);
  }

  /** Sends the top of the tree away: everything below it ends in order. */
  end(): void {
    this.node.runtime.exit(this.top, ExitReason.shutdown);
  }

  /** In a turn of its own, together with all that change in this one: each session hears of it once. */
  #tellSessions(index: number): void {
    const { runtime, sessions, clock } = this.node;
    const isAhead = this.#begun.size > 0;
    this.#begun.add(index);
    if (isAhead) return;
    clock.defer(() => {
      const partitions = this.#begun;
      this.#begun = new Set();
      sessions.forEach((session) => {
        runtime.send(session, { type: 'partitions-begun', partitions });
      });
    });
  }
}
