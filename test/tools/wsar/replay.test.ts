import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { RecordingWriter } from '../../../src/metrics/recording/recording-writer.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';
import type { Observed } from '../../../tools/wsar/observed.js';
import { Replay } from '../../../tools/wsar/replay.js';
import { WsarError } from '../../../tools/wsar/wsar-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { MEM, SCHED, sample, TEN } from './some-samples.js';

const EVER = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Records seconds of one run. */
function run(
  folder: string,
  name: string,
  fileBytesMax = 1 << 20,
): RecordingWriter & { second(second: number): void } {
  const writer = new RecordingWriter({
    folder,
    clock: new SimulatedClock(),
    origin: { run: name, host: 'h', system: 's', cpus: 2, program: `rookery ${name}`, intervalMs: 1000 },
    fileBytesMax,
    keepBytes: 1 << 30,
    freeBytesMin: 0,
    onProblem: (error) => assert.fail(error),
  });
  return Object.assign(writer, {
    second(second: number) {
      writer.append(sample(second, { a: [second, 0, 0, 0, 0] }, [second, 0]), [SCHED, MEM]);
    },
  });
}

/** Seconds of samples; other things by their names. */
function seconds(all: Iterable<Observed>): (number | string)[] {
  const list: (number | string)[] = [];
  for (const one of all) {
    if (one.type === 'sample') list.push((one.sample.at - TEN) / 1000);
    else if (one.type === 'note') list.push(one.text);
    else if (one.type === 'restart') list.push(`restart ${one.program}`);
    else list.push(one.type);
  }
  return list;
}

const to = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

async function twoRuns(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  const first = run(folder, '1', 2048);
  for (const second of to(0, 300)) first.second(second);
  await first.close();
  const second = run(folder, '2');
  for (const second_ of to(400, 100)) second.second(second_);
  await second.close();
  return folder;
}

