import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counter } from '../../../src/metrics/columns.js';
import { PrometheusMetrics } from '../../../src/metrics/otel/prometheus.js';
import { SERVICE, SomeGroups } from './some-groups.js';

/** The lines with values, by name and labels. */
async function scrape(metrics: PrometheusMetrics): Promise<Map<string, string>> {
  const text = await metrics.scrape();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

test('every figure, with its row as a label, in seconds; what is not to be had is not there', async () => {
  const groups = new SomeGroups();
  const metrics = new PrometheusMetrics(groups, SERVICE);
  assert.equal(groups.reads, 0, 'nothing is read before somebody asks');
  const values = await scrape(metrics);
  assert.equal(groups.reads, 1, 'all groups are read at once');
  const [target, ...rest] = values;
  assert.match(target![0], /^target_info\{service_name="rookery",service_version="1\.2\.3"/);
  assert.deepEqual(
    new Map(rest),
    new Map([
      ['process_uptime', '1.5'],
      ['rookery_sched_slices_total{scheduler="scheduler-1"}', '10'],
      ['rookery_sched_slices_total{scheduler="scheduler-\\"2\\""}', '20'],
      ['rookery_sched_run_queue{scheduler="scheduler-1"}', '3'],
      ['rookery_sched_slice_seconds_max{scheduler="scheduler-1"}', '0.25'],
      ['rookery_sched_slice_seconds_max{scheduler="scheduler-\\"2\\""}', '0.5'],
      ['system_cpu_time_total{cpu_mode="user"}', '8'],
      ['system_cpu_time_total{cpu_mode="system"}', '2'],
      ['system_cpu_logical_count', '2'],
    ]),
  );
  const text = await metrics.scrape();
  assert.match(text, /^# TYPE rookery_sched_slices_total counter$/m);
  assert.match(text, /^# TYPE rookery_sched_run_queue gauge$/m);
  assert.match(text, /^# HELP rookery_sched_slices_total Slices run\.$/m);
});

test('a gauge of something that has gone is gone; a counter that began anew is seen to', async () => {
  const groups = new SomeGroups();
  const metrics = new PrometheusMetrics(groups, SERVICE);
  await metrics.scrape();
  groups.rows = { ...groups.rows, sched: [{ instance: 'scheduler-1', figures: [4, null, 1] }] };
  const values = await scrape(metrics);
  assert.equal(values.get('rookery_sched_slices_total{scheduler="scheduler-1"}'), '4');
  assert.equal(values.has('rookery_sched_run_queue{scheduler="scheduler-1"}'), false);
  assert.equal(values.has('rookery_sched_slice_seconds_max{scheduler="scheduler-\\"2\\""}'), false);
  // It counts on from where it is.
  groups.rows = { ...groups.rows, sched: [{ instance: 'scheduler-1', figures: [9, 1, 1] }] };
  assert.equal((await scrape(metrics)).get('rookery_sched_slices_total{scheduler="scheduler-1"}'), '9');
});

test('a group that cannot be read is left out, and the others are there', async () => {
  const groups = new SomeGroups();
  const metrics = new PrometheusMetrics(groups, SERVICE);
  const { os } = groups.rows;
  groups.rows = os === undefined ? {} : { os };
  const values = await scrape(metrics);
  assert.equal(values.get('system_cpu_logical_count'), '2');
  assert.equal([...values.keys()].filter((name) => name.startsWith('rookery_sched')).length, 0);
});

test('when nothing can be read the scrape fails; it is not an empty page', async () => {
  const groups = new SomeGroups();
  const metrics = new PrometheusMetrics(groups, SERVICE);
  groups.read = () => Promise.reject(new Error('nobody at home'));
  await assert.rejects(metrics.scrape(), /nobody at home/);
});

test('two columns of one name are refused', () => {
  const groups = new SomeGroups();
  const [sched] = groups.describe();
  const doubled = {
    ...sched!,
    columns: [counter('time', 'ms', 'One.'), counter('time_seconds', 's', 'The other.')],
  };
  groups.describe = () => [doubled];
  assert.throws(() => new PrometheusMetrics(groups, SERVICE), /rookery\.sched\.time_seconds/);
});
