import type { Clock } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import { generationOf, SlotTable, slotOf } from '../structures/slot-table.js';
import { AsyncProcess } from './async-process.js';
import { BadArgument } from './bad-argument.js';
import { CallTimes } from './call-times.js';
import { ask, CallFailed, callNow, settle } from './calls.js';
import { Coroutine } from './coroutine.js';
import { beCut, Word, words } from './cut.js';
import { Exit, Exited, ExitReason } from './exit-reason.js';
import { Exits } from './exits.js';
import { FrozenProcess } from './frozen-process.js';
import { handlerOf } from './handler-of.js';
import { linksOf } from './links.js';
import { MailboxMonitor } from './mailbox-monitor.js';
import type { MailboxSpill } from './mailbox-spill.js';
import { NameTaken } from './name-table.js';
import { Names } from './names.js';
import type { Pid } from './pid.js';
import { Process, type Start } from './process.js';
import { ProcessFlag } from './process-flag.js';
import type { ProcessInfo } from './process-info.js';
import { Ref, RemoteRef } from './ref.js';
import { RemotePids, RemoteRefs } from './remote-pids.js';
import {
  type CallOutcome,
  CastMessage,
  type From,
  RemoteFrom,
  Request,
  RequestReceiver,
  StopMessage,
} from './request.js';
import { RequestId } from './request-id.js';
import type { NamedMessage, RemoteSignal, Router, SchedulerWatcher } from './router.js';
import type { EventSink, RuntimeEvent } from './runtime-event.js';
import {
  type Budgets,
  checkRuntimeOptions,
  type RuntimeOptions,
  type SpawnOptions,
} from './runtime-options.js';
import { RuntimeStats } from './runtime-stats.js';
import { Signals } from './signals.js';
import { CutOff, GuardMark } from './slice-guard.js';
import { SysMessage } from './sys-request.js';
import { DownMessage, ExitMessage, TimeoutMessage } from './system-message.js';
import {
  LOOK_MASK,
  SystemMonitor,
  type SystemMonitorOptions,
  type SystemMonitorSettings,
} from './system-monitor.js';
import { CallbackTimer, ProcessTimer, type Timer, Timers } from './timers.js';
import { traceOut } from './tracing.js';
import { Turns } from './turns.js';
import { isVia, type Name, nameInWords, type Target } from './via.js';
import { type Blocking, isBlocking, isPromise, Token, type Wait } from './wait.js';

/**
 * The processes of one thread and everything they share. A thread may have several runtimes (the simulation does);
 * they know of each other only through the router.
 *
 * This is the face of the core; the work is done by {@link Turns} (who runs when), {@link Exits} (how processes end),
 * {@link Signals} (links, monitors, aliases), {@link Timers}, {@link Names} and the calls of calls.ts.
 */
