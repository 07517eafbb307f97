import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import type { MessageTrace } from '../../../src/metrics/message-trace.js';
import { MessageSpans } from '../../../src/metrics/otel/message-spans.js';
import { SERVICE } from './some-groups.js';

const at = (ms: number, thread: string) => ({ at: ms, thread });

const MESSAGE: MessageTrace = {
  sender: 15_550_001,
  id: 7,
  recipient: 15_550_002,
  bodyBytes: 42,
  received: at(100, 'scheduler-1'),
  stored: at(104.5, 'scheduler-1'),
  routed: at(104, 'scheduler-2'),
  delivered: at(104.25, 'scheduler-2'),
  partition: 3,
  seq: 99,
};

/** The clock on the wall is set after each message. */
const SET_FORWARD_MS = 3_600_000;
let wallOffsetMs = 1_700_000_000_000;

async function spansOf(...messages: MessageTrace[]): Promise<readonly ReadableSpan[]> {
  const exporter = new InMemorySpanExporter();
  let kept: readonly ReadableSpan[] = [];
  const { export: keep } = exporter;
  exporter.export = (spans, done) => {
    kept = [...kept, ...spans];
    keep.call(exporter, spans, done);
  };
  const options = { service: SERVICE, hashKey: new Uint8Array(32), wallOffsetMs: () => wallOffsetMs };
  const spans = new MessageSpans(options, exporter);
  for (const message of messages) {
    spans.add(message);
    wallOffsetMs += SET_FORWARD_MS;
  }
  wallOffsetMs = 1_700_000_000_000;
  await spans.close();
  return kept;
}

const ms = ([seconds, nanoseconds]: readonly [number, number] | number[]) =>
  seconds! * 1000 + nanoseconds! / 1e6 - 1_700_000_000_000;

test('a message is a trace: received, and in it stored and delivered, with their times', async () => {
  const spans = await spansOf(MESSAGE);
  assert.deepEqual(
    spans.map(({ name, startTime, endTime }) => [name, ms(startTime), ms(endTime)]),
    [
      ['receive inbox', 100, 104.5],
      ['store inbox', 100, 104],
      ['deliver inbox', 104, 104.25],
    ],
  );
  const [root, store, deliver] = spans as [ReadableSpan, ReadableSpan, ReadableSpan];
  const { traceId, spanId } = root.spanContext();
  assert.equal(root.parentSpanContext, undefined);
  for (const child of [store, deliver]) {
    assert.equal(child.spanContext().traceId, traceId);
    assert.equal(child.parentSpanContext?.spanId, spanId);
  }
  assert.equal(root.attributes['messaging.system'], 'rookery');
  assert.equal(root.attributes['messaging.operation.name'], 'receive');
  assert.equal(root.attributes['messaging.message.id'], '3/99');
  assert.equal(root.attributes['messaging.destination.partition.id'], '3');
  assert.equal(root.attributes['messaging.message.body.size'], 42);
  assert.equal(root.attributes['rookery.delivered'], true);
  assert.equal(deliver.attributes['thread.name'], 'scheduler-2');
});

test('when the clock on the wall is set, what comes later is told by it, and a trace stays whole', async () => {
  const spans = await spansOf(MESSAGE, { ...MESSAGE, id: 8 });
  assert.deepEqual(
    spans.map(({ name, startTime }) => [name, ms(startTime)]),
    [
      ['receive inbox', 100],
      ['store inbox', 100],
      ['deliver inbox', 104],
      ['receive inbox', 100 + SET_FORWARD_MS],
      ['store inbox', 100 + SET_FORWARD_MS],
      ['deliver inbox', 104 + SET_FORWARD_MS],
    ],
  );
});

test('no number of anybody leaves the server; the same person has the same hash', async () => {
  const [first] = await spansOf(MESSAGE);
  const spans = await spansOf(MESSAGE, { ...MESSAGE, id: 8, sender: MESSAGE.recipient });
  const text = JSON.stringify(
    spans.map(({ attributes, name, resource }) => [attributes, name, resource.attributes]),
  );
  assert.doesNotMatch(text, /1555000/);
  const again = spans.filter(({ name }) => name === 'receive inbox');
  assert.match(String(first!.attributes['rookery.sender.hash']), /^[0-9a-f]{16}$/);
  assert.equal(again[0]!.attributes['rookery.sender.hash'], first!.attributes['rookery.sender.hash']);
  assert.equal(again[1]!.attributes['rookery.sender.hash'], first!.attributes['rookery.recipient.hash']);
});

test('as far as it has come: one who is away is delivered nothing, what was refused is not stored', async () => {
  const away = { ...MESSAGE, delivered: null };
  assert.deepEqual(
    (await spansOf(away)).map(({ name }) => name),
    ['receive inbox', 'store inbox'],
  );
  const refused = { ...away, stored: null, routed: null, partition: null, seq: null };
  const [only, ...others] = await spansOf(refused);
  assert.deepEqual(others, []);
  assert.equal(only!.attributes['rookery.stored'], false);
  assert.equal(ms(only!.endTime), 100);
});

test('clocks of two threads that differ by a little make no span of less than nothing', async () => {
  const spans = await spansOf({ ...MESSAGE, delivered: at(103.9, 'scheduler-2') });
  for (const { startTime, endTime } of spans) assert.ok(ms(endTime) >= ms(startTime));
});
