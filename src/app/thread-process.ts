import { type MessagePort, Worker } from 'node:worker_threads';
import { ExitReason } from '../actors/exit-reason.js';
import type { Process } from '../actors/process.js';
import type { ExitHook, Receiver } from '../actors/receiver.js';
import type { SystemMessage } from '../actors/system-message.js';

/** A message from the thread. */
interface FromThread {
  readonly type: 'from-thread';
  readonly message: unknown;
}
/** The thread is gone. */
interface ThreadEnded {
  readonly type: 'thread-ended';
}
export type ThreadProcessMessage = FromThread | ThreadEnded;

/** Of an event loop, in ms since it began. */
export interface LoopTimes {
  readonly idle: number;
  readonly active: number;
}

export interface ThreadOptions<From> {
  readonly name: string;
  /** Module that the thread runs. */
  readonly entry: URL;
  /** Made anew for each incarnation, with the ports in it that move to the thread. */
  readonly data: () => { readonly workerData: unknown; readonly transferList?: readonly MessagePort[] };
  /** A message from the thread, on the main thread, within the process. */
  readonly onMessage: (message: From) => void;
  /** Whether the thread was told to end: any end at another time is a failure. */
  readonly mayEnd: () => boolean;
  /**
   * The thread has ended; called once for each incarnation, before the process ends or, when that was ended
   * before its thread (by a supervisor that gave up), long after it.
   */
  readonly onEnd: (code: number, error: Error | null) => void;
}

/**
 * A worker thread as a process of the main thread: the thread's end is the process's end, with its error as the
 * reason, so a supervisor restarts threads like any other child. An orderly end (code 0) is `normal`.
 *
 * The process never terminates its thread: a thread that owns sockets must not be terminated from outside, that
 * aborts the whole server. It is asked to leave, and the server's end takes whoever does not.
 */
export class ThreadProcess<To, From> implements Receiver<ThreadProcessMessage>, ExitHook {
  readonly #self: Process<ThreadProcessMessage>;
  readonly #worker: Worker;
  readonly #options: ThreadOptions<From>;
  #error: Error | null = null;
  /** The thread's exit code; null while it runs. */
  #code: number | null = null;
  #told = false;
  #hasExited = false;

  constructor(self: Process<ThreadProcessMessage>, options: ThreadOptions<From>) {
    this.#self = self;
    this.#options = options;
    self.label = options.name;
    const { workerData, transferList = [] } = options.data();
    this.#worker = new Worker(options.entry, {
      workerData,
      transferList: [...transferList],
      name: options.name,
      execArgv: ['--enable-source-maps'],
    });
    const { runtime } = self;
    this.#worker.on('message', (message) => runtime.send(self, { type: 'from-thread', message }));
    this.#worker.on('messageerror', (error) => {
      this.#error = error;
    });
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('exit', (code) => {
      this.#code = code;
      // Through the mailbox, so that what the thread said last comes first.
      if (this.#hasExited) options.onEnd(code, this.#error);
      else runtime.send(self, { type: 'thread-ended' });
    });
    self.onExit(this);
  }

  /** Ended by its supervisor: the thread lives on until somebody sends it away by {@link post}. */
  processExited(): void {
    this.#hasExited = true;
    if (this.#code !== null && !this.#told) this.#options.onEnd(this.#code, this.#error);
  }

  /** How long the thread's event loop has waited since it began. */
  idleMs(): number {
    return this.#worker.performance.eventLoopUtilization().idle;
  }

  /** For how long it has waited and for how long it has worked, in ms, without asking it. */
  loopTimes(): LoopTimes {
    const { idle, active } = this.#worker.performance.eventLoopUtilization();
    return { idle, active };
  }

  /** Goes to the thread as long as there is one, also when the process has ended before it. */
  post(message: To): void {
    this.#worker.postMessage(message);
  }

  receive(message: ThreadProcessMessage | SystemMessage): void {
    switch (message.type) {
      case 'from-thread':
        this.#options.onMessage(message.message as From);
        break;
      case 'thread-ended':
        this.#told = true;
        this.#options.onEnd(this.#code ?? 0, this.#error);
        // Whatever it ended of: one that was told to end must not be started again.
        if (this.#options.mayEnd()) this.#self.exit(ExitReason.normal);
        else if (this.#error !== null) this.#self.exit({ type: 'error', error: this.#error });
        else this.#self.exit(ExitReason.custom(`thread exited with code ${this.#code}`));
        break;
      default:
        break;
    }
  }
}