export class Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: number;
  /** May be changed at any time. See {@link RuntimeOptions.mailboxMax}. */
  mailboxMax: number;
  /** @internal */
  readonly spill: MailboxSpill | null;
  /** @internal */
  readonly names: Names;
  /** @internal */
  readonly timers: Timers;
  /** @internal */
  readonly callTimes = new CallTimes(this);
  /** @internal */
  readonly turns: Turns;
  /** Who has a backlog, and who is busy. */
  readonly mailboxes: MailboxMonitor = new MailboxMonitor(this);
  /** @internal */
  readonly stats: RuntimeStats | null;
  /** Slices and callbacks that took long. */
  longSchedules = 0;
  /** @internal See `mailboxGrown`. */
  lookMask = LOOK_MASK;
  /** @internal */
  readonly signals: Signals;
  /** The process whose callback is on the stack; `outside` when there is none. */
  current: Process<never>;
  /** @internal The number of the scheduler whose messages are being taken in; null: none's. */
  arrivesFrom: number | null = null;
  /** Called when a turn has ended and nobody has anything to do. Must not throw. */
  onRest: (() => void) | null = null;
  /** Stands for everything that is no process: owner of the calls from outside, sender of the signals from there. */
  readonly outside: Process<never>;

  readonly #processClass: typeof Process;
  readonly #events: EventSink | null;
  readonly #router: Router | null;
  #systemMonitor: SystemMonitor | null = null;
  readonly #exits = new Exits(this);
  readonly #table = new SlotTable<Process<never>>();
  readonly #remotePids = new RemotePids();
  readonly #remoteRefs = new RemoteRefs();

  /** Throws a {@link BadArgument} for a bad option. */
  constructor(options: RuntimeOptions) {
    checkRuntimeOptions(options);
    this.clock = options.clock;
    this.random = options.random;
    this.scheduler = options.scheduler ?? 0;
    this.mailboxMax = options.mailboxMax ?? 2 ** 24;
    this.#processClass = options.freezeMessages === true ? FrozenProcess : Process;
    this.#events = options.events ?? null;
    this.#router = options.router ?? null;
    this.names = new Names(options.names ?? null, this.scheduler);
    this.timers = new Timers(options.clock);
    this.spill = options.freezeMessages === true ? null : (options.spill?.(this) ?? null);
    this.turns = new Turns(this, options);
    this.stats = options.stats === undefined ? null : new RuntimeStats(this, options.stats);
    this.signals = new Signals(this, this.#exits);
    this.outside = new Process<never>(this, 'outside', null);
    this.outside.flags = ProcessFlag.trapExit | ProcessFlag.requests;
    this.outside.receiver = new RequestReceiver<never>({ receive: (message) => this.#passOn(message) });
    this.#enter(this.outside);
    this.current = this.outside;
  }

  // ---- processes -----------------------------------------------------------------------------------------------

  /**
   * Starts a process: `start` runs at once, as the new process, and returns what handles its messages. If it
   * throws, the process has ended with that reason, as if it had crashed later; the pid is returned all the same.
   */
  spawn<M>(start: Start<M>, options: SpawnOptions = {}): Pid<M> {
    return this.spawnFrom(this.current, start, options, options.link);
  }

  /** @internal */
  spawnFrom<M>(
    parent: Process<never>,
    start: Start<M>,
    options: SpawnOptions,
    link: Pid | undefined,
  ): Pid<M> {
    if (words[Word.cutting] !== 0) beCut();
    if (!parent.alive) throw new Exit(parent.first as ExitReason);
    const { label, name, localName, monitor, trapExit, priority } = options;
    const process = new this.#processClass<M>(
      this,
      label ?? nameInWords(name ?? 'process'),
      parent === this.outside ? null : parent,
    );
    const self = process as unknown as Process<never>;
    this.#enter(self);
    if (name !== undefined) this.#enterName(name, self, localName === true);
    if (trapExit === true) process.flags |= ProcessFlag.trapExit;
    if (priority !== undefined) process.priority = priority;
    if (monitor !== undefined) this.signals.monitor(monitor, process);
    if (link !== undefined) this.signals.linkNew(self, link);
    if (process.alive) this.#start(self, start as Start<never>);
    return process;
  }

  /** Whether a process of this scheduler has not ended. False for all others: ask by a monitor. */
  isAlive(pid: Pid): boolean {
    return this.local(pid)?.alive === true;
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
    if (words[Word.cutting] !== 0) beCut();
    const process = this.local(pid);
    if (process !== null) this.#exits.signal(process, this.current, reason);
    else this.routeSignal(pid, { type: 'exit', from: this.current, reason, link: false });
  }

  /** Ends a process of this scheduler as if it had called `self.exit`: its terminate runs. For its own socket and test. */
  finish(pid: Pid, reason: ExitReason): void {
    const process = this.local(pid);
    if (!process?.alive) return;
    const { guard } = this.turns;
    if (guard === null) {
      this.escaped(process, new Exit(reason));
      return;
    }
    const before = this.current;
    if (!guard.run(finishNow, process, reason, null)) return;
    this.current = before;
    this.cutOff(process, 'terminate');
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  /** Sends a message, in the name of the running process. To one that has ended: nothing happens. */
  send<M>(target: Pid<M>, message: M): void {
    if (words[Word.cutting] !== 0) beCut();
    const { current } = this;
    if ((current.flags & ProcessFlag.traced) !== 0) traceOut(current, target as Pid, message);
    current.sentCount = (current.sentCount + 1) | 0;
    const process = target as unknown as Process<M>;
    if (process.runtime === this) process.deliver(message);
    else this.route(target, message);
  }

  /**
   * Sends, and says whether the message was taken: false when there is no room, or no way, to the scheduler of the
   * target. One to a process that has ended is taken, too.
   */
  trySend<M>(target: Pid<M>, message: M): boolean {
    if (words[Word.cutting] !== 0) beCut();
    const { current } = this;
    if ((current.flags & ProcessFlag.traced) !== 0) traceOut(current, target as Pid, message);
    current.sentCount = (current.sentCount + 1) | 0;
    const process = target as unknown as Process<M>;
    if (process.runtime !== this) return this.route(target, message);
    process.deliver(message);
    return true;
  }

  /** Sends to whoever is registered as `name`. Throws a {@link BadArgument} if nobody is. */
  sendNamed(name: Name, message: unknown): void {
    const pid = this.whereis(name);
    if (pid === undefined) throw new BadArgument(`nobody is registered as ${nameInWords(name)}`);
    this.send(pid, message);
  }

  /** Sends through an alias. If it is not active any more nothing happens. */
  sendAlias(ref: Ref | RemoteRef, message: unknown): void {
    if (words[Word.cutting] !== 0) beCut();
    const { current } = this;
    if ((current.flags & ProcessFlag.traced) !== 0) traceOut(current, ref.owner, message);
    current.sentCount = (current.sentCount + 1) | 0;
    if (ref instanceof RemoteRef) this.routeSignal(ref.owner, { type: 'alias', ref: ref.number, message });
    else if (ref.owner.runtime === this) this.signals.throughAlias(ref, message);
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
   * the target has ended, or waits in a generator (the message might be put aside), or sixteen messages are being handled on this stack.
   */
  tryDispatch<M>(target: Pid<M>, message: M): boolean {
    if (words[Word.cutting] !== 0) beCut();
    const process = target as unknown as Process<never>;
    const { turns } = this;
    if (process.runtime !== this || (process.flags & NOT_AT_ONCE) !== 0 || turns.tooDeep) {
      return false;
    }
    const { current } = this;
    if ((current.flags & ProcessFlag.traced) !== 0) traceOut(current, target as Pid, message);
    current.sentCount = (current.sentCount + 1) | 0;
    if (process.mailboxLongest === 0) process.mailboxLongest = 1;
    process.flags |= ProcessFlag.scheduled;
    turns.handleNow(process, message);
    if (process.mailboxLength !== 0) turns.schedule(process);
    else process.flags &= ~ProcessFlag.scheduled;
    return true;
  }

  // ---- calls ---------------------------------------------------------------------------------------------------

  /**
   * Calls a server from outside of any process. Rejects with a {@link CallFailed}. Inside a process use
   * `self.request` or `self.call`: a promise would resume outside of the process's turns.
   */
  call<R>(target: Target, request: unknown, timeoutMs = 5000): Promise<R> {
    return new Promise((resolve, reject) => {
      ask<R>(this, this.outside, target, request, settle(target, resolve, reject), timeoutMs);
    });
  }

  /**
   * Waits, from outside of processes, as a process does with `yield*`: `await runtime.wait(sys.getState(server))`. A process
   * is made for it. Rejects with an {@link Exited} if that process exits, or with what it throws.
   */
  wait<T>(what: Wait<T> | Blocking<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.spawn<never>(
        function* () {
          try {
            resolve(yield* what);
          } catch (thrown) {
            reject(thrown instanceof Exit ? new Exited(thrown.reason) : thrown);
          }
        },
        { label: 'waiting' },
      );
    });
  }

  /**
   * Calls a local server on this stack: first it handles what is in its mailbox (as if it were its turn now), then the
   * request. For what must be known at once, like a child that a socket callback has a supervisor start. Fails with
   * `busy` if the server is running or deep below, or has not answered when it returns (a later answer is dropped), or
   * else as a call does.
   */
  callNow<R>(target: Target, request: unknown): CallOutcome<R> {
    return callNow(this, target, request);
  }

  /** Sends a request without an answer to a server. Never fails. */
  cast(target: Target, message: unknown): void {
    const pid = this.resolve(target);
    if (pid !== null) this.send(pid as Pid<unknown>, new CastMessage(message));
  }

  /**
   * Ends a behaviour through its terminate and waits until it has ended. Rejects with a {@link CallFailed} if it
   * ends otherwise than with `reason`, or not in time.
   */
  stop(
    target: Target,
    reason: ExitReason = ExitReason.normal,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (outcome: CallOutcome<never>) => {
        if (!outcome.ok && outcome.reason === reason) resolve();
        else reject(new CallFailed(target, outcome.ok ? ExitReason.normal : outcome.reason));
      };
      ask(this, this.outside, target, new StopMessage(reason), done, timeoutMs);
    });
  }

  // ---- names ---------------------------------------------------------------------------------------------------

  /**
   * Throws a {@link BadArgument} if the name is taken, or the process has ended, is elsewhere or has a name; a
   * {@link NameTableFull} if the node's table is full.
   */
  register(name: string, pid: Pid): void {
    const process = this.local(pid);
    if (words[Word.cutting] !== 0) beCut();
    if (process === null)
      throw new BadArgument(`only a process of this scheduler can be registered as ${name}`);
    this.names.register(name, process);
  }

  /** Throws a {@link BadArgument} if nobody has the name, or a process of another scheduler. */
  unregister(name: string): void {
    if (words[Word.cutting] !== 0) beCut();
    this.names.unregister(name);
  }

  /** The process that has a name: of this scheduler or, with a node-wide table, of another. That it takes messages of type `M` is the caller's word. */
  whereis<M = unknown>(name: Name): Pid<M> | undefined {
    if (typeof name !== 'string') return name.via.whereisName(name.key) as Pid<M> | undefined;
    const process = this.names.local(name) as Pid<M> | undefined;
    if (process !== undefined) return process;
    const holder = this.names.remote(name);
    return holder === undefined ? undefined : (this.pid(holder.scheduler, holder.id) as Pid<M>);
  }

  // ---- timers --------------------------------------------------------------------------------------------------

  /** Sends `message` in `delayMs`. The timer dies with the target; a name is looked up when the time has come. */
  sendAfter<M>(delayMs: number, target: Pid<M> | Name, message: M): Timer {
    if (words[Word.cutting] !== 0) beCut();
    const process = typeof target === 'string' ? null : this.local(target as Pid);
    if (process !== null) return this.startProcessTimer(process, delayMs, message, false);
    const timer = new CallbackTimer(() => {
      const pid = this.resolve(target);
      if (pid === null) return;
      try {
        this.send(pid as Pid<M>, message);
      } catch (error) {
        // Nobody is there any more to whom a message that cannot leave the scheduler could be thrown.
        this.emit({ type: 'undeliverable', target: pid, error });
      }
    });
    this.timers.start(timer, delayMs);
    return timer;
  }

  /** The same, but what comes is a {@link TimeoutMessage} with the timer and `message`. */
  startTimer(delayMs: number, target: Pid<unknown> | string, message: unknown): Timer {
    if (words[Word.cutting] !== 0) beCut();
    const process = typeof target === 'string' ? null : this.local(target);
    if (process !== null) return this.startProcessTimer(process, delayMs, message, true);
    const timer: CallbackTimer = new CallbackTimer(() => {
      const pid = typeof target === 'string' ? this.whereis(target) : target;
      if (pid !== undefined) this.send(pid, new TimeoutMessage(timer, message));
    });
    this.timers.start(timer, delayMs);
    return timer;
  }

  /** @internal */
  startProcessTimer(process: Process<never>, delayMs: number, message: unknown, wrapped: boolean): Timer {
    if (words[Word.cutting] !== 0) beCut();
    const timer = new ProcessTimer(process, message, wrapped);
    if (process.alive) this.timers.start(timer, delayMs);
    else process.timers = null;
    return timer;
  }

  /** The milliseconds that were left, or false if the timer had fired or was cancelled. */
  cancelTimer(timer: Timer): number | false {
    if (words[Word.cutting] !== 0) beCut();
    return this.timers.cancel(timer);
  }

  /** The milliseconds that are left, or false. */
  readTimer(timer: Timer): number | false {
    return this.timers.read(timer);
  }

  // ---- turns ---------------------------------------------------------------------------------------------------

  /** What processes get before others have their turn. */
  get budgets(): Budgets {
    return this.turns.budgets;
  }

  /** Other budgets, from the next slice and the next turn on. Throws a {@link BadArgument} for a bad one. */
  set budgets(budgets: Budgets) {
    this.turns.budgets = budgets;
  }

  /** See {@link RuntimeOptions.longScheduleMs}; may be changed at any time. With a guard it stays 0. */
  get longScheduleMs(): number {
    return this.turns.longScheduleMs;
  }

  set longScheduleMs(ms: number) {
    this.turns.longScheduleMs = ms;
  }

  /**
   * Has `callback` called once, at the end of the turn that runs, or, from outside of a turn (after a dispatch out
   * of a socket callback, say), at the end of the next: in the same round of the event loop, so that everything
   * that this round's sockets brought can be answered together.
   */
  afterTurn(callback: () => void): void {
    this.turns.afterTurn(callback);
  }

  /** Runs until nobody has anything to do, without letting time pass: for tests. Not to be called from a process. */
  flush(): void {
    this.turns.flush();
  }

  // ---- inspection ----------------------------------------------------------------------------------------------

  /** Processes alive, without `outside`. */
  get processCount(): number {
    return this.#table.size - 1;
  }

  /** Processes that wait for their slice. */
  get runQueueLength(): number {
    return this.turns.length;
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
    const monitoring: (Pid | string)[] = [];
    for (let ref = process.refs; ref !== null; ref = ref.nextOwned) {
      if (ref.isMonitor && ref.target !== null) monitoring.push(ref.name ?? ref.target);
    }
    const monitoredBy: Pid[] = [];
    for (let ref = process.watchers; ref !== null; ref = ref.nextWatcher) monitoredBy.push(ref.watcher);
    let timers = 0;
    for (let timer = process.timers; timer !== null; timer = timer.nextOwned) timers++;
    return {
      pid: process,
      label: process.label,
      name: process.registeredName,
      path: this.pathOf(process),
      parent: process.parent,
      running: (process.flags & ProcessFlag.running) !== 0,
      suspended: (process.flags & ProcessFlag.suspended) !== 0,
      trapExit: process.trapExit,
      priority: process.priority,
      mailboxLength: process.messageQueueLength,
      mailboxLongest: process.mailboxLongest,
      received: process.received,
      handled: process.handled,
      sent: process.sent,
      links: linksOf(process),
      monitoring,
      monitoredBy,
      timers,
    };
  }

  /**
   * Gives a process of this scheduler no more slices until {@link resume}: what comes waits in its mailbox, whatever it is.
   * Erlang's suspend_process, for debugging; exit signals still end it. What an async function goes on with by itself is not
   * held. Returns false if it is suspended already. Throws a {@link BadArgument} if it has ended, is elsewhere or runs just
   * now (nobody suspends himself).
   */
  suspend(pid: Pid): boolean {
    return this.turns.suspend(this.#inspected(pid));
  }

  /** Ends {@link suspend}; false if it is not suspended. Throws a {@link BadArgument} if it has ended or is elsewhere. */
  resume(pid: Pid): boolean {
    return this.turns.resume(this.#inspected(pid));
  }

  #inspected(pid: Pid): Process<never> {
    const process = this.local(pid);
    if (process === null || !process.alive || process === this.outside)
      throw new BadArgument(`not a live process of this scheduler: ${String(pid)}`);
    return process;
  }

  /**
   * Sends a message that is handled before all that wait, for operators: a word to a process that is far behind. Only what it
   * has looked at and put aside, if it waits for a certain message, stays before. Throws a {@link BadArgument} if it has ended
   * or is elsewhere.
   */
  sendFirst<M>(target: Pid<M>, message: M): void {
    this.#inspected(target as Pid).putFirst(message);
  }

  /**
   * Throws away the oldest messages in a mailbox, at most so many, and returns how many there were. EXIT, DOWN, requests of
   * `sys` and what the core has put there stay, and so does what the process has put aside. Who waits for an answer waits in
   * vain. Throws a {@link BadArgument} if it has ended or is elsewhere.
   */
  flushMailbox(pid: Pid, max = Number.POSITIVE_INFINITY): number {
    return this.#inspected(pid).flushAll(isMessage, max);
  }

  /**
   * Has a process of this scheduler told of long mailboxes, long slices and full rings, by a {@link MonitorMessage} for each:
   * Erlang's system_monitor/2. There is one monitor at a time; a call says how everything is watched from now on, and what it
   * does not name is watched no more. It ends with the process. Null: nobody is told.
   *
   * A mailbox is told of once when it reaches `enable`, and once more when it has fallen to `disable`, at the end of a slice;
   * then it may be told of again. That of the monitor itself is not watched. Without `longMessageQueue` it costs nothing; with
   * an `enable` that is no multiple of 64 a little for each message in a mailbox with others.
   *
   * Returns what it was before. Throws a {@link BadArgument}.
   */
  systemMonitor(monitor: Pid | null, options: SystemMonitorOptions = {}): SystemMonitorSettings | null {
    const before = this.systemMonitorSettings;
    const next = monitor === null ? null : new SystemMonitor(this.#inspected(monitor), options);
    this.#systemMonitor?.close();
    this.#systemMonitor = next;
    this.lookMask = next?.lookMask ?? LOOK_MASK;
    return before;
  }

  /** Who is told of what; null: nobody. Erlang's system_monitor/0. */
  get systemMonitorSettings(): SystemMonitorSettings | null {
    const present = this.#systemMonitor;
    return present === null ? null : { monitor: present.monitor, options: present.options };
  }

  #monitoredEnded(system: SystemMonitor, process: Process<never>): void {
    if (process === system.monitor) this.systemMonitor(null);
    else if ((process.flags & ProcessFlag.long) !== 0) system.forget(process);
  }

  /** Labels of the processes above this one, topmost first. */
  pathOf(pid: Pid): string[] {
    const path: string[] = [];
    for (let above = this.local(pid)?.parent ?? null; above instanceof Process; above = above.parent) {
      path.unshift(above.label);
    }
    return path;
  }

  /** @internal Whether anybody takes the events. */
  get reports(): boolean {
    return this.#events !== null;
  }

  /** @internal */
  emit(event: RuntimeEvent): void {
    if (event.type === 'long_schedule') this.longSchedules++;
    if (this.#systemMonitor !== null) this.#systemMonitor.emitted(event);
    if (this.#events === null) return;
    const { guard } = this.turns;
    try {
      if (guard === null) this.#events(event);
      else if (guard.run(this.#events, event, null, null)) throw new CutOff(guard.takeCut());
    } catch (error) {
      // The sink's own fault, and not to be hidden; but nothing may escape into the middle of a death or a turn.
      this.clock.defer(() => {
        throw error;
      });
    }
  }

  // ---- other schedulers ----------------------------------------------------------------------------------------

  /** Numbers of the other schedulers of the node. */
  get schedulers(): readonly number[] {
    return this.#router?.schedulers ?? [];
  }

  /** Tells of other schedulers' coming and going: Erlang's net_kernel:monitor_nodes. */
  watchSchedulers(watcher: SchedulerWatcher): void {
    this.#router?.watch?.(watcher);
  }

  unwatchSchedulers(watcher: SchedulerWatcher): void {
    this.#router?.unwatch?.(watcher);
  }

  /**
   * Sends to whoever has the name on another scheduler: Erlang's `{Name, Node} ! Message`. If nobody
   * has, nothing happens. Later messages straight to that process may overtake it.
   */
  sendNamedAt(scheduler: number, name: string, message: unknown): void {
    const named: NamedMessage = { type: '$named', name, message };
    this.send(this.pid(scheduler, this.outside.id), named);
  }

  // ---- other schedulers: for the router ------------------------------------------------------------------------

  /** The pid of a process of any scheduler, alive or not. The same object for the same process while anybody holds it. */
  pid(scheduler: number, id: number): Pid<unknown> {
    if (scheduler !== this.scheduler) return this.#remotePids.of(scheduler, id);
    const process = this.#table.get(id) ?? this.spill?.endedAs(id);
    return (process as Pid<unknown> | undefined) ?? this.#remotePids.of(scheduler, id);
  }

  /** A message came for the process with this id. Returns false if it has ended. */
  deliver(id: number, message: unknown): boolean {
    const process = this.#table.get(id);
    process?.deliver(message);
    return process !== undefined;
  }

  /** A signal came for the process with this id. */
  deliverSignal(id: number, signal: RemoteSignal): void {
    this.signals.arrived(id, signal);
  }

  /** A scheduler was lost: links with its processes break and monitors of them fire, with noconnection. */
  schedulerDown(scheduler: number): void {
    this.signals.schedulerDown(scheduler);
  }

  /** The number that stands for the `from` of a call on its way to another scheduler; 0 if nobody waits for a reply. */
  exportFrom(from: From<unknown>): number {
    return from.export();
  }

  /** The `from` of a call that came from another scheduler, or of one of ours that came back. */
  importFrom(caller: Pid, ref: number): From<unknown> {
    const ours = caller.scheduler === this.scheduler ? this.signals.exported(ref) : undefined;
    return ours instanceof Request || ours instanceof RequestId
      ? ours
      : new RemoteFrom(this, this.canonical(caller), ref);
  }

  /** A reference that came from another scheduler: ours, if it is known yet, or one of theirs. */
  importRef(owner: Pid, number: number): Ref | RemoteRef {
    if (owner.scheduler !== this.scheduler) return this.#remoteRefs.of(owner, number);
    return this.signals.exported(number) ?? new Ref(this.outside, null, null, 0);
  }

  // ---- for the core's own files --------------------------------------------------------------------------------

  /** @internal Sends to a process that is not of this runtime. */
  route(target: Pid, message: unknown): boolean {
    if (target.scheduler === this.scheduler) return true;
    return this.#router?.message(target, message) ?? false;
  }

  /** @internal */
  routeSignal(target: Pid, signal: RemoteSignal): boolean {
    return (
      target.scheduler !== this.scheduler && this.#router !== null && this.#router.signal(target, signal)
    );
  }

  /** @internal The process behind a pid, alive or not; null if it belongs to another runtime. */
  local(pid: Pid): Process<never> | null {
    return pid instanceof Process && pid.runtime === this ? pid : null;
  }

  /** @internal The one object that stands for this pid here. */
  canonical(pid: Pid): Pid {
    return this.local(pid) ?? this.pid(pid.scheduler, pid.id);
  }

  /** @internal */
  resolve(target: Target): Pid | null {
    if (typeof target === 'string') return this.whereis(target) ?? null;
    const process = this.local(target as Pid);
    if (process !== null) return process;
    return isVia(target) ? (this.whereis(target) ?? null) : this.canonical(target);
  }

  /** @internal A mailbox, or what is put aside of it, has so many messages: none of the bits of {@link lookMask}. */
  mailboxGrown(process: Process<never>, length: number): void {
    METRICS: if ((length & LOOK_MASK) === 0) this.mailboxes.grown(process);
    if (this.#systemMonitor !== null) this.#systemMonitor.grown(process);
    if (length > this.mailboxMax) this.overflowed(process);
  }

  /** @internal A process whose mailbox was long has had a slice. */
  mailboxShrunk(process: Process<never>): void {
    this.#systemMonitor!.shrunk(process);
  }

  /** @internal */
  overflowed(process: Process<never>): void {
    const { label, mailboxLength } = process;
    this.emit({ type: 'mailbox_overflow', pid: process, label, mailboxLength });
    this.#exits.doom(process, ExitReason.mailboxOverflow);
  }

  /** @internal A process was cut off in one of its callbacks: nothing of that is on the stack any more. */
  cutOff(process: Process<never>, callback: string, message?: unknown): void {
    this.#exits.cutOff(process, handlerOf(process, callback, message), this.turns.guard!.takeCut());
  }

  /** @internal Removes what the tables hold of a dead process. */
  forget(process: Process<never>): void {
    this.names.release(process);
    this.#table.remove(process.id);
    if (process.activity !== null) this.mailboxes.ended(process);
    if (this.#systemMonitor !== null) this.#monitoredEnded(this.#systemMonitor, process);
    if ((process.flags & ProcessFlag.suspended) !== 0) this.turns.forget(process);
    if ((process.flags & ProcessFlag.spilled) !== 0) this.spill?.ended(process);
    if (process.timers !== null) this.timers.cancelAllOf(process);
  }

  /** @internal Something escaped from a callback of the process: its terminate, then its end. */
  escaped(process: Process<never>, thrown: unknown): void {
    if (words[Word.cutting] !== 0) beCut();
    if (!process.alive) return;
    let reason = ExitReason.ofThrown(thrown);
    const { receiver } = process;
    if (receiver?.terminate !== undefined && (process.flags & ProcessFlag.terminating) === 0) {
      const before = this.current;
      this.current = process;
      process.flags |= ProcessFlag.running | ProcessFlag.terminating;
      try {
        const result = receiver.terminate(reason);
        if (isBlocking(result)) {
          process.receiver = null;
          Coroutine.run(process, result, () => this.#exits.crashed(process, reason));
          this.current = before;
          return;
        }
      } catch (another) {
        reason = ExitReason.ofThrown(another);
      }
      this.current = before;
    }
    this.#exits.crashed(process, reason);
  }

  #receiveWith(process: Process<never>, started: ReturnType<Start<never>>): void {
    if (typeof started !== 'object' || started === null)
      throw new BadArgument(
        `a start function returns a receiver, a generator or a promise, not ${String(started)}`,
      );
    if (started === process.receiver) return;
    if ('receive' in started) {
      const requests = (process.flags & ProcessFlag.requests) !== 0;
      process.receiver = requests ? new RequestReceiver(started) : started;
    } else if (isBlocking(started)) {
      // Runs in its first slice: a process that waits runs beside the one that starts it, not on its stack.
      Coroutine.prepare(process, started, () => this.#exits.crashed(process, ExitReason.normal));
    } else if (isPromise(started)) {
      AsyncProcess.of(process).run(started);
    } else {
      throw new BadArgument(
        `a start function returns a receiver, a generator or a promise, not ${String(started)}`,
      );
    }
  }

  /** A message came for `outside`: for nobody, unless it names somebody. */
  #passOn(message: unknown): void {
    const named = message as NamedMessage | null | undefined;
    if (named?.type === '$named') this.names.local(named.name)?.deliver(named.message);
  }

  /** If the name is taken there must be no trace of the process. */
  #enterName(name: Name, process: Process<never>, local: boolean): void {
    try {
      if (typeof name === 'string') this.names.register(name, process, local);
      else if (!name.via.registerName(name.key, process, name.value)) throw new NameTaken(nameInWords(name));
    } catch (error) {
      this.#table.remove(process.id);
      throw error;
    }
  }

  /** @internal */
  startNow(process: Process<never>, start: Start<never>): void {
    try {
      const started = start(process);
      if (process.alive) this.#receiveWith(process, started);
    } catch (thrown) {
      this.escaped(process, thrown);
    }
  }

  #enter(process: Process<never>): void {
    const id = this.#table.add(process);
    process.slot = slotOf(id);
    process.generation = generationOf(id);
  }

  #start(process: Process<never>, start: Start<never>): void {
    const before = this.current;
    process.flags |= ProcessFlag.scheduled | ProcessFlag.running;
    this.current = process;
    const { guard } = this.turns;
    guard?.begins();
    if (guard === null) this.startNow(process, start);
    else if (guard.run(startNow, process, start, null)) this.cutOff(process, 'start');
    else if (words[Word.sampled] !== 0) this.turns.sampled(process, guard.marks[GuardMark.depth]!, 0);
    this.current = before;
    process.flags &= ~ProcessFlag.running;
    if (process.mailboxLength !== 0) this.turns.schedule(process);
    else process.flags &= ~ProcessFlag.scheduled;
  }
}

/** Whether it is one that can be missed: not the end of a supervisor, say, or of somebody who is counted on. */
function isMessage(message: unknown): boolean {
  return !(
    message instanceof Token ||
    message instanceof Request ||
    message instanceof ExitMessage ||
    message instanceof DownMessage ||
    message instanceof SysMessage ||
    message instanceof StopMessage
  );
}

/** It cannot handle a message on the stack of its sender. */
const NOT_AT_ONCE = ProcessFlag.scheduled | ProcessFlag.dead | ProcessFlag.waits | ProcessFlag.traced;

function startNow(process: Process<never>, start: Start<never>): void {
  process.runtime.startNow(process, start);
}

function finishNow(process: Process<never>, reason: ExitReason): void {
  process.runtime.escaped(process, new Exit(reason));
}
