import { createHmac } from 'node:crypto';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { MessageTrace, Station } from '../message-trace.js';
import { type ExportedService, exportedResource } from './exported-resource.js';
import type { OtlpTarget } from './otlp-target.js';

/** A collector that is away does not hold the server up, at its end neither. */
const EXPORT_MS_MAX = 2000;
/** Spans that wait to be sent; more are dropped. */
const QUEUE_MAX = 8192;

export interface MessageSpansOptions {
  readonly service: ExportedService;
  /** For the names of users, so that no number leaves the server: another key at each start, and nobody else knows it. */
  readonly hashKey: Uint8Array;
  /** Added to the time of a station it is ms since 1970. Asked for each message: the clock on the wall may be set. */
  readonly wallOffsetMs: () => number;
}

/**
 * Messages as traces:
 *
 * ```
 * receive inbox   from the sender's frame to his acknowledgement
 * ├─ store inbox    until it is on disk: the ring, the batch, the commit
 * └─ deliver inbox  from the partition of the recipient to his socket; none if he was away
 * ```
 *
 * Of people and of what they write there is nothing in them: users are hashes, a body is its size.
 */
export class MessageSpans {
  readonly #options: MessageSpansOptions;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor(options: MessageSpansOptions, exporter: SpanExporter) {
    this.#options = options;
    this.#provider = new TracerProvider({
      resource: exportedResource(options.service),
      // What comes here was sampled before.
      sampler: new AlwaysOnSampler(),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          scheduledDelayMillis: 1000,
          exportTimeoutMillis: EXPORT_MS_MAX,
          maxQueueSize: QUEUE_MAX,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('rookery', options.service.version);
  }

  static overOtlp(options: MessageSpansOptions, target: OtlpTarget): MessageSpans {
    const exporter = new OTLPTraceExporter({
      url: target.url('traces'),
      headers: { ...target.headers },
      timeoutMillis: EXPORT_MS_MAX,
    });
    return new MessageSpans(options, exporter);
  }

  add(message: MessageTrace): void {
    const wallOffsetMs = this.#options.wallOffsetMs();
    const onWall = (station: Station): Station => ({ ...station, at: station.at + wallOffsetMs });
    const received = onWall(message.received);
    const stored = message.stored && onWall(message.stored);
    const routed = message.routed && onWall(message.routed);
    const delivered = message.delivered && onWall(message.delivered);
    const shared: Attributes = {
      'messaging.system': 'rookery',
      'messaging.destination.name': 'inbox',
      'messaging.message.body.size': message.bodyBytes,
      'rookery.sender.hash': this.#hash(message.sender),
      'rookery.recipient.hash': this.#hash(message.recipient),
      ...(message.partition === null
        ? {}
        : { 'messaging.destination.partition.id': String(message.partition) }),
      ...(message.seq === null ? {} : { 'messaging.message.id': `${message.partition}/${message.seq}` }),
    };
    // On disk when the first has heard of it.
    const committed = earlier(stored, routed);
    const root = this.#span('receive', SpanKind.CONSUMER, received, stored ?? committed, ROOT_CONTEXT, {
      ...shared,
      'messaging.operation.type': 'receive',
      'rookery.stored': committed !== null,
      'rookery.delivered': delivered !== null,
    });
    if (committed !== null) this.#span('store', SpanKind.INTERNAL, received, committed, root, shared);
    if (routed !== null && delivered !== null) {
      const attributes = { ...shared, 'messaging.operation.type': 'send' };
      this.#span('deliver', SpanKind.PRODUCER, routed, delivered, root, attributes);
    }
  }

  /** Sends what there is, and ends. Rejects when nobody takes it in time. */
  close(): Promise<void> {
    return this.#provider.shutdown();
  }

  /** A span of its whole length at once; one that has no end is none long. */
  #span(
    operation: string,
    kind: SpanKind,
    from: Station,
    to: Station | null,
    parent: Context,
    attributes: Attributes,
  ): Context {
    const startTime = from.at;
    const span = this.#tracer.startSpan(
      `${operation} inbox`,
      {
        kind,
        startTime,
        attributes: { ...attributes, 'messaging.operation.name': operation, 'thread.name': from.thread },
      },
      parent,
    );
    // The clocks of two threads differ by microseconds.
    span.end(Math.max(startTime, to?.at ?? from.at));
    return trace.setSpan(parent, span);
  }

  #hash(user: number): string {
    return createHmac('sha256', this.#options.hashKey).update(String(user)).digest('hex').slice(0, 16);
  }
}

function earlier(a: Station | null, b: Station | null): Station | null {
  if (a === null || b === null) return a ?? b;
  return a.at < b.at ? a : b;
}
