import { type Fifo, NONE } from '../structures/fifo.js';
import { BadArgument } from './bad-argument.js';
import { Word, words } from './cut.js';
import type { ExitReason } from './exit-reason.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import type { Receiver } from './receiver.js';
import { CallMessage, Request, RequestReceiver } from './request.js';
import { type Blocking, isBlocking, Wait, type WaitingMailbox } from './wait.js';
import { WaitTimer } from './wait-timer.js';

/** Messages looked at in a row, before others have their turn. */
const LOOKS_MAX = 8192;
/** Waits that may end in a row with messages that had been put aside, before others have their turn. */
const WAITS_MAX = 16;

/** The wait for the first slice. It is its own message. */
class Beginning extends Wait<undefined> {
  readonly afterMs = Number.POSITIVE_INFINITY;

  matches(message: unknown): boolean {
    return message === this;
  }

  finish(_message: unknown, self: Process<never>): undefined {
    self.handledCount = (self.handledCount - 1) | 0;
    return undefined;
  }

  expired(): undefined {
    return undefined;
  }
}

/** What to do when the generator is done. */
export type Finished<T> = (value: T) => void;

/**
 * A process that waits in a generator. It stands in the place of the process's receiver, so the run queue knows
 * nothing of it: each message is offered to the wait, and those that do not match are put aside. When one matches they
 * go back, before what has come since.
 *
 *     mailbox  [a b c d e f]      wait for d: a b c are put aside, d is taken,
 *              [a b c e f]        and the next wait begins at a.
 *
 * A process that is killed while it waits just forgets its generator: no `finally` runs, as in Erlang no `after` does.
 */
export class Coroutine implements Receiver<unknown>, WaitingMailbox {
  readonly #self: Process<never>;
  readonly #body: Blocking<unknown>;
  /** Who receives when the generator is done, and terminates when it fails. */
  #outer: Receiver<never> | null;
  readonly #finished: Finished<unknown>;
  #wait: Wait<unknown> | null = null;
  #saved: Fifo<unknown> | null = null;
  #timer: WaitTimer | null = null;
  /** Whether the last wait put anything aside, which is in the mailbox again. */
  #restored = false;

  private constructor(
    self: Process<never>,
    body: Blocking<unknown>,
    outer: Receiver<never> | null,
    finished: Finished<unknown>,
  ) {
    this.#self = self;
    this.#body = body;
    this.#outer = outer;
    this.#finished = finished;
  }

  /**
   * Runs a generator as the process, which must be running: up to its first wait that is not over at once. If it ends
   * before, `finished` has been called when this returns and the process was never blocked. What escapes from the
   * generator escapes from here, or from the slice that went on with it.
   */
  static run<T>(self: Process<never>, body: Blocking<T>, finished: Finished<T>): void {
    const outer = self.receiver;
    const coroutine = new Coroutine(self, body, outer, finished as Finished<unknown>);
    self.receiver = coroutine as unknown as Receiver<never>;
    self.flags |= ProcessFlag.waits;
    coroutine.#advance(undefined, false);
  }

