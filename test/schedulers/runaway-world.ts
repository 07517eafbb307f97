import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import WebSocket from 'ws';
import { Watchdog, type WatchdogEvent } from '../../src/schedulers/watchdog.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { atEnd } from '../support/at-end.js';
import { within } from '../support/within.js';
import type { AskingData } from './asking-thread.js';
import type { FromRunaway, RunawayData, RunawayReport, ToRunaway } from './runaway-thread.js';
import { Wanted } from './wanted.js';

type Message<T extends FromRunaway['type']> = Extract<FromRunaway, { type: T }>;

/** A thread with runaways, and what it says. */
export class RunawayThread {
  readonly worker: Worker;
  readonly exited: Promise<number>;
  ready!: Message<'ready'>;
  error: Error | null = null;
  #hasEnded = false;
  readonly #messages: FromRunaway[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(data: RunawayData) {
    this.worker = new Worker(new URL('./runaway-thread.js', import.meta.url), { workerData: data });
    this.worker.on('message', (message: FromRunaway) => {
      this.#messages.push(message);
      for (const look of this.#waiting.splice(0)) look();
    });
    this.worker.on('error', (error: Error) => {
      this.error = error;
    });
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.#hasEnded = true;
        resolve(code);
        for (const look of this.#waiting.splice(0)) look();
      });
    });
  }

  order(order: ToRunaway): void {
    this.worker.postMessage(order);
  }

  async next<T extends FromRunaway['type']>(type: T): Promise<Message<T>> {
    for (;;) {
      const at = this.#messages.findIndex((message) => message.type === type);
      if (at >= 0) return this.#messages.splice(at, 1)[0] as Message<T>;
      if (this.error !== null) throw this.error;
      if (this.#hasEnded) throw new Error(`the thread has ended without “${type}”`);
      await within(
        `“${type}” of the thread`,
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        120_000,
      );
    }
  }

  async report(): Promise<RunawayReport> {
    return (await this.next('report')).report;
  }
}

/** Sends one message after the other, and takes nothing but its echo for an answer. */
export class Echoes {
  echoes = 0;
  wrong = 0;
  closed: number | null = null;
  readonly #ws: WebSocket;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => {
      if (data.readUInt32LE() !== this.echoes) this.wrong++;
      this.echoes++;
      this.#send();
    });
    ws.on('close', (code) => {
      this.closed = code;
    });
    this.#send();
  }

  static async open(port: number): Promise<Echoes> {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'rookery.v1');
    await once(ws, 'open');
    return new Echoes(ws);
  }

  /** Resolves when one more has come. */
  more(): Promise<unknown> {
    return once(this.#ws, 'message');
  }

  end(): void {
    this.#ws.terminate();
  }

  #send(): void {
    const message = Buffer.alloc(4);
    message.writeUInt32LE(this.echoes);
    this.#ws.send(message);
  }
}

/** A thread with runaways and with sockets that must not notice; ended with the test. */
export class RunawayWorld {
  readonly told: WatchdogEvent[] = [];
  readonly echoes: Echoes[] = [];

  private constructor(readonly thread: RunawayThread) {}

  /** The thread's victims ask for their end themselves; it comes at random moments, until so many have been cut off. */
  static async asking(
    t: TestContext,
    data: { readonly cuts: number; readonly roundsMax: number; readonly pauseMax: number },
  ): Promise<RunawayWorld> {
    const wanted = new Wanted();
    const { cuts, roundsMax, pauseMax } = data;
    const world = await RunawayWorld.#start(t, { wanted: wanted.words, cuts, roundsMax });
    const workerData: AskingData = { wanted: wanted.words, guard: world.thread.ready.guard, pauseMax };
    const asking = new Worker(new URL('./asking-thread.js', import.meta.url), { workerData });
    const ended = once(asking, 'exit');
    atEnd(t, () => {
      wanted.end();
      return ended;
    });
    await world.#openSockets();
    return world;
  }

  /** The thread is watched, with short limits. `lostMs`: when it is given up. */
  static async watched(t: TestContext, lostMs: number): Promise<RunawayWorld> {
    const world = await RunawayWorld.#start(t, { wanted: null, cuts: 0, roundsMax: 0 });
    const { thread } = world;
    const watchdog = new Watchdog({
      clock: new SystemClock(),
      pollMs: 5,
      longMs: 20,
      killMs: 100,
      lostMs,
      // It has been blocked when others use the processors.
      onEvent: (event) => event.type !== 'blocked' && world.told.push(event),
    });
    atEnd(t, () => watchdog.close());
    const { performance } = thread.worker;
    const stop = watchdog.watch('thread', thread.ready.guard, () => performance.eventLoopUtilization().idle);
    void thread.exited.then(stop);
    await world.#openSockets();
    return world;
  }

  static async #start(t: TestContext, data: RunawayData): Promise<RunawayWorld> {
    const thread = new RunawayThread(data);
    const world = new RunawayWorld(thread);
    // The watchdog's timers do not keep the event loop.
    const keepAlive = setInterval(() => {}, 1000);
    atEnd(t, () => clearInterval(keepAlive));
    atEnd(t, () => {
      for (const echo of world.echoes) echo.end();
      thread.order('exit');
      return within('the end of the thread', thread.exited);
    });
    thread.ready = await thread.next('ready');
    return world;
  }

  async #openSockets(): Promise<void> {
    for (let at = 0; at < 5; at++) this.echoes.push(await Echoes.open(this.thread.ready.port));
  }

  /** The thread's own account of it, when everything that was under way has arrived; nobody but victims was hit. */
  async reportOfOthers(): Promise<RunawayReport> {
    const report = await this.thread.report();
    assert.deepEqual(report.failures, []);
    assert.equal(report.gaps, 0);
    assert.equal(report.received, report.sent, 'messages of others were lost');
    assert.ok(report.sent > 10_000, `${report.sent} messages`);
    assert.ok(report.timers > 0 && report.promises > 0);
    assert.deepEqual(report.cutOff, { victim: report.cuts });
    for (const { wrong, closed, echoes } of this.echoes)
      assert.deepEqual([wrong, closed, echoes > 0], [0, null, true]);
    return report;
  }
}
