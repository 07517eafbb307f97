import { BadArgument } from '../bad-argument.js';
import { current } from '../current.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Process } from '../process.js';
import { receive } from '../receive.js';
import { DownMessage, ExitMessage } from '../system-message.js';
import { type Blocking, isBlocking } from '../wait.js';
import {
  letGo,
  outcomeIn,
  type TaskFunction,
  type TaskOutcome,
  type TaskRef,
  TaskReply,
  type TaskResult,
} from './task-ref.js';

export interface StreamOptions {
  /** Tasks at the same time. Default 8. */
  readonly maxConcurrency?: number;
  /** Whether the outcomes come in the order of the inputs, or as they are done. Default true. */
  readonly ordered?: boolean;
  /** How long each task may take, in ms. Default 5000. */
  readonly timeoutMs?: number;
  /** What happens when one takes longer: the owner exits, or the task is killed and its outcome is `timeout`. Default exit. */
  readonly onTimeout?: 'exit' | 'kill_task';
  /** Outcomes that wait, at most, because they are not due yet: then no task begins. Default 1000. */
  readonly maxWaiting?: number;
}

/** Begins the task for an input. */
export type BeginTask<T> = (work: TaskFunction<T>) => TaskRef<T> | Blocking<TaskRef<T>>;

interface Running<T> {
  readonly at: number;
  readonly task: TaskRef<T>;
  readonly deadline: number;
}

/**
 * The outcomes of a function over many inputs, so many tasks at a time: what `Task.asyncStream` gives. Inputs are taken as
 * they are needed; nothing runs before the first outcome is asked for.
 *
 * In a generator: `for (let r = yield* stream.next(); r !== null; r = yield* stream.next())`; in an async process: `for
 * await (const outcome of stream)`. Who does not go on to the end ends the tasks with `close`.
 */
export class TaskStream<In, T> {
  readonly #inputs: Iterator<In>;
  readonly #running = new Map<TaskRef<unknown>, Running<T>>();
  /** Done, but not handed out: by the number of the input. */
  readonly #done = new Map<number, TaskOutcome<T>>();
  #begun = 0;
  #handedOut = 0;
  #exhausted = false;
  readonly #maxConcurrency: number;
  readonly #ordered: boolean;
  readonly #timeoutMs: number;
  readonly #kills: boolean;
  readonly #maxWaiting: number;

  /** @internal */
  constructor(
    private readonly owner: Process<never>,
    inputs: Iterable<In>,
    private readonly work: (input: In, self: Process<unknown>) => TaskResult<T>,
    private readonly begin: BeginTask<T>,
    options: StreamOptions,
  ) {
    const {
      maxConcurrency = 8,
      ordered = true,
      timeoutMs = 5000,
      onTimeout = 'exit',
      maxWaiting = 1000,
    } = options;
    if (!Number.isInteger(maxConcurrency) || maxConcurrency < 1)
      throw new BadArgument(`bad maxConcurrency: ${maxConcurrency}`);
    if (!Number.isInteger(maxWaiting) || maxWaiting < 1)
      throw new BadArgument(`bad maxWaiting: ${maxWaiting}`);
    if (!(timeoutMs >= 0)) throw new BadArgument(`bad timeoutMs: ${timeoutMs}`);
    if (onTimeout !== 'exit' && onTimeout !== 'kill_task')
      throw new BadArgument(`bad onTimeout: ${String(onTimeout)}`);
    this.#inputs = inputs[Symbol.iterator]();
    this.#maxConcurrency = maxConcurrency;
    this.#ordered = ordered;
    this.#timeoutMs = timeoutMs;
    this.#kills = onTimeout === 'kill_task';
    this.#maxWaiting = maxWaiting;
  }

