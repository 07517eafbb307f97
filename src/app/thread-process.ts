import { Worker } from 'node:worker_threads';
import { ExitReason } from '../actors/exit-reason.js';
import type { Process } from '../actors/process.js';
import type { Receiver } from '../actors/receiver.js';
import type { SystemMessage } from '../actors/system-message.js';

/** A message from the thread. */
interface FromThread {
  readonly type: 'from-thread';
  readonly message: unknown;
}
/** The thread is gone. */
interface ThreadEnded {
  readonly type: 'thread-ended';
  readonly code: number;
  readonly error: Error | null;
}
export type ThreadProcessMessage<To> =
  | FromThread
  | ThreadEnded
  | { readonly type: 'to-thread'; readonly message: To };

export interface ThreadOptions<To, From> {
  readonly name: string;
  /** Module that the thread runs. */
  readonly entry: URL;
  /** Made anew for each incarnation. */
  readonly data: () => unknown;
  /** A message from the thread, on the main thread, within the process. */
  readonly onMessage: (message: From, post: (message: To) => void) => void;
  /** Whether the thread was told to end: an orderly end at any other time is a failure. */
  readonly mayEnd: () => boolean;
  /** The thread has ended; called once for each incarnation, before the process ends. */
  readonly onEnd: (code: number, error: Error | null) => void;
}

/**
 * A worker thread as a process of the main thread: the thread's end is the process's end, with its error as the
 * reason, so a supervisor restarts threads like any other child. An orderly end (code 0) is `normal`.
 *
 * The process never terminates its thread: a thread that owns sockets must not be terminated from outside, that
 * aborts the whole server. It is asked to leave, and the server's end takes whoever does not.
 */
export class ThreadProcess<To, From> implements Receiver<ThreadProcessMessage<To>> {
  readonly #self: Process<ThreadProcessMessage<To>>;
  readonly #worker: Worker;
  readonly #options: ThreadOptions<To, From>;
  #error: Error | null = null;

  constructor(self: Process<ThreadProcessMessage<To>>, options: ThreadOptions<To, From>) {
    this.#self = self;
    this.#options = options;
    self.label = options.name;
    this.#worker = new Worker(options.entry, {
      workerData: options.data(),
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
      runtime.send(self, { type: 'thread-ended', code, error: this.#error });
    });
  }

  receive(message: ThreadProcessMessage<To> | SystemMessage): void {
    switch (message.type) {
      case 'from-thread':
        this.#options.onMessage(message.message as From, (reply) => this.#worker.postMessage(reply));
        break;
      case 'to-thread':
        this.#worker.postMessage(message.message);
        break;
      case 'thread-ended':
        this.#options.onEnd(message.code, message.error);
        if (this.#options.mayEnd()) this.#self.exit(ExitReason.normal);
        else if (message.error !== null) this.#self.exit({ type: 'error', error: message.error });
        else this.#self.exit(ExitReason.custom(`thread exited with code ${message.code}`));
        break;
      default:
        break;
    }
  }
}
