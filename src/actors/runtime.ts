import type { Clock } from '../structures/clock.js';
import { Fifo } from '../structures/fifo.js';
import type { Random } from '../structures/random.js';
import { generationOf, SlotTable, slotOf } from '../structures/slot-table.js';
import { BadArgument } from './bad-argument.js';
import { Exit, ExitReason, formatReason } from './exit-reason.js';
import { Exits, linkBoth } from './exits.js';
import { addLink, linksOf, removeLink } from './links.js';
import { attach, disown, monitorEnded, unwatch } from './monitors.js';
import { Names } from './names.js';
import { type Pid, RemotePid } from './pid.js';
import { Process, ProcessFlag, type Start } from './process.js';
import type { ProcessInfo } from './process-info.js';
import type { Receiver } from './receiver.js';
import { type AliasMode, Ref, RefFlag } from './ref.js';
import {
  CallMessage,
  type CallOutcome,
  CastMessage,
  type From,
  ImmediateFrom,
  Request,
  RequestReceiver,
  StopMessage,
} from './request.js';
import type { RemoteSignal, Router } from './router.js';
import { RunQueue } from './run-queue.js';
import type { EventSink, RuntimeEvent } from './runtime-event.js';
import { DownMessage, ExitMessage } from './system-message.js';
import { CallbackTimer, ProcessTimer, type Timer, Timers } from './timers.js';

export interface RuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Number of this scheduler among those of the node. Default 0. */
  readonly scheduler?: number;
  /** Takes what is for processes of other schedulers. Without one there are none. */
  readonly router?: Router;
  /** Messages that a process may handle before others get their turn. Default 64. */
  readonly sliceMessages?: number;
  /** Milliseconds after which a turn gives way to the event loop. Default 5. */
  readonly turnMs?: number;
  /** Slices of at least this many milliseconds are reported. 0, the default: none, and no clock is read for it. */
  readonly longScheduleMs?: number;
  /** A process with more messages than this waiting (give or take 64) is ended with `mailbox_overflow`. Default 2^24. */
  readonly mailboxMax?: number;
  /** Takes what the core reports; see {@link RuntimeEvent}. */
  readonly events?: EventSink;
}

export interface SpawnOptions {
  /** What people call it. Default: the name, or `process`. */
  readonly label?: string;
  /** Registered before the start function runs. Throws a {@link BadArgument} if it is taken. */
  readonly name?: string;
  /** Linked with this process before the start function runs. */
  readonly link?: Pid;
  /** This process monitors the new one from before the start function runs. */
  readonly monitor?: Process<never>;
  readonly trapExit?: boolean;
}

/** Slices between two looks at the clock. */
const SLICES_PER_LOOK = 256;
/** How deep dispatches may nest before they become ordinary sends. */
const DISPATCH_DEPTH_MAX = 16;
const QUEUES_POOLED_MAX = 256;
/** Slices after which `flush` gives up: something sends to itself for ever. */
const FLUSH_SLICES_MAX = 50_000_000;

/**
 * The scheduler of one thread and everything its processes share. A thread may have several (the simulation does);
 * they know of each other only through the router.
 *
 * A turn is one call from the event loop: each process that has messages gets a slice of at most `sliceMessages`
 * messages, round robin, until nobody has any or `turnMs` are over; then the after-turn callbacks run.
 */
