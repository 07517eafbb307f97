import type { Inspector, SentPin, Snapshot, ThreadSnapshot } from '../ops/inspector.js';
import { SharedInspector } from '../ops/inspector.js';
import { OperatorToken } from '../ops/operator-token.js';
import { OpsServer } from '../ops/ops-server.js';
import type { Page } from '../ops/page.js';
import { faultPage } from '../ops/pages/fault-page.js';
import { healthPage } from '../ops/pages/health-page.js';
import { metricsPage } from '../ops/pages/metrics-page.js';
import { pinsPage } from '../ops/pages/pins-page.js';
import { statusPages } from '../ops/pages/status-page.js';
import type { Random } from '../structures/random.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { StartRefused } from './start-refused.js';
import type { InjectedFault, SchedulerStats, WriterStats } from './thread-messages.js';
import { VERSION } from './version.js';

export interface OperatorSources {
  /** Null: PINs are not shown. */
  readonly pins: (() => readonly SentPin[]) | null;
  readonly isHealthy: () => boolean;
  readonly snapshot: () => Promise<Snapshot>;
  /** Null: faults cannot be injected. False: there is no such thread. */
  readonly inject: ((thread: string, fault: InjectedFault) => boolean) | null;
}

interface SnapshotParts {
  readonly at: number;
  readonly uptimeMs: number;
  readonly state: 'starting' | 'running' | 'draining';
  readonly epoch: number;
  readonly config: Config;
  readonly chatUrl: string;
  /** Null: the thread did not answer. */
  readonly scheduler: SchedulerStats | null;
  readonly schedulerRunning: boolean;
  readonly writer: WriterStats | null;
  readonly writerRunning: boolean;
}

/** The operator's port with its pages. */
export class Operator {
  readonly port: number;
  /** Where the page is, with the token behind the `#` when it was made just now. */
  readonly url: string;
  /** The page will ask for a token that was shown at an earlier start. */
  readonly tokenIsOld: boolean;
  readonly #server: OpsServer;

  private constructor(server: OpsServer, url: string, tokenIsOld: boolean) {
    this.#server = server;
    this.tokenIsOld = tokenIsOld;
    this.port = server.port;
    this.url = url;
  }

  /** @throws StartRefused */
  static async start(config: Config, random: Random, log: Log, sources: OperatorSources): Promise<Operator> {
    try {
      const token = OperatorToken.load(config.dataFolder, random);
      const inspector: Inspector = new SharedInspector(sources);
      const pages: Page[] = [
        ...statusPages(),
        healthPage(sources.isHealthy),
        metricsPage(inspector),
        ...(sources.pins === null ? [] : [pinsPage(sources.pins)]),
        ...(sources.inject === null ? [] : [faultPage(sources.inject)]),
      ];
      const server = await OpsServer.start({
        host: config.operatorHost,
        port: config.operatorPort,
        token,
        pages,
        onError: (path, error) => log.error({ path, err: error }, 'a page of the operator failed'),
      });
      const host = config.operatorHost.includes(':') ? `[${config.operatorHost}]` : config.operatorHost;
      const fragment = token.fresh === null ? '' : `#${token.fresh}`;
      return new Operator(server, `http://${host}:${server.port}/${fragment}`, token.fresh === null);
    } catch (error) {
      throw new StartRefused(`the operator's port: ${(error as Error).message}`);
    }
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  static snapshotOf(parts: SnapshotParts): Snapshot {
    const { scheduler, writer, config } = parts;
    const listener = scheduler?.listener;
    const count = (name: string) => listener?.[name] ?? 0;
    return {
      version: 1,
      at: parts.at,
      uptimeMs: parts.uptimeMs,
      server: {
        name: 'rookery',
        version: VERSION,
        node: process.version,
        pid: process.pid,
        state: parts.state,
        epoch: parts.epoch,
        development: config.development,
        chatUrl: parts.chatUrl,
      },
      memory: { residentBytes: process.memoryUsage.rss() },
      threads: [
        thread('scheduler-1', parts.schedulerRunning, scheduler),
        thread('writer-1', parts.writerRunning, writer),
      ],
      connections: {
        open: scheduler?.connections ?? 0,
        opened: count('opened'),
        closed: count('closed'),
        refused:
          count('refusedFull') +
          count('refusedRate') +
          count('refusedAddress') +
          count('refusedOrigin') +
          count('refusedProtocol'),
      },
      sessions: { running: scheduler?.chat.sessions ?? 0, online: scheduler?.chat.online ?? 0 },
      mailboxes: {
        processes: scheduler?.processes ?? 0,
        waiting: scheduler?.mailboxTotal ?? 0,
        longest: scheduler?.mailboxLongest ?? 0,
      },
      store: {
        commits: writer?.commits ?? 0,
        commands: writer?.commands ?? 0,
        failures: writer?.failures ?? 0,
        walBytes: writer?.walBytes ?? 0,
        youngBytes: writer?.youngBytes ?? 0,
        queuedBytes: scheduler?.queuedBytes ?? 0,
        queuedBytesMax: scheduler?.queuedBytesMax ?? 0,
        batchMax: writer?.batchMax ?? 0,
        batchMsMax: writer?.batchMsMax ?? 0,
      },
      chat: scheduler === null ? {} : { ...scheduler.chat },
    };
  }
}

function thread(
  name: string,
  running: boolean,
  stats: { readonly utilization: number; readonly heapUsedBytes: number } | null,
): ThreadSnapshot {
  return {
    name,
    state: !running ? 'restarting' : stats === null ? 'silent' : 'running',
    utilization: stats?.utilization ?? 0,
    heapUsedBytes: stats?.heapUsedBytes ?? 0,
  };
}
