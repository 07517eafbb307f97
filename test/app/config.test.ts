import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Command } from 'commander';
import fc from 'fast-check';
import { ConfigError, type ConfigProblem, type ConfigSources, loadConfig } from '../../src/app/config.js';
import { loadConfigWithFile } from '../../src/app/config-file.js';
import { didYouMean, editDistance } from '../../src/app/did-you-mean.js';
import {
  allowed,
  bytesText,
  durationText,
  parseSetting,
  type Setting,
  spellings,
  valueText,
} from '../../src/app/setting.js';
import { SETTINGS } from '../../src/app/settings.js';
import { configurationPage, describeSettings, settingOptions } from '../../src/app/settings-help.js';

const settings = SETTINGS as readonly Setting[];
const toml = (text: string) => ({ path: 'rookery.toml', text });

function problems(sources: ConfigSources): readonly ConfigProblem[] {
  try {
    loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    for (const { source } of error.problems) assert.ok(error.message.includes(source));
    return error.problems;
  }
  assert.fail('the configuration was accepted');
}

test('defaults: all of them allowed, none contradicting another', () => {
  const config = loadConfig({});
  for (const setting of settings) {
    assert.deepEqual(config[setting.name as keyof typeof config], setting.default);
    if (setting.default !== '') {
      assert.deepEqual(
        parseSetting(setting, valueText(setting, setting.default)),
        setting.default,
        setting.name,
      );
    }
  }
  assert.ok(Object.isFrozen(config));
});

test('flags win over the environment, that over the file, that over the default', () => {
  const file = toml('port = 1\nheartbeat-ms = "1s"\npin-digits = 5\n');
  const env = { ROOKERY_PORT: '2', ROOKERY_HEARTBEAT_MS: '2s', PATH: '/bin' };
  const config = loadConfig({ flags: { port: '3', host: undefined }, env, file });
  assert.equal(config.port, 3);
  assert.equal(config.heartbeatMs, 2000);
  assert.equal(config.pinDigits, 5);
  assert.equal(config.host, '127.0.0.1');
});

test('a bad value is refused even where a stronger source overrides it', () => {
  const [problem] = problems({ flags: { port: '1' }, env: { ROOKERY_PORT: 'x' } });
  assert.deepEqual(problem, {
    setting: 'port',
    source: 'ROOKERY_PORT',
    value: '"x"',
    expected: 'must be a whole number from 0 to 65535',
  });
});

test('every problem is named at once, with its source and value', () => {
  const found = problems({
    flags: { port: '70000', prot: '1' },
    env: { ROOKERY_SCHEDULERS: '65', ROOKERY_HEARTBEAT: '3s' },
    file: toml('pin-digits = 7\ninboxCountMax = 5\nlog-level = "loud"\n'),
  });
  assert.deepEqual(
    found.map(({ source, value }) => [source, value]),
    [
      ['--port', '"70000"'],
      ['ROOKERY_SCHEDULERS', '"65"'],
      ['rookery.toml: log-level', '"loud"'],
      ['rookery.toml: pin-digits', '7'],
      ['--prot', ''],
      ['ROOKERY_HEARTBEAT', ''],
      ['rookery.toml: inboxCountMax', ''],
    ],
  );
  assert.match(found[4]!.expected, /did you mean --port\?/);
  assert.match(found[5]!.expected, /did you mean ROOKERY_HEARTBEAT_MS\?/);
  assert.match(found[6]!.expected, /did you mean inbox-count-max\?/);
  assert.match(found[1]!.expected, /from 0 to 64/);
});

test('TOML that is none is refused with line and column', () => {
  const [problem] = problems({ file: toml('port = 1\nhost = \n') });
  assert.match(problem!.source, /^rookery\.toml:2:\d+$/);
});

