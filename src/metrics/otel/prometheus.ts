import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { type ExportedService, exportedResource } from './exported-resource.js';
import { groupInstruments, type ReadableGroups } from './group-instruments.js';
import { CARDINALITY_MAX, temporalityOf } from './temporality.js';

/** Reads when it is told to, and never else. */
class ScrapeReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: temporalityOf,
      cardinalitySelector: () => CARDINALITY_MAX,
    });
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * All groups in Prometheus' text format. It has a meter provider of its own: the SDK keeps what it has not told a reader
 * yet, so one that nobody scrapes would grow beside one that is read all the time.
 */
export class PrometheusMetrics {
  readonly #reader = new ScrapeReader();
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

  constructor(groups: ReadableGroups, service: ExportedService) {
    const provider = new MeterProvider({ resource: exportedResource(service), readers: [this.#reader] });
    groupInstruments(provider.getMeter('rookery', service.version), groups);
  }

  /** @throws the first error of the groups */
  async scrape(): Promise<string> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw errors[0];
    return this.#serializer.serialize(resourceMetrics);
  }
}
