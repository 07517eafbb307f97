/** What a running server tells the tools of others. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { atEnd } from '../support/at-end.js';
import { assertPlainly, runStart, TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

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

test('a collector is sent the figures of a running server', async (t) => {
  let took: (names: string) => void = () => {};
  const taken = new Promise<string>((resolve) => {
    took = resolve;
  });
  const collector = createServer((asked, response) => {
    let body = '';
    asked.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    asked.on('end', () => {
      response.end('{}');
      took(`${asked.url} ${asked.headers['authorization']} ${body}`);
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    collector.closeAllConnections();
    return new Promise<void>((resolve) => collector.close(() => resolve()));
  });
  const otlpEndpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  await TestServer.start(t, {
    settings: { otlpEndpoint, otlpHeaders: 'authorization=Bearer%20abc', otlpIntervalMs: 1000 },
  });
  const sent = await within('the first figures', taken);
  assert.match(sent, /^\/v1\/metrics Bearer abc /);
  assert.match(sent, /"rookery\.chat\.sends"/);
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