  /** The next outcome; null when there are no more. */
  *next(): Blocking<TaskOutcome<T> | null> {
    if ((yield* current()) !== this.owner)
      throw new BadArgument(`the stream of ${this.owner} is for itself only`);
    for (;;) {
      yield* this.#beginMore();
      const outcome = this.#due();
      if (outcome !== undefined) return outcome;
      if (this.#running.size === 0) return null;
      yield* this.#wait();
    }
  }

  /** All outcomes that are left. */
  *outcomes(): Blocking<TaskOutcome<T>[]> {
    const outcomes: TaskOutcome<T>[] = [];
    for (let one = yield* this.next(); one !== null; one = yield* this.next()) outcomes.push(one);
    return outcomes;
  }

  /** The values of all that are left; exits with the reason of the first task that ended without one. */
  *values(): Blocking<T[]> {
    const values: T[] = [];
    for (let one = yield* this.next(); one !== null; one = yield* this.next()) {
      if (one.type === 'ok') values.push(one.value);
      else {
        this.close();
        throw new Exit(one.reason);
      }
    }
    return values;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TaskOutcome<T>, void, undefined> {
    try {
      for (;;) {
        const outcome = await this.owner.wait(this.next());
        if (outcome === null) return;
        yield outcome;
      }
    } finally {
      this.close();
    }
  }

  /** Kills the tasks that run and takes no more inputs. */
  close(): void {
    for (const { task } of [...this.#running.values()]) {
      this.#leave(task);
      this.owner.runtime.exit(task.pid, ExitReason.kill);
    }
    this.#done.clear();
    if (!this.#exhausted) this.#inputs.return?.();
    this.#exhausted = true;
  }

  *#beginMore(): Blocking<void> {
    while (
      !this.#exhausted &&
      this.#running.size < this.#maxConcurrency &&
      this.#done.size + this.#running.size < this.#maxWaiting + this.#maxConcurrency
    ) {
      const next = this.#inputs.next();
      if (next.done === true) {
        this.#exhausted = true;
        return;
      }
      const { value } = next;
      const begun = this.begin((self) => this.work(value, self));
      const task = isBlocking(begun) ? yield* begun : begun;
      const deadline = this.owner.runtime.clock.now() + this.#timeoutMs;
      this.#running.set(task, { at: this.#begun++, task, deadline });
    }
  }

  #due(): TaskOutcome<T> | undefined {
    if (!this.#ordered) {
      for (const [at, outcome] of this.#done) {
        this.#done.delete(at);
        return outcome;
      }
      return undefined;
    }
    const outcome = this.#done.get(this.#handedOut);
    if (outcome !== undefined) this.#done.delete(this.#handedOut++);
    return outcome;
  }

  *#wait(): Blocking<void> {
    const { clock } = this.owner.runtime;
    // All have the same time, so the oldest is the first to be over.
    const [oldest] = this.#running.values();
    const left = Math.max(0, oldest!.deadline - clock.now());
    const message = yield* receive((message) => this.#taskOf(message) !== undefined, left);
    if (message === undefined) {
      this.#timedOut(oldest!);
      return;
    }
    const running = this.#taskOf(message)!;
    const outcome = outcomeIn(message, running.task)!;
    this.#leave(running.task);
    this.#done.set(running.at, outcome);
  }

  #taskOf(message: unknown): Running<T> | undefined {
    if (message instanceof TaskReply) return this.#running.get(message.task);
    if (message instanceof DownMessage) return this.#running.get(message.ref as TaskRef<unknown>);
    return undefined;
  }

  #timedOut({ at, task }: Running<T>): void {
    if (!this.#kills) {
      this.close();
      throw new Exit({ type: 'call', reason: ExitReason.timeout, target: task.pid });
    }
    this.#leave(task);
    this.owner.runtime.exit(task.pid, ExitReason.kill);
    this.#done.set(at, { type: 'exit', reason: ExitReason.timeout });
  }

  /** Neither its end nor its EXIT concerns the owner any more. */
  #leave(task: TaskRef<T>): void {
    const { owner } = this;
    this.#running.delete(task);
    letGo(task);
    owner.unlink(task.pid);
    owner.flush((message) => message instanceof ExitMessage && message.from === task.pid);
  }
}
