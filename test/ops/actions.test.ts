/** Actions over the operator's port: bodies, authors, refusals, the audit log, wrong tokens. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Action, ActionRefused, type Asker } from '../../src/ops/action.js';
import { actionPages } from '../../src/ops/actions-page.js';
import { AUDIT_FILE, type AuditEntry, AuditLog } from '../../src/ops/audit-log.js';
import { FailedLogins } from '../../src/ops/failed-logins.js';
import { OperatorToken } from '../../src/ops/operator-token.js';
import { OpsServer } from '../../src/ops/ops-server.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const echo: Action = {
  name: 'echo',
  description: 'Says what it was asked.',
  changes: true,
  secret: ['text'],
  run: (params, asker) => ({ params, asker }),
};
const refuse: Action = {
  name: 'refuse',
  description: 'Never does it.',
  changes: true,
  run: ({ status }) => {
    throw new ActionRefused(status as 404, 'there is no process <9.9.9>');
  },
};
const fail: Action = {
  name: 'fail',
  description: 'Has a bug.',
  changes: true,
  run: async () => {
    throw new TypeError('secret path /data');
  },
};
const look: Action = { name: 'look', description: 'Looks.', changes: false, run: () => undefined };

interface Answer {
  readonly status: number;
  readonly value: Record<string, unknown>;
  readonly retryAfter: string | undefined;
}

async function port(t: TestContext, actions: readonly Action[] = [refuse, echo, fail, look]) {
  const clock = new SimulatedClock();
  const token = OperatorToken.load(temporaryFolder(t), new SystemRandom());
  const audited: AuditEntry[] = [];
  const errors: [string, unknown][] = [];
  const failed: unknown[] = [];
  const server = await OpsServer.start({
    host: '127.0.0.1',
    port: 0,
    clock,
    token,
    pages: actionPages(actions, { clock, audit: (entry) => audited.push(entry) }),
    onError: (path, error) => errors.push([path, error]),
    onFailedLogin: (report) => failed.push(report),
  });
  atEnd(t, () => server.close());
  const ask = (
    path: string,
    body: string | Buffer | null,
    headers: Record<string, string> = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const all = { Authorization: `Bearer ${token.fresh}`, ...headers };
      const method = body === null ? 'GET' : 'POST';
      const options = { host: '127.0.0.1', port: server.port, path, method, headers: all, agent: false };
      const outgoing = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => {
          outgoing.destroy();
          const value = text.startsWith('{') ? JSON.parse(text) : {};
          const retryAfter = response.headers['retry-after'];
          resolve({ status: response.statusCode ?? 0, value, retryAfter });
        });
      });
      outgoing.on('error', reject);
      if (body === null) outgoing.end();
      else outgoing.end(body);
    });
  return { clock, server, audited, errors, failed, ask };
}

test('actions are listed, and done with their parameters in the name of who asks', async (t) => {
  const { ask, audited, clock } = await port(t);
  assert.deepEqual((await ask('/api/actions', null)).value['actions'], [
    { name: 'echo', description: 'Says what it was asked.', changes: true },
    { name: 'fail', description: 'Has a bug.', changes: true },
    { name: 'look', description: 'Looks.', changes: false },
    { name: 'refuse', description: 'Never does it.', changes: true },
  ]);
  const author = encodeURIComponent('Zoë (night shift)');
  const done = await ask('/api/action/echo', '{"pid":"<1.2.0>","text":"hello"}', {
    'X-Rookery-Author': author,
  });
  const asker: Asker = { author: 'Zoë (night shift)', address: '127.0.0.1' };
  assert.deepEqual(done.value, { params: { pid: '<1.2.0>', text: 'hello' }, asker });
  assert.deepEqual(audited, [
    {
      at: clock.wall(),
      action: 'echo',
      asker,
      params: { pid: '<1.2.0>', text: '(7 characters)' },
      outcome: 'done',
      tookMs: 0,
    },
  ]);
  assert.deepEqual((await ask('/api/action/look', '')).value, {}, 'an empty body is an empty object');
  assert.equal(audited.length, 1, 'who only looks is not written down');
  const anonymous = await ask('/api/action/echo', '{}');
  assert.equal((anonymous.value['asker'] as Asker).author, 'operator');
});

test('a refusal has its status and its words; a bug is told to the log and not to the client', async (t) => {
  const { ask, audited, errors } = await port(t);
  for (const status of [400, 404, 409, 503]) {
    const answer = await ask('/api/action/refuse', JSON.stringify({ status }));
    assert.deepEqual([answer.status, answer.value], [status, { error: 'there is no process <9.9.9>' }]);
  }
  const answer = await ask('/api/action/fail', '{}');
  assert.equal(answer.status, 500);
  assert.doesNotMatch(JSON.stringify(answer.value), /secret/);
  assert.deepEqual(
    errors.map(([path, error]) => [path, (error as Error).message]),
    [['/api/action/fail', 'secret path /data']],
  );
  assert.deepEqual(
    audited.map(({ action, outcome, error }) => [action, outcome, error]),
    [
      ...Array(4).fill(['refuse', 'refused', 'there is no process <9.9.9>']),
      ['fail', 'failed', 'secret path /data'],
    ],
  );
});

test('bodies are JSON objects of a megabyte at most, and authors are names', async (t) => {
  const { ask, audited } = await port(t);
  const big = JSON.stringify({ text: 'x'.repeat(1024 * 1024 - 11) });
  assert.equal(big.length, 1024 * 1024);
  assert.equal((await ask('/api/action/echo', big)).status, 200);
  const tooBig = await ask('/api/action/echo', `${big} `);
  assert.deepEqual([tooBig.status, tooBig.value['error']], [413, 'the body has more than 1048576 bytes']);
  const chunked = await ask('/api/action/echo', `${big} `, { 'Transfer-Encoding': 'chunked' });
  assert.equal(chunked.status, 413);
  for (const [body, expected] of [
    ['{"a":', /not JSON/],
    ['[1]', /must be a JSON object, not \[1\]/],
    ['null', /must be a JSON object, not null/],
    ['"x"', /must be a JSON object/],
  ] as const) {
    const answer = await ask('/api/action/echo', body);
    assert.equal(answer.status, 400, body);
    assert.match(String(answer.value['error']), expected);
  }
  for (const author of ['%', '%20', 'a%0Ab', 'x'.repeat(65), '%E2%80%A8']) {
    const answer = await ask('/api/action/echo', '{}', { 'X-Rookery-Author': author });
    assert.equal(answer.status, 400, author);
    assert.match(String(answer.value['error']), /X-Rookery-Author/);
  }
  assert.equal(audited.length, 1);
});

test('without the token nothing is done, and the body is not read', async (t) => {
  const { ask, audited } = await port(t);
  for (const headers of [{ Authorization: 'Bearer wrong' }, { Authorization: '' }]) {
    assert.equal((await ask('/api/action/echo', '{"text":1}', headers)).status, 401);
  }
  assert.equal((await ask('/api/actions', null, { Authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await ask('/api/action/echo', null)).status, 405);
  assert.equal((await ask('/api/action/none', '{}')).status, 405);
  assert.deepEqual(audited, []);
});

test('wrong tokens are counted and limited by their address; the right one is taken all the same', async (t) => {
  const { ask, clock, failed, server } = await port(t);
  const wrong = () => ask('/api/action/echo', '{}', { Authorization: 'Bearer wrong' });
  for (let tries = 1; tries <= 10; tries++) assert.equal((await wrong()).status, 401);
  const limited = await wrong();
  assert.deepEqual([limited.status, limited.retryAfter], [429, '5']);
  assert.equal((await wrong()).status, 429);
  assert.equal(server.failedLogins, 12);
  assert.equal(failed.length, 11, 'one line for each within the rate, and one when it is passed');
  assert.deepEqual(failed.at(-1), { address: '127.0.0.1', failures: 11 });
  assert.equal((await ask('/api/action/echo', '{}')).status, 200);
  clock.advance(5000);
  assert.equal((await wrong()).status, 401);
  assert.equal((await wrong()).status, 429);
});

test('addresses with wrong tokens are remembered up to a bound', () => {
  const failed = new FailedLogins(new SimulatedClock(), () => {});
  for (let tries = 0; tries < 11; tries++) failed.failed('10.0.0.1');
  assert.notEqual(failed.failed('10.0.0.1'), 0);
  for (let address = 0; address < 1024; address++) assert.equal(failed.failed(`10.1.0.${address}`), 0);
  assert.equal(failed.failed('10.0.0.1'), 0, 'forgotten for the others');
});

test('names of actions are checked', () => {
  const options = { clock: new SimulatedClock(), audit: () => {} };
  assert.throws(() => actionPages([echo, { ...look, name: 'echo' }], options), /two actions.*echo/);
  assert.throws(() => actionPages([{ ...echo, name: 'Echo!' }], options), /"Echo!"/);
});

test('the audit log: a line for each action, for the owner only, bounded by putting full files aside', (t) => {
  const folder = temporaryFolder(t);
  const errors: Error[] = [];
  const open = () =>
    new AuditLog({
      folder,
      fileBytesMax: 1000,
      olderFilesMax: 2,
      onError: (error) => errors.push(error),
    });
  const entry = (action: string): AuditEntry => ({
    at: 0,
    action,
    asker: { author: 'ada', address: '::1' },
    params: { text: 'y'.repeat(300), n: 7 },
    outcome: 'refused',
    error: 'no\nsuch process',
    tookMs: 1.234,
  });
  open().write(entry('kill'));
  const path = join(folder, AUDIT_FILE);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    time: '1970-01-01T00:00:00.000Z',
    action: 'kill',
    author: 'ada',
    from: '::1',
    params: { text: `${'y'.repeat(199)}…`, n: 7 },
    outcome: 'refused',
    error: 'no\nsuch process',
    tookMs: 1.2,
  });
  for (let number = 0; number < 20; number++) open().write(entry(`a${number}`));
  const files = readdirSync(folder).sort();
  assert.deepEqual(files, ['operator-audit.1.jsonl', 'operator-audit.2.jsonl', AUDIT_FILE]);
  for (const file of files) assert.ok(statSync(join(folder, file)).size <= 1000, file);
  const all = [...files.slice(0, 2).reverse(), AUDIT_FILE]
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
    .map((line) => (JSON.parse(line) as { action: string }).action);
  assert.equal(all.at(-1), 'a19');
  assert.deepEqual(
    all,
    all.map((_, index) => `a${20 - all.length + index}`),
    'nothing is missing between the oldest that is kept and the newest',
  );
  const huge = { ...entry('huge'), params: { list: Array(5000).fill('z') } };
  open().write(huge);
  const last = JSON.parse(readFileSync(path, 'utf8').trim().split('\n').at(-1)!) as { params: string };
  assert.match(last.params, /^\(\d+ characters\)$/);
  const lost = new AuditLog({ folder: join(folder, 'none'), onError: (error) => errors.push(error) });
  lost.write(entry('kill'));
  assert.equal(errors.length, 1);
  assert.match(errors[0]!.message, /ENOENT/);
});
