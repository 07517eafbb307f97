import type { Clock } from '../structures/clock.js';
import { Fifo } from '../structures/fifo.js';
import { BadArgument } from './bad-argument.js';
import { beCut, Word, words } from './cut.js';
import type { Process } from './process.js';
import { Pace, PriorityMask, ProcessFlag } from './process-flag.js';
import { RunQueue } from './run-queue.js';
import type { Runtime } from './runtime.js';
import { type Budgets, budgetsOf, checkBudgets, type RuntimeOptions } from './runtime-options.js';
import { CutOff, GuardMark, type SliceGuard } from './slice-guard.js';

/** How often a turn looks at the clock, in ms, and at most so many messages and slices apart: a look costs 40 ns. */
const LOOK_MS = 0.5;
const LOOK_MESSAGES_MAX = 512;
/** After so many messages a slice looks whether it is to give way: to look for each of them costs a few per cent. */
const SOME_MESSAGES = 16;
/** Of the slices of priority normal and low together, one in so many goes to low when both wait. */
const SLICES_PER_LOW = 8;
/** Of the messages handled on a sender's stack one in so many, and one, is timed: a look costs 40 ns. A power of two, less one. */
const DISPATCH_SAMPLE = 31;
/** How often somebody's rates are brought up to date because he has just run, or is about to, in ms. */
const SEEN_MS = 0.5;
/** Of the turns of one slice one in so many, and one, is timed. A power of two, less one. */
const TURN_SAMPLE = 15;
/** How deep messages may be handled on the stack of a sender. */
const DEPTH_MAX = 16;
const QUEUES_POOLED_MAX = 256;
/** Slices after which `flush` gives up: something sends to itself for ever. */
const FLUSH_SLICES_MAX = 50_000_000;

/**
 * Who runs when. A turn is one call from the event loop: each process that has messages gets a slice of at most
 * `sliceMessages` of them and `sliceMs`, round robin, until nobody has any or `turnMs` are over; then the after-turn
 * callbacks run.
 *
 * No clock is read for each message: a slice looks at it after as many messages as the process got done in time lately
 * (its {@link Pace}), a turn after as many as lately took half a millisecond. Where there is a watchdog it tells a slice
 * that has got slow all of a sudden to end.
 *
 * Priorities are Erlang's: while a process of priority max can run no other does, then high; normal and low share,
 * low getting one slice in eight.
 */
export class Turns {
  /** Slices run so far. */
  slices = 0;
  /** Turns run so far. */
  turns = 0;
  /** Milliseconds in slices. Of turns of one slice one in 16 is timed. */
  turnMs = 0;
  /** Messages handled on the stack of a sender; and about how many milliseconds that took where he was no process. */
  dispatches = 0;
  dispatchMs = 0;
  /** Messages that are being handled on a sender's stack. */
  depth = 0;
  /** @internal What can be cut off runs under it. */
  readonly guard: SliceGuard | null;

  readonly #runtime: Runtime;
  readonly #clock: Clock;
  #sliceMessages: number;
  #sliceMs: number;
  #turnMs: number;
  #longScheduleMs: number;
  readonly #normal = new RunQueue();
  readonly #max = new RunQueue();
  readonly #high = new RunQueue();
  readonly #low = new RunQueue();
  /** Processes in the three queues that are rarely used. */
  #special = 0;
  /** Messages from one look at the clock to the next: as many as lately took {@link LOOK_MS}. */
  #lookAfter = LOOK_MESSAGES_MAX;
  /** Slices, and messages handled in them, up to the last look. */
  #done = 0;
  #turnStarted = -1;
  /** Turns of one slice, or of none. */
  #small = 0;
  /** Of the dispatches, those by no process. */
  #outer = 0;
  /** When somebody was looked at last only because he ran, or was about to. */
  #seenAt = Number.NEGATIVE_INFINITY;
  /** When the clock was looked at last between two slices. */
  #turnLooked = 0;
  /** The same, in slices as well. */
  #looked = 0;
  /** Messages of a slice that does not look at the clock; 1 while all of them do. */
  #freeMessages = 1;
  /** When the slice began that has looked at the clock, or a little before. */
  #sliceStarted = 0;
  readonly #queues: Fifo<unknown>[] = [];
  /** Those that are suspended, and whether they still stand in a run queue. */
  readonly #suspended = new Map<Process<never>, boolean>();
  #afterTurn: (() => void)[] = [];
  /** Those that run now, and how far they are: what is cut off must not take the others with it. */
  #callbacks: (() => void)[] = [];
  #callbackAt = 0;
  #ahead = false;
  #running = false;
  readonly #onTurn = () => this.#turn();

