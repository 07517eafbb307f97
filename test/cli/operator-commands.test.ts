/** The operator's commands over a real server: what they print, and with which exit code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AUDIT_FILE } from '../../src/ops/audit-log.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { runRookery, TestServer } from '../support/test-server.js';

async function running(t: TestContext) {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const env = {
    ROOKERY_OPERATOR: `http://127.0.0.1:${server.operatorPort}/`,
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  };
  const run = async (...args: string[]) => {
    const { code, output } = await runRookery(args, env);
    return { code, output };
  };
  const json = async (...args: string[]) => {
    const { code, output } = await run(...args, '--json');
    assert.equal(code, 0, output);
    return JSON.parse(output) as Record<string, unknown>;
  };
  return { server, run, json };
}

const audited = (server: TestServer) =>
  readFileSync(join(server.dataFolder, AUDIT_FILE), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('ps, inspect, suspend, send, flush, resume, kill', async (t) => {
  const { server, run, json } = await running(t);

  const table = await run('ps', '--label', 'partition-1*', '--thread', 'scheduler-2');
  assert.equal(table.code, 0, table.output);
  assert.match(table.output, /^pid +label +name +thread +mailbox .*\n<2\.\d+\.\d+> +partition-1/);
  const partitions = await json('ps', '--label', 'partition-*', '--limit', '1000');
  const rows = partitions['processes'] as { pid: string; label: string }[];
  assert.equal(rows.length, 64);

  const { pid } = rows.find(({ label }) => label === 'partition-17')!;
  const report = await run('inspect', pid);
  assert.match(report.output, new RegExp(`^process +partition-17${pid}\n`));
  assert.match(report.output, /\nkind +Partition\n/);
  assert.match(report.output, /\nstate +\{ partition: 17, usersOnline: 0, /);
  assert.match(report.output, /\npath +scheduler-2 \/ partitions \/ partition-17\n/);
  assert.equal((await json('inspect', 'partition-17'))['pid'], pid);
  assert.equal((await json('inspect', pid.slice(1, -1)))['label'], 'partition-17');
  assert.equal((await json('inspect', 'rookery'))['thread'], 'main');
  const supervisor = await json('inspect', 'sessions-1');
  assert.match(String(supervisor['kind']), /Supervisor/);
  assert.notEqual(supervisor['state'], null);

  assert.match((await run('suspend', 'partition-17')).output, new RegExp(`partition-17${pid}: suspended`));
  for (const text of ['one', 'two'])
    await run('send', pid, JSON.stringify({ type: 'nothing', text: `${text} swordfish` }));
  assert.match((await run('send', pid, '{"type":"first"}', '--first')).output, /sent before all that waits/);
  const held = await run('inspect', pid);
  assert.match(held.output, /SUSPENDED/);
  assert.match(
    held.output,
    /\nwaiting +\{ type: "first" \}.*\n +\{ type: "nothing", text: \(\d+ characters\) \}/,
  );
  assert.doesNotMatch(held.output, /swordfish/);
  assert.match((await run('flush', pid, '--max', '2')).output, /2 messages thrown away, 1 are left/);
  assert.match((await run('resume', pid)).output, /: resumed/);

  assert.match((await run('kill', pid)).output, /: killed/);
  const gone = await run('inspect', pid);
  assert.deepEqual([gone.code, /there is no process <2\..*has ended/.test(gone.output)], [1, true]);
  const again = await json('inspect', 'partition-17');
  assert.notEqual(again['pid'], pid, 'its supervisor has started another');

  const refusal = await run('kill', 'sessions-1');
  assert.equal(refusal.code, 1);
  assert.match(refusal.output, /with force it is done all the same/);

  const audit = audited(server);
  assert.deepEqual(
    audit.map(({ action, outcome }) => `${action} ${outcome}`),
    ['suspend done', ...Array(3).fill('send done'), 'flush done', 'resume done', 'kill done', 'kill refused'],
  );
  for (const { author, from } of audit) assert.deepEqual([author, from], [userInfo().username, '127.0.0.1']);
  assert.doesNotMatch(JSON.stringify(audit), /swordfish/);
  await server.log(new RegExp(`${userInfo().username}: kill`), 0);
});

test('what is wrong is said in one line, with an exit code', async (t) => {
  const { run, server } = await running(t);
  for (const [args, code, words] of [
    [['inspect', 'nobody'], 1, /no process with the name or the label "nobody"/],
    [['inspect', '<9.1.0>'], 1, /there is no scheduler 9/],
    [['ps', '--thread', 'scheduler-9'], 1, /there is no thread scheduler-9.*main, scheduler-1, scheduler-2/],
    [['ps', '--limit', '5000'], 1, /limit must be a whole number from 1 to 1000, not 5000/],
    [['ps', '--limit', 'x'], 2, /whole number/],
    [['send', 'registrar', '{'], 2, /the message is not JSON/],
    [['kill'], 2, /missing required argument/],
    [['inspect', 'x', '--operator', 'http://127.0.0.1:1/'], 1, /http:..127.0.0.1:1 does not answer/],
    [['inspect', 'x', '--token', 'wrong'], 1, /does not take this token/],
  ] as const) {
    const ended = await run(...args);
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.output}`);
    assert.match(ended.output, words);
    assert.doesNotMatch(ended.output, /\n\s+at /);
  }
  await server.log(/a wrong token at the operator's port/, 0);
});

test('a scheduler that hangs is said to, with where it is', async (t) => {
  const { run, server } = await running(t);
  await server.injectFault({ kind: 'loop-thread', thread: 'scheduler-2' });
  const hanging = await run('inspect', '<2.1.0>');
  assert.equal(hanging.code, 1);
  assert.match(hanging.output, /scheduler-2 does not answer(; it is at\n {4}.*inject-fault|$)/i);
});

/** What a scheduler says to whoever connects. */
async function heartbeatOf(url: string): Promise<number> {
  const client = await ProtocolClient.connect(url);
  client.hello(null);
  const { heartbeatMs } = await client.next('welcome');
  await client.close();
  return heartbeatMs;
}

