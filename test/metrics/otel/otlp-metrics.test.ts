import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { OtlpMetrics } from '../../../src/metrics/otel/otlp-metrics.js';
import { OtlpTarget } from '../../../src/metrics/otel/otlp-target.js';
import { onProblem } from '../../../src/metrics/otel/problems.js';
import { atEnd } from '../../support/at-end.js';
import { SERVICE, SomeGroups } from './some-groups.js';

interface Point {
  readonly asDouble?: number;
  readonly asInt?: number | string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}
interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly Point[] };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
}
interface Export {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}
interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Export;
}

/** Takes what is sent to it, and answers with this status. */
async function collector(t: TestContext, status = 200): Promise<{ url: string; next: () => Promise<Taken> }> {
  const taken: Taken[] = [];
  let waiting: ((one: Taken) => void) | null = null;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}');
      const body = JSON.parse(Buffer.concat(parts).toString()) as Export;
      const one = { path: request.url ?? '', headers: request.headers, body };
      if (waiting === null) taken.push(one);
      else waiting(one);
      waiting = null;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: () => {
      const first = taken.shift();
      return first === undefined
        ? new Promise((resolve) => {
            waiting = resolve;
          })
        : Promise.resolve(first);
    },
  };
}

test('a collector is sent all figures, with the headers, and the last ones at the end', async (t) => {
  const { url, next } = await collector(t);
  const groups = new SomeGroups();
  const metrics = new OtlpMetrics(groups, SERVICE, new OtlpTarget(url, 'x-tenant=7'), 3_600_000);
  assert.equal(groups.reads, 0);
  const [taken] = await Promise.all([next(), metrics.close()]);
  assert.equal(taken.path, '/v1/metrics');
  assert.equal(taken.headers['x-tenant'], '7');
  const [resource] = taken.body.resourceMetrics;
  assert.ok(resource!.resource.attributes.some(({ key }) => key === 'service.name'));
  const metricsByName = new Map(
    resource!.scopeMetrics.flatMap(({ metrics }) => metrics).map((metric) => [metric.name, metric]),
  );
  const slices = metricsByName.get('rookery.sched.slices');
  assert.equal(slices?.unit, '{slice}');
  assert.equal(slices?.sum?.isMonotonic, true);
  assert.deepEqual(
    slices?.sum?.dataPoints.map(({ asDouble, attributes }) => [asDouble, attributes[0]?.value.stringValue]),
    [
      [10, 'scheduler-1'],
      [20, 'scheduler-"2"'],
    ],
  );
  assert.equal(metricsByName.get('rookery.sched.run_queue')?.gauge?.dataPoints.length, 1);
  assert.equal(metricsByName.get('system.cpu.time')?.unit, 's');
});

test('a collector that refuses is a problem that is told, and not the end of anything', async (t) => {
  const { url } = await collector(t, 400);
  const problems: string[] = [];
  onProblem((message) => problems.push(message));
  const metrics = new OtlpMetrics(new SomeGroups(), SERVICE, new OtlpTarget(url, ''), 3_600_000);
  await metrics.close().catch((error: Error) => problems.push(error.message));
  assert.ok(problems.length > 0);
  assert.ok(
    problems.every((problem) => !problem.startsWith('{')),
    `in words: ${problems[0]}`,
  );
});