describe('replaying a recording', () => {
  test('any range over several files and runs, and the restart between them', async (t) => {
    const folder = await twoRuns(t);
    assert.ok(readdirSync(folder).length > 2);
    const recording = new Replay(folder);
    assert.deepEqual(seconds(recording.samples(EVER, null)), [
      ...to(0, 300),
      'restart rookery 2',
      ...to(400, 100),
    ]);
    const range = (from: number, until: number) => ({ from: TEN + from * 1000, to: TEN + until * 1000 });
    assert.deepEqual(seconds(recording.samples(range(100, 110), null)), to(100, 11));
    assert.deepEqual(seconds(recording.samples(range(290, 405), null)), [
      ...to(290, 10),
      'restart rookery 2',
      ...to(400, 6),
    ]);
    assert.deepEqual(seconds(recording.samples(range(310, 390), null)), []);
    assert.deepEqual(recording.span(), range(0, 499));
    assert.deepEqual(recording.groups(range(450, 460)), [SCHED, MEM]);
    assert.throws(() => recording.groups(range(-100, -50)), WsarError);
    assert.equal(recording.origin().program, 'rookery 1');
  });

  test('a clock that is set back: what was recorded twice of a time is there twice, and nothing is lost', async (t) => {
    const folder = temporaryFolder(t);
    const writer = run(folder, '1');
    for (const second of [...to(0, 600), ...to(200, 200)]) writer.second(second);
    const read = (from: number, last: number) =>
      seconds(new Replay(folder).samples({ from: TEN + from * 1000, to: TEN + last * 1000 }, null));
    const check = () => {
      assert.deepEqual(read(0, 5), to(0, 6));
      assert.deepEqual(read(300, 310), [...to(300, 11), ...to(300, 11)]);
      assert.deepEqual(read(450, 460), to(450, 11), 'before it was set back');
      assert.deepEqual(read(595, 9999), to(595, 5));
    };
    await writer.settled();
    check();
    await writer.close();
    check();
  });

  test('only the groups that are wanted', async (t) => {
    const recording = new Replay(await twoRuns(t));
    const names = new Set<string>();
    for (const one of recording.samples(EVER, new Set(['mem']))) {
      if (one.type === 'sample') for (const name of one.sample.tables.keys()) names.add(name);
    }
    assert.deepEqual([...names], ['mem']);
  });

  test('after a crash in the middle of a block: what is whole is read, and it is said what was cut', async (t) => {
    const folder = temporaryFolder(t);
    const crashed = run(folder, '1');
    for (const second of to(0, 10)) crashed.second(second);
    await crashed.settled();
    const [name] = readdirSync(folder) as [string];
    const path = join(folder, name);
    const { length } = readFileSync(path);
    await crashed.close();
    truncateSync(path, length - 5);
    const next = run(folder, '2');
    for (const second of to(20, 3)) next.second(second);
    await next.close();
    const all = seconds(new Replay(folder).samples(EVER, null));
    const cut = all[9];
    assert.match(String(cut), /^wsar-.*\.wsar: ends within a block, whose \d+ bytes are cut$/);
    assert.deepEqual(all, [...to(0, 9), cut, 'restart rookery 2', ...to(20, 3)]);
  });

  test('damage in the middle is said, with what is lost by it', async (t) => {
    const folder = temporaryFolder(t);
    const writer = run(folder, '1');
    for (const second of to(0, 90)) writer.second(second);
    await writer.close();
    const path = join(folder, readdirSync(folder)[0]!);
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 3)]! ^= 1;
    writeFileSync(path, bytes);
    const all = seconds(new Replay(folder).samples(EVER, null));
    const notes = all.filter((one) => typeof one === 'string');
    assert.match(notes[0]!, /: \d+ bytes from byte \d+ on are damaged$/);
    assert.match(notes[1]!, /: \d+ samples cannot be read without them$/);
    assert.deepEqual(all.slice(-30), to(60, 30));
    assert.ok(all.length < 92);
  });

  test('a file that is none is left out, and said', async (t) => {
    const folder = await twoRuns(t);
    const foreign = join(folder, 'wsar-20261122T000000000Z.wsar');
    writeFileSync(foreign, 'not a recording at all');
    const all = seconds(new Replay(folder).samples(EVER, null));
    assert.match(String(all[0]), /is no recording that can be read: left out/);
    assert.equal(all.length, 402);
    assert.throws(() => new Replay(foreign).span(), WsarError);
    assert.throws(() => new Replay(join(folder, 'nowhere')), WsarError);
    assert.throws(() => new Replay(temporaryFolder(t)), /there is no recording/);
  });

  test('following: as it grows, into the next file, over a restart, and never a half block', async (t) => {
    const folder = temporaryFolder(t);
    const first = run(folder, '1');
    first.second(0);
    await first.settled();
    const following = new Replay(folder).samples(EVER, null, true);
    const next = () => seconds([following.next().value as Observed])[0];
    assert.deepEqual([next(), next(), next()], [0, 'pause', 'pause']);
    first.second(1);
    await first.settled();
    assert.deepEqual([next(), next()], [1, 'pause']);
    // Half of a block, then the rest.
    const path = join(folder, readdirSync(folder)[0]!);
    const before = readFileSync(path);
    first.second(2);
    await first.settled();
    const after = readFileSync(path);
    truncateSync(path, before.length);
    appendFileSync(path, after.subarray(before.length, before.length + 7));
    assert.equal(next(), 'pause');
    appendFileSync(path, after.subarray(before.length + 7));
    assert.deepEqual([next(), next()], [2, 'pause']);
    // Killed: no end is written. The next run begins another file.
    const second = run(folder, '2');
    second.second(10);
    await second.settled();
    assert.deepEqual([next(), next(), next()], ['restart rookery 2', 10, 'pause']);
    await second.close();
    assert.deepEqual([next(), next()], ['pause', 'pause']);
    await first.close();
  });
});
