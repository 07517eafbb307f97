import { type Fifo, NONE } from '../structures/fifo.js';
import { abortSignalOf } from './abort-signal.js';
import type { Activity } from './activity.js';
import { AsyncProcess } from './async-process.js';
import { ask, orExit } from './calls.js';
import { Coroutine } from './coroutine.js';
import { beCut, Word, words } from './cut.js';
import { Exit, ExitReason } from './exit-reason.js';
import type { Links } from './links.js';
import { type accepts, formatPid, type Pid } from './pid.js';
import { type Priority, PriorityMask, ProcessFlag } from './process-flag.js';
import type { ExitHook, Receiver } from './receiver.js';
import type { AliasMode, Ref } from './ref.js';
import type { CallOutcome } from './request.js';
import type { Runtime } from './runtime.js';
import type { SpawnOptions } from './runtime-options.js';
import type { ProcessTimer, Timer } from './timers.js';
import { traceIn, traceOut } from './tracing.js';
import type { Target } from './via.js';
import { type Blocking, Token, type Wait } from './wait.js';

/**
 * What makes a process of a function: it runs as the process, and returns
 *
 * - a {@link Receiver}: what handles its messages. The fastest kind, for what reacts;
 * - a generator (`function* (self) { … }`): it waits where it pleases (`yield* receive(…)`), as an Erlang process does, and
 *   its end is that of the process;
 * - a promise (`async (self) => { … }`): for what waits for I/O. It waits with `await self.wait(receive(…))`; what resumes
 *   after the process has ended finds that it can do nothing. `self.signal` tells its I/O.
 */
export type Start<M> = (self: Process<M>) => Receiver<M> | Blocking<void> | Promise<void>;

/**
 * A process: its mailbox, its counters, and what it may do. For others it is a {@link Pid}; only the process itself
 * should hold it as a `Process` (`self`).
 *
 * Once the process has ended its operations do nothing, so a promise or a socket callback that outlives it does no
 * harm; those that have to return a process throw.
 *
 * One object with plain fields, about 180 bytes: everything rare is null until it is used. The first waiting
 * message has a field of its own, and the queue exists only while a second one waits.
 */
export class Process<in M> implements Pid<M> {
  declare readonly [accepts]?: (message: M) => void;
  /** @internal */
  flags = 0;
  /** @internal */
  receiver: Receiver<M> | null = null;
  /** @internal The oldest waiting message. Of a dead process: its exit reason. */
  first: unknown = undefined;
  /** @internal The other waiting messages. */
  queue: Fifo<unknown> | null = null;
  /** Messages that wait and were not looked at yet: all of them, unless the process waits for a certain one. */
  mailboxLength = 0;
  /** The most that ever waited. */
  mailboxLongest = 0;
  /** @internal Counts up to 2^32 and wraps, so that it stays a machine integer. */
  handledCount = 0;
  /** @internal Likewise. */
  sentCount = 0;
  /** @internal */
  links: Links = null;
  /** @internal Monitors and aliases that it owns. */
  refs: Ref | null = null;
  /** @internal Monitors on it. */
  watchers: Ref | null = null;
  /** @internal */
  timers: ProcessTimer | null = null;
  /** @internal */
  hooks: ExitHook | ExitHook[] | null = null;
  /** @internal */
  registeredName: string | null = null;
  /** @internal Rates and the like: see `MailboxMonitor`. */
  activity: Activity | null = null;
  /** @internal Under which it stands in the table of its runtime. */
  slot = 0;
  /** @internal */
  generation = 0;

  /** @internal Use `runtime.spawn`. */
  constructor(
    readonly runtime: Runtime,
    /** What people call it: for events and inspection. */
    public label: string,
    /** Who started it; null when nobody did, and after its end. */
    public parent: Pid | null,
  ) {}

  get scheduler(): number {
    return this.runtime.scheduler;
  }

  get id(): number {
    return this.slot + this.generation * 2 ** 24;
  }

  /** Messages that wait: Erlang's message_queue_len. */
  get messageQueueLength(): number {
    return this.mailboxLength + savedLengthOf(this.receiver);
  }

  /** The oldest messages that wait, at most `max`: for inspection. What the core itself has put there is left out. */
  waiting(max = Number.POSITIVE_INFINITY): unknown[] {
    const messages: unknown[] = [];
    for (const message of this.allWaiting()) {
      if (messages.length >= max) break;
      if (!(message instanceof Token)) messages.push(message);
    }
    return messages;
  }

  /** Messages that came, modulo 2^32. */
  get received(): number {
    return (this.handledCount + this.messageQueueLength) >>> 0;
  }

  /** Messages handled, modulo 2^32. Those removed by a flush count. */
  get handled(): number {
    return this.handledCount >>> 0;
  }

