import { Session } from 'node:inspector';
import type { CpuProfile } from './cpu-profile.js';

/**
 * V8's sampling profiler for the thread that makes it, over an inspector session within that thread: no port is opened. A
 * signal interrupts the thread at each interval and notes its stack; nothing is counted or measured in between, so the cost
 * depends on the interval and not on what runs. Beginning and ending take some tens of milliseconds of the thread.
 */
export class CpuSampler {
  readonly #session = new Session();

  /** @param intervalUs between two samples, in µs; V8 keeps to it as well as the machine lets it */
  constructor(intervalUs: number) {
    this.#session.connect();
    try {
      this.#post('Profiler.enable');
      this.#post('Profiler.setSamplingInterval', { interval: intervalUs });
      this.#post('Profiler.start');
    } catch (error) {
      this.#session.disconnect();
      throw error;
    }
  }

  /** What was found. Nothing is sampled any more, and this cannot be used again. */
  end(): CpuProfile {
    try {
      return (this.#post('Profiler.stop') as { readonly profile: CpuProfile }).profile;
    } finally {
      this.#session.disconnect();
    }
  }

  /** A session to its own thread answers before `post` returns. */
  #post(method: string, params: object = {}): unknown {
    let answer: { readonly error: Error | null; readonly result: unknown } | undefined;
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      answer = { error, result };
    });
    if (answer === undefined) throw new Error(`V8's profiler did not answer ${method}`);
    if (answer.error !== null) throw new Error(`V8's profiler: ${method}: ${answer.error.message}`);
    return answer.result;
  }
}
