import { isOrderly } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Runtime } from '../actors/runtime.js';
import type { ChatLimits } from '../chat/chat-limits.js';
import type { ChatNode } from '../chat/chat-node.js';
import { ChatStats } from '../chat/chat-stats.js';
import { HandlerTable } from '../chat/handler-table.js';
import { requestHandlers } from '../chat/handlers/index.js';
import type { PartitionMessage, RegistrarMessage, SessionMessage } from '../chat/messages.js';
import type { RegistrarOptions } from '../chat/registrar.js';
import { Requesters } from '../chat/requesters.js';
import type { Session } from '../chat/session.js';
import { StoreDispatch } from '../chat/store-dispatch.js';
import { CloseCode, closeName, FrameWriter, SERVER_MESSAGE_BYTES_MAX } from '../protocol/index.js';
import { PARTITIONS, type StorePort } from '../storage/stores.js';
import type { Clock } from '../structures/clock.js';
import { Corks } from '../transport/cork.js';
import type { ConnectionAcceptor, ConnectionHandler, Socket } from '../transport/socket.js';
import { startChatTree } from './tree.js';

/** What a scheduler's chat is made of; over real parts in a thread, over simulated ones in the simulation. */
export interface ChatSchedulerParts {
  readonly name: string;
  readonly version: string;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly store: StorePort;
  readonly epoch: number;
  readonly limits: ChatLimits;
  readonly registrar: RegistrarOptions;
  /** The top of the tree has given up: this scheduler cannot go on. */
  readonly onGaveUp: (reason: string) => void;
}

/**
 * The chat of one scheduler: its processes under their supervisors, and the doors through which sockets and store
 * events come in.
 */
export class ChatScheduler implements ConnectionAcceptor {
  readonly node: ChatNode;
  readonly events: StoreDispatch;
  readonly #startSession: (socket: Socket) => Session | null;
  readonly #partitions: (Pid<PartitionMessage> | undefined)[] = new Array(PARTITIONS).fill(undefined);
  #registrar: Pid<RegistrarMessage> | undefined;

  constructor(parts: ChatSchedulerParts) {
    const { clock } = parts;
    let flushAhead = false;
    const flush = () => {
      flushAhead = false;
      corks.flush();
    };
    const corks = new Corks<FrameWriter, Session>({
      makeWriter: () => new FrameWriter(SERVER_MESSAGE_BYTES_MAX, 4096),
      poolMax: 1024,
      keptBytesMax: 64 * 1024,
      // One flush for all that a turn of the event loop wrote: sockets first, then the run queue, then this.
      onDirty: () => {
        if (flushAhead) return;
        flushAhead = true;
        clock.defer(flush);
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
      handlers: new HandlerTable(requestHandlers),
      sessions: new Requesters<Pid<SessionMessage>>(),
      partition: (index) => this.#partitions[index],
      registrar: () => this.#registrar,
    };
    this.events = new StoreDispatch(this.node);
    const tree = startChatTree({
      node: this.node,
      registrar: parts.registrar,
      onPartition: (index, pid) => this.#partitionStarted(index, pid),
      onRegistrar: (pid) => {
        this.#registrar = pid;
      },
      onExit: (reason) => {
        if (!isOrderly(reason)) parts.onGaveUp(reason.type);
      },
    });
    this.#startSession = tree.startSession;
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

  #partitionStarted(index: number, pid: Pid<PartitionMessage>): void {
    const restarted = this.#partitions[index] !== undefined;
    this.#partitions[index] = pid;
    if (!restarted) return;
    const { runtime, sessions } = this.node;
    sessions.forEach((session) => runtime.send(session, { type: 'partition-restarted', partition: index }));
  }
}
