import { resolve } from 'node:path';
import { formatReason } from '../actors/exit-reason.js';
import { Runtime } from '../actors/runtime.js';
import { createRegistrationMemory, type RegistrationMemory } from '../chat/registration-limits.js';
import type { SmsGateway } from '../chat/sms-gateway.js';
import type { Snapshot } from '../ops/inspector.js';
import { createStoreRings, type StoreRings } from '../storage/store-rings.js';
import type { Clock } from '../structures/clock.js';
import { SystemClock } from '../structures/system-clock.js';
import { SystemRandom } from '../structures/system-random.js';
import { type AdmissionMemory, createAdmissionMemory } from '../transport/admission-memory.js';
import type { Config } from './config.js';
import { type Log, openLog } from './log.js';
import { logEvent } from './log-event.js';
import { makeFolder } from './make-folder.js';
import { Operator } from './operator.js';
import { CommandGateway } from './sms/command-gateway.js';
import { PinLog } from './sms/pin-log.js';
import { WebhookGateway } from './sms/webhook-gateway.js';
import { StartRefused } from './start-refused.js';
import type {
  FromScheduler,
  FromWriter,
  InjectedFault,
  SchedulerData,
  SchedulerStats,
  ThreadEvent,
  ToScheduler,
  ToWriter,
  WriterData,
  WriterStats,
} from './thread-messages.js';
import { ThreadProcess, type ThreadProcessMessage } from './thread-process.js';
import { type MainTree, startMainTree } from './tree.js';
import { VERSION } from './version.js';

export interface RunningServer {
  readonly port: number;
  readonly operatorPort: number;
  /** The exit code, once everything has ended. */
  readonly ended: Promise<number>;
  /** Sends the clients away and ends. A second call hurries. */
  stop(): void;
}

/** How long the threads may take to end beside the grace that clients have. */
const HANG_MS = 30_000;
const AT_ONCE = { graceMs: 0, jitterMs: 0 };
/** How long a thread may take to say how it is. */
const STATS_TIMEOUT_MS = 1000;

/**
 * Starts the server and resolves when it serves. Signals are handled from then on.
 *
 * @throws StartRefused
 */
export async function startServer(config: Config): Promise<RunningServer> {
  const server = new Server(config);
  await server.start();
  return server;
}

/**
 * The main thread: it starts and supervises the others, carries what is rare between them, and ends everything in
 * order. No chat message passes here.
 */
