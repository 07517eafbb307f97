/** The backlog report: who has messages waiting, what that means for them, and when it will be over. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Pid, Runtime, topMailboxes } from '../../../src/actors/index.js';
import { backlogGroup as serverGroup } from '../../../src/app/groups/backlog-group.js';
import { Groups } from '../../../src/metrics/groups.js';
import { sampleOf } from '../../../src/metrics/recording/sample.js';
import { SeededRandom } from '../../../src/structures/seeded-random.js';
import {
  BacklogJson,
  BacklogText,
  backlogGroup,
  backlogRows,
  glanceOf,
} from '../../../tools/wsar/backlog.js';
import { WsarError } from '../../../tools/wsar/wsar-error.js';
import { LoopClock } from '../../metrics/loop-clock.js';
import { MEM } from './some-samples.js';

/** A scheduler that answers for its runtime at once, as it does in the server from its thread. */
function groupsOf(runtime: Runtime, clock: LoopClock): Groups {
  const questions = {
    ask: async (_: unknown, topic: string, { by, count }: { by: 'length'; count: number }) => {
      assert.equal(topic, 'top');
      return topMailboxes(runtime, by, count);
    },
  };
  const scheduler = { name: 'scheduler-1', running: true, post: () => {} };
  return new Groups({ clock, startedAt: 0 }).add(
    serverGroup(questions as unknown as Parameters<typeof serverGroup>[0], [scheduler], () => true),
  );
}

describe('the backlog report', () => {
  test('600 K messages queued, dequeued at 40 K/s: 15 s of delay, drained in 41 s at the rate at which it fills', async () => {
    const clock = new LoopClock();
    const runtime = new Runtime({ clock, random: new SeededRandom(1) });
    const inbox: Pid<number> = runtime.spawn<number>(
      () => ({
        receive() {
          clock.stall(0.025);
        },
      }),
      { label: 'inbox' },
    );
    for (let sent = 0; sent < 900_000; sent++) runtime.send(inbox, 1);
    let [due, last] = [0, clock.now()];
    const fill = () => {
      const now = clock.now();
      for (due += (now - last) * 25.366; due >= 1; due--) runtime.send(inbox, 1);
      last = now;
      clock.setTimer(fill, 1);
    };
    fill();
    while (topMailboxes(runtime, 'length', 1)[0]!.length > 600_000) clock.spin(50);

    const groups = groupsOf(runtime, clock);
    const interval = glanceOf(sampleOf(await groups.read(), groups.describe()));
    let text = '';
    new BacklogText(10, (part) => {
      text += part;
    }).interval(interval);
    const [, , header, line, ...more] = text.split('\n');
    assert.match(
      header!,
      /^pid +label +messages +dequeued\/s +filled\/s +delay +oldest +drained in +handler$/,
    );
    const cells = /^<\S+> +inbox +(\d+) +(\d+) +(\d+) +([\d.]+) s +([\d.]+) s +([\d.]+) s/.exec(line!);
    assert.ok(cells !== null, text);
    const [messages, dequeued, filled, delay, , drain] = cells.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const near = (what: string, is: number, shall: number) =>
      assert.ok(Math.abs(is - shall) <= shall * 0.03, `${what}: ${is} instead of ${shall}`);
    near('messages', messages, 600_000);
    near('dequeued', dequeued, 40_000);
    near('filled', filled, 25_366);
    near('delay', delay, 15);
    near('drained in', drain, 41);
    assert.deepEqual(more, ['']);
  });

  const REPORTS = [
    ['<1.5.0>\tinbox of\u00a0Zoë\tSession.receive(send)', [120, 0, 3.25, null, 61_000, null, 61_000]],
    ['<1.6.0>\tpartition-3\t', [600_000, 40_000, 25_366, 15_000, 14_200, 41_000, 0]],
  ] as const;

  function interval() {
    const description = serverGroup(null as never, [], () => true).description;
    const rows = REPORTS.map(([instance, figures]) => ({ instance, figures }));
    return glanceOf(sampleOf({ version: 1, at: 0, uptimeMs: 0, groups: { backlog: rows } }, [description]));
  }

  test('the longest first; one that stands still is stalled and never drained', () => {
    let text = '';
    const output = new BacklogText(10, (part) => {
      text += part;
    });
    output.interval(interval());
    const lines = text.split('\n').slice(2, -1);
    assert.deepEqual(lines, [
      'pid      label         messages  dequeued/s  filled/s    delay  oldest  drained in  handler',
      '<1.6.0>  partition-3     600000       40000     25366   15.0 s  14.2 s      41.0 s',
      '<1.5.0>  inbox of\u00a0Zoë       120         0.0       3.3  stalled  61.0 s       never  Session.receive(send)',
    ]);
    text = '';
    output.interval({ at: 0, seconds: 0, tables: new Map() });
    assert.match(text, /nobody has messages waiting/);
  });

  test('as JSON, null for what will not happen, no more rows than wanted', () => {
    let text = '';
    new BacklogJson(1, (part) => {
      text += part;
    }).interval(interval());
    assert.deepEqual(JSON.parse(text), {
      type: 'backlog',
      time: '1970-01-01T00:00:00.000Z',
      backlog: [
        {
          pid: '<1.6.0>',
          label: 'partition-3',
          handler: '',
          messages: 600_000,
          dequeueRate: 40_000,
          fillRate: 25_366,
          delayMs: 15_000,
          oldestMs: 14_200,
          drainMs: 41_000,
        },
      ],
    });
  });

  test('a version with fewer columns is read as far as it goes', () => {
    const description = { ...MEM, name: 'backlog', columns: [{ ...MEM.columns[0]!, name: 'messages' }] };
    const [row] = backlogRows({ description, rows: [{ instance: '<1.1.0>', values: Float64Array.of(7) }] });
    assert.deepEqual([row?.pid, row?.label, row?.messages, row?.delayMs], ['<1.1.0>', '', 7, null]);
    assert.throws(() => backlogGroup([MEM]), WsarError);
  });
});
