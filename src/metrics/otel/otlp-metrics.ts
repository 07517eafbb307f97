import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import {
  type AggregationTemporality,
  type InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { type ExportedService, exportedResource } from './exported-resource.js';
import { groupInstruments, type ReadableGroups } from './group-instruments.js';
import type { OtlpTarget } from './otlp-target.js';
import { CARDINALITY_MAX, temporalityOf } from './temporality.js';

/** A collector that is away does not hold the server up. */
const CLOSE_MS_MAX = 2000;

class Exporter extends OTLPMetricExporter {
  override selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return temporalityOf(instrument);
  }
}

/** Sends all groups to a collector every so often, as OTLP over HTTP. */
export class OtlpMetrics {
  readonly #provider: MeterProvider;

  /** @param intervalMs between two readings */
  constructor(groups: ReadableGroups, service: ExportedService, target: OtlpTarget, intervalMs: number) {
    const reader = new PeriodicExportingMetricReader({
      exporter: new Exporter({ url: target.url('metrics'), headers: { ...target.headers } }),
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: Math.min(intervalMs, 10_000),
      cardinalityLimits: { default: CARDINALITY_MAX },
    });
    this.#provider = new MeterProvider({ resource: exportedResource(service), readers: [reader] });
    groupInstruments(this.#provider.getMeter('rookery', service.version), groups);
  }

  /** Sends what there is, and ends. Rejects when nobody takes it in time. */
  close(): Promise<void> {
    return this.#provider.shutdown({ timeoutMillis: CLOSE_MS_MAX });
  }
}