test('values of the wrong type in the file', () => {
  for (const line of [
    'port = "x"',
    'port = 1.5',
    'port = true',
    'port = [1]',
    'port = 1979-05-27',
    'development = "maybe"',
    'development = 1',
    'host = 5',
    'host = ""',
    'origins = []',
    'origins = ["https://a.b/"]',
    'origins = [5]',
    'sms-gateway = "command:relative/path"',
    'sms-gateway = "webhook:ftp://a"',
    'sms-gateway = { kind = "log" }',
    '[port]\nx = 1',
    'idle-timeout-ms = "1y"',
    'body-bytes-max = "1 kb"',
    'body-bytes-max = "-1KiB"',
    'heartbeat-ms = "1e3"',
    'slice-messages = 0',
    'slice-ms = "0ms"',
    'turn-ms = 0',
    'ring-bytes = "65KiB"',
    'ring-bytes = "32KiB"',
    'ring-bytes = "1GiB"',
    'ring-overflow-bytes-max = "1GiB"',
    'name-capacity = 1000',
  ]) {
    assert.equal(problems({ file: toml(line) }).length, 1, line);
  }
});

test('what has to be a power of two says so', () => {
  const [problem] = problems({ flags: { ringBytes: '3MiB' } });
  assert.equal(
    problem!.expected,
    'must be a size from 64KiB to 512MiB, a power of two, such as 4096, 64KiB or 1MiB',
  );
  const config = loadConfig({ flags: { ringBytes: '512MiB', nameCapacity: '1048576' } });
  assert.deepEqual([config.ringBytes, config.nameCapacity], [2 ** 29, 2 ** 20]);
});

test('times, sizes, lists, gateways as one writes them', () => {
  const config = loadConfig({
    env: {
      ROOKERY_INBOX_AGE_MS_MAX: '1.5h',
      ROOKERY_BODY_BYTES_MAX: '32 KiB',
      ROOKERY_ORIGINS: 'same, https://chat.example:8443',
      ROOKERY_SMS_GATEWAY: 'webhook:https://sms.example/send?x=1',
      ROOKERY_DEVELOPMENT: 'on',
    },
    file: toml('ack-timeout-ms = 1500\nlog-format = "json"\n'),
  });
  assert.equal(config.inboxAgeMsMax, 5_400_000);
  assert.equal(config.bodyBytesMax, 32_768);
  assert.deepEqual(config.origins, ['same', 'https://chat.example:8443']);
  assert.deepEqual(config.smsGateway, { kind: 'webhook', url: 'https://sms.example/send?x=1' });
  assert.equal(config.development, true);
  assert.equal(config.ackTimeoutMs, 1500);
  const log: 'auto' | 'pretty' | 'json' = config.logFormat;
  assert.equal(log, 'json');
  assert.deepEqual(loadConfig({ flags: { development: true } }).development, true);
  assert.deepEqual(loadConfig({ flags: { smsGateway: 'command:/bin/sms' } }).smsGateway, {
    kind: 'command',
    path: '/bin/sms',
  });
});

test('contradictions name both ends', () => {
  const cases: [ConfigSources, RegExp][] = [
    [{ flags: { tlsKeyFile: 'k.pem' } }, /--tls-key-file = "k.pem": needs tls-cert-file/],
    [{ env: { ROOKERY_TLS_CERT_FILE: 'c.pem' } }, /ROOKERY_TLS_CERT_FILE = "c.pem": needs tls-key-file/],
    [
      { file: toml('heartbeat-ms = "90s"') },
      /idle-timeout-ms \(default\) = 2m: .*rookery.toml: heartbeat-ms = 90s/,
    ],
    [
      { flags: { socketBufferBytesMax: '512KiB', deliverWindowBytes: '300KiB' } },
      /--deliver-window-bytes = 300KiB/,
    ],
    [{ flags: { receiveBytesBurst: '64KiB' } }, /twice body-bytes-max \(default\) = 64KiB/],
    [{ flags: { sliceMs: '20ms' } }, /--slice-ms = 20ms: must not be above turn-ms \(default\) = 5ms/],
    [{ flags: { operatorPort: '8470' } }, /--operator-port = 8470: must differ from port \(default\)/],
  ];
  for (const [sources, expected] of cases) assert.throws(() => loadConfig(sources), expected);
  loadConfig({ flags: { port: '0', operatorPort: '0' } });
});

test('whatever is thrown at it: a ConfigError or a whole configuration', () => {
  const name = fc.constantFrom(...settings.map((setting) => setting.name));
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom('1', '5s', '64KiB', 'on', 'log', '*'),
  );
  fc.assert(
    fc.property(
      fc.dictionary(name, value, { maxKeys: 4 }),
      fc.dictionary(name, fc.string(), { maxKeys: 4 }),
      (flags, env) => {
        const variables = Object.fromEntries(
          Object.entries(env).map(([key, text]) => [spellings(key).variable, text]),
        );
        try {
          const config = loadConfig({ flags, env: variables });
          assert.equal(Object.keys(config).length, settings.length);
        } catch (error) {
          assert.ok(error instanceof ConfigError);
          assert.ok(error.problems.length > 0);
        }
      },
    ),
  );
});

