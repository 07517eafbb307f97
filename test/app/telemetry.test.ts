/** What a running server tells the tools of others. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { assertPlainly, runStart, TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}
interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

function scrape(
  port: number,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/metrics', headers, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    asked.on('error', reject).end();
  });
}

test('/metrics wants the token, takes any host name, and has every group that there is', async (t) => {
  const server = await TestServer.start(t);
  const authorization = `Bearer ${TestServer.token}`;
  assert.equal((await scrape(server.operatorPort)).status, 401);
  const { status, body } = await scrape(server.operatorPort, {
    authorization,
    host: 'rookery.internal:8471',
  });
  assert.equal(status, 200);
  assert.match(body, /^rookery_chat_sends_total 0$/m);
  assert.match(body, /^process_memory_usage [1-9]\d+$/m);
  assert.match(body, /^process_uptime \d/m);
  const groups = (await (
    await fetch(`http://127.0.0.1:${server.operatorPort}/api/groups`, { headers: { authorization } })
  ).json()) as { groups: { name: string; columns: unknown[] }[] };
  // Each column is one instrument, or shares one of OpenTelemetry's names with others.
  const instruments = body.split('\n').filter((line) => line.startsWith('# TYPE')).length;
  const columns = groups.groups.reduce((sum, group) => sum + group.columns.length, 0);
  assert.ok(
    instruments > 50 && instruments <= columns + 2,
    `${instruments} instruments for ${columns} columns`,
  );
});

test('/metrics can be open to everybody who reaches the port', async (t) => {
  const server = await TestServer.start(t, { settings: { metricsAccess: 'public' } });
  assert.equal((await scrape(server.operatorPort)).status, 200);
});

interface Taken {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** An OpenTelemetry collector that keeps what it is sent. */
async function collector(t: TestContext): Promise<{ readonly url: string; readonly taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = createServer((asked, response) => {
    let body = '';
    asked.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    asked.on('end', () => {
      response.end('{}');
      taken.push({ path: asked.url ?? '', authorization: asked.headers.authorization, body });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}

test('a collector is sent the figures of a running server, and no traces', async (t) => {
  const { url, taken } = await collector(t);
  await TestServer.start(t, {
    settings: { otlpEndpoint: url, otlpHeaders: 'authorization=Bearer%20abc', otlpIntervalMs: 1000 },
  });
  await until('figures have come twice', () => taken.length >= 2);
  assert.deepEqual(new Set(taken.map(({ path }) => path)), new Set(['/v1/metrics']));
  assert.equal(taken[0]!.authorization, 'Bearer abc');
  assert.match(taken[0]!.body, /"rookery\.chat\.sends"/);
});

test('how often a collector is sent the figures is a knob', async (t) => {
  const { url, taken } = await collector(t);
  const server = await TestServer.start(t, { settings: { otlpEndpoint: url, otlpIntervalMs: '1h' } });
  const turned = await fetch(`http://127.0.0.1:${server.operatorPort}/api/action/knob-set`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TestServer.token}` },
    body: JSON.stringify({ name: 'otlpIntervalMs', value: '1s' }),
  });
  assert.equal(turned.status, 200);
  // What there was is sent at once; then it is the new interval.
  await until('figures have come again and again', () => taken.length >= 3);
});

test('the way of messages over two schedulers is sent as traces, without a number or a word of anybody', async (t) => {
  const { url, taken } = await collector(t);
  const server = await TestServer.start(t, {
    settings: { otlpEndpoint: url, traceSampleRatio: 1, schedulers: 2 },
  });
  const people = await registerMany(server, 4);
  const peers = people.map((user) => new ReliablePeer(server, user));
  atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));
  for (const peer of peers) peer.run();
  const spans = (): Span[] =>
    taken
      .filter(({ path }) => path === '/v1/traces')
      .flatMap(({ body }) => (JSON.parse(body) as Traces).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap((scope) => scope.spans);
  // The schedulers hear of the sampling a moment after the start: it is tried again and again.
  await until('a message is traced from end to end', () => {
    for (const [index, peer] of peers.entries()) {
      if (peer.pending < 5) peer.send(people[(index + 1) % people.length]!.user, 'a secret between us');
    }
    return spans().some(({ name }) => name === 'deliver inbox');
  });
  const deliver = spans().find(({ name }) => name === 'deliver inbox')!;
  const trace = spans().filter(({ traceId }) => traceId === deliver.traceId);
  const root = trace.find(({ parentSpanId }) => (parentSpanId ?? '') === '')!;
  assert.equal(root.name, 'receive inbox');
  assert.deepEqual(trace.map(({ name }) => name).sort(), ['deliver inbox', 'receive inbox', 'store inbox']);
  for (const { parentSpanId } of trace.filter((span) => span !== root))
    assert.equal(parentSpanId, root.spanId);
  const text = taken.map(({ body }) => body).join();
  assert.doesNotMatch(text, /a secret/);
  for (const { user } of people) assert.ok(!text.includes(String(user)), 'no number of anybody');
});

test('an endpoint that is none refuses the start, and no secret is told', async () => {
  const wrong = await runStart({ otlpEndpoint: 'collector:4318' });
  assert.equal(wrong.code, 1);
  assertPlainly(wrong.output, /otlp-endpoint must be an http or https URL, not "collector:4318"/);
  const secret = await runStart({ otlpEndpoint: 'http://127.0.0.1:4318', otlpHeaders: 'hunter2' });
  assert.equal(secret.code, 1);
  assertPlainly(secret.output, /otlp-headers must be name=value pairs/);
  assert.doesNotMatch(secret.output, /hunter2/);
});
