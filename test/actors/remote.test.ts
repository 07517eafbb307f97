/** Two schedulers joined by a router that keeps order and copies nothing: the core's part alone. */
import { CallMessage, type Pid, type RemoteSignal, type Router } from '../../src/actors/index.js';
import { Fifo } from '../../src/structures/fifo.js';
import { type RouterPair, routerContract } from './router-contract.js';
import { World } from './world.js';

class Call {
  constructor(
    readonly caller: Pid,
    readonly ref: number,
    readonly request: unknown,
  ) {}
}

class WirePair implements RouterPair {
  readonly worlds: readonly [World, World];
  #up = true;
  readonly #wire = new Fifo<() => void>();

  constructor() {
    this.worlds = [
      new World({ scheduler: 0, router: this.#from(0) }),
      new World({ scheduler: 1, router: this.#from(1) }),
    ];
  }

  /** Until nothing runs and nothing is on the wire. */
  settle(): void {
    do {
      this.#wire.shift()?.();
      for (const world of this.worlds) world.runtime.flush();
    } while (this.#wire.length > 0);
  }

  lose(): void {
    this.#up = false;
    this.worlds[0].runtime.schedulerDown(1);
  }

  #from(sender: 0 | 1): Router {
    const receiver = () => this.worlds[1 - sender]!.runtime;
    const here = () => this.worlds[sender].runtime;
    const again = (pid: Pid) => receiver().pid(pid.scheduler, pid.id);
    return {
      message: (target, message) => {
        const { id } = target;
        const wired =
          message instanceof CallMessage
            ? new Call(message.from.caller, here().exportFrom(message.from), message.request)
            : message;
        if (this.#up) {
          this.#wire.push(() => {
            const arrived =
              wired instanceof Call
                ? new CallMessage(receiver().importFrom(again(wired.caller), wired.ref), wired.request)
                : wired;
            receiver().deliver(id, arrived);
          });
        }
        return this.#up;
      },
      signal: (target, signal: RemoteSignal) => {
        const { id } = target;
        if (this.#up) {
          this.#wire.push(() => {
            const arrived = 'from' in signal ? { ...signal, from: again(signal.from) } : signal;
            receiver().deliverSignal(id, arrived as RemoteSignal);
          });
        }
        return this.#up;
      },
    };
  }
}

routerContract('a wire', () => new WirePair());
