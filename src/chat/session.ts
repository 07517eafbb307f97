import type { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook } from '../actors/receiver.js';
import { HotProcess, type ModuleSlot, type ModuleVersion } from '../hot-code/index.js';
import { CloseCode, closeName } from '../protocol/index.js';
import { type ConnectionHandler, SendResult, type Socket } from '../transport/socket.js';
import type { SessionModule } from './chat-modules.js';
import type { ChatNode } from './chat-node.js';
import { Ephemerals } from './ephemerals.js';
import type { SessionMessage, SocketMessage } from './messages.js';
import { SessionOutput } from './session-output.js';
import { Due, Phase, SessionState } from './session-state.js';
import { WaitingRequests } from './waiting-requests.js';

const socketMessage: SocketMessage = {
  type: 'socket',
  bytes: new Uint8Array(0),
  isBinary: true,
  hasWaited: false,
};
const DRAINED = { type: 'drained' } as const;

/**
 * The process of one connection. It decodes what the client sends, submits sends and acknowledgements to the
 * store, and writes what comes for its user, in push or pull mode (see {@link DeliveryWindow}).
 *
 * This is the part of it that stays: its socket and its output. What it does with a message is the module `session`
 * (handlers/session.ts), which can be changed while it lives; what that remembers is a {@link SessionState}.
 *
 * It is also the handler of its socket: a message that finds the process idle is handled inside the socket's
 * callback, without a copy. A crash ends this connection and nothing else; the socket is closed with it.
 *
 * Exit reasons: `normal` (the connection is over, by whoever's wish); `shutdown` (its supervisor wants it so);
 * anything else is a bug or a kill.
 */
export class Session extends SessionOutput implements ConnectionHandler, ExitHook {
  /** What receives its messages. */
  readonly process: HotProcess<SessionState, SessionMessage>;
  phase: Phase = Phase.opened;
  /** Bytes of socket messages in the mailbox. */
  waitingBytes = 0;
  /** The registrar has not answered this connection's REGISTER or VERIFY yet. */
  registering = false;
  // What an idle session does not need; made when it does.
  ephemeralsMade: Ephemerals | null = null;
  requestsMade: WaitingRequests | null = null;
  #requestsWatched = false;

  constructor(node: ChatNode, self: Process<SessionMessage>, socket: Socket) {
    super(node, self, socket);
    node.stats.sessions++;
    self.label = 'session';
    self.onExit(this);
    const { session } = node.modules;
    this.process = new HotProcess(session, self, new SessionState(this));
    this.#opened(session);
  }

  #opened(slot: ModuleSlot<SessionModule>): void {
    const version = this.process.version as ModuleVersion<SessionModule>;
    try {
      version.exports.opened(this.process.state);
    } catch (error) {
      slot.threw(version, error);
      throw error;
    }
  }

  /** The session behind a receiver, if it is one. */
  static behind(receiver: unknown): Session | null {
    if (!(receiver instanceof HotProcess)) return null;
    const { state } = receiver as HotProcess<unknown, never>;
    const { out } = (state ?? {}) as { readonly out?: unknown };
    return out instanceof Session ? out : null;
  }

  /** For requests: answers are written only while this holds. */
  get isActive(): boolean {
    return this.phase === Phase.active;
  }

  waitingRequests(): WaitingRequests {
    this.requestsMade ??= new WaitingRequests();
    return this.requestsMade;
  }

  watchRequests(ms: number): void {
    if (this.#requestsWatched) return;
    this.#requestsWatched = true;
    this.self.startTimer(ms, Due.requests);
  }

  /** The timer of {@link watchRequests} is over. */
  requestsDue(retryMs: number): void {
    this.#requestsWatched = false;
    const leftMs = this.requestsMade?.expire(this.node.clock.now(), retryMs) ?? 0;
    if (leftMs > 0) this.watchRequests(leftMs);
  }

  ephemerals(): Ephemerals {
    this.ephemeralsMade ??= new Ephemerals();
    return this.ephemeralsMade;
  }

  // ---- the socket's side -------------------------------------------------------------------------------------

  message(bytes: Uint8Array, isBinary: boolean): void {
    if (this.phase === Phase.closing) return;
    socketMessage.bytes = bytes;
    socketMessage.isBinary = isBinary;
    const { runtime } = this.node;
    if (runtime.tryDispatch(this.pid, socketMessage)) return;
    if (this.waitingBytes + bytes.length > this.node.limits.waitingBytesMax) {
      this.#closeFull();
      return;
    }
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    this.waitingBytes += bytes.length;
    runtime.send(this.pid, { type: 'socket', bytes: copy, isBinary, hasWaited: true });
  }

  /** The client sends more than the process gets to: what it has sent since is not acknowledged, and comes again. */
  #closeFull(): void {
    this.node.stats.overloaded++;
    this.phase = Phase.closing;
    this.socket.close(CloseCode.overloaded, closeName(CloseCode.overloaded));
  }

  drained(): void {
    this.node.runtime.send(this.pid, DRAINED);
  }

  closed(code: number, reason: string): void {
    this.node.runtime.send(this.pid, { type: 'socket-closed', code, reason });
  }

  /** The corks have handed this turn's frames to the socket. */
  flushed(result: SendResult): void {
    if (result !== SendResult.dropped || this.phase === Phase.closing) return;
    // The socket takes nothing more: acknowledgements would be lost silently. The client comes back and resumes.
    this.node.stats.slowConsumers++;
    this.phase = Phase.closing;
    this.socket.close(CloseCode.slowConsumer, closeName(CloseCode.slowConsumer));
  }

  /** Whatever the process ended of, the socket goes with it, as an Erlang port does with its owner. */
  processExited(_process: Pid, reason: ExitReason): void {
    this.node.sessions.remove(this.requester);
    this.node.stats.sessions--;
    this.requestsMade?.drop();
    if (this.phase === Phase.closing) {
      this.node.corks.discard(this);
      return;
    }
    this.phase = Phase.closing;
    const code = reason.type === 'shutdown' ? CloseCode.goingAway : CloseCode.internalError;
    this.node.corks.flushNow(this);
    this.socket.close(code, closeName(code));
  }
}