  /** Makes a generator the whole of a process; it begins in the process's next slice. */
  static prepare(self: Process<never>, body: Blocking<void>, finished: Finished<void>): void {
    const coroutine = new Coroutine(self, body, null, finished as Finished<unknown>);
    coroutine.#wait = new Beginning();
    self.receiver = coroutine as unknown as Receiver<never>;
    self.flags |= ProcessFlag.waits;
    self.deliver(coroutine.#wait);
  }

  /** Who receives when the generator is done; null: the generator is the whole of the process. */
  get outer(): Receiver<never> | null {
    return this.#outer;
  }

  /** Messages that were looked at and did not match. */
  get savedLength(): number {
    return this.#saved === null ? 0 : this.#saved.length;
  }

  /** The same messages. */
  get savedMessages(): Iterable<unknown> {
    return this.#saved ?? [];
  }

  /** The process has ended. */
  dropSaved(): void {
    if (this.#saved !== null) this.#self.runtime.turns.dropQueue(this.#saved);
    this.#saved = null;
  }

  receive(message: unknown): void {
    const wait = this.#wait!;
    if (this.#offer(wait, message)) return;
    this.#save(message);
    const found = this.#look(wait);
    if (found === NONE) {
      if (wait.afterMs === 0 && this.#self.mailboxLength === 0) this.#expire(wait);
    } else if (this.#timer !== null && found === this.#timer.token) {
      this.#expire(wait);
    } else if (found instanceof Request && !wait.matches(found)) {
      found.finish();
    } else {
      this.#release();
      this.#complete(wait, found);
    }
  }

  /** Whether the message was for this wait, or for nobody that waits later. */
  #offer(wait: Wait<unknown>, message: unknown): boolean {
    if (this.#timer !== null && message === this.#timer.token) {
      this.#expire(wait);
      return true;
    }
    if (wait.matches(message)) {
      this.#release();
      this.#complete(wait, message);
      return true;
    }
    // With nobody behind it there is no later time at which its callback could run.
    if (this.#outer !== null || !(message instanceof Request)) return false;
    message.finish();
    return true;
  }

  /** Looks through the mailbox for what {@link #offer} takes. NONE: what was looked at is put aside. */
  #look(wait: Wait<unknown>): unknown {
    const self = this.#self;
    if (self.mailboxLength === 0) return NONE;
    this.#saved ??= self.runtime.turns.takeQueue();
    const token = this.#timer === null ? NONE : this.#timer.token;
    const requests = this.#outer === null && (self.flags & ProcessFlag.requests) !== 0;
    const matches =
      token === NONE && !requests
        ? wait.matcher
        : (message: unknown) =>
            wait.matches(message) || message === token || (requests && message instanceof Request);
    const found = self.takeWhere(matches, LOOKS_MAX, this.#saved);
    METRICS: if (found === NONE && this.#saved.length >= 64) self.runtime.mailboxes.grown(self);
    return found;
  }

  terminate(reason: ExitReason): void | Blocking<void> {
    this.#leave();
    return this.#outer?.terminate?.(reason);
  }

  /** @internal The process has made a request: its callback is not for whoever receives. */
  takeRequests(): void {
    if (this.#outer !== null) this.#outer = new RequestReceiver(this.#outer);
  }

  setAside(): void {
    const { mailboxLength } = this.#self;
    if (mailboxLength === 0) return;
    this.#saved = this.#self.moveMailbox(this.#saved);
  }

  #save(message: unknown): void {
    const self = this.#self;
    self.handledCount = (self.handledCount - 1) | 0;
    // Nobody waits for the answer of a call that could not stand still.
    if (message instanceof CallMessage && message.from.immediate) return;
    this.#saved ??= self.runtime.turns.takeQueue();
    this.#saved.push(message);
    const length = this.#saved.length + self.mailboxLength;
    if (length > self.mailboxLongest) self.mailboxLongest = length;
    if ((this.#saved.length & self.runtime.lookMask) === 0)
      self.runtime.mailboxGrown(self, this.#saved.length);
    else if (this.#saved.length > self.runtime.mailboxMax) self.runtime.overflowed(self);
  }

  #expire(wait: Wait<unknown>): void {
    this.#release();
    let value: unknown;
    try {
      value = wait.expired(this.#self);
    } catch (thrown) {
      this.#advance(thrown, true);
      return;
    }
    this.#advance(value, false);
  }

  #complete(wait: Wait<unknown>, message: unknown): void {
    let value: unknown;
    try {
      value = wait.finish(message, this.#self);
    } catch (thrown) {
      this.#advance(thrown, true);
      return;
    }
    this.#advance(value, false);
  }

  /** The wait is over: its timer goes, and what was put aside comes back. */
  #release(): void {
    this.#wait = null;
    const self = this.#self;
    if (this.#timer !== null) {
      this.#timer.cancel();
      this.#timer = null;
    }
    this.#restored = this.#saved !== null;
    if (this.#saved === null) return;
    const saved = this.#saved;
    this.#saved = null;
    self.restoreMailbox(saved);
  }

  #leave(): void {
    const self = this.#self;
    if (self.receiver === (this as unknown)) {
      self.receiver = this.#outer;
      if (!(this.#outer instanceof Coroutine)) self.flags &= ~ProcessFlag.waits;
    }
    this.#release();
  }

  #advance(sent: unknown, thrown: boolean): void {
    const self = this.#self;
    let value = sent;
    let throws = thrown;
    let waits = WAITS_MAX;
    for (;;) {
      let step: IteratorResult<Wait<unknown>, unknown>;
      try {
        step = throws ? this.#body.throw(value) : this.#body.next(value);
      } catch (escaped) {
        this.#leave();
        throw escaped;
      }
      // Killed while it ran: the generator is forgotten where it stands.
      if ((self.flags & ProcessFlag.dead) !== 0) return;
      if (step.done === true) {
        this.#leave();
        this.#finished(step.value);
        return;
      }
      const wait = step.value;
      if (!(wait instanceof Wait)) {
        value = new BadArgument(`a process can yield what it waits for only, not ${String(wait)}`);
        throws = true;
        continue;
      }
      this.#wait = wait;
      try {
        wait.begin(self, this);
      } catch (refused) {
        this.#release();
        value = refused;
        throws = true;
        continue;
      }
      if ((self.flags & ProcessFlag.dead) !== 0) return;
      // What was put aside before has been looked at by nobody in this slice; the rest comes with the slice.
      if (this.#restored && --waits > 0 && words[Word.giveWay] === 0) {
        const found = this.#look(wait);
        if (found instanceof Request && !wait.matches(found)) {
          found.finish();
          if ((self.flags & ProcessFlag.dead) !== 0) return;
        } else if (found !== NONE) {
          this.#release();
          throws = false;
          try {
            value = wait.finish(found, self);
          } catch (refused) {
            value = refused;
            throws = true;
          }
          continue;
        }
      }
      if (wait.afterMs === Number.POSITIVE_INFINITY) return;
      if (wait.afterMs !== 0) {
        this.#timer = new WaitTimer(self, wait.afterMs);
        return;
      }
      if (self.mailboxLength !== 0) return;
      this.#release();
      throws = false;
      try {
        value = wait.expired(self);
      } catch (refused) {
        value = refused;
        throws = true;
      }
    }
  }
}

/**
 * Hands the result of a callback on, that may be a generator: then the process is blocked until it is done. The way for
 * behaviours to allow `function*` and `async` callbacks at no cost for the others.
 */
export function whenDone<T>(self: Process<never>, result: T | Blocking<T>, finished: Finished<T>): void {
  if (isBlocking(result)) Coroutine.run(self, result as Blocking<T>, finished);
  else finished(result as T);
}