test('knobs: listed, turned on the threads that run, kept over their deaths and over restarts', async (t) => {
  const { server, run, json } = await running(t);
  const list = (await json('knob', 'list')) as unknown as { name: string; threads: string[] }[];
  assert.ok(list.length > 40);
  assert.deepEqual(
    list.filter(({ threads }) => threads.length === 0).map(({ name }) => name),
    [],
    'somebody heeds each of them',
  );
  const table = await run('knob', 'list', '--group', 'sessions');
  assert.match(
    table.output,
    /^knob +value +default +allowed +from\n— Sessions\nheartbeatMs +30s +30s +a time from 1s to 10m +default\n/,
  );

  const set = await run('knob', 'set', 'heartbeat-ms', '7s', '--message', 'trains');
  assert.equal(set.code, 0, set.output);
  assert.match(
    set.output,
    /^1 {2}[\d: -]+ {2}\S+ from 127\.0\.0\.1: trains\n +heartbeatMs: \(as configured\) → 7s\nin effect on main, /,
  );
  for (const scheduler of [1, 2]) assert.equal(await heartbeatOf(server.urlOf(scheduler)), 7000);

  const from = server.lines.all.length;
  await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-2' });
  await server.log(/scheduler-2 serves again/, from);
  assert.equal(await heartbeatOf(server.urlOf(2)), 7000, 'the one that took its place');
  const again = server.lines.all.length;
  await server.injectFault({ kind: 'crash-thread', thread: 'writer-1' });
  await server.log(/writer-1 writes again/, again);
  assert.equal((await run('knob', 'set', 'writer-batch-max', '64')).code, 0, 'the ledger has a new writer');

  // Of the listeners: those that are open, and that of a scheduler that came later.
  const kept = await ProtocolClient.connect(server.urlOf(1));
  assert.equal((await run('knob', 'set', 'connections-per-address-max', '1')).code, 0);
  for (const scheduler of [1, 2]) await assert.rejects(heartbeatOf(server.urlOf(scheduler)), `${scheduler}`);
  const later = server.lines.all.length;
  await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-2' });
  await server.log(/scheduler-2 serves again/, later);
  await assert.rejects(heartbeatOf(server.urlOf(2)), 'the one that took its place');
  assert.equal((await run('knob', 'revert', 'connections-per-address-max')).code, 0);
  for (const scheduler of [1, 2]) assert.equal(await heartbeatOf(server.urlOf(scheduler)), 7000);
  await kept.close();

  const refusal = await run('knob', 'set', 'heartbeat-ms', '5m');
  assert.equal(refusal.code, 1);
  assert.match(refusal.output, /idle.*must be at least twice heartbeat-ms = 5m/i);
  assert.equal((await run('knob', 'set', 'heartbeat-ms')).code, 2);
  assert.equal((await run('knob', 'revert')).code, 2);

  await server.kill();
  await server.start({ heartbeatMs: '20s' });
  await server.log(/heartbeatMs = 7s \(knob 1 by .*\) overrides --heartbeat-ms = 20s/, server.startedAtLine);
  assert.equal(await heartbeatOf(server.url), 7000);
  const operator = `http://127.0.0.1:${server.operatorPort}/`;
  const revert = await run('knob', 'revert', 'heartbeat-ms', '--operator', operator);
  assert.match(revert.output, /heartbeatMs: 7s → \(as configured\)/);
  assert.equal(await heartbeatOf(server.url), 20_000);
  const history = await run('knob', 'history', '--operator', operator);
  assert.match(
    history.output,
    /^5 .*\n.*heartbeatMs.*\n4 .*\n.*\n3 .*\n.*connectionsPerAddressMax.*\n2 .*\n.*writerBatchMax.*\n1 .*trains\n/,
  );
});

