/** What keeps the server from starting: each with a message that names it, and an exit code. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { assertPlainly, runStart, type Settings, TestServer } from '../support/test-server.js';

const REFUSED = 1;
const BAD_CONFIGURATION = 2;

test('bad values are named, all at once, and the start is refused', { timeout: 120_000 }, async (t) => {
  const dataFolder = temporaryFolder(t);
  const cases: [Settings, Record<string, string>, RegExp[]][] = [
    [{ port: 'eighty' }, {}, [/port/, /eighty/]],
    [{ port: 70_000 }, {}, [/port/, /70000|70_000/]],
    [{ port: -1 }, {}, [/port/, /-1/]],
    [{ pinDigits: 4, heartbeatMs: 'soon' }, {}, [/pin-digits/, /heartbeat-ms/, /soon/]],
    [{ smsGateway: 'pigeon' }, {}, [/sms-gateway/, /pigeon/]],
    [{ logLevel: 'loud' }, {}, [/log-level/, /loud/]],
    [{ bodyBytesMax: '1TiB' }, {}, [/body-bytes-max/]],
    [{ idleTimeoutMs: '10s', heartbeatMs: '9s' }, {}, [/idle-timeout-ms/]],
    [{}, { ROOKERY_PIN_LIFE_MS: 'forever' }, [/ROOKERY_PIN_LIFE_MS/, /forever/]],
    [{}, { ROOKERY_PROT: '8000' }, [/ROOKERY_PROT/, /ROOKERY_PORT/]],
    [{ tlsKeyFile: '/no/such/key.pem' }, {}, [/tls/]],
  ];
  for (const [settings, env, patterns] of cases) {
    await t.test(JSON.stringify({ ...settings, ...env }), async () => {
      const { code, output } = await runStart({ dataFolder, ...settings }, env);
      assert.equal(code, BAD_CONFIGURATION, output);
      assertPlainly(output, ...patterns);
    });
  }
  await t.test('a file with a key that does not exist', async () => {
    const file = join(dataFolder, 'rookery.toml');
    writeFileSync(file, 'port = 0\nheart-beat-ms = 5000\n');
    const { code, output } = await runStart({ dataFolder, config: file });
    assert.equal(code, BAD_CONFIGURATION, output);
    assert.match(output, /heart-beat-ms/);
  });
  await t.test('a file that is not there', async () => {
    const { code, output } = await runStart({ dataFolder, config: '/no/such/rookery.toml' });
    assert.equal(code, BAD_CONFIGURATION, output);
    assert.match(output, /\/no\/such\/rookery\.toml/);
  });
});

test('a port that is in use', { timeout: 60_000 }, async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => taken.close());
  const { port } = taken.address() as AddressInfo;
  for (const setting of ['port', 'operatorPort']) {
    await t.test(setting, async () => {
      const { code, output } = await runStart({ dataFolder: temporaryFolder(t), [setting]: port });
      assert.equal(code, REFUSED, output);
      assertPlainly(output, new RegExp(`${port}`));
    });
  }
});

test('an address that is not ours', { timeout: 60_000 }, async (t) => {
  const { code, output } = await runStart({ dataFolder: temporaryFolder(t), host: '192.0.2.1' });
  assert.equal(code, REFUSED, output);
  assertPlainly(output, /192\.0\.2\.1/);
});

test('TLS files', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes'];
  for (const name of ['one', 'two']) {
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`), ...subject],
    );
  }
  writeFileSync(file('garbage.pem'), 'this is no certificate\n');
  for (const [name, key, cert] of [
    ['a key that is not there', 'none.key', 'one.crt'],
    ['a certificate that is not there', 'one.key', 'none.crt'],
    ['garbage for a key', 'garbage.pem', 'one.crt'],
    ['garbage for a certificate', 'one.key', 'garbage.pem'],
    ["another certificate's key", 'two.key', 'one.crt'],
  ] as const) {
    await t.test(name, async () => {
      const { code, output } = await runStart({
        dataFolder: join(folder, 'data'),
        tlsKeyFile: file(key),
        tlsCertFile: file(cert),
      });
      assert.equal(code, REFUSED, output);
      assertPlainly(output, /TLS/i, new RegExp(`${key}|${cert}`));
    });
  }
  await t.test('the right pair', async (t) => {
    const server = await TestServer.start(t, {
      settings: { tlsKeyFile: file('one.key'), tlsCertFile: file('one.crt') },
    });
    assert.ok(server.port > 0);
  });
});