  /** Messages sent, modulo 2^32. */
  get sent(): number {
    return this.sentCount >>> 0;
  }

  /** Whether exit signals come as messages. Setting it is Erlang's process_flag(trap_exit, …). */
  get trapExit(): boolean {
    return (this.flags & ProcessFlag.trapExit) !== 0;
  }

  set trapExit(trap: boolean) {
    this.flags = trap ? this.flags | ProcessFlag.trapExit : this.flags & ~ProcessFlag.trapExit;
  }

  /** Set, it counts from the next time on that the process has to wait for a slice. */
  get priority(): Priority {
    const bits = this.flags & PriorityMask;
    if (bits === 0) return 'normal';
    return bits === ProcessFlag.max ? 'max' : bits === ProcessFlag.high ? 'high' : 'low';
  }

  set priority(priority: Priority) {
    this.flags = (this.flags & ~PriorityMask) | (priority === 'normal' ? 0 : ProcessFlag[priority]);
  }

  get alive(): boolean {
    return (this.flags & ProcessFlag.dead) === 0;
  }

  /** The name under which it is registered. */
  get name(): string | null {
    return this.registeredName;
  }

  /** Sends a message. To a process that has ended: nothing happens. */
  send<T>(target: Pid<T>, message: T): void {
    if (words[Word.cutting] !== 0) beCut();
    const { flags } = this;
    if ((flags & (ProcessFlag.dead | ProcessFlag.traced)) !== 0) {
      if ((flags & ProcessFlag.dead) !== 0) return;
      traceOut(this as unknown as Process<never>, target as Pid, message);
    }
    this.sentCount = (this.sentCount + 1) | 0;
    const process = target as unknown as Process<T>;
    if (process.runtime === this.runtime) process.deliver(message);
    else this.runtime.route(target, message);
  }

  /** Links with `other`, both ways. Throws noproc if it has ended, or sends itself that EXIT when trapping. */
  link(other: Pid): void {
    if (this.alive) this.runtime.signals.link(this, other);
  }

  /** Removes the link. An EXIT message that waits already stays. */
  unlink(other: Pid): void {
    if (this.alive) this.runtime.signals.unlink(this, other);
  }

  /**
   * Monitors a process, or whoever has a name now: one DOWN message will come, at once (noproc) if there is none.
   * With an alias mode, messages may be sent to the reference too; a `tag` comes back in the DOWN message.
   */
  monitor(target: Target, alias?: AliasMode, tag?: unknown): Ref {
    return this.runtime.signals.monitor(this, target, alias, tag);
  }

  /** Ends a monitor, and with `flush` removes its DOWN from the mailbox. Returns whether it still monitored. */
  demonitor(ref: Ref, flush = false): boolean {
    return this.runtime.signals.demonitor(this, ref, flush);
  }

  /** An address for answers that can be taken back. `reply`: good for one message. */
  alias(mode: 'explicit_unalias' | 'reply' = 'explicit_unalias'): Ref {
    return this.runtime.signals.alias(this, mode);
  }

  /** Takes an alias back; false if it was not active. What was sent through it before stays in the mailbox. */
  unalias(ref: Ref): boolean {
    return this.runtime.signals.unalias(this, ref);
  }

  /**
   * Ends this process. Called from one of its own callbacks it does not return: it throws an {@link Exit} that the
   * runtime catches. Called from elsewhere (a socket callback) the process ends at once, and the call returns.
   */
  exit(reason: ExitReason): void {
    if ((this.flags & ProcessFlag.dead) !== 0) return;
    if ((this.flags & ProcessFlag.running) !== 0 && this.runtime.current === (this as unknown)) {
      throw new Exit(reason);
    }
    this.runtime.finish(this, reason);
  }

  /**
   * Ends this process now, without a throw: its terminate runs, and what is left of the callback runs on without any
   * effect. Six times as fast as `exit`, for processes that come and go in great numbers.
   */
  finish(reason: ExitReason = ExitReason.normal): void {
    this.runtime.finish(this, reason);
  }

  /** Sends `message` to this process in `delayMs`. */
  sendAfter(delayMs: number, message: M): Timer {
    return this.runtime.startProcessTimer(this, delayMs, message, false);
  }

  /** Sends a {@link TimeoutMessage} with `message` to this process in `delayMs`. */
  startTimer(delayMs: number, message: unknown): Timer {
    return this.runtime.startProcessTimer(this, delayMs, message, true);
  }

  /** The milliseconds that were left, or false. A message that was sent already stays in the mailbox. */
  cancelTimer(timer: Timer): number | false {
    return this.runtime.cancelTimer(timer);
  }

  /** Starts a process whose parent is this one. Throws if this one has ended. */
  spawn<T>(start: Start<T>, options: SpawnOptions = {}): Pid<T> {
    return this.runtime.spawnFrom(this, start, options, options.link);
  }

