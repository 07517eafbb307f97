/** What operators ask of alerts, and have done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALERT_RULES } from '../../src/metrics/alerts/alert-rules.js';
import { SILENCES_MAX, type Silence } from '../../src/metrics/alerts/silences.js';
import { ActionRefused } from '../../src/ops/action.js';
import { type AlertsReport, alertActions } from '../../src/ops/actions/alert-actions.js';
import { BookWorld } from '../metrics/alerts/alert-world.js';

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
    silencesChanged: () => book.silencesChanged(),
  });
  const run = <T>(name: string, params: Record<string, unknown> = {}) => {
    const action = actions.find((one) => one.name === name);
    assert.ok(action !== undefined, name);
    return action.run(params, ANN) as T;
  };
  const refused = (name: string, params: Record<string, unknown>, status: number, words: RegExp) => {
    assert.throws(
      () => run(name, params),
      (error) => error instanceof ActionRefused && error.status === status && words.test(error.message),
    );
  };
  return { world, run, refused };
}

test('the report has what is wrong, what was, what is silenced, and the rules', () => {
  const { world, run } = operated();
  world.see({ a: 200 });
  world.go(1);
  const report = run<AlertsReport>('alerts');
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

test('somebody looks after it', () => {
  const { world, run, refused } = operated();
  world.see({ a: 200 });
  run('alert-ack', { id: 1, comment: 'on it' });
  assert.deepEqual(run<AlertsReport>('alerts').active[0]?.acknowledged, {
    by: 'ann',
    at: world.clock.wall(),
    comment: 'on it',
  });
  refused('alert-ack', { id: 2 }, 404, /no active alert 2/);
  refused('alert-ack', { id: 'one' }, 400, /id must be .*"one"/);
});

test('silences: by rule, label or subject, for a time, by whom; and away again', () => {
  const { world, run, refused } = operated();
  const silence = run<Silence>('alert-silence', { label: 'work*', ms: 5000, comment: 'known' });
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
  assert.equal(run<AlertsReport>('alerts').silences.length, 1);
  run('alert-unsilence', { id: 1 });
  assert.deepEqual(world.told, ['raised 1 a']);
  refused('alert-unsilence', { id: 1 }, 404, /no silence 1/);
  run('alert-silence', { rule: 'mailbox-*', ms: 5000 });
  world.go(5);
  assert.equal(run<AlertsReport>('alerts').silences.length, 0);
});

test('what makes no sense is refused with the value in it', () => {
  const { run, refused } = operated();
  refused('alert-silence', { ms: 1000 }, 400, /a rule, a label or a subject is wanted/);
  refused(
    'alert-silence',
    { rule: 'mailbox-lenght', ms: 1000 },
    404,
    /no rule "mailbox-lenght": there are mailbox-age/,
  );
  refused('alert-silence', { label: 'x' }, 400, /ms must be/);
  refused('alert-silence', { label: 'x', ms: 0 }, 400, /ms must be .*not 0/);
  refused('alert-silence', { label: 7, ms: 1000 }, 400, /label must be .*not 7/);
  for (let n = 0; n < SILENCES_MAX; n++) run('alert-silence', { label: `x${n}`, ms: 1000 });
  refused('alert-silence', { label: 'x', ms: 1000 }, 409, /there are 256 silences already/);
});
