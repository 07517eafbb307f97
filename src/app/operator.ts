import type { Groups } from '../metrics/groups.js';
import type { Action } from '../ops/action.js';
import { actionPages } from '../ops/actions-page.js';
import { type AuditEntry, AuditLog } from '../ops/audit-log.js';
import type { Inspector, SentPin, Snapshot } from '../ops/inspector.js';
import { SharedInspector } from '../ops/inspector.js';
import { OperatorToken } from '../ops/operator-token.js';
import { OpsServer } from '../ops/ops-server.js';
import type { Page, PostPage } from '../ops/page.js';
import { dashboardPages } from '../ops/pages/dashboard-page.js';
import { faultPage } from '../ops/pages/fault-page.js';
import { healthPage } from '../ops/pages/health-page.js';
import { metricsPage } from '../ops/pages/metrics-page.js';
import { type PartitionsSource, partitionsPages } from '../ops/pages/partitions-page.js';
import { pinsPage } from '../ops/pages/pins-page.js';
import { prometheusPage } from '../ops/pages/prometheus-page.js';
import { readingPages } from '../ops/pages/reading-page.js';
import type { Clock } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import type { Config } from './config.js';
import { dashboardAssets } from './dashboard-assets.js';
import type { Log } from './log.js';
import { StartRefused } from './start-refused.js';
import type { InjectedFault } from './thread-messages.js';

export interface OperatorSources {
  readonly clock: Clock;
  readonly actions: readonly Action[];
  /** Null: PINs are not shown. */
  readonly pins: (() => readonly SentPin[]) | null;
  readonly isHealthy: () => boolean;
  readonly snapshot: () => Promise<Snapshot>;
  readonly groups: Groups;
  /** All figures in Prometheus' text format. */
  readonly scrape: () => Promise<string>;
  readonly partitions: PartitionsSource;
  /** Null: faults cannot be injected. A null thread: whichever scheduler it concerns. False: there is no such thread. */
  readonly inject: ((thread: string | null, fault: InjectedFault) => boolean) | null;
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
      const audit = new AuditLog({
        folder: config.dataFolder,
        onError: (error) => log.error({ err: error }, 'the audit log of operators cannot be written'),
      });
      const pages: (Page | PostPage)[] = [
        ...dashboardPages(dashboardAssets()),
        healthPage(sources.isHealthy),
        metricsPage(inspector),
        ...actionPages(sources.actions, {
          clock: sources.clock,
          audit: (entry) => {
            audit.write(entry);
            logAction(log, entry);
          },
        }),
        ...readingPages(sources.groups),
        prometheusPage(sources.scrape, config.metricsAccess),
        ...partitionsPages(sources.partitions),
        ...(sources.pins === null ? [] : [pinsPage(sources.pins)]),
        ...(sources.inject === null ? [] : [faultPage(sources.inject)]),
      ];
      const server = await OpsServer.start({
        host: config.operatorHost,
        port: config.operatorPort,
        clock: sources.clock,
        token,
        pages,
        onError: (path, error) => log.error({ path, err: error }, 'a page of the operator failed'),
        onFailedLogin: ({ address, failures }) =>
          log.warn({ from: address, failures }, "a wrong token at the operator's port"),
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
}

/** Whatever an operator changes stands in the server's log as well, beside what comes of it. */
function logAction(log: Log, { action, asker, outcome, error }: AuditEntry): void {
  const fields = { action, author: asker.author, from: asker.address };
  if (outcome === 'done') log.info(fields, `${asker.author}: ${action}`);
  else log.warn(fields, `${asker.author}: ${action} ${outcome}: ${error}`);
}
