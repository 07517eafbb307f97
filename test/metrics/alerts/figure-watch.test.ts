/** Values that rules make of readings. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { spellings } from '../../../src/app/setting.js';
import type { AlertRule, FigureUse } from '../../../src/metrics/alerts/alert-rules.js';
import { ALERT_RULES } from '../../../src/metrics/alerts/alert-rules.js';
import { FigureWatch } from '../../../src/metrics/alerts/figure-watch.js';
import { counter, gauge } from '../../../src/metrics/columns.js';
import type { Figure, GroupDescription, Reading } from '../../../src/metrics/reading.js';
import { ruleOf } from './alert-world.js';

const GROUP: GroupDescription = {
  name: 'g',
  version: 1,
  title: '',
  instance: 'thing',
  columns: [gauge('a', '1', ''), counter('b', '1', '')],
};

function watching(column: string, as: FigureUse, instance?: string) {
  const source: AlertRule['source'] = {
    kind: 'figure',
    group: 'g',
    column,
    as,
    ...(instance === undefined ? {} : { instance }),
  };
  const watch = new FigureWatch([
    { ...ruleOf('memory'), says: '{instance}: {value}', unit: 'count', source },
  ]);
  return (uptimeMs: number, rows: Record<string, Figure[]>) => {
    const groups = { g: Object.entries(rows).map(([instance, figures]) => ({ instance, figures })) };
    const reading: Reading = { version: 1, at: 0, uptimeMs, groups };
    const observations = watch.observe(reading, [GROUP]).get('g') ?? [];
    return Object.fromEntries(observations.map(({ subject, value }) => [subject, value]));
  };
}

test('as it is, of all rows or of one', () => {
  assert.deepEqual(watching('a', { of: 'value' })(0, { x: [1, 0], y: [null, 0] }), { x: 1 });
  assert.deepEqual(watching('a', { of: 'value' }, 'y')(0, { x: [1, 0], y: [2, 0] }), { y: 2 });
});

test('as a share of another column; of nothing there is no share', () => {
  const see = watching('a', { of: 'share', whole: 'b' });
  assert.deepEqual(see(0, { x: [1, 4], y: [1, 0], z: [1, null] }), { x: 0.25 });
});

test('as growth a second, for whatever time there was between', () => {
  const see = watching('b', { of: 'rate' });
  assert.deepEqual(see(0, { x: [0, 100] }), {});
  assert.deepEqual(see(2000, { x: [0, 300], y: [0, 1] }), { x: 100 });
  assert.deepEqual(
    see(3000, { x: [0, 10], y: [0, 1] }),
    { x: 0, y: 0 },
    'a counter that began anew has not grown',
  );
  assert.deepEqual(see(10, { x: [0, 1000] }), {}, 'another incarnation of the server');
});

test('as what is left of the growth of another counter', () => {
  const see = watching('a', { of: 'rest', whole: 'b' });
  see(0, { x: [0, 0], y: [0, 0] });
  assert.deepEqual(see(1000, { x: [100, 1000], y: [7, 0] }), { x: 0.9 });
  assert.deepEqual(see(2000, { x: [1100, 2000], y: [7, 0] }), { x: 0 });
});

test('as a standstill: there was something to do at every look, and nothing was done', () => {
  const see = watching('a', { of: 'standstill', progress: 'b' });
  assert.deepEqual(see(0, { x: [3, 7] }), { x: 0 });
  assert.deepEqual(see(5000, { x: [2, 7] }), { x: 5000 });
  assert.deepEqual(see(9000, { x: [2, 7] }), { x: 9000 });
  assert.deepEqual(see(10_000, { x: [2, 8] }), { x: 0 });
  assert.deepEqual(see(11_000, { x: [0, 8] }), { x: 0 });
  assert.deepEqual(see(12_000, { x: [2, 8] }), { x: 0 });
});

test('rules whose group or column there is not are blind', () => {
  const watch = new FigureWatch(ALERT_RULES);
  const files: GroupDescription = {
    ...GROUP,
    name: 'files',
    columns: [gauge('open', '{file}', ''), gauge('limit', '{file}', '')],
  };
  assert.deepEqual(watch.groups([GROUP, files]), ['files']);
  const blind = watch.blind([GROUP, files]);
  assert.ok(blind.includes('listen-overflows') && !blind.includes('files'));
  assert.ok(watch.blind([{ ...files, columns: [gauge('open', '{file}', '')] }]).includes('files'));
});

test('the table of rules: names are one of a kind, a family has one severity, every line has its value', () => {
  assert.equal(new Set(ALERT_RULES.map(({ name }) => name)).size, ALERT_RULES.length);
  for (const { name, family, severity, source, says, clearShare, forMs, clearForMs } of ALERT_RULES) {
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(
      ALERT_RULES.filter((one) => one.family === family).every((one) => one.severity === severity),
      family,
    );
    assert.ok(clearShare > 0 && clearShare <= 1 && forMs >= 0 && clearForMs >= 0, name);
    if (source.kind !== 'process') assert.match(says, /\{value\}/, name);
  }
});

test('docs/operations/alerts.md says of each rule what it means and what to do', () => {
  const page = readFileSync(new URL('../../../../docs/operations/alerts.md', import.meta.url), 'utf8');
  for (const { name, limit } of ALERT_RULES) {
    const section = page.split(`### ${name}\n`)[1]?.split('\n#')[0] ?? '';
    assert.ok(section.includes(`\`${spellings(limit).fileKey}\``), `${name} names its setting`);
  }
});
