import { Inspector } from './inspector.js';

const BEGIN = `{
  globalThis.loopPauses?.disable();
  globalThis.loopPauses = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: 1 });
  globalThis.loopPauses.enable();
}`;
const END = `(() => {
  const pauses = globalThis.loopPauses;
  if (pauses === undefined) return null;
  pauses.disable();
  delete globalThis.loopPauses;
  const { workerData, isMainThread } = process.getBuiltinModule('node:worker_threads');
  const thread = isMainThread ? 'main' : (workerData?.role ?? 'worker') + '-' + (workerData?.place ?? 1);
  return { thread, longestMs: pauses.max / 1e6 };
})()`;

/** The longest time in which the event loop of a thread did not turn, whatever the cause. */
export interface LoopPause {
  /** `main`, `scheduler-1`, `writer-1`, … */
  readonly thread: string;
  readonly longestMs: number;
}

interface Evaluated {
  readonly result: { readonly value: unknown };
  readonly exceptionDetails?: {
    readonly text: string;
    readonly exception?: { readonly description?: string };
  };
}

/**
 * Watches the event loops of another Node process and of its threads, through its inspector, by a timer of a
 * millisecond in each: what is measured is exact to about that, and the watching itself costs some processor time.
 */
export class LoopPauses {
  readonly #inspector: Inspector;

  private constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  static async begin(inspectorPort: number): Promise<LoopPauses> {
    const pauses = new LoopPauses(await Inspector.connect(inspectorPort));
    await pauses.#evaluate(BEGIN);
    return pauses;
  }

  /** Of the threads that have been there since the beginning. */
  async end(): Promise<LoopPause[]> {
    try {
      const pauses = (await this.#evaluate(END)) as (LoopPause | null)[];
      return pauses.filter((pause) => pause !== null);
    } finally {
      this.#inspector.close();
    }
  }

  async #evaluate(expression: string): Promise<unknown[]> {
    const answers = await this.#inspector.call('Runtime.evaluate', { expression, returnByValue: true });
    return (answers as Evaluated[]).map(({ result, exceptionDetails }) => {
      if (exceptionDetails === undefined) return result.value;
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    });
  }
}

/** Of all schedulers; NaN if there is none. */
export function longestOfSchedulers(pauses: readonly LoopPause[]): number {
  const schedulers = pauses.filter(({ thread }) => thread.startsWith('scheduler'));
  return schedulers.length === 0 ? Number.NaN : Math.max(...schedulers.map(({ longestMs }) => longestMs));
}
