import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type {
  FromGenerator,
  GeneratorOptions,
  ReturnResult,
  RoundOptions,
  RoundResult,
  ToGenerator,
} from './load-messages.js';

export interface RoundListener {
  /** Warm-up is over. */
  measuring(): void;
  measured(): void;
}

/** The load generator, in a process of its own, as the benchmarks see it. One order at a time. */
export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #pins: PinSource;
  #settle: { resolve: (message: FromGenerator) => void; reject: (error: Error) => void } | null = null;
  #listener: RoundListener | null = null;

  private constructor(child: ChildProcess, pins: PinSource) {
    this.#child = child;
    this.#pins = pins;
    child.on('message', (message) => this.#heard(message as FromGenerator));
    child.once('exit', (code) => this.#settle?.reject(new Error(`the load generator ended with ${code}`)));
  }

  static async start(options: GeneratorOptions, pins: PinSource = noPins): Promise<LoadProcess> {
    const child = fork(fileURLToPath(new URL('./load.js', import.meta.url)), { execArgv: [] });
    const load = new LoadProcess(child, pins);
    await load.#answer();
    await load.#order({ type: 'setup', options });
    return load;
  }

  async open(port: number, count: number, parallel = 32): Promise<void> {
    await this.#order({ type: 'open', port, count, parallel });
  }

  async run(round: RoundOptions, listener: RoundListener): Promise<RoundResult> {
    this.#listener = listener;
    const answer = await this.#order({ type: 'run', round });
    if (answer.type !== 'result') throw new Error(`${answer.type} instead of a result`);
    return answer.result;
  }

  async expectLosses(port: number): Promise<void> {
    await this.#order({ type: 'expect-losses', port });
  }

  /** Waits until at least `count` clients were lost and all of them are served again. */
  async returned(count: number, msMax: number): Promise<ReturnResult> {
    const answer = await this.#order({ type: 'await-returns', count, msMax });
    if (answer.type !== 'returned') throw new Error(`${answer.type} instead of what became of the lost`);
    return answer.result;
  }

  async close(): Promise<void> {
    await this.#order({ type: 'close' });
  }

  stop(): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill();
  }

  #order(order: ToGenerator): Promise<FromGenerator> {
    this.#child.send(order);
    return this.#answer();
  }

  #answer(): Promise<FromGenerator> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  #heard(message: FromGenerator): void {
    switch (message.type) {
      case 'pin-wanted':
        this.#pins(message.phone).then(
          (pin) => this.#child.send({ type: 'pin', phone: message.phone, pin } satisfies ToGenerator),
          (error: Error) => this.#settle?.reject(error),
        );
        break;
      case 'measuring':
        this.#listener?.measuring();
        break;
      case 'measured':
        this.#listener?.measured();
        break;
      case 'failed':
        this.#settle?.reject(new Error(message.error));
        break;
      default:
        this.#settle?.resolve(message);
    }
  }
}

/** Where PINs come from: resolves when the server has sent the one for this number. */
export type PinSource = (phone: number) => Promise<string>;

const noPins: PinSource = () => Promise.reject(new Error('this dialect has no PINs'));
