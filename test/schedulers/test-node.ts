/** A node of several threads for the tests: this thread is place 0, the others run `scheduler-thread.ts`. */
import { Worker } from 'node:worker_threads';
import { Runtime, type RuntimeEvent } from '../../src/actors/index.js';
import {
  RingRouter,
  type RingRouterOptions,
  type SchedulerLinks,
  SchedulerPool,
} from '../../src/schedulers/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { testCodecs } from './test-codecs.js';

export type Knobs = Omit<RingRouterOptions, 'links' | 'codecs'>;

export interface ThreadData {
  readonly links: SchedulerLinks;
  readonly role: string;
  readonly argument: unknown;
  readonly knobs: Knobs;
}

/** A thread of the node. */
export class TestThread {
  /** Everything it posted. */
  readonly posted: unknown[] = [];
  readonly ended: Promise<number>;

  constructor(
    readonly number: number,
    readonly worker: Worker,
  ) {
    worker.on('message', (message) => this.posted.push(message));
    // Not by `once`: an error of the thread is not one of the test.
    this.ended = new Promise((resolve) => worker.once('exit', resolve));
  }

  /** The next thing that it posts. */
  next(): Promise<unknown> {
    return new Promise((resolve) => this.worker.once('message', resolve));
  }
}

export class TestNode {
  readonly pool: SchedulerPool;
  readonly router: RingRouter;
  readonly runtime: Runtime;
  readonly events: RuntimeEvent[] = [];
  readonly #knobs: Knobs;
  readonly #threads: TestThread[] = [];

  constructor(ringBytes: number, knobs: Knobs = {}) {
    this.#knobs = knobs;
    this.pool = new SchedulerPool({ ringBytes });
    const links = this.pool.open(0);
    this.router = new RingRouter({ links, codecs: testCodecs, ...knobs });
    this.runtime = new Runtime({
      clock: new SystemClock(),
      random: new SystemRandom(),
      scheduler: links.number,
      router: this.router,
      names: this.router.names,
      events: (event) => void this.events.push(event),
    });
    this.router.start(this.runtime);
  }

  /** Starts a thread that plays a role, and waits until it has begun. */
  async start(place: number, role: string, argument?: unknown): Promise<TestThread> {
    const thread = this.begin(place, role, argument);
    await thread.next();
    return thread;
  }

  /** The same without waiting; of another script the role is what it makes of it. */
  begin(place: number, role: string, argument?: unknown, script = 'scheduler-thread'): TestThread {
    const links = this.pool.open(place);
    const workerData: ThreadData = { links, role, argument, knobs: this.#knobs };
    const worker = new Worker(new URL(`./${script}.js`, import.meta.url), {
      workerData,
      transferList: [links.news],
    });
    worker.on('error', () => {});
    worker.on('exit', () => this.pool.close(links.number));
    const thread = new TestThread(links.number, worker);
    this.#threads.push(thread);
    return thread;
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    for (const thread of this.#threads) thread.worker.postMessage('end');
    await Promise.all(this.#threads.map((thread) => thread.ended));
    this.router.close();
  }
}

/** Waits until `condition` holds, one turn of the event loop after the other; a test's timeout ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
