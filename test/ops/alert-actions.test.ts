/** What operators ask of alerts, and have done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALERT_RULES } from '../../src/metrics/alerts/alert-rules.js';
import { SILENCES_MAX, type Silence } from '../../src/metrics/alerts/silences.js';
import { ActionRefused } from '../../src/ops/action.js';
import { type AlertsReport, alertActions } from '../../src/ops/actions/alert-actions.js';
import { BookWorld, keepInMemory } from '../metrics/alerts/alert-world.js';

const ANN = { author: 'ann', address: '127.0.0.1' };

function operated() {
  const world = new BookWorld();
  const { clock, book, silences } = world;
  const actions = alertActions({
    clock,
    book,
    silences,
    rules: ALERT_RULES,
    limitOf: ({ name }) => (name === 'wal-size' ? Number.POSITIVE_INFINITY : 100),
    blind: () => ['ring-backlog'],
    keeper: keepInMemory(silences, () => book.silencesChanged()),
  });
  const run = async <T>(name: string, params: Record<string, unknown> = {}): Promise<T> => {
    const action = actions.find((one) => one.name === name);
    assert.ok(action !== undefined, name);
    return (await action.run(params, ANN)) as T;
  };
  const refused = (name: string, params: Record<string, unknown>, status: number, words: RegExp) =>
    assert.rejects(
      () => run(name, params),
      (error) => error instanceof ActionRefused && error.status === status && words.test(error.message),
    );
  return { world, run, refused };
}

test('the report has what is wrong, what was, what is silenced, and the rules', async () => {
  const { world, run } = operated();
  world.see({ a: 200 });
  world.go(1);
  const report = await run<AlertsReport>('alerts');
  assert.deepEqual(
    report.active.map(({ subject, line }) => [subject, line]),
    [['a', 'a has 200']],
  );
  const rule = (name: string) => report.rules.find((one) => one.name === name);
  assert.deepEqual(
    [
      rule('wal-size')?.limit,
      rule('wal-size')?.isWatched,
      rule('ring-backlog')?.isWatched,
      rule('memory')?.isWatched,
    ],
    [null, false, false, true],
  );
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('somebody looks after it', async () => {
  const { world, run, refused } = operated();
  world.see({ a: 200 });
  await run('alert-ack', { id: 1, comment: 'on it' });
  assert.deepEqual((await run<AlertsReport>('alerts')).active[0]?.acknowledged, {
    by: 'ann',
    at: world.clock.wall(),
    comment: 'on it',
  });
  await refused('alert-ack', { id: 2 }, 404, /no active alert 2/);
  await refused('alert-ack', { id: 'one' }, 400, /id must be .*"one"/);
});

test('silences: by rule, label or subject, for a time, by whom; and away again', async () => {
  const { world, run, refused } = operated();
  const silence = await run<Silence>('alert-silence', { label: 'work*', ms: 5000, comment: 'known' });
  assert.deepEqual(silence, {
    id: 1,
    rule: null,
    label: 'work*',
    subject: null,
    by: 'ann',
    comment: 'known',
    from: world.clock.wall(),
    until: world.clock.wall() + 5000,
  });
  world.see({ a: 200 });
  assert.deepEqual(world.told, []);
  assert.equal((await run<AlertsReport>('alerts')).silences.length, 1);
  await run('alert-unsilence', { id: 1 });
  assert.deepEqual(world.told, ['raised 1 a']);
  await refused('alert-unsilence', { id: 1 }, 404, /no silence 1/);
  await run('alert-silence', { rule: 'mailbox-*', ms: 5000 });
  world.go(5);
  assert.equal((await run<AlertsReport>('alerts')).silences.length, 0);
});

test('what makes no sense is refused with the value in it', async () => {
  const { run, refused } = operated();
  await refused('alert-silence', { ms: 1000 }, 400, /a rule, a label or a subject is wanted/);
  await refused(
    'alert-silence',
    { rule: 'mailbox-lenght', ms: 1000 },
    404,
    /no rule "mailbox-lenght": there are mailbox-age/,
  );
  await refused('alert-silence', { label: 'x' }, 400, /ms must be/);
  await refused('alert-silence', { label: 'x', ms: 0 }, 400, /ms must be .*not 0/);
  await refused('alert-silence', { label: 7, ms: 1000 }, 400, /label must be .*not 7/);
  for (let n = 0; n < SILENCES_MAX; n++) await run('alert-silence', { label: `x${n}`, ms: 1000 });
  await refused('alert-silence', { label: 'x', ms: 1000 }, 409, /there are 256 silences already/);
});
