import { BadArgument } from './bad-argument.js';
import { Exit, ExitReason } from './exit-reason.js';
import { NameTaken } from './name-table.js';
import type { Pid } from './pid.js';
import type { Process, Start } from './process.js';
import type { ExitHook } from './receiver.js';
import type { Ref } from './ref.js';
import type { Runtime } from './runtime.js';
import type { SpawnOptions } from './runtime-options.js';
import type { MonitoredStart, StartOutcome } from './start-result.js';
import { ExitMessage } from './system-message.js';
import { type Blocking, Token, Wait, type WaitingMailbox } from './wait.js';

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
  /** It is ready: the start returns with its pid, and with `info` if there is any. */
  ok(info?: unknown): void;
  /** It has nothing to do, and will end. */
  ignore(): void;
  /** It could not start, and will end. */
  error(reason: ExitReason): void;
  /** One of both, and ends with `reason` at once: OTP's init_fail. Throws, as `self.exit` does. */
  fail(outcome: 'ignore' | { readonly error: ExitReason }, reason: ExitReason): never;
}

/** A start under way. It is the message that ends the starter's wait. */
class Starting extends Token implements InitAck, ExitHook {
  pid: Process<never> | null = null;
  result: StartOutcome<Pid> | null = null;
  waiting: Process<never> | null = null;

  constructor(private readonly linked: Process<never> | null) {
    super();
  }

  ok(info?: unknown): void {
    this.pid!.offExit(this);
    this.settle(info === undefined ? { ok: this.pid! } : { ok: this.pid!, info });
  }

  ignore(): void {
    this.failed = { ignore: true };
  }

  error(reason: ExitReason): void {
    this.failed = { error: reason };
  }

  fail(outcome: 'ignore' | { readonly error: ExitReason }, reason: ExitReason): never {
    this.failed = outcome === 'ignore' ? { ignore: true } : outcome;
    throw new Exit(reason);
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
  const { parent, link = false, timeoutMs = Number.POSITIVE_INFINITY, name, localName } = options;
  if (!(timeoutMs >= 0)) throw new BadArgument(`bad timeoutMs: ${timeoutMs}`);
  if (link && parent === undefined) throw new BadArgument('a link needs a parent');
  if (name !== undefined) {
    const local = localName === true && typeof name === 'string';
    const holder = local ? runtime.names.local(name) : runtime.whereis(name);
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
        // Without any time it does not come to run.
        return timeoutMs === 0 ? nothing() : init(self, starting);
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

function* nothing(): Blocking<void> {}

/**
 * The same with a monitor that `parent` has on the new process from before it runs: proc_lib:start_monitor. When the start
 * fails the DOWN comes all the same, also after a timeout. No reference if the name was taken.
 */
export function startMonitored<M>(
  runtime: Runtime,
  options: StartOptions & { readonly parent: Process<never> },
  init: (self: Process<M>, ack: InitAck) => ReturnType<Start<M>>,
): { readonly result: StartOutcome<Pid<M>>; readonly ref: Ref | null } {
  let ref: Ref | null = null;
  const result = startProcess<M>(runtime, options, (self, ack) => {
    ref = options.parent.monitor(self);
    return init(self, ack);
  });
  return { result, ref };
}

/** Waits as `pending` does, and makes something else of the outcome. */
class Then<A, B> extends Wait<B> {
  constructor(
    private readonly pending: Wait<A>,
    private readonly then: (outcome: A) => B,
  ) {
    super();
  }

  get afterMs(): number {
    return this.pending.afterMs;
  }

  override begin(self: Process<never>, mailbox: WaitingMailbox): void {
    this.pending.begin(self, mailbox);
  }

  matches(message: unknown): boolean {
    return this.pending.matches(message);
  }

  finish(message: unknown, self: Process<never>): B {
    return this.then(this.pending.finish(message, self));
  }

  expired(self: Process<never>): B {
    return this.then(this.pending.expired(self));
  }
}

/** How behaviours start with a monitor: when the start has failed there is no monitor, and no DOWN comes. */
export function monitoredStart<P extends Pid>(
  parent: Process<never>,
  { result, ref }: { readonly result: StartOutcome<P>; readonly ref: Ref | null },
): MonitoredStart<P> {
  if (result.pending !== undefined) {
    return {
      pending: new Then(result.pending, (outcome) => monitoredStart(parent, { result: outcome, ref })),
    };
  }
  if (result.ok !== undefined) return { ...(result as { readonly ok: P }), ref: ref! };
  if (ref !== null) parent.demonitor(ref, true);
  return result as MonitoredStart<P>;
}
