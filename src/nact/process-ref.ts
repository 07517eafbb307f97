import type { Ref } from 'nact';
import { ExitReason, type Name, type Pid, type Runtime } from '../actors/index.js';
import { nameInWords } from '../actors/via.js';
import { Address } from './address.js';
import { Dispatched } from './dispatched.js';
import { type Concrete, Nobody, type Reference } from './nact-internals.js';
import { nactProcessOf } from './nact-process.js';

export interface ProcessRefOptions<M, Sent> {
  /**
   * Makes the process's message of what was dispatched, and of the sender that came with it (a Nobody, mostly). Default:
   * the message as it is.
   */
  readonly message?: (dispatched: M, sender: Ref<unknown>) => Sent;
  /** What is dispatched goes to a server's `handleCast`. Default false: it is sent. */
  readonly cast?: boolean;
}

/**
 * A process, or whoever has a name when it is used, as an address for nact's functions:
 *
 * - `dispatch(ref, message)` sends it. To a process that has ended, or a name that nobody has: nothing happens.
 * - `query(ref, (sender) => message, timeout)` sends it with the address for the answer in it, to which the process
 *   dispatches.
 * - `query(ref, message, timeout)` with anything but a function is a call, to a server or whoever answers calls.
 * - `stop(ref)` sends the exit signal `shutdown`.
 */
export function processRef<M = unknown, Sent = M>(
  runtime: Runtime,
  target: Pid<Sent> | Name,
  options: ProcessRefOptions<M, Sent> = {},
): Ref<M> {
  return new Address(inWords(target), new ProcessBehind(runtime, target, options)) as unknown as Ref<M>;
}

class ProcessBehind<M, Sent> implements Concrete {
  constructor(
    private readonly runtime: Runtime,
    private readonly target: Pid<Sent> | Name,
    private readonly options: ProcessRefOptions<M, Sent>,
  ) {}

  dispatch(dispatched: unknown, sender: Reference = new Nobody()): void {
    const { runtime, options } = this;
    const pid = this.#pid();
    if (pid === undefined) return;
    const { message: make } = options;
    const message =
      make === undefined ? dispatched : make(dispatched as M, sender as unknown as Ref<unknown>);
    if (nactProcessOf(pid) !== undefined) runtime.send(pid as Pid<unknown>, new Dispatched(message, sender));
    else if (options.cast === true) runtime.cast(pid, message);
    else runtime.send(pid, message as Sent);
  }

  query(question: unknown, timeoutMs: number): Promise<unknown> {
    const { runtime, target } = this;
    if (typeof question !== 'function') return runtime.call(target, question, timeoutMs);
    return new Promise((resolve, reject) => {
      const expired = () => reject(new Error('Query Timeout'));
      const timer = runtime.clock.setTimer(expired, timeoutMs);
      const dispatch = (answer: unknown) => {
        runtime.clock.clearTimer(timer);
        resolve(answer);
      };
      this.dispatch(question(new Address('query', { dispatch })));
    });
  }

  stop(): void {
    const pid = this.#pid();
    if (pid !== undefined) this.runtime.exit(pid, ExitReason.shutdown);
  }

  assertNotStopped(): never {
    throw new Error(`a process (${inWords(this.target)}) cannot be the parent of an actor`);
  }

  #pid(): Pid<Sent> | undefined {
    const { runtime, target } = this;
    return typeof target === 'object' && 'scheduler' in target ? target : runtime.whereis<Sent>(target);
  }
}

function inWords(target: Pid | Name): string {
  return typeof target === 'object' && 'scheduler' in target ? String(target) : nameInWords(target);
}
