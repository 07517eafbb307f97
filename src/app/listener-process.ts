import type { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook, Receiver } from '../actors/receiver.js';
import type { Listener } from '../transport/listener.js';

/**
 * The owner of a listener: the port is open as long as the process lives, whatever ends it. It takes no messages.
 * It is the last child of its supervisor, so that it is the first to go.
 */
export class ListenerProcess implements Receiver<never>, ExitHook {
  readonly #listener: Listener;

  constructor(self: Process<never>, listen: () => Listener) {
    self.label = 'listener';
    this.#listener = listen();
    self.onExit(this);
  }

  receive(): void {}

  processExited(_process: Pid, _reason: ExitReason): void {
    this.#listener.close();
  }
}