  /** The same, linked from before its start function runs. */
  spawnLink<T>(start: Start<T>, options: SpawnOptions = {}): Pid<T> {
    return this.runtime.spawnFrom(this, start, options, this);
  }

  /** The same, monitored. */
  spawnMonitor<T>(start: Start<T>, options: SpawnOptions = {}): { readonly pid: Pid<T>; readonly ref: Ref } {
    const pid = this.runtime.spawnFrom(this, start, options, options.link);
    return { pid, ref: this.monitor(pid) };
  }

  /** Gives this process a name. Throws a {@link BadArgument} if it is taken, or this process has one. */
  register(name: string): void {
    this.runtime.register(name, this);
  }

  /**
   * Calls a server; `done` runs later, in this process, as if a message had been handled. It is called exactly
   * once, unless this process ends before: with the reply, or with the reason why there is none (timeout, noproc,
   * calling_self, or the server's own end). This process goes on handling messages meanwhile. A late reply is dropped.
   */
  request<R>(
    target: Target,
    request: unknown,
    done: (outcome: CallOutcome<R>) => void,
    timeoutMs = 5000,
  ): void {
    if (this.alive) ask(this.runtime, this, target, request, done, timeoutMs);
  }

  /** Like `request`, but without a reply this process exits with the reason `call`, as after Erlang's gen_server:call. */
  call<R>(target: Target, request: unknown, done: (reply: R) => void, timeoutMs = 5000): void {
    this.request<R>(target, request, orExit(target, done), timeoutMs);
  }

  /** Calls the hook when this process has ended, for whatever reason. */
  onExit(hook: ExitHook): void {
    if (this.hooks === null) this.hooks = hook;
    else if (Array.isArray(this.hooks)) this.hooks.push(hook);
    else this.hooks = [this.hooks, hook];
  }

  /** Takes a hook away again. */
  offExit(hook: ExitHook): void {
    if (this.hooks === hook) this.hooks = null;
    else if (Array.isArray(this.hooks)) this.hooks = this.hooks.filter((one) => one !== hook);
  }

  toString(): string {
    return formatPid(this);
  }

