import {
  BadArgument,
  type Blocking,
  CallMessage,
  DownMessage,
  ExitMessage,
  ExitReason,
  type From,
  type Pid,
  type Process,
  type Receiver,
  type Ref,
  type Runtime,
  type Started,
} from '../actors/index.js';
import { standIn } from '../actors/stand-in.js';
import { isWaiting, runStart } from '../supervisors/start-child.js';
import type { StartFunction, StartTable } from './start-table.js';

/** What a start server is asked for. */
export interface StartRequest {
  readonly start: string;
  readonly args: readonly unknown[];
}

/** Its answer. A reason comes in an EXIT: so it travels whatever it holds. */
export type StartReply =
  | { readonly ok: Pid; readonly info?: unknown }
  | { readonly ignore: true }
  | ExitMessage;

/** The id of the start server: the first process of its runtime, after `outside`. */
export const START_SERVER_ID = 2 ** 24 + 1;

/** A start under way. */
interface Job {
  readonly from: From<StartReply>;
  /** Watch whoever asked, and the process that starts in its name. */
  readonly asker: Ref;
  readonly starter: Ref;
  readonly starterPid: Pid;
}

/**
 * On every scheduler with a router: starts processes here for supervisors that are elsewhere. Each start runs in a
 * process of its own that stands in for the supervisor; when it is done the child is linked with the supervisor itself,
 * which from then on is its parent. If the supervisor ends before that, so does the child.
 */
class StartServer implements Receiver<never> {
  readonly #self: Process<never>;
  readonly #table: StartTable;
  readonly #jobs = new Map<Ref, Job>();

  constructor(self: Process<never>, table: StartTable) {
    this.#self = self;
    this.#table = table;
  }

  receive(message: unknown): void {
    if (message instanceof CallMessage) {
      this.#begin(message.request as StartRequest, message.from as From<StartReply>);
    } else if (message instanceof DownMessage) {
      const job = this.#jobs.get(message.ref);
      if (job !== undefined) this.#over(job, message);
    }
  }

  #begin({ start, args }: StartRequest, from: From<StartReply>): void {
    const self = this.#self;
    const run = this.#table.get(start);
    if (run === undefined) {
      const error = new BadArgument(`scheduler ${self.scheduler} has no start function ${String(start)}`);
      from.reply(new ExitMessage(self, { type: 'error', error }));
      return;
    }
    const { pid, ref } = self.spawnMonitor<never>((starter) => starting(starter, from, run, args), {
      label: `start of ${start}`,
      trapExit: true,
    });
    const job: Job = { from, asker: self.monitor(from.caller), starter: ref, starterPid: pid };
    this.#jobs.set(job.asker, job);
    this.#jobs.set(job.starter, job);
  }

  #over(job: Job, { ref, reason }: DownMessage): void {
    this.#jobs.delete(ref);
    if (ref === job.asker) {
      // What is being started in its name ends with the one that stands in for it.
      this.#self.runtime.exit(job.starterPid, ExitReason.kill);
      return;
    }
    if (this.#jobs.delete(job.asker)) this.#self.demonitor(job.asker, true);
    // After an answer this one is dropped.
    job.from.reply(new ExitMessage(job.starterPid, reason));
  }
}

function* starting(
  self: Process<never>,
  from: From<StartReply>,
  start: StartFunction,
  args: readonly unknown[],
): Blocking<void> {
  standIn(self, from.caller);
  const running = runStart(self, start, args);
  const result: Started = isWaiting(running) ? yield* running : running;
  if (result.ok !== undefined) {
    handOver(self, result.ok, from.caller);
    from.reply('info' in result ? { ok: result.ok, info: result.info } : { ok: result.ok });
  } else if (result.ignore) {
    from.reply({ ignore: true });
  } else {
    from.reply(new ExitMessage(self, result.error!));
  }
}

/** The child gets its real parent in the place of the one that stood in. */
function handOver(self: Process<never>, pid: Pid, parent: Pid): void {
  const { runtime } = self;
  const child = runtime.local(pid);
  // One of a third scheduler: the parent links it when it has the answer.
  if (child === null) return;
  if (child.alive) {
    child.link(parent);
    self.unlink(child);
    child.parent = parent;
    return;
  }
  // It has ended since, and its end is told as if it had been linked before.
  const reason = runtime.exitReasonOf(child)!;
  runtime.routeSignal(parent, { type: 'link', from: child });
  runtime.routeSignal(parent, { type: 'exit', from: child, reason, link: true });
}

/** Starts it. It must be the runtime's first process: others find it by its id. */
export function startServer(runtime: Runtime, table: StartTable): void {
  const pid = runtime.spawn<never>((self) => new StartServer(self, table), {
    label: 'start_server',
    priority: 'high',
  });
  if (pid.id !== START_SERVER_ID)
    throw new BadArgument('the router has to be started before the first process is');
}
