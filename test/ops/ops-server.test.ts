import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildDashboard } from '../../src/app/build-dashboard.js';
import { dashboardAssets } from '../../src/app/dashboard-assets.js';
import { hostAllowed } from '../../src/ops/host-allowed.js';
import { type Inspector, SharedInspector, type Snapshot } from '../../src/ops/inspector.js';
import { OperatorToken, OperatorTokenError } from '../../src/ops/operator-token.js';
import { OpsServer } from '../../src/ops/ops-server.js';
import { dashboardPages } from '../../src/ops/pages/dashboard-page.js';
import { healthPage } from '../../src/ops/pages/health-page.js';
import { metricsPage } from '../../src/ops/pages/metrics-page.js';
import { partitionsPages } from '../../src/ops/pages/partitions-page.js';
import { pinsPage } from '../../src/ops/pages/pins-page.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { aSnapshot } from '../support/snapshot.js';

const snapshot = aSnapshot();

const folder = mkdtempSync(join(tmpdir(), 'rookery-ops-'));
after(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Not fetch: that one does not let the Host header be forged. */
function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    outgoing.on('error', reject).end(body);
  });
}

describe("the operator's port", () => {
  const clock = new SystemClock();
  const token = OperatorToken.load(folder, new SystemRandom());
  const errors: [string, unknown][] = [];
  let healthy = true;
  let inspector: Inspector = { snapshot: async () => snapshot };
  let server: OpsServer;
  let port = 0;

  before(async () => {
    const dashboard = join(folder, 'dashboard');
    await buildDashboard(dashboard);
    server = await OpsServer.start({
      host: '127.0.0.1',
      port: 0,
      clock,
      token,
      pages: [
        ...dashboardPages(dashboardAssets(dashboard)),
        healthPage(() => healthy),
        metricsPage({ snapshot: () => inspector.snapshot() }),
        pinsPage(() => [{ user: 15550100, pin: '123456', sentAt: 1, expiresAt: 2 }]),
      ],
      onError: (path, error) => errors.push([path, error]),
    });
    port = server.port;
  });
  after(() => server.close());

  const authorized = () => ({ Authorization: `Bearer ${token.fresh}` });

  test('the page is public and holds nothing; its parts are served with a strict policy', async () => {
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/operator.js', 'text/javascript; charset=utf-8'],
      ['/operator.css', 'text/css; charset=utf-8'],
    ] as const) {
      const answer = await ask(port, path);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], type);
      assert.match(
        String(answer.headers['content-security-policy']),
        /default-src 'none'; script-src 'self'/,
      );
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    const page = await ask(port, '/');
    assert.doesNotMatch(page.body, /<script>|onclick|style="/, 'the policy would forbid it');
  });

  test('a page that was not built says so; a file of an unknown kind is not served', () => {
    const [page, ...others] = dashboardPages(new Map());
    assert.deepEqual([page?.path, others], ['/', []]);
    const reply = page!.reply(new URLSearchParams()) as { readonly body: string };
    assert.match(reply.body, /npm run build/);
    const files = new Map([
      ['index.html', ''],
      ['core.wasm', ''],
    ]);
    assert.throws(() => dashboardPages(files), /core\.wasm/);
  });

  test('metrics and PINs want the token', async () => {
    for (const path of ['/metrics.json', '/api/pins']) {
      for (const header of [
        undefined,
        'Bearer ',
        'Bearer wrong',
        `Basic ${token.fresh}`,
        `Bearer ${token.fresh}x`,
      ]) {
        const answer = await ask(port, path, header === undefined ? {} : { Authorization: header });
        assert.equal(answer.status, 401, header);
        assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
        assert.doesNotMatch(answer.body, /123456|rookery"/);
      }
    }
    assert.deepEqual(JSON.parse((await ask(port, '/metrics.json', authorized())).body), snapshot);
    assert.match((await ask(port, '/api/pins', authorized())).body, /"pin":"123456"/);
    assert.equal((await ask(port, '/metrics.json?token=x', authorized())).status, 200);
  });

  test('a foreign Host header is refused, with the token too; probes may use any', async () => {
    for (const host of ['evil.example', 'evil.example:80', '127.0.0.1.evil.example']) {
      const answer = await ask(port, '/metrics.json', { ...authorized(), Host: host });
      assert.equal(answer.status, 421, host);
      assert.equal((await ask(port, '/', { Host: host })).status, 421, host);
    }
    assert.equal((await ask(port, '/', { Host: `localhost:${port}` })).status, 200);
    assert.equal((await ask(port, '/healthz', { Host: 'pod-7.cluster' })).status, 200);
  });

  test('health', async () => {
    assert.deepEqual((await ask(port, '/healthz')).body, 'ok\n');
    healthy = false;
    assert.equal((await ask(port, '/healthz')).status, 503);
    healthy = true;
  });

  test('only GET and HEAD, no bodies, nothing else', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const body = method.startsWith('P') ? 'x'.repeat(1000) : '';
      const answer = await ask(port, '/metrics.json', authorized(), method, body);
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers['allow'], 'GET, HEAD');
    }
    const head = await ask(port, '/metrics.json', authorized(), 'HEAD');
    assert.equal(head.body, '');
    assert.equal(Number(head.headers['content-length']), JSON.stringify(snapshot).length + 1);
    for (const path of ['/api', '/metrics', '//', '/%00', '/..%2f', 'http://[', '*']) {
      assert.equal((await ask(port, path, authorized())).status, 404, path);
    }
  });

  test('a page that fails answers 500 and tells the log, not the client', async () => {
    inspector = { snapshot: () => Promise.reject(new Error('secret path /data')) };
    const answer = await ask(port, '/metrics.json', authorized());
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /secret/);
    assert.equal(errors.length, 1);
    assert.equal(errors[0]![0], '/metrics.json');
    inspector = { snapshot: async () => snapshot };
  });

  test('a port in use is an error that names it', async () => {
    await assert.rejects(
      OpsServer.start({ host: '127.0.0.1', port, clock, token, pages: [], onError: () => {} }),
      new RegExp(`EADDRINUSE.*${port}`),
    );
  });
});

