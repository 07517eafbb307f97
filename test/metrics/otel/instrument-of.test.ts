import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counter, gauge, peak } from '../../../src/metrics/columns.js';
import { instrumentOf } from '../../../src/metrics/otel/instrument-of.js';
import { OtlpTarget, OtlpTargetError } from '../../../src/metrics/otel/otlp-target.js';
import type { Column, GroupDescription } from '../../../src/metrics/reading.js';

function group(name: string, instance: string | null, ...columns: Column[]): GroupDescription {
  return { name, version: 1, title: name, instance, columns };
}

function named(name: string, instance: string | null, column: Column) {
  return instrumentOf(group(name, instance, column), column);
}

test('a column has its name, with its unit in it, in seconds and bytes', () => {
  const names = [
    counter('commits', '{commit}', ''),
    peak('batch_ms_max', 'ms', ''),
    counter('gc_time', 'us', ''),
    gauge('wal_bytes', 'By', ''),
    gauge('young', 'By', ''),
    gauge('utilization', '1', ''),
    gauge('big', 'KiBy', ''),
    gauge('total', '{message}', ''),
    counter('total', '{message}', ''),
  ].map((column) => {
    const { name, unit, scale } = named('store', null, column);
    return [name, unit, scale];
  });
  assert.deepEqual(names, [
    ['rookery.store.commits', '{commit}', 1],
    ['rookery.store.batch_seconds_max', 's', 1e-3],
    ['rookery.store.gc_time_seconds', 's', 1e-6],
    ['rookery.store.wal_bytes', 'By', 1],
    ['rookery.store.young_bytes', 'By', 1],
    ['rookery.store.utilization_ratio', '1', 1],
    ['rookery.store.big_bytes', 'By', 1024],
    ['rookery.store.total_now', '{message}', 1],
    ['rookery.store.total', '{message}', 1],
  ]);
});

test('the row is an attribute', () => {
  const column = counter('publishes', '{message}', 'Written.');
  assert.equal(named('ring', null, column).instanceAttribute, null);
  assert.equal(named('ring', 'ring', column).instanceAttribute, 'ring');
  assert.equal(named('x', 'kind of row', column).instanceAttribute, 'kind_of_row');
});

test('OpenTelemetry’s own names where there are some', () => {
  const received = named('iface', 'interface', counter('rx', 'By', ''));
  assert.equal(received.name, 'system.network.io');
  assert.deepEqual(received.attributes, { 'network.io.direction': 'receive' });
  assert.equal(received.instanceAttribute, 'network.interface.name');
  const waiting = named('os', null, counter('iowait', 'ms', ''));
  assert.deepEqual(
    [waiting.name, waiting.unit, waiting.scale, waiting.times],
    ['system.cpu.time', 's', 1e-3, 'cpus'],
  );
  assert.equal(named('mem', null, gauge('resident_bytes', 'By', '')).name, 'process.memory.usage');
  // The convention was written for seconds.
  assert.throws(() => named('os', null, counter('iowait', '{tick}', '')), /os\.iowait is in \{tick\}/);
});

test('where OTLP goes, and with which headers', () => {
  const target = new OtlpTarget('http://collector:4318/', 'authorization=Bearer%20abc, x-tenant=7,');
  assert.equal(target.url('metrics'), 'http://collector:4318/v1/metrics');
  assert.equal(target.url('traces'), 'http://collector:4318/v1/traces');
  assert.deepEqual(target.headers, { authorization: 'Bearer abc', 'x-tenant': '7' });
  assert.equal(new OtlpTarget('https://host/otlp', '').url('metrics'), 'https://host/otlp/v1/metrics');
  for (const endpoint of ['collector:4318', 'ftp://host', 'http://host?x=1', ' '])
    assert.throws(() => new OtlpTarget(endpoint, ''), OtlpTargetError, endpoint);
  for (const headers of ['nothing', '=secret', 'a b=secret', 'a=%', 'a=sec%0Aret', 'good=1,secret']) {
    assert.throws(
      () => new OtlpTarget('http://host', headers),
      (error: Error) => error instanceof OtlpTargetError && !error.message.includes('sec'),
      headers,
    );
  }
});