class Server implements RunningServer {
  readonly ended: Promise<number>;
  readonly #config: Config;
  readonly #clock: Clock = new SystemClock();
  readonly #random = new SystemRandom();
  readonly #log: Log;
  readonly #runtime: Runtime;
  readonly #tree: MainTree;
  readonly #gateway: SmsGateway;
  readonly #pinLog: PinLog | null;
  readonly #startedAt: number;
  #rings: StoreRings;
  readonly #admission: AdmissionMemory;
  readonly #registrations: RegistrationMemory;
  #operator: Operator | null = null;
  #state: 'starting' | 'running' | 'draining' = 'starting';
  #epoch = 0;
  #secret: Uint8Array = new Uint8Array(0);
  #port: number;
  readonly #writer: Thread<ToWriter>;
  readonly #scheduler: Thread<ToScheduler>;
  #settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  #statsId = 0;
  readonly #statsWaiting = new Map<number, (stats: SchedulerStats | WriterStats) => void>();
  #end: (code: number) => void = () => {};
  #stopping = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#port = config.port;
    this.#startedAt = this.#clock.now();
    this.#log = openLog({ level: config.logLevel, format: config.logFormat });
    this.#rings = createStoreRings();
    const seed = () => Math.floor(this.#random.next() * 2 ** 32) | 0;
    this.#admission = createAdmissionMemory(config.connectionsMax, config.schedulers + 1, seed());
    this.#registrations = createRegistrationMemory(seed());
    this.#runtime = new Runtime({
      clock: this.#clock,
      random: this.#random,
      events: (event) => {
        const line = logEvent(event);
        if (line !== null) this.#logLine('main', line);
      },
    });
    this.#writer = new Thread('writer-1');
    this.#scheduler = new Thread('scheduler-1');
    this.#tree = startMainTree(this.#runtime, (reason) => this.#gaveUp(formatReason(reason)));
    this.#pinLog =
      config.smsGateway.kind === 'log' || config.development ? new PinLog(this.#log, this.#clock) : null;
    this.#gateway = this.#makeGateway();
    this.ended = new Promise((done) => {
      this.#end = done;
    });
  }

  get port(): number {
    return this.#port;
  }

  get operatorPort(): number {
    return this.#operator?.port ?? 0;
  }

  async start(): Promise<void> {
    const { dataFolder } = this.#config;
    try {
      makeFolder(resolve(dataFolder));
    } catch (error) {
      throw new StartRefused(
        `the data folder ${resolve(dataFolder)} cannot be made: ${(error as Error).message}`,
      );
    }
    try {
      await this.#until(() => this.#startWriter());
      await this.#until(() => this.#startScheduler());
      this.#operator = await Operator.start(this.#config, this.#random, this.#log, {
        pins: this.#pinLog === null ? null : () => this.#pinLog?.pins() ?? [],
        isHealthy: () => this.#state === 'running' && this.#scheduler.running && this.#writer.running,
        snapshot: () => this.#snapshot(),
        inject: this.#config.development ? (thread, fault) => this.#inject(thread, fault) : null,
      });
    } catch (error) {
      this.#stopping = 2;
      await this.#closeThreads();
      throw error;
    }
    this.#state = 'running';
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGINT', this.#onSignal);
    this.#banner();
  }

  stop(): void {
    this.#stopping++;
    if (this.#stopping === 1) {
      void this.#drain();
    } else if (this.#stopping === 2) {
      this.#log.warn('hurrying: clients are cut off now');
      this.#scheduler.post({ type: 'drain', graceMs: 0, jitterMs: this.#config.drainJitterMs });
    }
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#log.info({ signal }, `${signal}: ${this.#stopping === 0 ? 'stopping in order' : 'hurrying'}`);
    this.stop();
  };

  // ---- threads -----------------------------------------------------------------------------------------------

  /** Starts something that settles by a message from its thread. */
  #until(begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = {
        resolve: () => {
          this.#settle = null;
          resolve();
        },
        reject: (error) => {
          this.#settle = null;
          reject(error);
        },
      };
      begin();
    });
  }

  #startWriter(): void {
    const data = (): WriterData => ({
      role: 'writer',
      config: this.#config,
      rings: [{ scheduler: 1, rings: this.#rings }],
    });
    this.#tree.addThread<ThreadProcessMessage>('writer-1', (self) => {
      if (this.#writer.dismissed) throw new Error('the server is stopping');
      const thread = new ThreadProcess<ToWriter, FromWriter>(self, {
        name: 'writer-1',
        entry: new URL('./writer-main.js', import.meta.url),
        data,
        onMessage: (message) => this.#fromWriter(message),
        mayEnd: () => this.#writer.dismissed || this.#state === 'starting',
        onEnd: (code, error) => this.#threadEnded(this.#writer, code, error),
      });
      this.#writer.started(thread);
      return thread;
    });
  }

  #fromWriter(message: FromWriter): void {
    switch (message.type) {
      case 'open':
        this.#writer.running = true;
        if (this.#epoch !== 0 && message.epoch !== this.#epoch) {
          // Cannot happen while the data folder is locked; going on would break every cursor.
          this.#gaveUp(`the database changed its epoch from ${this.#epoch} to ${message.epoch}`);
          return;
        }
        this.#epoch = message.epoch;
        this.#secret = message.secret;
        this.#settle?.resolve();
        if (this.#state === 'running') this.#log.info({ thread: 'writer-1' }, 'writer-1 writes again');
        break;
      case 'refused':
        this.#settle?.reject(new StartRefused(message.message));
        if (this.#state !== 'starting') this.#log.error(`the store cannot be opened: ${message.message}`);
        break;
      case 'stats':
        this.#statsArrived(message.id, message.stats);
        break;
      case 'closed':
        break;
      case 'event':
        this.#logLine('writer-1', message);
        break;
    }
  }

  #startScheduler(): void {
    let incarnation = 0;
    const data = (): SchedulerData => {
      // A dead scheduler's rings may hold what was meant for its sessions: the next one gets rings of its own.
      if (++incarnation > 1) {
        this.#rings = createStoreRings();
        this.#writer.post({ type: 'attach', scheduler: 1, rings: this.#rings });
      }
      return {
        role: 'scheduler',
        index: 1,
        incarnation,
        config: this.#config,
        port: this.#port,
        epoch: this.#epoch,
        secret: this.#secret,
        version: VERSION,
        rings: this.#rings,
        admission: this.#admission,
        registrations: this.#registrations,
      };
    };
    this.#tree.addThread<ThreadProcessMessage>('scheduler-1', (self) => {
      if (this.#scheduler.dismissed) throw new Error('the server is stopping');
      const thread = new ThreadProcess<ToScheduler, FromScheduler>(self, {
        name: 'scheduler-1',
        entry: new URL('./scheduler-main.js', import.meta.url),
        data,
        onMessage: (message) => this.#fromScheduler(message),
        mayEnd: () => this.#scheduler.dismissed || this.#state === 'starting',
        onEnd: (code, error) => this.#threadEnded(this.#scheduler, code, error),
      });
      this.#scheduler.started(thread);
      return thread;
    });
  }

  #fromScheduler(message: FromScheduler): void {
    switch (message.type) {
      case 'listening':
        this.#scheduler.running = true;
        this.#port = message.port;
        this.#settle?.resolve();
        if (this.#state === 'running') this.#log.info({ thread: 'scheduler-1' }, 'scheduler-1 serves again');
        break;
      case 'refused':
        this.#settle?.reject(new StartRefused(message.message));
        if (this.#state !== 'starting') this.#log.error(message.message);
        break;
      case 'drained':
        this.#log.info({ terminated: message.terminated }, 'all connections are closed');
        break;
      case 'stats':
        this.#statsArrived(message.id, message.stats);
        break;
      case 'sms':
        this.#gateway.send(message.user, message.pin, message.expiresMs, (failure) => {
          if (failure !== null)
            this.#log.error({ gateway: this.#gateway.name }, `an SMS was not sent: ${failure}`);
          this.#scheduler.post({ type: 'sms-result', id: message.id, failure });
        });
        break;
      case 'event':
        this.#logLine('scheduler-1', message);
        break;
    }
  }

  #threadEnded(thread: Thread<never>, code: number, error: Error | null): void {
    thread.ended();
    if (this.#stopping > 0 && error === null) return;
    if (this.#settle !== null) {
      this.#settle.reject(new StartRefused(`${thread.name} ended: ${error?.message ?? `exit code ${code}`}`));
      return;
    }
    const why = error === null ? `exit code ${code}` : (error.stack ?? error.message);
    this.#log.error({ thread: thread.name }, `${thread.name} ended: ${why}`);
  }

  #gaveUp(reason: string): void {
    if (this.#stopping > 0) return;
    this.#log.fatal(`giving up: ${reason}`);
    this.#settle?.reject(new StartRefused(reason));
    if (this.#state === 'starting') return;
    this.#stopping = 2;
    this.#endBy(HANG_MS);
    void this.#closeThreads().then(() => this.#finish(1));
  }

  // ---- the end -----------------------------------------------------------------------------------------------

  async #drain(): Promise<void> {
    this.#state = 'draining';
    this.#endBy(this.#config.drainGraceMs + HANG_MS);
    await this.#closeThreads();
    this.#log.info('stopped');
    this.#finish(0);
  }

  /** A thread that hangs cannot be ended in order. What it had acknowledged is on disk. */
  #endBy(ms: number): void {
    this.#clock.setTimer(() => {
      this.#log.fatal('a thread does not end: the process does');
      process.exit(1);
    }, ms);
  }

  /** The scheduler first (it drains what its clients sent), then the writer (it commits what the scheduler left). */
  async #closeThreads(): Promise<void> {
    const { drainGraceMs, drainJitterMs } = this.#config;
    const drain = this.#state === 'draining' ? { graceMs: drainGraceMs, jitterMs: drainJitterMs } : AT_ONCE;
    await this.#scheduler.dismiss({ type: 'drain', ...drain });
    await this.#writer.dismiss({ type: 'close' });
    await this.#operator?.close();
  }

  #finish(code: number): void {
    process.off('SIGTERM', this.#onSignal);
    process.off('SIGINT', this.#onSignal);
    this.#end(code);
  }

  // ---- what operators see ------------------------------------------------------------------------------------

  #ask<T extends SchedulerStats | WriterStats>(
    thread: { readonly running: boolean },
    post: (id: number) => void,
  ): Promise<T | null> {
    if (!thread.running) return Promise.resolve(null);
    const id = ++this.#statsId;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(() => {
        this.#statsWaiting.delete(id);
        resolve(null);
      }, STATS_TIMEOUT_MS);
      this.#statsWaiting.set(id, (stats) => {
        this.#clock.clearTimer(timer);
        resolve(stats as T);
      });
      post(id);
    });
  }

  #statsArrived(id: number, stats: SchedulerStats | WriterStats): void {
    const waiting = this.#statsWaiting.get(id);
    this.#statsWaiting.delete(id);
    waiting?.(stats);
  }

  async #snapshot(): Promise<Snapshot> {
    const [scheduler, writer] = await Promise.all([
      this.#ask<SchedulerStats>(this.#scheduler, (id) => this.#scheduler.post({ type: 'stats', id })),
      this.#ask<WriterStats>(this.#writer, (id) => this.#writer.post({ type: 'stats', id })),
    ]);
    return Operator.snapshotOf({
      at: this.#clock.wall(),
      uptimeMs: this.#clock.now() - this.#startedAt,
      state: this.#state,
      epoch: this.#epoch,
      config: this.#config,
      chatUrl: this.#chatUrl(),
      scheduler,
      schedulerRunning: this.#scheduler.running,
      writer,
      writerRunning: this.#writer.running,
    });
  }

  #inject(thread: string, fault: InjectedFault): boolean {
    if (thread === 'scheduler-1') this.#scheduler.post({ type: 'inject', fault });
    else if (thread === 'writer-1') this.#writer.post({ type: 'inject', fault });
    else return false;
    this.#log.warn({ thread, fault }, 'a fault was injected');
    return true;
  }

  #logLine(thread: string, line: ThreadEvent): void {
    // A start that is refused says why in one line; the rest is for who debugs it.
    const level = this.#state === 'starting' && line.level === 'error' ? 'debug' : line.level;
    this.#log[level]({ thread, ...line.fields }, line.message);
  }

  #makeGateway(): SmsGateway {
    const { smsGateway } = this.#config;
    switch (smsGateway.kind) {
      case 'log':
        return this.#pinLog as PinLog;
      case 'command':
        return new CommandGateway(smsGateway.path);
      case 'webhook':
        return new WebhookGateway(new URL(smsGateway.url));
    }
  }

  #chatUrl(): string {
    const { host, tlsKeyFile } = this.#config;
    const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
    return `${tlsKeyFile === '' ? 'http' : 'https'}://${name}:${this.#port}/`;
  }

  #banner(): void {
    const operator = this.#operator as Operator;
    this.#log.info(
      {
        port: this.#port,
        operatorPort: operator.port,
        // With the token behind the #, at the first start only: nobody can be told it again.
        ...(operator.tokenIsOld ? {} : { operator: operator.url }),
        data: resolve(this.#config.dataFolder),
        epoch: this.#epoch,
      },
      `rookery ${VERSION} is serving`,
    );
    if (this.#config.logFormat === 'json' || (this.#config.logFormat === 'auto' && !process.stdout.isTTY))
      return;
    const lines = [
      '',
      `  Chat in the browser    ${this.#chatUrl()}`,
      `  Chat in a terminal     npx rookery chat --server ${this.#chatUrl()}`,
      `  The operator's page    ${operator.url}`,
      ...(operator.tokenIsOld
        ? [
            '                         (asks for the token of the first start; lost? npx rookery operator-token)',
          ]
        : []),
      '',
      ...(this.#pinLog === null
        ? []
        : ['  PINs are printed here: register two numbers in two windows, and chat.']),
      '  Then kill me with kill -9, start me again, and look for a message that got lost.',
      '',
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

/** A thread as the server knows it over its incarnations. */
class Thread<To> {
  /** It serves. */
  running = false;
  dismissed = false;
  /** From its start to its end, whether it serves already or not. */
  #process: { post(message: To): void } | null = null;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly name: string) {}

  post(message: To): void {
    this.#process?.post(message);
  }

  started(process: { post(message: To): void }): void {
    this.#process = process;
  }

  ended(): void {
    this.running = false;
    this.#process = null;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Sends it away, and resolves when it is gone. From now on it is not started again, whatever it ends of. */
  dismiss(message: To): Promise<void> {
    this.dismissed = true;
    if (this.#process === null) return Promise.resolve();
    this.post(message);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
