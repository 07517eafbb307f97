/**
 * The whole supervision tree of the server.
 *
 * ```
 * main thread                                     scheduler-1 (a thread of its own, like each scheduler-n)
 *
 * rookery              one_for_one, 5 in 60 s     scheduler-1        rest_for_one, 3 in 60 s
 * ├─ alerts            rest_for_one, 10 in 60 s   ├─ registrar       PINs, device keys
 * │  ├─ alarm_handler  GenEvent                   ├─ partitions      one_for_one, 20 in 10 s: its share
 * │  ├─ monitor        what is wrong              │  ├─ 0            who is online, inboxes in log order
 * │  └─ sinks          whom to tell: log, …       │  └─ …
 * ├─ writer-1          thread: SQLite             ├─ sessions        DynamicSupervisor
 * ├─ scheduler-1       one_for_one, 5 in 60 s     │  └─ session …    one for each connection, temporary
 * │  └─ scheduler-1    thread: ─────────────────▶ └─ listener        the ports; first to go
 * ├─ …
 * └─ scheduler-n
 *    └─ scheduler-n    thread
 * ```
 *
 * - A session that crashes takes its connection with it and nothing else: its client comes back.
 * - A partition that crashes is started again at once; its sessions attach anew and pull what they missed.
 * - Partitions that crash again and again end their supervisor, and with it (rest_for_one) all sessions and the
 *   listener; the scheduler's supervisor tries three times a minute, then the thread ends.
 * - A scheduler's thread that ends is started again by the main thread; meanwhile its partitions run on the others, and
 *   its clients come back to these. One that ends more than five times a minute is left out for a minute.
 * - A sink of alerts that crashes is started again; one that crashes again and again is left out, alone. If the alerts
 *   themselves do, the server goes on without them, and says so.
 * - A writer that ends so often, and schedulers of which none is left, end the server with exit code 1, and whoever
 *   supervises the machine has the next word.
 */
import { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { Receiver } from '../actors/receiver.js';
import type { Runtime } from '../actors/runtime.js';
import { type Started, type StartOutcome, started } from '../actors/start-result.js';
import type { ChatNode } from '../chat/chat-node.js';
import type { RegistrarMessage, SessionMessage } from '../chat/messages.js';
import { Registrar, type RegistrarOptions } from '../chat/registrar.js';
import { Session } from '../chat/session.js';
import { type ChildSpec, DynamicSupervisor, Supervisor } from '../supervisors/index.js';
import type { Listener } from '../transport/listener.js';
import type { Socket } from '../transport/socket.js';
import { ListenerProcess } from './listener-process.js';
import type { OwnPartitions } from './own-partitions.js';

const MINUTE_MS = 60_000;

export interface ChatTreeParts {
  readonly node: ChatNode;
  /** Which scheduler it is: 1, 2, … */
  readonly place: number;
  readonly partitions: OwnPartitions;
  readonly registrar: RegistrarOptions;
  /** Opens the port; called again when the listener is restarted. Null: sockets come in by another way. */
  readonly listen: (() => Listener) | null;
  readonly onRegistrar: (pid: Pid<RegistrarMessage>) => void;
  /** The top supervisor has ended. */
  readonly onExit: (reason: ExitReason) => void;
}

export interface ChatTree {
  /** A process for a new connection; null when there can be no more. */
  readonly startSession: (socket: Socket) => Session | null;
  readonly top: Pid;
}

/** A start that failed is pending until the children that had started have ended: they need turns for it, and no time. */
function settle<P extends Pid>(runtime: Runtime, outcome: StartOutcome<P>): Started<P> {
  if (outcome.pending === undefined) return outcome;
  let settled: Started<P> | null = null;
  runtime.spawn<never>(
    function* () {
      settled = yield* started(outcome);
    },
    { label: 'starting' },
  );
  runtime.flush();
  if (settled === null) throw new Error('the start of the scheduler’s processes does not come to an end');
  return settled;
}

/** Starts the processes of a scheduler. Throws when one of them cannot be started. */
export function startChatTree(parts: ChatTreeParts): ChatTree {
  const { node, place, partitions, listen } = parts;
  const { runtime } = node;
  // Names are those of the whole node.
  const sessions = `sessions-${place}`;
  const outcome = Supervisor.start(runtime, {
    label: `scheduler-${place}`,
    strategy: 'rest_for_one',
    intensity: 3,
    periodMs: MINUTE_MS,
    children: [
      {
        id: 'registrar',
        start: (supervisor) => {
          const pid = supervisor.spawnLink<RegistrarMessage>(
            (self) => new Registrar(node, self, parts.registrar),
          );
          parts.onRegistrar(pid);
          return pid;
        },
      },
      {
        id: 'partitions',
        type: 'supervisor',
        start: (supervisor) => Supervisor.startLink(supervisor, partitions.specification(node)),
      },
      DynamicSupervisor.child('sessions', { name: sessions }),
      ...(listen === null
        ? []
        : [
            {
              id: 'listener',
              start: (supervisor: Process<never>) =>
                supervisor.spawnLink<never>((self) => new ListenerProcess(self, listen)),
            },
          ]),
    ],
  });
  const result = settle(runtime, outcome);
  if (result.ok === undefined) {
    if (result.error === undefined) throw new Error('the scheduler’s supervisor has nothing to do');
    const cause = result.error.type === 'error' ? result.error.error : result.error;
    throw new Error('the scheduler’s processes could not be started', { cause });
  }
  const top = result.ok;
  watch(runtime, top, parts.onExit);
  return {
    top,
    startSession: (socket) => {
      let session: Session | null = null;
      const result = DynamicSupervisor.startChild<SessionMessage>(runtime, sessions, {
        id: 'session',
        restart: 'temporary',
        start: (supervisor) =>
          supervisor.spawnLink<SessionMessage>((self) => {
            session = new Session(node, self, socket);
            return session.process;
          }),
      });
      return result.ok === undefined ? null : session;
    },
  };
}

export interface MainTree {
  /** Adds a thread: started now, and again whenever it ends otherwise than in order. */
  addThread<M>(name: string, start: (self: Process<M>) => Receiver<M>): void;
  /** The same, but one that ends too often is given up, and `gaveUp` called: nothing else ends with it. */
  addScheduler<M>(name: string, start: (self: Process<M>) => Receiver<M>, gaveUp: () => void): void;
  /** Adds something that the server can do without. When it has ended too often `gaveUp` is called. */
  addOptional(spec: ChildSpec, gaveUp: (reason: ExitReason) => void): void;
}

const THREAD_INTENSITY = { intensity: 5, periodMs: MINUTE_MS };

/** Starts the top of the main thread's tree, still without threads. */
export function startMainTree(runtime: Runtime, onExit: (reason: ExitReason) => void): MainTree {
  const started = Supervisor.start(runtime, {
    label: 'rookery',
    strategy: 'one_for_one',
    ...THREAD_INTENSITY,
  });
  if (started.ok === undefined) throw new Error('the root supervisor could not be started');
  const top = started.ok;
  watch(runtime, top, onExit);
  // An orderly end is one that was asked for.
  const thread = <M>(id: string, start: (self: Process<M>) => Receiver<M>): ChildSpec => ({
    id,
    restart: 'transient',
    start: (supervisor) => supervisor.spawnLink<M>(start),
  });
  return {
    addThread<M>(name: string, start: (self: Process<M>) => Receiver<M>) {
      Supervisor.startChild(runtime, top, thread(name, start));
    },
    addScheduler<M>(name: string, start: (self: Process<M>) => Receiver<M>, gaveUp: () => void) {
      const children = [thread(name, start)];
      const spec = Supervisor.child(name, { ...THREAD_INTENSITY, children }, { restart: 'temporary' });
      const { ok } = Supervisor.startChild(runtime, top, spec);
      if (ok === undefined) gaveUp();
      else watch(runtime, ok, gaveUp);
    },
    addOptional(spec: ChildSpec, gaveUp: (reason: ExitReason) => void) {
      const { ok } = Supervisor.startChild(runtime, top, { ...spec, restart: 'temporary' });
      if (ok === undefined) gaveUp(ExitReason.noproc);
      else watch(runtime, ok, gaveUp);
    },
  };
}

/** Tells when a process ends. */
function watch(runtime: Runtime, pid: Pid, onExit: (reason: ExitReason) => void): void {
  runtime.spawn<never>(
    (self) => {
      self.monitor(pid);
      return {
        receive(message) {
          if (message.type === 'DOWN') onExit(message.reason);
        },
      };
    },
    { label: 'watch' },
  );
}
