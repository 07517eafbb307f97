import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { formatReason } from '../actors/exit-reason.js';
import { Runtime } from '../actors/runtime.js';
import { RUNTIME_STATS } from '../actors/runtime-stats.js';
import type { SmsGateway } from '../chat/sms-gateway.js';
import type { CodeState } from '../hot-code/index.js';
import type { Groups } from '../metrics/groups.js';
import type { Snapshot } from '../ops/inspector.js';
import { createStats, type GuardHandle, StatsBlock } from '../schedulers/index.js';
import type { Clock } from '../structures/clock.js';
import { SystemClock } from '../structures/system-clock.js';
import { SystemRandom } from '../structures/system-random.js';
import { banner, chatUrl } from './banner.js';
import { CodeControl } from './code-control.js';
import { type Config, withValues } from './config.js';
import { serverGroups } from './groups/server-groups.js';
import { KnobValues, knobNames } from './knob-values.js';
import { type Log, openLog } from './log.js';
import { logEvent } from './log-event.js';
import { makeFolder } from './make-folder.js';
import { Operator } from './operator.js';
import { operatorActions } from './operator-actions.js';
import { OperatorKnobs } from './operator-knobs.js';
import { LedgerRefused, OperatorLedger } from './operator-ledger.js';
import type { ProcessThread } from './operator-processes.js';
import { PartitionMoves } from './partition-moves.js';
import { processThreads } from './process-threads.js';
import { addGroupPlugins, RECORDING_KNOBS, Recording } from './recording.js';
import { type SchedulerThread, SchedulerThreads, type SchedulerThreadsOwner } from './scheduler-threads.js';
import { SchedulerWatch } from './scheduler-watch.js';
import { ServerAlerts } from './server-alerts.js';
import { checkServerPackages } from './server-packages.js';
import { CommandGateway } from './sms/command-gateway.js';
import { PinLog } from './sms/pin-log.js';
import { WebhookGateway } from './sms/webhook-gateway.js';
import { snapshotOf } from './snapshot.js';
import { StartRefused } from './start-refused.js';
import { Telemetry } from './telemetry.js';
import type {
  FromScheduler,
  FromWriter,
  InjectedFault,
  SchedulerStats,
  ThreadEvent,
  WriterStats,
} from './thread-messages.js';
import { ThreadQuestions } from './thread-questions.js';
import { type MainTree, startMainTree } from './tree.js';
import { WriterThread, type WriterThreadOwner } from './writer-thread.js';

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

/**
 * Starts the server and resolves when it serves. Signals are handled from then on.
 *
 * @throws StartRefused
 */
export async function startServer(config: Config): Promise<RunningServer> {
  checkServerPackages();
  const schedulers = config.schedulers || Math.min(64, availableParallelism());
  const server = new Server(withValues(config, { schedulers }));
  await server.start();
  return server;
}

/**
 * The main thread: it starts and supervises the others, says where the partitions run, carries what is rare between
 * the threads, and ends everything in order. No chat message passes here.
 */