export class Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: number;
  readonly mailboxMax: number;
  /** @internal */
  readonly names = new Names();
  /** @internal */
  readonly timers: Timers;
  /** The process whose callback is on the stack; `outside` when there is none. */
  current: Process<never>;
  /** Stands for everything that is no process: owner of the calls from outside, sender of the signals from there. */
  readonly outside: Process<never>;

  readonly #events: EventSink | null;
  readonly #router: Router | null;
  readonly #sliceMessages: number;
  readonly #turnMs: number;
  readonly #longScheduleMs: number;
  readonly #exits = new Exits(this);
  readonly #table = new SlotTable<Process<never>>();
  readonly #runQueue = new RunQueue();
  readonly #queues: Fifo<unknown>[] = [];
  #afterTurn: (() => void)[] = [];
  #turnAhead = false;
  #flushing = false;
  #dispatchDepth = 0;
  #slices = 0;
  #turns = 0;
  readonly #onTurn = () => this.#turn();

  constructor(options: RuntimeOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.scheduler = options.scheduler ?? 0;
    this.mailboxMax = options.mailboxMax ?? 2 ** 24;
    this.#events = options.events ?? null;
    this.#router = options.router ?? null;
    this.#sliceMessages = options.sliceMessages ?? 64;
    this.#turnMs = options.turnMs ?? 5;
    this.#longScheduleMs = options.longScheduleMs ?? 0;
    this.timers = new Timers(options.clock);
    this.outside = new Process<never>(this, 'outside', null);
    this.outside.trapExit = true;
    this.outside.receiver = new RequestReceiver<never>({ receive() {} });
    this.outside.flags |= ProcessFlag.requests;
    this.#enter(this.outside);
    this.current = this.outside;
  }

  // ---- processes -----------------------------------------------------------------------------------------------

  /**
   * Starts a process: `start` runs at once, as the new process, and returns what handles its messages. If it
   * throws, the process has ended with that reason, as if it had crashed later; the pid is returned all the same.
   */
  spawn<M>(start: Start<M>, options: SpawnOptions = {}): Pid<M> {
    return this.spawnFrom(this.current, start, options);
  }

  /** @internal */
  spawnFrom<M>(parent: Process<never>, start: Start<M>, options: SpawnOptions): Pid<M> {
    if (!parent.alive) throw new Exit(parent.first as ExitReason);
    const process = new Process<M>(
      this,
      options.label ?? options.name ?? 'process',
      parent === this.outside ? null : parent,
    );
    const self = process as unknown as Process<never>;
    // Registered first: if the name is taken there must be no trace of the process.
    if (options.name !== undefined) this.names.register(options.name, self);
    this.#enter(self);
    if (options.trapExit === true) process.flags |= ProcessFlag.trapExit;
    if (options.monitor !== undefined) this.monitor(options.monitor, process);
    if (options.link !== undefined) this.#linkNew(self, options.link);
    if (process.alive) this.#start(process, start);
    return process;
  }

  /** Whether a process of this scheduler has not ended. False for all others: ask by a monitor. */
  isAlive(pid: Pid): boolean {
    const process = this.local(pid);
    return process?.alive === true;
  }

  /** Why a process of this scheduler ended; null while it lives, noproc for one that is not known here. */
  exitReasonOf(pid: Pid): ExitReason | null {
    const process = this.local(pid);
    if (process === null) return ExitReason.noproc;
    return process.alive ? null : (process.first as ExitReason);
  }

  /**
   * Sends an exit signal, from the running process or from outside: `kill` always ends the target (`killed`); else
   * it gets a message if it traps, and ends if it does not, but `normal` ends only a process that sends it to itself.
   */
  exit(pid: Pid, reason: ExitReason): void {
    const process = this.local(pid);
    if (process !== null) this.#exits.signal(process, this.current, reason);
    else this.routeSignal(pid, { type: 'exit', from: this.current, reason, link: false });
  }

  /** @internal Ends a process as if one of its callbacks had thrown `new Exit(reason)`. */
  finish(process: Process<never>, reason: ExitReason): void {
    if (process.alive) this.#end(process, new Exit(reason));
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  /** Sends a message, in the name of the running process. To one that has ended: nothing happens. */
  send<M>(target: Pid<M>, message: M): void {
    const { current } = this;
    current.sentCount = (current.sentCount + 1) | 0;
    const process = target as unknown as Process<M>;
    if (process.runtime === this) process.deliver(message);
    else this.route(target, message);
  }

  /** Sends to whoever is registered as `name`. Throws a {@link BadArgument} if nobody is. */
  sendNamed(name: string, message: unknown): void {
    const process = this.names.whereis(name);
    if (process === undefined) throw new BadArgument(`nobody is registered as ${name}`);
    this.current.sentCount = (this.current.sentCount + 1) | 0;
    process.deliver(message);
  }

  /** Sends through an alias. If it is not active any more nothing happens. */
  sendAlias(ref: Ref, message: unknown): void {
    this.current.sentCount = (this.current.sentCount + 1) | 0;
    if (!ref.isAlias || ref.owner.runtime !== this) return;
    if ((ref.flags & RefFlag.reply) !== 0) {
      ref.flags &= ~RefFlag.alias;
      if (ref.isMonitor) this.stopWatching(ref);
      ref.flags &= ~RefFlag.monitor;
      disown(ref);
    }
    ref.aliased(message);
  }

  /**
   * Sends, and has the message handled at once on this stack if {@link tryDispatch} can; otherwise it waits in the
   * mailbox. Returns whether it was handled.
   */
  dispatch<M>(target: Pid<M>, message: M): boolean {
    if (this.tryDispatch(target, message)) return true;
    this.send(target, message);
    return false;
  }

  /**
   * Has the message handled at once on this stack if the target is local, idle and has an empty mailbox, as if it had
   * been enqueued and dequeued: the order of messages is kept, everything is counted, a crash is the target's alone.
   * It saves the copy of a buffer that is only valid now. Otherwise returns false and nothing has happened: also when
   * the target has ended, or {@link DISPATCH_DEPTH_MAX} dispatches are on the stack.
   */
  tryDispatch<M>(target: Pid<M>, message: M): boolean {
    const process = target as unknown as Process<M>;
    if (
      process.runtime !== this ||
      (process.flags & (ProcessFlag.scheduled | ProcessFlag.dead)) !== 0 ||
      this.#dispatchDepth === DISPATCH_DEPTH_MAX
    ) {
      return false;
    }
    this.current.sentCount = (this.current.sentCount + 1) | 0;
    if (process.mailboxLongest === 0) process.mailboxLongest = 1;
    process.flags |= ProcessFlag.scheduled;
    this.#handleNow(process, message);
    if (process.mailboxLength !== 0) this.schedule(process as unknown as Process<never>);
    else process.flags &= ~ProcessFlag.scheduled;
    return true;
  }

  #handleNow<M>(process: Process<M>, message: M): void {
    const before = this.current;
    process.handledCount = (process.handledCount + 1) | 0;
    process.flags |= ProcessFlag.running;
    this.current = process as unknown as Process<never>;
    this.#dispatchDepth++;
    try {
      process.receiver!.receive(message);
    } catch (thrown) {
      this.#end(process as unknown as Process<never>, thrown);
    }
    this.#dispatchDepth--;
    this.current = before;
    process.flags &= ~ProcessFlag.running;
  }

  // ---- calls ---------------------------------------------------------------------------------------------------

  /**
   * Calls a server from outside of any process. Rejects with a {@link CallFailed}. Inside a process use
   * `self.request` or `self.call`: a promise would resume outside of the process's turns.
   */
  call<R>(target: Pid | string, request: unknown, timeoutMs = 5000): Promise<R> {
    return new Promise((resolve, reject) => {
      this.request<R>(
        this.outside,
        target,
        request,
        (outcome) => {
          if (outcome.ok) resolve(outcome.value);
          else reject(new CallFailed(target, outcome.reason));
        },
        timeoutMs,
      );
    });
  }

  /**
   * Calls a local server on this stack: first it handles what is in its mailbox (as if it were its turn now), then the
   * request. For what must be known at once, like a child that a socket callback has a supervisor start. Fails with
   * `busy` if the server is running or deep below, or has not answered when it returns (a later answer is dropped), or
   * else as a call does.
   */
  callNow<R>(target: Pid | string, request: unknown): CallOutcome<R> {
    const pid = this.#resolve(target);
    const process = pid === null ? null : this.local(pid);
    if (process === null || !process.alive) return { ok: false, reason: ExitReason.noproc };
    const running = (process.flags & ProcessFlag.running) !== 0;
    if (running || this.#dispatchDepth === DISPATCH_DEPTH_MAX) return { ok: false, reason: ExitReason.busy };
    for (let left = process.mailboxLength; left > 0 && process.mailboxLength > 0; left--) {
      this.#handleNow(process, process.take() as never);
    }
    if (!process.alive) return { ok: false, reason: process.first as ExitReason };
    if (process.mailboxLength !== 0) return { ok: false, reason: ExitReason.busy };
    const from = new ImmediateFrom<R>(this.current);
    const message = new CallMessage(from as From<unknown>, request) as never;
    if ((process.flags & ProcessFlag.scheduled) === 0) this.tryDispatch(process, message);
    else this.#handleNow(process, message);
    if (from.answered) return { ok: true, value: from.value as R };
    return { ok: false, reason: process.alive ? ExitReason.busy : (process.first as ExitReason) };
  }

  /** Sends a request without an answer to a server. Never fails. */
  cast(target: Pid | string, message: unknown): void {
    const pid = typeof target === 'string' ? this.whereis(target) : target;
    if (pid !== undefined) this.send(pid as Pid<unknown>, new CastMessage(message));
  }

  /**
   * Ends a behaviour through its terminate and waits until it has ended. Rejects with a {@link CallFailed} if it
   * ends otherwise than with `reason`, or not in time.
   */
  stop(
    target: Pid | string,
    reason: ExitReason = ExitReason.normal,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (outcome: CallOutcome<never>) => {
        if (!outcome.ok && outcome.reason === reason) resolve();
        else reject(new CallFailed(target, outcome.ok ? ExitReason.normal : outcome.reason));
      };
      this.#ask(this.outside, target, new StopMessage(reason), done, timeoutMs);
    });
  }

  /** @internal */
  request<R>(
    owner: Process<never>,
    target: Pid | string,
    request: unknown,
    done: (outcome: CallOutcome<R>) => void,
    timeoutMs: number,
  ): void {
    this.#ask(owner, target, request, done, timeoutMs);
  }

  // ---- links and monitors --------------------------------------------------------------------------------------

  /** @internal */
  link(process: Process<never>, other: Pid): void {
    if (other === (process as unknown)) return;
    const target = this.local(other);
    if (target?.alive) {
      linkBoth(process, target);
    } else if (target === null && this.routeSignal(other, { type: 'link', from: process })) {
      addLink(process, other);
    } else if (process.trapExit) {
      process.deliver(new ExitMessage(other, ExitReason.noproc));
    } else {
      throw new Exit(ExitReason.noproc);
    }
  }

  /** @internal */
  unlink(process: Process<never>, other: Pid): void {
    if (!removeLink(process, other)) return;
    const target = this.local(other);
    if (target !== null) removeLink(target, process);
    else this.routeSignal(other, { type: 'unlink', from: process });
  }

  /** @internal */
  monitor(owner: Process<never>, target: Pid | string, alias?: AliasMode): Ref {
    let flags: number = RefFlag.monitor;
    if (alias !== undefined) flags |= RefFlag.alias;
    if (alias === 'demonitor') flags |= RefFlag.demonitor;
    if (alias === 'reply_demonitor') flags |= RefFlag.reply;
    const name = typeof target === 'string' ? target : null;
    const ref = new Ref(owner, this.#resolve(target), name, flags);
    if (owner.alive) this.#watch(ref);
    else ref.flags = 0;
    return ref;
  }

  /** @internal */
  demonitor(owner: Process<never>, ref: Ref, flush: boolean): boolean {
    const active = ref.isMonitor && ref.owner === owner;
    if (active) {
      this.stopWatching(ref);
      monitorEnded(ref);
    }
    if (flush && !active) owner.flush((message) => message instanceof DownMessage && message.ref === ref);
    return active;
  }

  /** @internal */
  alias(owner: Process<never>, mode: 'explicit_unalias' | 'reply'): Ref {
    const flags = mode === 'reply' ? RefFlag.alias | RefFlag.reply : RefFlag.alias;
    const ref = new Ref(owner, null, null, owner.alive ? flags : 0);
    if (owner.alive) attach(ref, null);
    return ref;
  }

  /** @internal */
  unalias(owner: Process<never>, ref: Ref): boolean {
    if (!ref.isAlias || ref.owner !== owner) return false;
    ref.flags &= ~RefFlag.alias;
    if (!ref.isMonitor) disown(ref);
    return true;
  }

  /** @internal Takes a monitor away from its target. */
  stopWatching(ref: Ref): void {
    if (ref.target === null) return;
    const target = this.local(ref.target);
    if (target !== null) unwatch(ref, target);
    else this.routeSignal(ref.target, { type: 'demonitor', from: ref.owner, ref: ref.exported });
  }

  // ---- names ---------------------------------------------------------------------------------------------------

  /** Throws a {@link BadArgument} if the name is taken, or the process has ended, is elsewhere or has a name. */
  register(name: string, pid: Pid): void {
    const process = this.local(pid);
    if (process === null)
      throw new BadArgument(`only a process of this scheduler can be registered as ${name}`);
    this.names.register(name, process);
  }

  /** Throws a {@link BadArgument} if nobody has the name. */
  unregister(name: string): void {
    this.names.unregister(name);
  }

  /** The process registered as `name`. Its messages are the caller's responsibility. */
  whereis<M = unknown>(name: string): Pid<M> | undefined {
    return this.names.whereis(name) as Pid<M> | undefined;
  }

  // ---- timers --------------------------------------------------------------------------------------------------

  /** Sends `message` in `delayMs`. The timer dies with the target; a name is looked up when the time has come. */
  sendAfter<M>(delayMs: number, target: Pid<M> | string, message: M): Timer {
    const process = typeof target === 'string' ? null : this.local(target);
    if (process !== null) return this.startProcessTimer(process, delayMs, message, false);
    const timer = new CallbackTimer(() => {
      const pid = typeof target === 'string' ? this.whereis<M>(target) : target;
      if (pid !== undefined) this.send(pid, message);
    });
    this.timers.start(timer, delayMs);
    return timer;
  }

  /** @internal */
  startProcessTimer(process: Process<never>, delayMs: number, message: unknown, wrapped: boolean): Timer {
    const timer = new ProcessTimer(process, message, wrapped);
    if (process.alive) this.timers.start(timer, delayMs);
    else process.timers = null;
    return timer;
  }

  /** The milliseconds that were left, or false if the timer had fired or was cancelled. */
  cancelTimer(timer: Timer): number | false {
    return this.timers.cancel(timer);
  }

  /** The milliseconds that are left, or false. */
  readTimer(timer: Timer): number | false {
    return this.timers.read(timer);
  }

  // ---- turns ---------------------------------------------------------------------------------------------------

  /**
   * Has `callback` called once, at the end of the turn that runs, or, from outside of a turn (after a dispatch out
   * of a socket callback, say), at the end of the next: in the same round of the event loop, so that everything
   * that this round's sockets brought can be answered together.
   */
  afterTurn(callback: () => void): void {
    this.#afterTurn.push(callback);
    this.#wantTurn();
  }

  /** Runs until nobody has anything to do, without letting time pass: for tests. Not to be called from a process. */
  flush(): void {
    if (this.current !== this.outside || this.#flushing)
      throw new BadArgument('flush was called by a process');
    this.#flushing = true;
    try {
      this.timers.expire();
      const limit = this.#slices + FLUSH_SLICES_MAX;
      while (this.#runQueue.length !== 0 || this.#afterTurn.length !== 0) {
        this.#runSlices(Number.POSITIVE_INFINITY, limit);
        if (this.#slices >= limit) throw new Error(`not quiet after ${FLUSH_SLICES_MAX} slices`);
        this.#runAfterTurn();
      }
    } finally {
      this.#flushing = false;
    }
  }

  // ---- inspection ----------------------------------------------------------------------------------------------

  /** Processes alive, without `outside`. */
  get processCount(): number {
    return this.#table.size - 1;
  }

  /** Processes that wait for their slice. */
  get runQueueLength(): number {
    return this.#runQueue.length;
  }

  /** Slices run so far. */
  get slices(): number {
    return this.#slices;
  }

  /** Turns run so far. */
  get turns(): number {
    return this.#turns;
  }

  /** The live process with this id: for ids that travelled as numbers. */
  process(id: number): Process<never> | undefined {
    return this.#table.get(id);
  }

  /**
   * All live processes but `outside`, in the order of their slots, from slot `from` on: a stable order for paging,
   * near to that of creation. Processes may come and go meanwhile.
   */
  *processes(from = 1): Generator<Process<never>, void, undefined> {
    for (let slot = Math.max(1, from); slot < this.#table.slots; slot++) {
      const process = this.#table.at(slot);
      if (process?.alive) yield process;
    }
  }

  /** A snapshot of one process, or null if it has ended or is elsewhere. */
  info(pid: Pid): ProcessInfo | null {
    const process = this.local(pid);
    if (process === null || !process.alive) return null;
    let monitors = 0;
    for (let ref = process.refs; ref !== null; ref = ref.nextOwned) if (ref.isMonitor) monitors++;
    let monitoredBy = 0;
    for (let ref = process.watchers; ref !== null; ref = ref.nextWatcher) monitoredBy++;
    let timers = 0;
    for (let timer = process.timers; timer !== null; timer = timer.nextOwned) timers++;
    return {
      pid: process,
      label: process.label,
      name: process.registeredName,
      path: this.pathOf(process),
      parent: process.parent,
      running: (process.flags & ProcessFlag.running) !== 0,
      trapExit: process.trapExit,
      mailboxLength: process.mailboxLength,
      mailboxLongest: process.mailboxLongest,
      received: process.received,
      handled: process.handled,
      sent: process.sent,
      links: linksOf(process),
      monitors,
      monitoredBy,
      timers,
    };
  }

  /** Labels of the processes above this one, topmost first. */
  pathOf(pid: Pid): string[] {
    const path: string[] = [];
    for (let above = this.local(pid)?.parent ?? null; above instanceof Process; above = above.parent) {
      path.unshift(above.label);
    }
    return path;
  }

  /** @internal */
  emit(event: RuntimeEvent): void {
    this.#events?.(event);
  }

  // ---- other schedulers ----------------------------------------------------------------------------------------

  /** The pid of a process of any scheduler, from its numbers. Undefined if it is of this one and has ended. */
  pid(scheduler: number, id: number): Pid<unknown> | undefined {
    return scheduler === this.scheduler
      ? (this.#table.get(id) as Pid<unknown> | undefined)
      : new RemotePid(scheduler, id);
  }

  /** @internal Sends to a process that is not of this runtime. */
  route(target: Pid, message: unknown): void {
    this.#router?.message(target, message);
  }

  /** @internal */
  routeSignal(target: Pid, signal: RemoteSignal): boolean {
    return (
      target.scheduler !== this.scheduler && this.#router !== null && this.#router.signal(target, signal)
    );
  }

  // ---- for the core's own files --------------------------------------------------------------------------------

  /** @internal The process behind a pid, alive or not; null if it belongs to another runtime. */
  local(pid: Pid): Process<never> | null {
    return pid instanceof Process && pid.runtime === this ? pid : null;
  }

  /** @internal Puts a process that has messages into the run queue. Its flag is set. */
  schedule(process: Process<never>): void {
    this.#runQueue.push(process);
    if (!this.#turnAhead) this.#wantTurn();
  }

  /** @internal */
  takeQueue(): Fifo<unknown> {
    return this.#queues.pop() ?? new Fifo<unknown>();
  }

  /** @internal */
  overflowed(process: Process<never>): void {
    this.emit({
      type: 'mailbox_overflow',
      pid: process,
      label: process.label,
      mailboxLength: process.mailboxLength,
    });
    this.#exits.doom(process, ExitReason.mailboxOverflow);
  }

  /** @internal Removes what the tables hold of a dead process. */
  forget(process: Process<never>): void {
    this.#table.remove(process.id);
    if (process.timers !== null) this.timers.cancelAllOf(process);
  }

  #enter(process: Process<never>): void {
    const id = this.#table.add(process);
    process.slot = slotOf(id);
    process.generation = generationOf(id);
  }

  #linkNew(process: Process<never>, other: Pid): void {
    const target = this.local(other);
    if (target?.alive) linkBoth(process, target);
    else if (target === null && this.routeSignal(other, { type: 'link', from: process }))
      addLink(process, other);
    else this.#exits.linkSignal(process, other, ExitReason.noproc);
  }

  #start<M>(process: Process<M>, start: Start<M>): void {
    const before = this.current;
    const self = process as unknown as Process<never>;
    process.flags |= ProcessFlag.scheduled | ProcessFlag.running;
    this.current = self;
    try {
      const receiver = start(process);
      if (process.alive) process.receiver = this.#receiverOf(process, receiver);
    } catch (thrown) {
      this.#end(self, thrown);
    }
    this.current = before;
    process.flags &= ~ProcessFlag.running;
    if (process.mailboxLength !== 0) this.schedule(self);
    else process.flags &= ~ProcessFlag.scheduled;
  }

  #receiverOf<M>(process: Process<M>, receiver: Receiver<M>): Receiver<M> {
    return (process.flags & ProcessFlag.requests) !== 0 ? new RequestReceiver(receiver) : receiver;
  }

  /** The process threw, or wants to end: its terminate, then its end. */
  #end(process: Process<never>, thrown: unknown): void {
    if (!process.alive) return;
    let reason = ExitReason.ofThrown(thrown);
    const { receiver } = process;
    if (receiver?.terminate !== undefined) {
      const before = this.current;
      this.current = process;
      process.flags |= ProcessFlag.running;
      try {
        receiver.terminate(reason);
      } catch (another) {
        reason = ExitReason.ofThrown(another);
      }
      this.current = before;
    }
    this.#exits.crashed(process, reason);
  }

  #resolve(target: Pid | string): Pid | null {
    return typeof target === 'string' ? (this.names.whereis(target) ?? null) : target;
  }

  #watch(ref: Ref): void {
    const { target } = ref;
    const process = target === null ? null : this.local(target);
    if (process?.alive) {
      attach(ref, process);
      return;
    }
    attach(ref, null);
    monitorEnded(ref);
    ref.down(target !== null && process === null ? ExitReason.noconnection : ExitReason.noproc);
  }

  #ask<R>(
    owner: Process<never>,
    target: Pid | string,
    request: unknown,
    done: (outcome: CallOutcome<R>) => void,
    timeoutMs: number,
  ): void {
    if ((owner.flags & ProcessFlag.requests) === 0) {
      owner.flags |= ProcessFlag.requests;
      if (owner.receiver !== null) owner.receiver = new RequestReceiver(owner.receiver);
    }
    const pid = this.#resolve(target);
    const call = new Request<R>(owner, pid, typeof target === 'string' ? target : null, done);
    if (pid === owner) {
      call.flags = 0;
      call.down(ExitReason.callingSelf);
      return;
    }
    this.#watch(call);
    if (!call.isMonitor) return;
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      const timer = new RequestTimer(call as Request<unknown>);
      call.timer = timer;
      this.timers.start(timer, timeoutMs);
    }
    const message = request instanceof StopMessage ? request : new CallMessage(call, request);
    owner.sentCount = (owner.sentCount + 1) | 0;
    this.local(pid!)!.deliver(message);
  }

  #wantTurn(): void {
    if (this.#turnAhead) return;
    this.#turnAhead = true;
    this.clock.defer(this.#onTurn);
  }

  #turn(): void {
    this.#turns++;
    this.#runSlices(this.clock.now() + this.#turnMs, Number.POSITIVE_INFINITY);
    this.#runAfterTurn();
    this.#turnAhead = false;
    if (this.#runQueue.length !== 0 || this.#afterTurn.length !== 0) this.#wantTurn();
  }

  #runSlices(deadline: number, limit: number): void {
    const queue = this.#runQueue;
    for (let process = queue.shift(); process !== null; process = queue.shift()) {
      if (this.#longScheduleMs === 0) this.#slice(process);
      else this.#timedSlice(process);
      const slices = ++this.#slices;
      if (slices % SLICES_PER_LOOK === 0 && (slices >= limit || this.clock.now() >= deadline)) return;
    }
  }

  #slice(process: Process<never>): void {
    if (process.mailboxLength === 0) {
      process.flags &= ~ProcessFlag.scheduled;
      return;
    }
    let left = this.#sliceMessages;
    process.flags |= ProcessFlag.running;
    this.current = process;
    try {
      do {
        process.handledCount = (process.handledCount + 1) | 0;
        process.receiver!.receive(process.take() as never);
      } while (process.mailboxLength !== 0 && --left !== 0);
    } catch (thrown) {
      this.#end(process, thrown);
    }
    this.current = this.outside;
    process.flags &= ~ProcessFlag.running;
    if (process.mailboxLength !== 0) {
      this.#runQueue.push(process);
      return;
    }
    process.flags &= ~ProcessFlag.scheduled;
    const { queue } = process;
    if (queue !== null) {
      process.queue = null;
      if (this.#queues.length < QUEUES_POOLED_MAX) this.#queues.push(queue);
    }
  }

  #timedSlice(process: Process<never>): void {
    const start = this.clock.now();
    const handled = process.handledCount;
    this.#slice(process);
    const durationMs = this.clock.now() - start;
    if (durationMs >= this.#longScheduleMs) {
      const messages = (process.handledCount - handled) | 0;
      this.emit({ type: 'long_schedule', pid: process, label: process.label, durationMs, messages });
    }
  }

  #runAfterTurn(): void {
    const callbacks = this.#afterTurn;
    if (callbacks.length === 0) return;
    this.#afterTurn = [];
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        this.emit({ type: 'hook_failed', error });
      }
    }
  }
}

/** The time of a call is over. */
class RequestTimer extends ProcessTimer {
  constructor(private readonly request: Request<unknown>) {
    super(request.owner, null, false);
  }

  override expired(): void {
    this.detach();
    this.request.timedOut();
  }
}

/** A call got no answer. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';

  constructor(
    readonly target: Pid | string,
    readonly reason: ExitReason,
  ) {
    super(`call of ${String(target)} failed: ${formatReason(reason)}`);
  }
}