  /** A pid in a log line or an error stands for itself, not for everything that the process can reach. */
  toJSON(): string {
    return formatPid(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.label}${formatPid(this)}`;
  }

  /**
   * An AbortSignal that is aborted when this process ends, for I/O that it has begun: its `reason` is the
   * {@link ExitReason}. Made when it is first asked for.
   */
  get signal(): AbortSignal {
    return abortSignalOf(this as unknown as Process<never>);
  }

  /**
   * In a process that is an async function: waits, as `yield*` does in a generator. Never settles after the process has
   * ended. Several waits may be under way; each message goes to the first that it matches. Throws a
   * {@link BadArgument} in a process of another kind.
   */
  wait<T>(wait: Wait<T> | Blocking<T>): Promise<T> {
    return AsyncProcess.of(this as unknown as Process<never>).wait(wait);
  }

  /**
   * Runs a generator in this process, from one of its callbacks: the process handles nothing else until it is done; then
   * `done` is called. What escapes from the generator ends the process.
   */
  block<T>(body: Blocking<T>, done: (value: T) => void = ignore): void {
    Coroutine.run(this as unknown as Process<never>, body, done);
  }

  /** @internal Puts a message into the mailbox. */
  deliver(message: unknown): void {
    const { flags } = this;
    if ((flags & (ProcessFlag.dead | ProcessFlag.traced)) !== 0) {
      if ((flags & ProcessFlag.dead) !== 0) return;
      traceIn(this as unknown as Process<never>, message);
    }
    const length = this.mailboxLength + 1;
    this.mailboxLength = length;
    if (length > this.mailboxLongest) this.mailboxLongest = length;
    if (length === 1) this.first = message;
    else this.enqueue(message, length);
    if ((flags & ProcessFlag.scheduled) === 0) {
      this.flags = flags | ProcessFlag.scheduled;
      this.runtime.turns.schedule(this as unknown as Process<never>);
    }
  }

  /** @internal The oldest messages that wait, at most `count`. */
  peek(count: number): unknown[] {
    if (this.mailboxLength === 0) return [];
    const messages = [this.first];
    if (this.queue === null) return messages;
    for (const message of this.queue) {
      if (messages.length >= count) break;
      messages.push(message);
    }
    return messages;
  }

  /** @internal Puts a message before all that wait. */
  putFirst(message: unknown): void {
    if (this.mailboxLength === 0) {
      this.deliver(message);
      return;
    }
    if ((this.flags & ProcessFlag.traced) !== 0) traceIn(this as unknown as Process<never>, message);
    const saved = this.runtime.turns.takeQueue();
    saved.push(message);
    this.restoreMailbox(saved);
  }

  /** @internal Takes the oldest message out of the mailbox, which must not be empty. */
  take(): unknown {
    const message = this.first;
    this.first = --this.mailboxLength === 0 ? undefined : this.queue!.shift();
    return message;
  }

  /** @internal Removes the oldest message that matches from the mailbox; false if there is none. */
  flush(matches: (message: unknown) => boolean): boolean {
    if (this.mailboxLength === 0) return false;
    if (matches(this.first)) {
      this.take();
    } else {
      if (this.queue === null || this.queue.removeWhere(matches, 1) === 0) return false;
      this.mailboxLength--;
    }
    this.handledCount = (this.handledCount + 1) | 0;
    return true;
  }

  /** @internal Removes the oldest messages that match from the mailbox, at most `max`; how many. */
  flushAll(matches: (message: unknown) => boolean, max: number): number {
    const { queue } = this;
    if (this.mailboxLength === 0 || max < 1) return 0;
    const fromFront = matches(this.first) ? 1 : 0;
    const removed = fromFront + (queue === null ? 0 : queue.removeWhere(matches, max - fromFront));
    this.mailboxLength -= removed;
    if (fromFront === 1) this.first = this.mailboxLength === 0 ? undefined : queue!.shift();
    this.handledCount = (this.handledCount + removed) | 0;
    return removed;
  }

  /**
   * @internal Takes the first message out that matches, looking at about `limit`. NONE: those that were looked at are
   * appended to `saved`, which must be the one that {@link moveMailbox} returned, or empty.
   */
  takeWhere(matches: (message: unknown) => boolean, limit: number, saved: Fifo<unknown>): unknown {
    const { queue } = this;
    if (matches(this.first)) {
      this.handledCount = (this.handledCount + 1) | 0;
      return this.take();
    }
    if (this.mailboxLength === 1 || queue === null) {
      saved.push(this.first);
      this.first = undefined;
      this.mailboxLength = 0;
      return NONE;
    }
    const seen = this.runtime.turns.takeQueue();
    const found = queue.takeWhere(matches, limit, seen);
    if (found === NONE) {
      saved.push(this.first);
      saved.append(seen);
      this.mailboxLength = queue.length;
      this.first = queue.shift();
    } else {
      this.mailboxLength--;
      this.handledCount = (this.handledCount + 1) | 0;
    }
    this.runtime.turns.returnQueue(seen);
    return found;
  }

  /**
   * @internal Takes everything that waits out, behind what is in `saved`: the mailbox is empty then. Returns the queue that
   * holds it all; `saved` is the runtime's again if it is another one. O(1).
   */
  moveMailbox(saved: Fifo<unknown> | null): Fifo<unknown> {
    const { first, queue } = this;
    const { turns } = this.runtime;
    this.first = undefined;
    this.queue = null;
    this.mailboxLength = 0;
    if (queue === null) {
      const all = saved ?? turns.takeQueue();
      all.push(first);
      return all;
    }
    if (saved === null || saved.length === 0) {
      if (saved !== null) turns.returnQueue(saved);
      queue.unshift(first);
      return queue;
    }
    saved.push(first);
    saved.append(queue);
    turns.returnQueue(queue);
    return saved;
  }

  /** @internal Puts messages back before those that wait. `saved` is the runtime's again. O(1). */
  restoreMailbox(saved: Fifo<unknown>): void {
    const { length } = saved;
    if (this.mailboxLength !== 0) {
      saved.push(this.first);
      if (this.queue !== null) saved.append(this.queue);
    }
    if (this.queue !== null) this.runtime.turns.returnQueue(this.queue);
    this.queue = saved;
    if (length === 0 && this.mailboxLength === 0) return;
    this.first = saved.shift();
    this.mailboxLength += length;
    if ((this.flags & ProcessFlag.scheduled) !== 0) return;
    this.flags |= ProcessFlag.scheduled;
    this.runtime.turns.schedule(this as unknown as Process<never>);
  }

  private *allWaiting(): Generator<unknown, void, undefined> {
    const { receiver } = this as { readonly receiver: unknown };
    if (receiver instanceof Coroutine || receiver instanceof AsyncProcess) yield* receiver.savedMessages;
    if (this.mailboxLength === 0) return;
    yield this.first;
    if (this.queue !== null) yield* this.queue;
  }

  private enqueue(message: unknown, length: number): void {
    this.queue ??= this.runtime.turns.takeQueue();
    this.queue.push(message);
    if ((length & this.runtime.lookMask) === 0)
      this.runtime.mailboxGrown(this as unknown as Process<never>, length);
  }
}

function ignore(): void {}

function savedLengthOf(receiver: unknown): number {
  return receiver instanceof Coroutine || receiver instanceof AsyncProcess ? receiver.savedLength : 0;
}
