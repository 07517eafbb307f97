import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { counter, gauge, peak } from '../../src/metrics/columns.js';
import { GroupReader } from '../../src/metrics/group-reader.js';
import { Groups, READ_TIMEOUT_MS, UnknownGroup } from '../../src/metrics/groups.js';
import { LastingCounters } from '../../src/metrics/lasting-counters.js';
import type { GroupSource, Reading, Row } from '../../src/metrics/reading.js';
import { readingPages } from '../../src/ops/pages/reading-page.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

function source(name: string, read: GroupSource['read'], columns = 1): GroupSource {
  return {
    description: {
      name,
      version: 1,
      title: name,
      instance: null,
      columns: Array.from({ length: columns }, (_, at) => gauge(`c${at}`, '1', '.')),
    },
    read,
  };
}

function row(...figures: (number | null)[]): Row[] {
  return [{ instance: '', figures }];
}

function make() {
  const clock = new SimulatedClock();
  const failures: [string, string][] = [];
  const groups = new Groups({
    clock,
    startedAt: clock.now() - 5,
    onFailure: (group, error) => failures.push([group, (error as Error).message]),
  });
  return { clock, groups, failures };
}

/** Until promises that wait for nothing else have been settled. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('groups', () => {
  test('describes in the order of adding, and reads all or some', async () => {
    const { groups, clock } = make();
    groups.add(source('a', () => row(1))).add(source('b', async () => row(null)));
    assert.deepEqual(
      groups.describe().map(({ name }) => name),
      ['a', 'b'],
    );
    const reading = await groups.read();
    assert.deepEqual(reading, {
      version: 1,
      at: clock.wall(),
      uptimeMs: 5,
      groups: { a: row(1), b: row(null) },
    });
    assert.deepEqual((await groups.read(['b', 'b'])).groups, { b: row(null) });
    await assert.rejects(groups.read(['a', 'nobody']), (error: Error) => {
      assert.ok(error instanceof UnknownGroup);
      assert.match(error.message, /"nobody": there are a, b/);
      return true;
    });
  });

  test('whoever looks while a read is under way gets the same one', async () => {
    const { groups } = make();
    let reads = 0;
    let answer!: (rows: Row[]) => void;
    groups.add(
      source('a', () => {
        reads++;
        return new Promise<Row[]>((resolve) => {
          answer = resolve;
        });
      }),
    );
    const first = groups.read();
    const second = groups.read(['a']);
    await settled();
    assert.equal(reads, 1);
    answer(row(7));
    assert.deepEqual((await first).groups, { a: row(7) });
    assert.deepEqual((await second).groups, { a: row(7) });
    void groups.read();
    assert.equal(reads, 2, 'the next look is a new one');
  });

  test('one that throws, now or later, or gives nonsense, is left out and told of once', async () => {
    const { groups, clock, failures } = make();
    let well = false;
    groups
      .add(source('good', () => row(1)))
      .add(
        source('throws', () => {
          if (well) return row(2);
          throw new Error('no');
        }),
      )
      .add(source('rejects', () => Promise.reject(new Error('never'))))
      .add(source('short', () => row(1), 2))
      .add(source('nan', () => row(Number.NaN)));
    assert.deepEqual((await groups.read()).groups, { good: row(1) });
    assert.deepEqual((await groups.read()).groups, { good: row(1) });
    assert.deepEqual(failures, [
      ['throws', 'no'],
      ['short', 'the row "" of short has 1 figures for 2 columns'],
      ['nan', 'the row "" of nan holds NaN'],
      ['rejects', 'never'],
    ]);
    well = true;
    assert.deepEqual((await groups.read()).groups, { good: row(1), throws: row(2) });
    well = false;
    await groups.read();
    assert.equal(failures.length, 4, 'one that comes and goes is not told of each time');
    well = true;
    await groups.read();
    clock.advance(60_000);
    well = false;
    await groups.read();
    assert.equal(failures.length, 5, 'after it was well it is told of again');
  });

  test('one that does not answer is left out after a second, and not asked again before it has', async () => {
    const { groups, clock, failures } = make();
    let reads = 0;
    let answer!: (rows: Row[]) => void;
    groups.add(source('good', () => row(1))).add(
      source('hangs', () => {
        reads++;
        return new Promise<Row[]>((resolve) => {
          answer = resolve;
        });
      }),
    );
    for (const _ of [1, 2]) {
      const reading = groups.read();
      await settled();
      clock.advance(READ_TIMEOUT_MS);
      assert.deepEqual((await reading).groups, { good: row(1) });
    }
    assert.equal(reads, 1);
    assert.deepEqual(failures, [['hangs', 'no answer within 1000 ms']]);
    answer(row(3));
    await settled();
    const reading = groups.read();
    answer(row(4));
    assert.deepEqual((await reading).groups, { good: row(1), hangs: row(4) });
    assert.equal(reads, 2);
  });

  test('refuses descriptions that make no sense', () => {
    const { groups } = make();
    groups.add(source('a', () => []));
    assert.throws(() => groups.add(source('a', () => [])), /there is a group a already/);
    assert.throws(() => groups.add(source('a b', () => [])), /cannot be called "a b"/);
    assert.throws(() => groups.add(source('c', () => [], 0)), /c has no columns/);
    const twice = source('d', () => []);
    const columns = [counter('x', '1', '.'), gauge('x', '1', '.')];
    assert.throws(
      () => groups.add({ ...twice, description: { ...twice.description, columns } }),
      /double column "x" of the group d/,
    );
    assert.throws(
      () => groups.add({ ...twice, description: { ...twice.description, version: 0 } }),
      /bad version of the group d: 0/,
    );
  });
});

describe('peaks', () => {
  /** A thing whose peak begins anew whenever it is read. */
  function peaking() {
    let most = 0;
    const groups = new Groups({ clock: new SimulatedClock(), startedAt: 0 });
    const columns = [counter('n', '1', '.'), peak('most', '1', '.')];
    let n = 0;
    groups.add({
      description: { name: 'p', version: 1, title: 'p', instance: 'row', columns },
      read: () => {
        const rows = [{ instance: 'x', figures: [++n, most] }];
        most = 0;
        return rows;
      },
    });
    return {
      groups,
      happen: (value: number) => {
        most = Math.max(most, value);
      },
    };
  }
  const peakIn = (reading: Reading) => reading.groups['p']![0]!.figures[1];

  test('whoever reads has the most since his own reading, whoever else reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ happens: fc.integer({ min: 1, max: 100 }) }),
            fc.record({ reads: fc.integer({ min: 0, max: 3 }) }),
          ),
          { maxLength: 200 },
        ),
        async (steps) => {
          const { groups, happen } = peaking();
          const readers = Array.from({ length: 4 }, () => new GroupReader(groups));
          const expected = [0, 0, 0, 0];
          for (const reader of readers) await reader.read();
          for (const step of steps) {
            if ('happens' in step) {
              happen(step.happens);
              for (const at of expected.keys()) expected[at] = Math.max(expected[at]!, step.happens);
            } else {
              assert.equal(peakIn(await readers[step.reads]!.read()), expected[step.reads]);
              expected[step.reads] = 0;
            }
          }
        },
      ),
    );
  });

  test('one who does not say when he read before has those since the last reading of all', async () => {
    const { groups, happen } = peaking();
    const reader = new GroupReader(groups);
    await reader.read();
    happen(7);
    assert.equal(peakIn(await groups.read()), 7);
    happen(3);
    assert.equal(peakIn(await groups.read()), 3);
    assert.equal(peakIn(await reader.read()), 7);
  });

  test('a reading of another run says nothing', async () => {
    const { groups, happen } = peaking();
    happen(7);
    assert.equal(peakIn(await groups.read(undefined, 1e9)), 7);
  });

  test('of a long decline the oldest are forgotten', async () => {
    const { groups, happen } = peaking();
    const { uptimeMs } = await groups.read();
    for (let value = 1000; value > 0; value--) {
      happen(value);
      await groups.read();
    }
    assert.equal(peakIn(await groups.read(undefined, uptimeMs)), 255);
  });
});

