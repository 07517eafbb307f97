import { hostname } from 'node:os';
import { GroupReader } from '../metrics/group-reader.js';
import type { Groups } from '../metrics/groups.js';
import type { ExportedService } from '../metrics/otel/exported-resource.js';
import type { MessageSpans } from '../metrics/otel/message-spans.js';
import type { OtlpMetrics } from '../metrics/otel/otlp-metrics.js';
import { OtlpTarget, OtlpTargetError } from '../metrics/otel/otlp-target.js';
import type { PrometheusMetrics } from '../metrics/otel/prometheus.js';
import type { Clock } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import { processTimeOffsetMs } from '../structures/system-clock.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { MessageTracing } from './message-tracing.js';
import { StartRefused } from './start-refused.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';
import { VERSION } from './version.js';

export interface TelemetryParts {
  readonly config: Pick<Config, 'otlpEndpoint' | 'otlpHeaders' | 'otlpIntervalMs' | 'traceSampleRatio'>;
  readonly groups: Groups;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly questions: ThreadQuestions;
  readonly schedulers: () => readonly (AskedThread & { readonly name: string })[];
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
  #tracing: Promise<MessageTracing> | null = null;
  #spans: MessageSpans | null = null;
  #port = 0;
  #changing: Promise<void> = Promise.resolve();
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
    this.#port = port;
    if (this.#target === null) return;
    const { config } = this.#parts;
    const { onProblem } = await import('../metrics/otel/problems.js');
    onProblem((message) => this.#complain(message));
    this.#otlp = await this.#startMetrics(this.#target, config.otlpIntervalMs);
    await this.sampleTraces(config.traceSampleRatio);
  }

  /** Sends the figures this often from now on. Without a collector: none. */
  async sendEvery(intervalMs: number): Promise<void> {
    // Before the start it is the start that reads it.
    if (this.#otlp === null) return;
    const change = this.#changing.then(async () => {
      await this.#otlp?.close().catch((error: Error) => this.#complain(error.message));
      this.#otlp = await this.#startMetrics(this.#target!, intervalMs);
    });
    this.#changing = change;
    await change;
  }

  async #startMetrics(target: OtlpTarget, intervalMs: number): Promise<OtlpMetrics> {
    const { OtlpMetrics } = await import('../metrics/otel/otlp-metrics.js');
    return new OtlpMetrics(new GroupReader(this.#parts.groups), service(this.#port), target, intervalMs);
  }

  /** Sends the way of this share of the messages, from 0 to 1, to the collector. Without a collector: none. */
  async sampleTraces(ratio: number): Promise<void> {
    // Before the start it is the start that reads it.
    if (this.#target === null || this.#otlp === null || (ratio === 0 && this.#tracing === null)) return;
    this.#tracing ??= this.#startTracing(this.#target);
    (await this.#tracing).ratio = ratio;
  }

  async #startTracing(target: OtlpTarget): Promise<MessageTracing> {
    const { clock, random, questions, schedulers } = this.#parts;
    const { MessageSpans } = await import('../metrics/otel/message-spans.js');
    const spans = MessageSpans.overOtlp(
      {
        service: service(this.#port),
        hashKey: random.bytes(32),
        wallOffsetMs: () => clock.wall() - clock.now() - processTimeOffsetMs(),
      },
      target,
    );
    this.#spans = spans;
    return new MessageTracing({
      clock,
      questions,
      schedulers,
      onTrace: (trace) => spans.add(trace),
      onDropped: (marks) =>
        this.#complain(
          `${marks} marks of messages were dropped: trace-sample-ratio is too high for the load`,
        ),
    });
  }

  /** All figures in Prometheus' text format. */
  async scrape(port: number): Promise<string> {
    this.#prometheus ??= import('../metrics/otel/prometheus.js').then(
      ({ PrometheusMetrics }) => new PrometheusMetrics(new GroupReader(this.#parts.groups), service(port)),
    );
    return (await this.#prometheus).scrape();
  }

  /** The collector gets the last figures, if it takes them at once. */
  async close(): Promise<void> {
    const complain = (error: Error) => this.#complain(error.message);
    await this.#changing;
    await (await this.#tracing)?.close();
    await Promise.all([this.#otlp?.close().catch(complain), this.#spans?.close().catch(complain)]);
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