test('texts of times and sizes read back as what they were', () => {
  const time = settings.find(({ name }) => name === 'inboxAgeMsMax')!;
  const size = settings.find(({ name }) => name === 'inboxBytesMax')!;
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 3650 * 86_400_000 }),
      fc.integer({ min: 65_536, max: 2 ** 40 }),
      (ms, bytes) => {
        assert.equal(parseSetting(time, durationText(ms)), ms);
        assert.equal(parseSetting(size, bytesText(bytes)), bytes);
      },
    ),
  );
  assert.equal(durationText(90_000), '90s');
  assert.equal(durationText(0), '0ms');
  assert.equal(bytesText(1024 * 1024), '1MiB');
});

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-config-'));
  after(() => rmSync(folder, { recursive: true }));

  test('none, ./rookery.toml, ROOKERY_CONFIG, --config', () => {
    assert.equal(loadConfigWithFile({}, {}, folder).port, 8470);
    writeFileSync(join(folder, 'rookery.toml'), 'port = 1\n');
    writeFileSync(join(folder, 'a.toml'), 'port = 2\n');
    writeFileSync(join(folder, 'b.toml'), 'port = 3\n');
    assert.equal(loadConfigWithFile({}, {}, folder).port, 1);
    assert.equal(loadConfigWithFile({}, { ROOKERY_CONFIG: 'a.toml' }, folder).port, 2);
    assert.equal(
      loadConfigWithFile({ config: join(folder, 'b.toml') }, { ROOKERY_CONFIG: 'a.toml' }, '/').port,
      3,
    );
  });

  test('one that was named and is not there, or is a folder, is refused', () => {
    assert.throws(() => loadConfigWithFile({ config: 'c.toml' }, {}, folder), /--config = "c.toml": ENOENT/);
    assert.throws(
      () => loadConfigWithFile({}, { ROOKERY_CONFIG: '.' }, folder),
      /ROOKERY_CONFIG = ".": EISDIR/,
    );
  });
});

describe('help and documentation', () => {
  test('docs/configuration.md is what the table says', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    assert.equal(page, configurationPage(), 'renew it: node dist/src/app/write-configuration-page.js');
  });

  test('names, and what is written of them, are one of a kind and complete', () => {
    const all = describeSettings();
    for (const key of ['name', 'flag', 'variable', 'fileKey'] as const) {
      assert.equal(new Set(all.map((setting) => setting[key])).size, all.length);
    }
    for (const setting of all) {
      assert.match(setting.name, /^[a-z][A-Za-z]+$/);
      assert.match(setting.description, /^[^|\n]{20,}\.$/, setting.name);
    }
    assert.deepEqual(spellings('inboxCountMax'), {
      fileKey: 'inbox-count-max',
      flag: '--inbox-count-max',
      variable: 'ROOKERY_INBOX_COUNT_MAX',
    });
  });

  test('commander takes the options and gives what loadConfig wants', () => {
    const command = new Command().exitOverride();
    for (const option of settingOptions()) command.addOption(option);
    command.parse(
      ['--port', '0', '--development', '--origins', '*', '--inbox-age-ms-max', '1d', '--config', 'x.toml'],
      { from: 'user' },
    );
    const { config: named, ...flags } = command.opts();
    assert.equal(named, 'x.toml');
    const config = loadConfig({ flags });
    assert.deepEqual([config.port, config.development, config.inboxAgeMsMax], [0, true, 86_400_000]);
    for (const setting of settings)
      assert.match(command.helpInformation(), new RegExp(`${spellings(setting.name).flag} `));
  });

  test('what is allowed is said for each kind', () => {
    for (const setting of settings) assert.ok(allowed(setting).length > 5);
  });
});

test('did you mean', () => {
  assert.equal(didYouMean('prot', ['port', 'host']), 'port');
  assert.equal(didYouMean('zzzzzzz', ['port', 'host']), null);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('ab', 'ba'), 1);
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
});
