import { BadArgument } from './bad-argument.js';
import { ExitReason } from './exit-reason.js';
import { NameTaken } from './name-table.js';
import type { Pid } from './pid.js';
import type { Process, Start } from './process.js';
import type { ExitHook } from './receiver.js';
import type { Ref } from './ref.js';
import type { Runtime } from './runtime.js';
import type { SpawnOptions } from './runtime-options.js';
import type { StartOutcome } from './start-result.js';
import { ExitMessage } from './system-message.js';
import { Token, Wait } from './wait.js';

/** How to start a process that says when it is ready. */
export interface StartOptions extends Omit<SpawnOptions, 'link' | 'monitor'> {
  /** Who starts it: its parent. Linked with it if `link` says so. */
  readonly parent?: Process<never>;
  readonly link?: boolean;
  /** How long the start may take, in ms; then the process is killed and the result is `timeout`. Default: as long as it takes. */
  readonly timeoutMs?: number;
}

/** With what a new process says what has become of it: the first word counts, and its end is one. Erlang's proc_lib:init_ack. */
export interface InitAck {
  /** It is ready: the start returns with its pid. */
  ok(): void;
  /** It has nothing to do, and will end. */
  ignore(): void;
  /** It could not start, and will end. */
  error(reason: ExitReason): void;
}

/** A start under way. It is the message that ends the starter's wait. */
class Starting extends Token implements InitAck, ExitHook {
  pid: Process<never> | null = null;
  result: StartOutcome<Pid> | null = null;
  waiting: Process<never> | null = null;

  constructor(private readonly linked: Process<never> | null) {
    super();
  }

  ok(): void {
    this.pid!.offExit(this);
    this.settle({ ok: this.pid! });
  }

  ignore(): void {
    this.failed = { ignore: true };
  }

  error(reason: ExitReason): void {
    this.failed = { error: reason };
  }

  /** The starter hears of a failure when the process has ended: its name is free by then. */
  private failed: StartOutcome<Pid> | null = null;

  processExited(_pid: Pid, reason: ExitReason): void {
    if (this.result !== null) return;
    const { linked, pid } = this;
    // One that traps exits learns of it from the result, and not twice; one that does not ends with the child.
    if (linked?.trapExit && pid !== null) pid.runtime.signals.unlink(pid, linked);
    this.settle(this.failed ?? { error: reason });
  }

  settle(result: StartOutcome<Pid>): void {
    if (this.result !== null) return;
    this.result = result;
    this.waiting?.deliver(this);
  }
}

class Pending extends Wait<StartOutcome<Pid>> {
  constructor(
    private readonly starting: Starting,
    readonly afterMs: number,
  ) {
    super();
  }

  override begin(self: Process<never>): void {
    this.starting.waiting = self;
    if (this.starting.result !== null) self.deliver(this.starting);
  }

  matches(message: unknown): boolean {
    return message === this.starting;
  }

  finish(): StartOutcome<Pid> {
    return this.starting.result!;
  }

  expired(self: Process<never>): StartOutcome<Pid> {
    const { starting } = this;
    starting.waiting = null;
    const pid = starting.pid!;
    self.unlink(pid);
    self.runtime.exit(pid, ExitReason.kill);
    self.flush((message) => message instanceof ExitMessage && message.from === (pid as Pid));
    return { error: ExitReason.timeout };
  }
}

/**
 * Starts a process and waits for its word: Erlang's proc_lib:start and start_link, on which all behaviours stand. `init`
 * is a start function that is also handed an {@link InitAck}. If it has said its word before it waits for anything the
 * result is there when this returns; if not it is `pending`.
 *
 * A name that is taken: `already_started`, and `init` does not run. A process that ends before its word has failed with
 * its reason; a linked parent that traps exits gets no EXIT then (as from OTP 26 on), one that does not ends too.
 */
export function startProcess<M>(
  runtime: Runtime,
  options: StartOptions,
  init: (self: Process<M>, ack: InitAck) => ReturnType<Start<M>>,
): StartOutcome<Pid<M>> {
  const { parent, link = false, timeoutMs = Number.POSITIVE_INFINITY, name } = options;
  if (!(timeoutMs >= 0)) throw new BadArgument(`bad timeoutMs: ${timeoutMs}`);
  if (link && parent === undefined) throw new BadArgument('a link needs a parent');
  if (name !== undefined) {
    const holder = runtime.whereis(name);
    if (holder !== undefined) return { error: { type: 'already_started', pid: holder } };
  }
  const linked = link ? parent! : null;
  const starting = new Starting(linked);
  const { link: _link, parent: _parent, timeoutMs: _timeout, ...spawning } = options;
  const spawnOptions: SpawnOptions = linked === null ? spawning : { ...spawning, link: linked };
  let pid: Pid<M>;
  try {
    pid = runtime.spawnFrom<M>(
      parent ?? runtime.current,
      (self) => {
        starting.pid = self as unknown as Process<never>;
        self.onExit(starting);
        return init(self, starting);
      },
      spawnOptions,
      spawnOptions.link,
    );
  } catch (error) {
    const holder = error instanceof NameTaken && name !== undefined ? runtime.whereis(name) : undefined;
    if (holder === undefined) throw error;
    // Somebody on another scheduler was faster.
    return { error: { type: 'already_started', pid: holder } };
  }
  if (starting.result !== null) return starting.result as StartOutcome<Pid<M>>;
  starting.pid = pid as unknown as Process<never>;
  return { pending: new Pending(starting, timeoutMs) as Wait<StartOutcome<Pid<M>>> };
}

/** The same with a monitor: what {@link startProcess} returns, and the reference whose DOWN will tell of its end. */
export interface MonitoredStart<P extends Pid> {
  readonly result: StartOutcome<P>;
  readonly ref: Ref;
}