test('lasting counters: what an incarnation had counted stays', () => {
  const counters = new LastingCounters();
  counters.heard('scheduler-1', 17, { sends: 5 });
  counters.heard('scheduler-2', 18, { sends: 2, acks: 1 });
  assert.equal(counters.sum('sends'), 7);
  counters.heard('scheduler-1', 17, { sends: 6 });
  assert.equal(counters.sum('sends'), 8);
  counters.heard('scheduler-1', 33, { sends: 1 });
  assert.equal(counters.sum('sends'), 9);
  assert.equal(counters.sum('acks'), 1);
  assert.equal(counters.sum('other'), 0);
});

describe('the pages', () => {
  const { groups } = make();
  groups.add(source('a', () => row(1))).add(source('b', () => row(2)));
  const [described, reading] = readingPages(groups);
  const get = async (query: string) => {
    const { status, body } = await reading!.reply(new URLSearchParams(query));
    return { status, value: JSON.parse(body) as Record<string, unknown> };
  };

  test('want the token', () => {
    assert.deepEqual([described!.access, reading!.access], ['token', 'token']);
  });

  test('describe, read all or some, and refuse what there is not', async () => {
    const { body } = await described!.reply(new URLSearchParams());
    assert.deepEqual(JSON.parse(body), { version: 1, groups: groups.describe() });
    assert.deepEqual((await get('')).value['groups'], { a: row(1), b: row(2) });
    assert.deepEqual((await get('groups=b')).value['groups'], { b: row(2) });
    assert.deepEqual(await get('groups=b,c'), {
      status: 404,
      value: { error: 'there is no group "c": there are a, b' },
    });
    assert.equal((await get('groups=')).status, 400);
    assert.equal((await get('groups=a&since=12.5')).status, 200);
    assert.equal((await get('groups=a&since=')).status, 400);
    assert.equal((await get('groups=a&since=-1')).status, 400);
    assert.equal((await get(`groups=${Array(65).fill('a').join(',')}`)).status, 400);
  });
});