  constructor(runtime: Runtime, options: RuntimeOptions) {
    this.#runtime = runtime;
    this.#clock = options.clock;
    const { sliceMessages, sliceMs, turnMs } = budgetsOf(options);
    this.#sliceMessages = sliceMessages;
    this.#sliceMs = sliceMs;
    this.#turnMs = turnMs;
    this.guard = options.guard ?? null;
    this.#longScheduleMs = this.guard === null ? (options.longScheduleMs ?? 0) : 0;
  }

  get budgets(): Budgets {
    return { sliceMessages: this.#sliceMessages, sliceMs: this.#sliceMs, turnMs: this.#turnMs };
  }

  /** From the next slice, and the next turn, on. Throws a {@link BadArgument}. */
  set budgets(budgets: Budgets) {
    checkBudgets(budgets);
    this.#sliceMessages = budgets.sliceMessages;
    this.#sliceMs = budgets.sliceMs;
    this.#turnMs = budgets.turnMs;
    this.#freeMessages = 1;
  }

  /** Messages handled in slices; those of the turn that runs are not all in it yet. */
  get handled(): number {
    return Math.max(0, this.#done - this.slices);
  }

  /**
   * Messages that wait in the mailboxes of those that wait for a slice and are not known to have a backlog; and the longest
   * of these mailboxes. Looks at `seenMax` of them at most: the others are taken to be the same.
   */
  waiting(seenMax: number): { readonly messages: number; readonly longest: number } {
    let messages = 0;
    let longest = 0;
    for (const queue of [this.#normal, this.#max, this.#high, this.#low]) {
      const seen = Math.min(queue.length, seenMax);
      let sum = 0;
      for (let place = 0; place < seen; place++) {
        const { flags, mailboxLength } = queue.at(place);
        if ((flags & ProcessFlag.backlogged) !== 0) continue;
        sum += mailboxLength;
        if (mailboxLength > longest) longest = mailboxLength;
      }
      if (seen !== 0) messages += Math.round((sum * queue.length) / seen);
    }
    return { messages, longest };
  }

  get longScheduleMs(): number {
    return this.#longScheduleMs;
  }

  /** From the next turn on. Throws a {@link BadArgument}. */
  set longScheduleMs(ms: number) {
    if (!(ms >= 0)) throw new BadArgument(`bad longScheduleMs: ${ms}`);
    if (this.guard === null) this.#longScheduleMs = ms;
  }

  /** Processes that wait for a slice. */
  get length(): number {
    return this.#normal.length + this.#special;
  }

  /** Puts a process that has messages into the run queue. Its flag is set. */
  schedule(process: Process<never>): void {
    if ((process.flags & PriorityMask) === 0) this.#normal.push(process);
    else this.#pushSpecial(process);
    if (!this.#ahead) this.#wantTurn();
  }

  /** @internal See `Runtime.suspend`. */
  suspend(process: Process<never>): boolean {
    const { flags } = process;
    if ((flags & ProcessFlag.suspended) !== 0) return false;
    if ((flags & ProcessFlag.running) !== 0)
      throw new BadArgument(`${process.label} runs just now: it cannot be suspended`);
    this.#suspended.set(process, (flags & ProcessFlag.scheduled) !== 0);
    process.flags = flags | ProcessFlag.suspended | ProcessFlag.scheduled;
    return true;
  }

  /** @internal See `Runtime.resume`. */
  resume(process: Process<never>): boolean {
    const isQueued = this.#suspended.get(process);
    if (isQueued === undefined) return false;
    this.#suspended.delete(process);
    process.flags &= ~ProcessFlag.suspended;
    if (isQueued) return true;
    if (process.mailboxLength !== 0) this.schedule(process);
    else process.flags &= ~ProcessFlag.scheduled;
    return true;
  }

  /** @internal A suspended process has ended. */
  forget(process: Process<never>): void {
    this.#suspended.delete(process);
  }

  afterTurn(callback: () => void): void {
    if (words[Word.cutting] !== 0) beCut();
    this.#afterTurn.push(callback);
    if (!this.#ahead) this.#wantTurn();
  }

  /** A queue for the second and later messages of a mailbox. They come back when the mailbox is empty. */
  takeQueue(): Fifo<unknown> {
    return this.#queues.pop() ?? new Fifo<unknown>(this.#runtime.spill);
  }

  /** A queue with messages that nobody will take any more. */
  dropQueue(queue: Fifo<unknown>): void {
    if (this.#runtime.spill !== null) queue.clear();
  }

  /** Takes an empty queue back. */
  returnQueue(queue: Fifo<unknown>): void {
    if (this.#queues.length < QUEUES_POOLED_MAX) this.#queues.push(queue);
  }

  /** Whether a message can be handled on this stack by an idle process. */
  get tooDeep(): boolean {
    return this.depth >= DEPTH_MAX;
  }

  /** Has a process handle a message on this stack. It must not be running. */
  handleNow(process: Process<never>, message: unknown): void {
    const runtime = this.#runtime;
    const before = runtime.current;
    process.handledCount = (process.handledCount + 1) | 0;
    process.flags |= ProcessFlag.running;
    runtime.current = process;
    let began = -1;
    const isOuter = this.depth === 0 && !this.#running;
    METRICS: {
      this.dispatches++;
      if (isOuter) {
        if (runtime.stats !== null) runtime.stats.stirred();
        if ((++this.#outer & DISPATCH_SAMPLE) === 0) began = this.#clock.now();
      }
    }
    this.depth++;
    const { guard } = this;
    if (guard !== null && isOuter) guard.begins();
    if (guard === null) receiveNow(process, message);
    else if (guard.run(receiveNow, process, message, null)) runtime.cutOff(process, 'receive', message);
    else if (words[Word.sampled] !== 0) this.sampled(process, guard.marks[GuardMark.depth]!, 1);
    this.depth--;
    METRICS: if (began >= 0) this.dispatchMs += (this.#clock.now() - began) * (DISPATCH_SAMPLE + 1);
    runtime.current = before;
    process.flags &= ~ProcessFlag.running;
  }

  flush(): void {
    const runtime = this.#runtime;
    if (this.#running || runtime.current !== runtime.outside)
      throw new BadArgument('flush was called by a process');
    this.#running = true;
    try {
      runtime.timers.expire();
      const limit = this.slices + FLUSH_SLICES_MAX;
      while (this.length !== 0 || this.#afterTurn.length !== 0) {
        this.#runSlices(this.#clock.now(), Number.POSITIVE_INFINITY, limit);
        if (this.slices >= limit) throw new Error(`not quiet after ${FLUSH_SLICES_MAX} slices`);
        this.#runAfterTurn();
      }
    } finally {
      this.#running = false;
    }
    runtime.stats?.publish(this.#clock.now());
  }

  #pushSpecial(process: Process<never>): void {
    const priority = process.flags & PriorityMask;
    const queue =
      priority === ProcessFlag.max ? this.#max : priority === ProcessFlag.high ? this.#high : this.#low;
    queue.push(process);
    this.#special++;
  }

  #next(): Process<never> | null {
    if (this.#special === 0) return this.#normal.shift();
    let queue = this.#max;
    if (queue.length === 0) queue = this.#high;
    if (queue.length === 0) {
      const low = this.#normal.length === 0 || this.slices % SLICES_PER_LOW === 0;
      if (!low || this.#low.length === 0) return this.#normal.shift();
      queue = this.#low;
    }
    this.#special--;
    return queue.shift();
  }

  #wantTurn(): void {
    this.#ahead = true;
    this.#clock.defer(this.#onTurn);
  }

  #turn(): void {
    this.turns++;
    this.#running = true;
    const { guard } = this;
    if (guard === null) this.work();
    else {
      guard.begins();
      // One guarded call for a whole turn: one for each slice would cost more than most slices do.
      while (guard.run(work, this, null, null)) this.#workCutOff();
    }
    this.#running = false;
    this.#ahead = false;
    const { stats } = this.#runtime;
    METRICS: {
      this.turnMs += this.#looked - this.#turnStarted;
      if (stats !== null) stats.turned(this.#looked);
      this.#turnStarted = -1;
    }
    if (this.length !== 0 || this.#afterTurn.length !== 0) this.#wantTurn();
    else if (this.#runtime.onRest !== null) this.#runtime.onRest();
  }

  /** @internal The work of one turn. */
  work(): void {
    const now = this.#clock.now();
    if (this.#turnStarted < 0) this.#turnStarted = now;
    METRICS: if (now - this.#seenAt >= SEEN_MS && this.#normal.length !== 0) {
      this.#seenAt = now;
      this.#runtime.mailboxes.seen(this.#normal.at(0), now);
    }
    this.#runSlices(now, now + this.#turnMs, Number.POSITIVE_INFINITY);
    this.#runAfterTurn();
  }

  #runSlices(started: number, deadline: number, limit: number): void {
    const timed = this.#longScheduleMs !== 0;
    const marks = this.guard === null ? null : this.guard.marks;
    this.#looked = this.#turnLooked = started;
    let done = 0;
    for (let process = this.#next(); process !== null; process = this.#next()) {
      const handled = process.handledCount;
      let late = false;
      if (timed) late = this.#timedSlice(process);
      else if (marks === null) late = this.#slice(process);
      else late = this.#guardedSlice(process, marks);
      this.slices++;
      done += 1 + ((process.handledCount - handled) | 0);
      if (done < this.#lookAfter && !late) continue;
      const now = this.#look(process, done);
      if (now >= deadline || this.slices >= limit) return;
      done = 0;
    }
    // Turns that are always over before the clock would be looked at must not take for ever either.
    if (done > 2) {
      this.#looked = this.#clock.now();
      this.#adapt(done, this.#looked - this.#turnLooked);
    }
    METRICS: {
      this.#done += done;
      if (done > 0 && done <= 2 && (++this.#small & TURN_SAMPLE) === 0)
        this.turnMs += (this.#clock.now() - this.#turnLooked) * (TURN_SAMPLE + 1);
    }
  }

  /** Looks at the clock between two slices: `done` messages and slices since the last time, `process` was the last. */
  #look(process: Process<never>, done: number): number {
    const now = this.#clock.now();
    this.#adapt(done, now - this.#turnLooked);
    this.#looked = this.#turnLooked = now;
    METRICS: {
      this.#done += done;
      if (now - this.#seenAt >= SEEN_MS) {
        this.#seenAt = now;
        this.#runtime.mailboxes.ran(process, now);
      }
    }
    return now;
  }

  #adapt(done: number, tookMs: number): void {
    const wanted = tookMs > 0 ? (done * LOOK_MS) / tookMs : this.#lookAfter * 2;
    this.#lookAfter = Math.min(LOOK_MESSAGES_MAX, Math.max(1, wanted)) | 0;
    this.#freeMessages = this.#sliceMessages <= this.#lookAfter ? this.#sliceMessages : 1;
  }

  #guardedSlice(process: Process<never>, marks: Int32Array): boolean {
    const handled = process.handledCount;
    marks[GuardMark.levels]! += 1;
    const late = this.#slice(process);
    if (words[Word.sampled] !== 0) this.sampled(process, 0, (process.handledCount - handled) | 0);
    return late;
  }

  /** True: its time was over, and perhaps that of the turn is. */
  #slice(process: Process<never>): boolean {
    // A synchronous call may have emptied the mailbox since, or the process has ended, or is suspended.
    if (process.mailboxLength === 0 || (process.flags & ProcessFlag.suspended) !== 0) {
      this.#passOver(process);
      return false;
    }
    const runtime = this.#runtime;
    // Most have one message: what the others may do is found out when there is a second one.
    let left = process.flags >= Pace.free ? this.#freeMessages : 1;
    let late = false;
    process.flags |= ProcessFlag.running;
    runtime.current = process;
    try {
      do {
        let some = Math.min(left, SOME_MESSAGES);
        left -= some;
        do {
          process.handledCount = (process.handledCount + 1) | 0;
          process.receiver!.receive(process.take() as never);
        } while (process.mailboxLength !== 0 && --some !== 0);
      } while (process.mailboxLength !== 0 && left !== 0 && words[Word.giveWay] === 0);
      if (process.mailboxLength !== 0) late = this.#restOfSlice(process);
    } catch (thrown) {
      runtime.escaped(process, thrown);
    }
    // It came to its end while it was being cut off: whoever is next must not be hit.
    if (words[Word.cutting] !== 0) beCut();
    runtime.current = runtime.outside;
    process.flags &= ~ProcessFlag.running;
    if ((process.flags & ProcessFlag.long) !== 0) runtime.mailboxShrunk(process);
    if (process.mailboxLength !== 0) {
      this.schedule(process);
      return late;
    }
    process.flags &= ~ProcessFlag.scheduled;
    if (process.queue !== null) this.#emptied(process, process.queue);
    return late;
  }

  #passOver(process: Process<never>): void {
    if (this.#suspended.has(process)) this.#suspended.set(process, false);
    else process.flags &= ~ProcessFlag.scheduled;
  }

  #emptied(process: Process<never>, queue: Fifo<unknown>): void {
    process.queue = null;
    this.returnQueue(queue);
    METRICS: if ((process.flags & ProcessFlag.backlogged) !== 0) this.#runtime.mailboxes.emptied(process);
    // Now and then it has to prove its pace: one that never comes to the end of a chunk would keep it for ever.
    if ((this.slices + process.handledCount) % 31 === 0) slowDown(process);
  }

  /** What follows the first message, or the last of a slice without a look at the clock. Returns as {@link #slice}. */
  #restOfSlice(process: Process<never>): boolean {
    if (words[Word.giveWay] !== 0 && this.#givesWay(process)) return true;
    if (process.flags >= Pace.free && this.#freeMessages > 1) {
      slowDown(process);
      return false;
    }
    const pace = Math.min(Pace.chunks, process.flags >>> Pace.shift);
    let chunk = Math.min(this.#sliceMessages, 1 << pace, this.#lookAfter);
    let handled = chunk;
    let left = chunk - 1;
    for (;;) {
      while (left !== 0) {
        const some = Math.min(left, SOME_MESSAGES);
        left -= some;
        if (this.#some(process, some)) return false;
        if (words[Word.giveWay] !== 0 && this.#givesWay(process)) return true;
      }
      chunk = this.#nextChunk(process, chunk, handled);
      if (chunk <= 0) return chunk < 0;
      handled += chunk;
      left = chunk;
    }
  }

  /** Has a process handle so many messages. True: it has no more. A function of its own: the compiler does better with it. */
  #some(process: Process<never>, count: number): boolean {
    let left = count;
    do {
      process.handledCount = (process.handledCount + 1) | 0;
      process.receiver!.receive(process.take() as never);
      if (process.mailboxLength === 0) return true;
    } while (--left !== 0);
    return false;
  }

  /**
   * The watchdog has seen a slice last for long that no clock was looked at in: its process, quick until now, has to prove
   * its pace anew. False: that slice is over, this is another one.
   */
  #givesWay(process: Process<never>): boolean {
    const number = words[Word.giveWay];
    words[Word.giveWay] = 0;
    if (this.guard === null || number !== this.guard.marks[GuardMark.levels]) return false;
    process.flags &= ~Pace.mask;
    return true;
  }

  /**
   * Looks at the clock in a slice. Returns how many messages are handled before the next look. 0: it has had all messages
   * of its slice; −1: all the time.
   *
   * @param handled in this slice, `chunk` of them since the last look.
   */
  #nextChunk(process: Process<never>, chunk: number, handled: number): number {
    const now = this.#clock.now();
    // Nobody looked when it began: the last look before that is at most so long ago as turns look apart.
    if (handled === chunk) this.#sliceStarted = this.#looked;
    const tookMs = now - this.#looked;
    const leftMs = this.#sliceMs - (now - this.#sliceStarted);
    this.#looked = now;
    // As many as fill a slice at this pace. But the next may be slower than these were: at most twice as many.
    const fill = tookMs > 0 ? Math.min(256, (chunk * this.#sliceMs) / tookMs) : 256;
    const pace = Math.min((process.flags >>> Pace.shift) + 1, 31 - Math.clz32(Math.max(1, fill)));
    process.flags = (process.flags & ~Pace.mask) | ((pace > Pace.chunks ? Pace.max : pace) << Pace.shift);
    if (leftMs <= 0) return -1;
    // A whole number, and the compiler is to know it: it is counted down.
    const fits = Math.max(1, Math.min(1 << Math.min(Pace.chunks, pace), (fill * leftMs) / this.#sliceMs)) | 0;
    return Math.min(this.#sliceMessages - handled, fits);
  }

  #timedSlice(process: Process<never>): boolean {
    const start = this.#clock.now();
    const handled = process.handledCount;
    const late = this.#slice(process);
    const durationMs = this.#clock.now() - start;
    if (durationMs >= this.#longScheduleMs) {
      const messages = (process.handledCount - handled) | 0;
      this.#runtime.emit({ type: 'long_schedule', pid: process, label: process.label, durationMs, messages });
    }
    return late;
  }

  #runAfterTurn(): void {
    const callbacks = this.#afterTurn;
    if (callbacks.length === 0) return;
    this.#afterTurn = [];
    this.#callbacks = callbacks;
    for (this.#callbackAt = 0; this.#callbackAt < callbacks.length; this.#callbackAt++) {
      if (this.guard !== null) this.guard.marks[GuardMark.levels]! += 1;
      try {
        callbacks[this.#callbackAt]!();
      } catch (error) {
        this.#runtime.emit({ type: 'hook_failed', error });
      }
      if (words[Word.cutting] !== 0) beCut();
    }
    this.#callbacks = [];
  }

  /** @internal If what has just ended on this level was sampled, it took long. */
  sampled(process: Process<never>, level: number, messages: number): void {
    const sample = this.guard!.takeSample(level);
    if (sample === null) return;
    const { ranMs: durationMs, stack } = sample;
    const { label } = process;
    this.#runtime.emit({ type: 'long_schedule', pid: process, label, durationMs, messages, stack });
  }

  /** What ran in a turn was cut off: a slice, or an after-turn callback. The turn goes on behind it. */
  #workCutOff(): void {
    const runtime = this.#runtime;
    const process = runtime.current;
    if (process !== runtime.outside) {
      runtime.current = runtime.outside;
      process.flags &= ~ProcessFlag.running;
      this.slices++;
      this.#done++;
      runtime.cutOff(process, 'receive');
      return;
    }
    this.#afterTurn = [...this.#callbacks.slice(this.#callbackAt + 1), ...this.#afterTurn];
    this.#callbacks = [];
    runtime.emit({ type: 'hook_failed', error: new CutOff(this.guard!.takeCut()) });
  }
}

function slowDown(process: Process<never>): void {
  if ((process.flags & Pace.mask) !== 0) process.flags -= 1 << Pace.shift;
}

function receiveNow(process: Process<never>, message: unknown): void {
  try {
    process.receiver!.receive(message as never);
  } catch (thrown) {
    process.runtime.escaped(process, thrown);
  }
}

function work(turns: Turns): void {
  turns.work();
}