class Server implements RunningServer, WriterThreadOwner, SchedulerThreadsOwner {
  readonly ended: Promise<number>;
  /** What it was started with. */
  readonly #config: Config;
  /** What holds now. */
  readonly #knobs: KnobValues;
  readonly #ledger: OperatorLedger;
  readonly #operatorKnobs: OperatorKnobs;
  readonly #clock: Clock = new SystemClock();
  readonly #random = new SystemRandom();
  readonly #log: Log;
  readonly #gateway: SmsGateway;
  readonly #pinLog: PinLog | null;
  readonly #startedAt: number;
  readonly #tree: MainTree;
  readonly #writer: WriterThread;
  readonly #schedulers: SchedulerThreads;
  readonly #questions: ThreadQuestions;
  readonly #code: CodeControl;
  readonly #groups: Groups;
  readonly #telemetry: Telemetry;
  readonly #moves: PartitionMoves;
  readonly #watch: SchedulerWatch;
  readonly #processThreads: () => readonly ProcessThread[];
  readonly #alerts: ServerAlerts;
  #operator: Operator | null = null;
  #recording: Recording | null = null;
  #state: 'starting' | 'running' | 'draining' = 'starting';
  #epoch = 0;
  #secret: Uint8Array = new Uint8Array(0);
  /** What the start waits for, and what says that it has come. */
  #waiting: { isDone: () => boolean; resolve: () => void; reject: (error: Error) => void } | null = null;
  /** Schedulers whose clients have not gone yet, and who waits for that. */
  #draining = new Set<SchedulerThread>();
  #drained: () => void = () => {};
  #end: (code: number) => void = () => {};
  #stopping = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#knobs = new KnobValues(config);
    this.#startedAt = this.#clock.now();
    this.#log = openLog({ level: config.logLevel, format: config.logFormat });
    const stats = createStats(RUNTIME_STATS);
    const runtime = new Runtime({
      clock: this.#clock,
      random: this.#random,
      stats: new StatsBlock(stats).values,
      events: (event) => {
        const line = logEvent(event);
        if (line !== null) this.#logLine('main', line);
      },
    });
    this.#tree = startMainTree(runtime, (reason) => this.#gaveUp(formatReason(reason)));
    this.#writer = new WriterThread(this);
    this.#schedulers = new SchedulerThreads(config, this.#clock, this.#random, this.#tree, this);
    this.#questions = new ThreadQuestions(this.#clock);
    this.#groups = serverGroups({
      clock: this.#clock,
      startedAt: this.#startedAt,
      questions: this.#questions,
      schedulers: this.#schedulers,
      writer: this.#writer,
      main: stats,
      dataFolder: resolve(config.dataFolder),
      code: () => this.#code,
      onFailure: (group, error) => this.#log.warn({ group, err: error }, `no figures of ${group}`),
    });
    this.#telemetry = new Telemetry({
      config: this.#knobs.live,
      groups: this.#groups,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      questions: this.#questions,
      schedulers: () => this.#schedulers.all,
    });
    this.#moves = new PartitionMoves(this.#schedulers, this.#clock, (scheduler) =>
      this.#askScheduler(scheduler),
    );
    this.#ledger = new OperatorLedger({
      runtime,
      clock: this.#clock,
      journal: this.#writer.journal,
      tree: this.#tree,
    });
    this.#alerts = new ServerAlerts({
      // Read at each look.
      config: this.#knobs.live,
      runtime,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      groups: this.#groups,
      questions: this.#questions,
      ledger: this.#ledger,
      threads: () => (this.#state === 'running' ? [this.#writer, ...this.#schedulers.all] : []),
    });
    this.#watch = new SchedulerWatch(config, this.#clock, this.#log, (event) => this.#alerts.record(event));
    this.#code = new CodeControl({
      dataFolder: config.dataFolder,
      clock: this.#clock,
      log: this.#log,
      questions: this.#questions,
      onLoad: () => this.#watch.codeLoaded(),
      ledger: this.#ledger,
      threads: () =>
        this.#schedulers.all.map((thread) => ({ name: `${thread.name}.${thread.number}`, thread })),
    });
    this.#operatorKnobs = new OperatorKnobs({
      configured: config,
      values: this.#knobs,
      ledger: this.#ledger,
      questions: this.#questions,
      threads: () => [this.#writer, ...this.#schedulers.all].map((thread) => ({ name: thread.name, thread })),
      log: this.#log,
    });
    this.#knobs
      .use(['longScheduleMs', 'longScheduleKillMs', 'schedulerHangMs', 'codeProbationKillMs'], (now) =>
        this.#watch.setLimits(now),
      )
      .use(['logLevel'], ({ logLevel }) => {
        this.#log.level = logLevel;
      })
      .use(['drainGraceMs', 'drainJitterMs', 'rebalanceDelayMs'])
      .use([...RECORDING_KNOBS], (now) => void this.#recording?.change(now))
      .use(['otlpIntervalMs'], (now) => void this.#telemetry.sendEvery(now.otlpIntervalMs))
      .use(['traceSampleRatio'], (now) => void this.#telemetry.sampleTraces(now.traceSampleRatio))
      .use(knobNames().filter((name) => name.startsWith('alert')));
    this.#processThreads = processThreads({
      runtime,
      questions: this.#questions,
      schedulers: this.#schedulers,
      watch: this.#watch,
    });
    this.#pinLog =
      config.smsGateway.kind === 'log' || config.development ? new PinLog(this.#log, this.#clock) : null;
    this.#gateway = this.#makeGateway();
    this.ended = new Promise((done) => {
      this.#end = done;
    });
  }

  get port(): number {
    return this.#schedulers.port;
  }

  get operatorPort(): number {
    return this.#operator?.port ?? 0;
  }

  async start(): Promise<void> {
    const { dataFolder, development } = this.#config;
    try {
      makeFolder(resolve(dataFolder));
    } catch (error) {
      throw new StartRefused(
        `the data folder ${resolve(dataFolder)} cannot be made: ${(error as Error).message}`,
      );
    }
    await addGroupPlugins(this.#config, this.#groups);
    const { all, placement } = this.#schedulers;
    const [first, ...others] = all as [SchedulerThread, ...SchedulerThread[]];
    try {
      await this.#until(
        () => this.#writer.start(this.#tree),
        () => this.#writer.running,
      );
      await this.#openLedger();
      await this.#code.recover();
      await this.#until(
        () => this.#schedulers.start(first),
        () => first.running,
      );
      await this.#until(
        () => {
          for (const scheduler of others) this.#schedulers.start(scheduler);
        },
        () => others.every(({ running }) => running),
      );
      await this.#until(
        () => placement.begin(),
        () => placement.isSettled,
      );
      this.#operator = await Operator.start(this.#config, this.#random, this.#log, {
        clock: this.#clock,
        actions: operatorActions({
          config: this.#config,
          clock: this.#clock,
          log: this.#log,
          schedulers: this.#schedulers,
          writer: this.#writer,
          questions: this.#questions,
          processThreads: this.#processThreads,
          alerts: this.#alerts,
          knobs: this.#operatorKnobs,
          code: this.#code,
        }),
        pins: this.#pinLog === null ? null : () => this.#pinLog?.pins() ?? [],
        isHealthy: () =>
          this.#state === 'running' && this.#writer.running && this.#schedulers.runningCount > 0,
        snapshot: () => this.#snapshot(),
        groups: this.#groups,
        scrape: () => this.#telemetry.scrape(this.port),
        partitions: this.#moves,
        inject: development ? (thread, fault) => this.#inject(thread, fault) : null,
      });
      await this.#telemetry.start(this.port);
      this.#recording = new Recording(this.#knobs.config, this.#groups, this.#clock, this.#log);
    } catch (error) {
      this.#stopping = 2;
      await this.#closeThreads();
      throw error;
    }
    this.#state = 'running';
    this.#watch.announce();
    this.#alerts.start(this.#tree);
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGINT', this.#onSignal);
    banner(this.#log, this.#config, this.#operator, {
      port: this.port,
      homePorts: all.map(({ homePort }) => homePort).filter((port) => port !== 0),
      epoch: this.#epoch,
      showsPins: this.#pinLog !== null,
    });
  }

  stop(): void {
    this.#stopping++;
    if (this.#stopping === 1) {
      void this.#drain();
    } else if (this.#stopping === 2) {
      this.#log.warn('hurrying: clients are cut off now');
      this.#schedulers.drain(0, this.#knobs.config.drainJitterMs);
    }
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#log.info({ signal }, `${signal}: ${this.#stopping === 0 ? 'stopping in order' : 'hurrying'}`);
    this.stop();
  };

  /** Begins something, and waits until what threads say has made it so. Rejects when one of them ends or refuses. */
  #until(begin: () => void, isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { isDone, resolve, reject };
      begin();
      this.#progressed();
    });
  }

  #progressed(): void {
    if (this.#waiting?.isDone() !== true) return;
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve();
  }

  #failed(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }

  config(): Config {
    return this.#knobs.config;
  }

  /** The operator's ledger is read before anybody is served: what was turned holds from the beginning. */
  async #openLedger(): Promise<void> {
    try {
      await this.#ledger.open();
    } catch (error) {
      if (!(error instanceof LedgerRefused)) throw error;
      this.#log.error(`${error.message}; knobs that were turned earlier do not hold`);
    }
  }

  mayEnd(): boolean {
    return this.#state === 'starting' || this.#stopping > 0;
  }

  // ---- the writer --------------------------------------------------------------------------------------------

  rings(): ReturnType<SchedulerThreads['rings']> {
    return this.#schedulers.rings();
  }

  routes(): readonly number[] {
    return this.#schedulers.placement.routes();
  }

  writes(epoch: number, secret: Uint8Array, again: boolean): void {
    if (this.#epoch !== 0 && epoch !== this.#epoch) {
      // Cannot happen while the data folder is locked; going on would break every cursor.
      this.#gaveUp(`the database changed its epoch from ${this.#epoch} to ${epoch}`);
      return;
    }
    this.#epoch = epoch;
    this.#secret = secret;
    if (again) {
      this.#schedulers.placement.writerRestarted();
      this.#log.info({ thread: this.#writer.name }, `${this.#writer.name} writes again`);
    }
    this.#progressed();
  }

  codeWord(): Int32Array {
    return this.#code.word;
  }

  code(): CodeState {
    return this.#code.state();
  }

  writerSays(message: Exclude<FromWriter, { readonly type: 'open' }>): void {
    switch (message.type) {
      case 'refused':
        this.#failed(new StartRefused(message.message));
        if (this.#state !== 'starting') this.#log.error(`the store cannot be opened: ${message.message}`);
        break;
      case 'routed':
        this.#schedulers.placement.routed(message.transfer);
        break;
      case 'left':
        this.#log.error(
          { thread: this.#schedulers.at(message.scheduler)?.name },
          'a scheduler takes nothing from the store: its partitions move to the others',
        );
        this.#schedulers.leave(message.scheduler);
        break;
      case 'answer':
        this.#questions.arrived(message);
        break;
      case 'closed':
        break;
      case 'event':
        this.#logLine(this.#writer.name, message);
        break;
    }
  }

  writerEnded(code: number, error: Error | null): void {
    this.#threadEnded(this.#writer.name, code, error);
  }

  // ---- the schedulers ----------------------------------------------------------------------------------------

  epoch(): number {
    return this.#epoch;
  }

  secret(): Uint8Array {
    return this.#secret;
  }

  toWriter(message: Parameters<WriterThread['post']>[0]): void {
    this.#writer.post(message);
  }

  serves({ name, number }: SchedulerThread): void {
    void this.#code.joined(`${name}.${number}`);
    if (this.#state === 'running') this.#log.info({ thread: name }, `${name} serves again`);
    this.#progressed();
  }

  partitionsMoved(partitions: readonly number[], from: number, to: number): void {
    if (this.#state === 'running') {
      const origin = from === 0 ? 'were adopted by' : `moved from scheduler-${from} to`;
      this.#log.info({ partitions }, `${partitions.length} partitions ${origin} scheduler-${to}`);
    }
    this.#moves.arrived(partitions, to);
    this.#progressed();
  }

  schedulerSays(
    scheduler: SchedulerThread,
    message: Exclude<FromScheduler, { readonly type: `partition${string}` | 'listening' | 'guarded' }>,
  ): void {
    switch (message.type) {
      case 'refused':
        this.#failed(new StartRefused(message.message));
        if (this.#state !== 'starting') this.#log.error({ thread: scheduler.name }, message.message);
        break;
      case 'code':
        this.#code.told(scheduler.name, message.event);
        break;
      case 'drained':
        this.#log.info(
          { thread: scheduler.name, terminated: message.terminated },
          'all connections are closed',
        );
        this.#isDrained(scheduler);
        break;
      case 'answer':
        this.#questions.arrived(message);
        break;
      case 'sms':
        this.#gateway.send(message.user, message.pin, message.expiresMs, (failure) => {
          if (failure !== null)
            this.#log.error({ gateway: this.#gateway.name }, `an SMS was not sent: ${failure}`);
          scheduler.post({ type: 'sms-result', id: message.id, failure });
        });
        break;
      case 'event':
        this.#logLine(scheduler.name, message);
        break;
    }
  }

  guarded({ name }: SchedulerThread, guard: GuardHandle, idleMs: () => number): void {
    this.#watch.begin(name, guard, idleMs);
  }

  schedulerEnded(scheduler: SchedulerThread, code: number, error: Error | null): void {
    this.#watch.end(scheduler.name);
    this.#isDrained(scheduler);
    this.#threadEnded(scheduler.name, code, error);
  }

  leftOut({ name }: SchedulerThread, left: number): void {
    if (left === 0) this.#gaveUp(`${name} ended too often, and it was the last scheduler`);
    else this.#log.error({ thread: name }, `${name} ended too often: it is left out for a minute`);
  }

  #threadEnded(name: string, code: number, error: Error | null): void {
    if (this.#stopping > 0 && error === null) return;
    if (this.#waiting !== null) {
      this.#failed(new StartRefused(`${name} ended: ${error?.message ?? `exit code ${code}`}`));
      return;
    }
    const why = error === null ? `exit code ${code}` : (error.stack ?? error.message);
    this.#log.error({ thread: name }, `${name} ended: ${why}`);
  }

  #gaveUp(reason: string): void {
    if (this.#stopping > 0) return;
    this.#log.fatal(`giving up: ${reason}`);
    this.#failed(new StartRefused(reason));
    if (this.#state === 'starting') return;
    this.#stopping = 2;
    this.#endBy(HANG_MS);
    void this.#closeThreads().then(() => this.#finish(1));
  }

  // ---- the end -----------------------------------------------------------------------------------------------

  async #drain(): Promise<void> {
    this.#state = 'draining';
    this.#endBy(this.#knobs.config.drainGraceMs + HANG_MS);
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

  /**
   * First the clients (whose inboxes may be on any scheduler), then the schedulers (they end what their clients sent),
   * then the writer (it commits what the schedulers left).
   */
  async #closeThreads(): Promise<void> {
    const told = this.#telemetry.close();
    if (this.#state === 'draining') {
      const { drainGraceMs, drainJitterMs } = this.#knobs.config;
      await new Promise<void>((resolve) => {
        this.#draining = new Set(this.#schedulers.all.filter(({ running }) => running));
        this.#drained = resolve;
        this.#schedulers.drain(drainGraceMs, drainJitterMs);
        if (this.#draining.size === 0) resolve();
      });
    }
    await this.#recording?.close();
    this.#code.close();
    await this.#schedulers.end();
    await this.#writer.close();
    await Promise.all([this.#operator?.close(), told]);
  }

  #isDrained(scheduler: SchedulerThread): void {
    if (this.#draining.delete(scheduler) && this.#draining.size === 0) this.#drained();
  }

  #finish(code: number): void {
    process.off('SIGTERM', this.#onSignal);
    process.off('SIGINT', this.#onSignal);
    this.#end(code);
  }

  // ---- what operators see ------------------------------------------------------------------------------------

  #askScheduler(scheduler: SchedulerThread): Promise<SchedulerStats | null> {
    return this.#questions.ask<SchedulerStats>(scheduler, 'stats');
  }

  async #snapshot(): Promise<Snapshot> {
    const writer = this.#writer;
    const [writerStats, ...schedulers] = await Promise.all([
      this.#questions.ask<WriterStats | null>(writer, 'stats'),
      ...this.#schedulers.all.map((scheduler) => this.#askScheduler(scheduler)),
    ]);
    return snapshotOf({
      at: this.#clock.wall(),
      uptimeMs: this.#clock.now() - this.#startedAt,
      state: this.#state,
      epoch: this.#epoch,
      config: this.#config,
      chatUrl: chatUrl(this.#config, this.port),
      schedulers: this.#schedulers.all.map(({ name, running }, index) => ({
        name,
        running,
        stats: (schedulers[index] as SchedulerStats | null | undefined) ?? null,
      })),
      writer: { name: writer.name, running: writer.running, stats: writerStats as WriterStats | null },
    });
  }

  #inject(thread: string | null, fault: InjectedFault): boolean {
    if (thread === this.#writer.name) {
      this.#writer.post({ type: 'inject', fault });
    } else {
      // Whoever has the user's session, or the partition.
      const concerned = this.#schedulers.all.filter(({ name }) => thread === null || name === thread);
      if (concerned.length === 0) return false;
      for (const scheduler of concerned) scheduler.post({ type: 'inject', fault });
    }
    this.#log.warn({ thread, fault }, 'a fault was injected');
    return true;
  }

  #logLine(thread: string, line: ThreadEvent): void {
    // A start that is refused says why in one line; the rest is for who debugs it.
    const level = this.#state === 'starting' && line.level === 'error' ? 'debug' : line.level;
    this.#log[level]({ thread, ...line.fields }, line.message);
    if (line.alert === undefined) return;
    const stack = String(line.fields['stack'] ?? '').split('\n');
    this.#alerts.record({ event: line.alert, thread, message: line.message, stack });
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
}
