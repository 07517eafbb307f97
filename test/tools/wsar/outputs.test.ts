import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fitted, shown, type View, viewsOf } from '../../../tools/wsar/columns.js';
import { CsvOutput } from '../../../tools/wsar/csv-output.js';
import { Intervals } from '../../../tools/wsar/intervals.js';
import { JsonOutput } from '../../../tools/wsar/json-output.js';
import { listText } from '../../../tools/wsar/list.js';
import type { Output, Write } from '../../../tools/wsar/output.js';
import { cellWidth, LEAD_WIDTH, TextOutput } from '../../../tools/wsar/text-output.js';
import { WsarError } from '../../../tools/wsar/wsar-error.js';
import { MEM, SCHED, sample, TEN } from './some-samples.js';

const GROUPS = [SCHED, MEM];
const ORIGIN = { program: 'rookery 1.2.3', system: 'Linux', host: 'h', cpus: 2 };

function views(groups: string[] | null, columns: string[] | null = null): readonly View[] {
  return viewsOf(GROUPS, { groups, columns });
}

/** What an output makes of two samples, a restart, and one interval more. */
function written(make: (write: Write) => Output): string {
  let text = '';
  const output = make((part) => {
    text += part;
  });
  output.begin(ORIGIN, TEN);
  const intervals = new Intervals(0);
  intervals.add(sample(0, { 's-1': [0, 0, 0, 0, 0], 's-2': [0, 0, 0, 0, 0] }, [0, 0]));
  output.interval(
    intervals.add(sample(1, { 's-1': [50, 125, 3, null, 2048], 's-2': [1e6, 0, 0.5, 7, 0] }, [1536, 0.25]))!,
  );
  output.restart(TEN + 2000, 'rookery 1.2.4');
  return text;
}

describe('outputs', () => {
  test('text: aligned, units in headers, n/a where nothing is known', () => {
    assert.equal(
      written((write) => new TextOutput(views(['sched', 'mem']), 20, write)),
      `rookery 1.2.3  Linux  (h)  2026-11-22  (2 CPU)

10:00:01 scheduler       slices/s       %gc      runq longest_ms sent_kB/s
10:00:01 s-1                   50     12.50         3        n/a         2
10:00:01 s-2              1000000      0.00      0.50          7         0

10:00:01 mem    resident_kB    %share
10:00:01               1.50     25.00

10:00:02  RESTART  rookery 1.2.4
`,
    );
  });

  test('text: headers again after a screenful', () => {
    let text = '';
    const output = new TextOutput(views(['mem']), 3, (part) => {
      text += part;
    });
    const intervals = new Intervals(0);
    for (let second = 0; second <= 7; second++) {
      const interval = intervals.add(sample(second, {}, [1, 1]));
      if (interval !== null) output.interval(interval);
    }
    const lines = text.split('\n').filter((line) => line !== '');
    const headers = lines.flatMap((line, index) => (line.includes('resident') ? [index] : []));
    assert.deepEqual(headers, [0, 4, 8]);
    assert.equal(new Set(lines.map((line) => line.length)).size, 1, 'all lines are equally long');
  });

  test('text: rows of one moment stay under one header, and long names in their column', () => {
    let text = '';
    const output = new TextOutput(views(['sched'], ['runq']), 3, (part) => {
      text += part;
    });
    const intervals = new Intervals(0);
    const rows = (name: string) => ({ a: [0, 0, 1, 0, 0], [name]: [0, 0, 2, 0, 0] });
    for (let second = 0; second <= 4; second++) {
      const interval = intervals.add(sample(second, rows(second < 4 ? 'b' : 'scheduler-1>scheduler-2')));
      if (interval !== null) output.interval(interval);
    }
    const blocks = text
      .trim()
      .split('\n\n')
      .map((block) => block.split('\n'));
    assert.deepEqual(
      blocks.map(({ length }) => length),
      [3, 3, 3, 3],
    );
    for (const block of blocks)
      assert.equal(new Set(block.map(({ length }) => length)).size, 1, block.join('\n'));
  });

  test('csv: one table whatever is shown', () => {
    const text = written(
      (write) => new CsvOutput(views(['sched', 'mem'], ['slices', 'longest', 'mem.share']), write),
    );
    assert.deepEqual(text.split('\r\n'), [
      'time,seconds,group,instance,sched.slices,sched.longest,mem.share',
      `${new Date(TEN + 1000).toISOString()},1,sched,s-1,50,,`,
      `${new Date(TEN + 1000).toISOString()},1,sched,s-2,1000000,7,`,
      `${new Date(TEN + 1000).toISOString()},1,mem,,,,0.25`,
      `${new Date(TEN + 2000).toISOString()},0,RESTART,rookery 1.2.4,,,`,
      '',
    ]);
    const quoted: string[] = [];
    new CsvOutput(views(['sched'], ['runq']), (line) => quoted.push(line)).restart(TEN, 'a "b",\nc');
    assert.match(quoted[0]!, /,RESTART,"a ""b"",\nc",\r\n$/);
  });

  test('json: a line for each interval, columns in the order of their group, null for n/a', () => {
    const text = written((write) => new JsonOutput(views(['mem', 'sched']), write));
    const lines = text.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { type: string }).type),
      ['begin', 'interval', 'restart'],
    );
    assert.equal(
      lines[1],
      `{"type":"interval","time":"${new Date(TEN + 1000).toISOString()}","seconds":1,"groups":{` +
        '"mem":[{"resident":1536,"share":0.25}],' +
        '"sched":[{"instance":"s-1","slices":50,"gc":0.125,"runq":3,"longest":null,"sent":2048},' +
        '{"instance":"s-2","slices":1000000,"gc":0,"runq":0.5,"longest":7,"sent":0}]}}',
    );
  });

  test('choosing: by group, by column, by both; what there is not is refused, with what there is', () => {
    assert.deepEqual(
      views(['all']).map(({ group, columns }) => [group.name, columns.length]),
      [
        ['sched', 5],
        ['mem', 2],
      ],
    );
    assert.deepEqual(
      views(null, ['sched.gc', 'share', 'slices']).map(({ group, columns }) => [group.name, columns]),
      [
        ['sched', [0, 1]],
        ['mem', [1]],
      ],
    );
    const refused = (groups: string[] | null, columns: string[] | null, message: RegExp) =>
      assert.throws(
        () => views(groups, columns),
        (error) => error instanceof WsarError && error.exitCode === 2 && message.test(error.message),
      );
    refused(['gc'], null, /no group gc; there are sched, mem/);
    refused(['mem'], ['slices'], /no column slices; there are\n {2}mem: resident share$/);
    refused(null, ['os.gc'], /no column os\.gc/);
  });

  test('groups that are too wide are shown in parts', () => {
    const parts = fitted(views(['sched']), LEAD_WIDTH + 22, LEAD_WIDTH, cellWidth);
    assert.deepEqual(
      parts.map(({ columns }) => columns),
      [[0, 1], [2, 3], [4]],
    );
    assert.deepEqual(fitted(views(['mem']), 1, LEAD_WIDTH, cellWidth).length, 2);
  });

  test('the list says everything', () => {
    const text = listText(GROUPS);
    for (const { name, columns } of GROUPS) {
      assert.ok(text.includes(`${name} (version 1)`));
      for (const column of columns) {
        assert.ok(text.includes(column.description));
        assert.ok(text.includes(shown(column).header));
      }
    }
    assert.match(text, /slices +counter +slices\/s +\{slice\}\/s/);
    assert.match(text, /gc +counter +%gc +1 /);
  });
});
