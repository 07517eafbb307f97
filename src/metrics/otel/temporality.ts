import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';

/**
 * Counters are told from the start on, as Prometheus wants them. For gauges it makes no difference what they are told as,
 * but the SDK goes on telling the last value of a cumulative one after its thing has gone: a thread that ended would keep its
 * memory for ever.
 */
export function temporalityOf(instrument: InstrumentType): AggregationTemporality {
  return instrument === InstrumentType.OBSERVABLE_GAUGE
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE;
}

/** Rows of one group; the SDK puts those beyond its bound together under `otel.metric.overflow`. */
export const CARDINALITY_MAX = 10_000;
