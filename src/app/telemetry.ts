import { hostname } from 'node:os';
import type { Groups } from '../metrics/groups.js';
import type { ExportedService } from '../metrics/otel/exported-resource.js';
import type { OtlpMetrics } from '../metrics/otel/otlp-metrics.js';
import { OtlpTarget, OtlpTargetError } from '../metrics/otel/otlp-target.js';
import type { PrometheusMetrics } from '../metrics/otel/prometheus.js';
import type { Clock } from '../structures/clock.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { StartRefused } from './start-refused.js';
import { VERSION } from './version.js';

export interface TelemetryParts {
  readonly config: Pick<Config, 'otlpEndpoint' | 'otlpHeaders' | 'otlpIntervalMs'>;
  readonly groups: Groups;
  readonly clock: Clock;
  readonly log: Log;
}

/** A collector that is away is mentioned this often, not at each try. */
const COMPLAINT_EVERY_MS = 60_000;

/**
 * The server's figures for tools of others, through OpenTelemetry: Prometheus asks for them, a collector is sent them.
 * Nothing of OpenTelemetry is loaded before somebody wants it.
 */
export class Telemetry {
  readonly #parts: TelemetryParts;
  readonly #target: OtlpTarget | null;
  #prometheus: Promise<PrometheusMetrics> | null = null;
  #otlp: OtlpMetrics | null = null;
  #complainedAt = Number.NEGATIVE_INFINITY;

  /** @throws StartRefused when the endpoint or its headers make no sense. */
  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    const { otlpEndpoint, otlpHeaders } = parts.config;
    try {
      this.#target = otlpEndpoint === '' ? null : new OtlpTarget(otlpEndpoint, otlpHeaders);
    } catch (error) {
      if (error instanceof OtlpTargetError) throw new StartRefused(error.message);
      throw error;
    }
  }

  /** @param port of the chat: it tells servers of one machine apart. */
  async start(port: number): Promise<void> {
    if (this.#target === null) return;
    const { config, groups } = this.#parts;
    const [{ OtlpMetrics }, { onProblem }] = await Promise.all([
      import('../metrics/otel/otlp-metrics.js'),
      import('../metrics/otel/problems.js'),
    ]);
    onProblem((message) => this.#complain(message));
    this.#otlp = new OtlpMetrics(groups, service(port), this.#target, config.otlpIntervalMs);
  }

  /** All figures in Prometheus' text format. */
  async scrape(port: number): Promise<string> {
    this.#prometheus ??= import('../metrics/otel/prometheus.js').then(
      ({ PrometheusMetrics }) => new PrometheusMetrics(this.#parts.groups, service(port)),
    );
    return (await this.#prometheus).scrape();
  }

  /** The collector gets the last figures, if it takes them at once. */
  async close(): Promise<void> {
    await this.#otlp?.close().catch((error: Error) => this.#complain(error.message));
  }

  #complain(message: string): void {
    const { clock, log } = this.#parts;
    const now = clock.now();
    if (now - this.#complainedAt < COMPLAINT_EVERY_MS) return;
    this.#complainedAt = now;
    log.warn({ collector: this.#target?.url('metrics') }, `OpenTelemetry: ${message}`);
  }
}

function service(port: number): ExportedService {
  return {
    version: VERSION,
    instance: `${hostname()}:${port}`,
    pid: process.pid,
    nodeVersion: process.version,
  };
}
