import type { Fifo } from '../structures/fifo.js';
import { BadArgument } from './bad-argument.js';
import { ExitReason } from './exit-reason.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import type { Receiver } from './receiver.js';
import { CallMessage, Request } from './request.js';
import { type Blocking, isBlocking, Wait, type WaitingMailbox } from './wait.js';
import { WaitTimer } from './wait-timer.js';

/** One wait of an async function. */
interface Waiter {
  readonly wait: Wait<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (thrown: unknown) => void;
  timer: WaitTimer | null;
}

/**
 * A process that is an async function. Its messages wait until a wait of it takes them. Nothing that it awaits settles
 * after its end, and its operations do nothing then, so what resumes all the same does no harm.
 */
export class AsyncProcess implements Receiver<unknown>, WaitingMailbox {
  readonly #self: Process<never>;
  readonly #waiters: Waiter[] = [];
  readonly #saved: Fifo<unknown>;

  private constructor(self: Process<never>) {
    this.#self = self;
    this.#saved = self.runtime.turns.takeQueue();
  }

  /** That of a process which starts, or has it already. Throws a {@link BadArgument} for one of another kind. */
  static of(self: Process<never>): AsyncProcess {
    if (self.receiver instanceof AsyncProcess) return self.receiver;
    if (self.receiver !== null) {
      throw new BadArgument(`${self.label} is no async function: it waits with yield*, in a generator`);
    }
    const process = new AsyncProcess(self);
    if (self.alive) {
      self.receiver = process as unknown as Receiver<never>;
      self.flags |= ProcessFlag.waits;
    }
    return process;
  }

  /** The function has begun: its end is that of the process. */
  run(body: PromiseLike<unknown>): void {
    const self = this.#self;
    body.then(
      () => self.runtime.finish(self, ExitReason.normal),
      (thrown: unknown) => self.runtime.escaped(self, thrown),
    );
  }

  get savedLength(): number {
    return this.#saved.length;
  }

  get savedMessages(): Iterable<unknown> {
    return this.#saved;
  }

  /** The process has ended. */
  dropSaved(): void {
    this.#self.runtime.turns.dropQueue(this.#saved);
  }

  wait<T>(what: Wait<T> | Blocking<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (isBlocking(what)) this.#drive(what as Blocking<T>, resolve, reject);
      else this.#add(what as Wait<T>, resolve as (value: unknown) => void, reject);
    });
  }

  receive(message: unknown): void {
    for (const waiter of this.#waiters) {
      if (waiter.timer !== null && message === waiter.timer.token) {
        this.#expire(waiter);
        return;
      }
      if (waiter.wait.matches(message)) {
        this.#complete(waiter, message);
        this.#noMore();
        return;
      }
    }
    if (message instanceof Request) message.finish();
    else this.#save(message);
    this.#noMore();
  }

  /** Nothing is taken out of its place: several waits look at the same mailbox. */
  setAside(): void {}

  #add(wait: Wait<unknown>, resolve: (value: unknown) => void, reject: (thrown: unknown) => void): void {
    const self = this.#self;
    if (!self.alive) return;
    if (!(wait instanceof Wait)) {
      throw new BadArgument(`a process can wait for a Wait or a generator only, not for ${String(wait)}`);
    }
    const waiter: Waiter = { wait, resolve, reject, timer: null };
    wait.begin(self, this);
    if (!self.alive) return;
    let found: unknown;
    const matches = (message: unknown) => {
      if (!wait.matches(message)) return false;
      found = message;
      return true;
    };
    if (this.#saved.removeWhere(matches, 1) === 1) {
      self.handledCount = (self.handledCount + 1) | 0;
      this.#complete(waiter, found);
      return;
    }
    this.#waiters.push(waiter);
    if (wait.afterMs === 0) this.#noMore();
    else if (wait.afterMs !== Number.POSITIVE_INFINITY) waiter.timer = new WaitTimer(self, wait.afterMs);
  }

  #drive<T>(body: Blocking<T>, resolve: (value: T) => void, reject: (thrown: unknown) => void): void {
    const go = (next: () => IteratorResult<Wait<unknown>, T>) => {
      try {
        const step = next();
        if (step.done === true) {
          resolve(step.value);
          return;
        }
        this.#add(
          step.value,
          (value) => go(() => body.next(value)),
          (thrown) => go(() => body.throw(thrown)),
        );
      } catch (thrown) {
        reject(thrown);
      }
    };
    go(() => body.next());
  }

  #remove(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at !== -1) this.#waiters.splice(at, 1);
    waiter.timer?.cancel();
  }

  #complete(waiter: Waiter, message: unknown): void {
    this.#remove(waiter);
    let value: unknown;
    try {
      value = waiter.wait.finish(message, this.#self);
    } catch (thrown) {
      waiter.reject(thrown);
      return;
    }
    waiter.resolve(value);
  }

  #expire(waiter: Waiter): void {
    this.#remove(waiter);
    let value: unknown;
    try {
      value = waiter.wait.expired(this.#self);
    } catch (thrown) {
      waiter.reject(thrown);
      return;
    }
    waiter.resolve(value);
  }

  /** The waits that take only what is there are over when nothing is left to look at. */
  #noMore(): void {
    if (this.#self.mailboxLength !== 0) return;
    for (let waiter = this.#instant(); waiter !== undefined; waiter = this.#instant()) this.#expire(waiter);
  }

  #instant(): Waiter | undefined {
    return this.#waiters.find((waiter) => waiter.wait.afterMs === 0);
  }

  #save(message: unknown): void {
    const self = this.#self;
    self.handledCount = (self.handledCount - 1) | 0;
    if (message instanceof CallMessage && message.from.immediate) return;
    this.#saved.push(message);
    const length = this.#saved.length + self.mailboxLength;
    if (length > self.mailboxLongest) self.mailboxLongest = length;
    if ((this.#saved.length & self.runtime.lookMask) === 0)
      self.runtime.mailboxGrown(self, this.#saved.length);
    else if (this.#saved.length > self.runtime.mailboxMax) self.runtime.overflowed(self);
  }
}