describe('the token', () => {
  test('is shown once, kept as a hash that only the owner may read', () => {
    const own = mkdtempSync(join(folder, 'token-'));
    const first = OperatorToken.load(own, new SystemRandom());
    assert.match(first.fresh ?? '', /^[A-Za-z0-9_-]{43}$/);
    const file = join(own, 'operator-token');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file, 'utf8').includes(first.fresh!));
    const second = OperatorToken.load(own, new SystemRandom());
    assert.equal(second.fresh, null);
    assert.equal(second.matches(first.fresh!), true);
    assert.equal(second.matches(''), false);
    assert.equal(second.authorizes(`bearer ${first.fresh}`), true);
    assert.equal(second.authorizes(`Bearer ${first.fresh} x`), false);
    assert.equal(second.authorizes(undefined), false);
    OperatorToken.forget(own);
    const third = OperatorToken.load(own, new SystemRandom());
    assert.notEqual(third.fresh, null);
    assert.equal(third.matches(first.fresh!), false);
  });

  test('a spoilt file is an error, not a new token and not an open door', () => {
    const own = mkdtempSync(join(folder, 'spoilt-'));
    for (const text of ['', 'sha256:', 'sha256:00', `sha256:${'g'.repeat(64)}`]) {
      writeFileSync(join(own, 'operator-token'), text);
      assert.throws(() => OperatorToken.load(own, new SystemRandom()), OperatorTokenError);
    }
  });
});

test('names under which the port may be called', () => {
  for (const host of [
    'localhost',
    'LOCALHOST:8471',
    '127.0.0.1:8471',
    '10.0.0.7',
    '[::1]:8471',
    'ops.internal:1',
  ]) {
    assert.equal(hostAllowed(host, 'ops.internal'), true, host);
  }
  for (const host of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:127',
    '127.0.0.1.nip.io',
    '::1',
    '[::1',
    '[evil]',
    '1.2.3',
    'localhost:x',
  ]) {
    assert.equal(hostAllowed(host, '127.0.0.1'), false, host);
  }
});

test('watchers at the same time share one snapshot, later ones get a new one', async () => {
  let taken = 0;
  let give: (value: Snapshot) => void = () => {};
  const shared = new SharedInspector({
    snapshot: () => {
      taken++;
      return new Promise((resolve) => {
        give = resolve;
      });
    },
  });
  const both = [shared.snapshot(), shared.snapshot()];
  give(snapshot);
  await Promise.all(both);
  assert.equal(taken, 1);
  const later = shared.snapshot();
  give(snapshot);
  await later;
  assert.equal(taken, 2);
});

describe('partitions', () => {
  const asked: unknown[] = [];
  const [list, move] = partitionsPages({
    report: async () => ({ partitions: [], schedulers: [] }),
    move: async (what, to) => {
      asked.push([what, to]);
      if (to === 'nowhere') throw new RangeError('there is no scheduler nowhere');
      return { to, moved: [1], late: [] };
    },
  });

  test('both pages want the token, and moving wants POST', () => {
    assert.deepEqual([list?.access, move?.access, move?.method], ['token', 'token', 'POST']);
  });

  test('either numbers or a scheduler may move', async () => {
    const ask = async (query: string) => await move!.reply(new URLSearchParams(query));
    assert.deepEqual(JSON.parse((await ask('partitions=3,17&to=scheduler-2')).body), {
      to: 'scheduler-2',
      moved: [1],
      late: [],
    });
    await ask('from=scheduler-1&to=2');
    assert.deepEqual(asked.splice(0), [
      [{ partitions: [3, 17] }, 'scheduler-2'],
      [{ from: 'scheduler-1' }, '2'],
    ]);
    for (const [query, expected] of [
      ['partitions=3', /to is missing/],
      ['to=2', /either partitions or from/],
      ['to=2&from=1&partitions=3', /either partitions or from/],
      ['to=2&partitions=3,,4', /not "3,,4"/],
      ['to=2&partitions=-1', /not "-1"/],
      [`to=2&partitions=${Array(2000).fill(1)}`, /must be numbers/],
    ] as const) {
      const { status, body } = await ask(query);
      assert.equal(status, 400, query);
      assert.match(JSON.parse(body).error, expected);
    }
    assert.deepEqual(asked, []);
    const missing = await ask('partitions=3&to=nowhere');
    assert.equal(missing.status, 404);
    assert.match(missing.body, /there is no scheduler nowhere/);
  });
});