test('top: once without a terminal, in each order, as JSON', async (t) => {
  const { server, run, json } = await running(t);
  const once = await run('top', '--by', 'rate');
  assert.equal(once.code, 0, once.output);
  assert.match(once.output, /^rookery .*, up .*; 0 connections, 0 online; \d+ processes, \d+ messages wait/);
  assert.match(once.output, /\nscheduler-1 \d+ % +scheduler-2 \d+ % +writer-1 \d+ %\n/);
  assert.match(
    once.output,
    /\npid +label +waiting +longest +in\/s +OUT\/S +oldest +delay +empty in +handler/,
  );
  await run('suspend', 'partition-3');
  // A backlog is known from 64 messages on.
  for (let number = 0; number < 70; number++) {
    const reply = await fetch(`http://127.0.0.1:${server.operatorPort}/api/action/send`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TestServer.token}` },
      body: JSON.stringify({ pid: 'partition-3', message: { type: 'nothing' } }),
    });
    assert.equal(reply.status, 200);
  }
  const { mailboxes } = (await json('top', '--by', 'length')) as unknown as {
    mailboxes: { label: string; length: number; suspended: boolean }[];
  };
  const [first] = mailboxes;
  assert.deepEqual([first?.label, first?.length, first?.suspended], ['partition-3', 70, true]);
  const twice = await run('top', '--times', '2', '--interval', '0.1');
  assert.equal(twice.output.match(/^pid /gm)?.length, 2);
  assert.equal((await run('top', '--by', 'size')).code, 2);
  assert.equal((await run('top', '--interval', '0')).code, 2);
});

test('trace: the messages of a process, until the number is reached', async (t) => {
  const { server, run } = await running(t);
  const traced = run('trace', 'partition-5', '--max', '2', '--for', '60s');
  await server.log(/: trace$/, 0);
  for (const type of ['one', 'two'])
    await run('send', 'partition-5', JSON.stringify({ type, text: 'swordfish' }));
  const { code, output } = await traced;
  assert.equal(code, 0, output);
  assert.match(output, /tracing partition-5<2\.\d+\.\d+>\n/);
  assert.match(
    output,
    /\n +\d+\.\d{3} {2}← – {2}\{ type: "one", text: \(9 characters\) \} {2}\(12 bytes\)\n/,
  );
  assert.match(output, /2 messages; there may be more: the number was reached/);
  assert.doesNotMatch(output, /swordfish/);
  assert.equal((await run('trace', 'partition-5', '--for', 'long')).code, 2);
  assert.equal((await run('trace', 'nobody')).code, 1);
});
