import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { counter } from '../../../src/metrics/columns.js';
import type { GroupDescription } from '../../../src/metrics/reading.js';
import { recordingName } from '../../../src/metrics/recording/format.js';
import { RecordingFile } from '../../../src/metrics/recording/recording-file.js';
import { recordingsIn, recordingsWithin } from '../../../src/metrics/recording/recording-folder.js';
import {
  RecordingWriter,
  type RecordingWriterOptions,
} from '../../../src/metrics/recording/recording-writer.js';
import { sampleOf } from '../../../src/metrics/recording/sample.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const GROUP: GroupDescription = {
  name: 'g',
  version: 1,
  title: '',
  instance: 'thing',
  columns: [counter('n', '1', 'A number.')],
};

const START = Date.UTC(2026, 10, 22, 23, 0);

function writerIn(t: TestContext, options: Partial<RecordingWriterOptions> = {}) {
  const clock = new SimulatedClock();
  const folder = options.folder ?? join(temporaryFolder(t), 'wsar');
  const problems: string[] = [];
  const writer = new RecordingWriter({
    folder,
    clock,
    origin: { run: 'r', host: 'h', system: 's', cpus: 2, program: 'p', intervalMs: 1000 },
    fileBytesMax: 1 << 20,
    keepBytes: 1 << 30,
    freeBytesMin: 0,
    onProblem: (error) => problems.push(error.message),
    ...options,
  });
  const append = (seconds: number, instances = ['a']) => {
    const rows = instances.map((instance) => ({ instance, figures: [seconds] }));
    const reading = {
      version: 1 as const,
      at: START + seconds * 1000,
      uptimeMs: seconds * 1000,
      groups: { g: rows },
    };
    return writer.append(sampleOf(reading, [GROUP]), [GROUP]);
  };
  return { clock, folder, problems, writer, append };
}

function framesOf(folder: string): number[] {
  return recordingsIn(folder).map(({ path }) => {
    const file = new RecordingFile(path);
    const { frames } = file.index();
    file.close();
    return frames;
  });
}

describe('writing a recording', () => {
  test('a file for each day, each readable while it is written, named by its beginning', async (t) => {
    const { folder, writer, append } = writerIn(t);
    for (let second = 0; second < 2 * 3600; second += 600) assert.ok(append(second));
    await writer.settled();
    assert.deepEqual(framesOf(folder), [6, 6]);
    assert.deepEqual(readdirSync(folder), ['wsar-20261122T230000000Z.wsar', 'wsar-20261123T000000000Z.wsar']);
    assert.equal(statSync(join(folder, readdirSync(folder)[0]!)).mode & 0o777, 0o600);
    await writer.close();
    assert.deepEqual(framesOf(folder), [6, 6]);
    const files = recordingsIn(folder);
    const within = (from: number, to: number) =>
      recordingsWithin(files, START + from * 1000, START + to * 1000).map(({ path }) =>
        files.findIndex((one) => one.path === path),
      );
    assert.deepEqual(within(0, 100), [0]);
    assert.deepEqual(within(3700, 9000), [1]);
    assert.deepEqual(within(100, 3700), [0, 1]);
    assert.deepEqual(within(-1000, -10), []);
  });

  test('files end at their size, and the oldest go when all together are too large; the present one stays', async (t) => {
    const { folder, writer, append } = writerIn(t, { fileBytesMax: 4096, keepBytes: 16_384 });
    for (let second = 0; second < 2000; second++) {
      append(second, ['a', 'b', `row-${second}`]);
      if (second % 50 === 0) await writer.settled();
    }
    await writer.close();
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    assert.ok(sizes.length >= 3 && sizes.length <= 5, sizes.join(' '));
    for (const size of sizes) assert.ok(size < 4096 + 512, sizes.join(' '));
    const file = new RecordingFile(recordingsIn(folder).at(-1)!.path);
    assert.equal(file.index().lastAt, START + 1999 * 1000);
    file.close();
    const small = writerIn(t, { keepBytes: 1 });
    small.append(0);
    await small.writer.settled();
    t.after(() => small.writer.close());
    assert.equal(readdirSync(small.folder).length, 1);
  });

  test('files that are not of the recording are left alone', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'notes.txt'), 'x'.repeat(10_000));
    const { writer, append } = writerIn(t, { folder, keepBytes: 1 });
    append(0);
    await writer.close();
    assert.ok(readdirSync(folder).includes('notes.txt'));
  });

  test('a disk that refuses: said once, and tried again after a minute in a new file', async (t) => {
    const parent = temporaryFolder(t);
    const folder = join(parent, 'wsar');
    // A file where the folder should be.
    writeFileSync(folder, '');
    const { clock, problems, writer, append } = writerIn(t, { folder });
    assert.ok(append(0));
    await writer.settled();
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /EEXIST|ENOTDIR/);
    for (let second = 1; second < 60; second++) assert.equal(append(second), false);
    assert.equal(problems.length, 1);
    const other = join(parent, 'moved');
    mkdirSync(other);
    clock.advance(60_000);
    assert.ok(append(60));
    await writer.settled();
    assert.equal(problems.length, 2);
    assert.equal(writer.dropped, 59);
    await writer.close();
  });

  test('what others need of the disk is left to them', async (t) => {
    const { folder, problems, writer, append } = writerIn(t, { freeBytesMin: Number.MAX_SAFE_INTEGER });
    append(0);
    await writer.close();
    assert.match(problems[0]!, /only \d+ bytes are free in .*wsar, and 9007199254740991 are left to others/);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('a disk that is behind: what waits is bounded, and said once', async (t) => {
    const { problems, writer, append } = writerIn(t);
    // Nothing of it is written before this turn ends.
    const names = Array.from({ length: 2000 }, (_, index) => `a row with a long name of its own ${index}`);
    let second = 0;
    while (append(second)) {
      second++;
      append(second, names.slice(second % 2));
      assert.ok(second < 10_000, 'no bound');
    }
    append(second + 1);
    assert.deepEqual(problems.length, 1);
    assert.match(problems[0]!, /the disk is behind: [45]\d{6} bytes wait/);
    await writer.settled();
    assert.ok(append(second + 2), 'and goes on');
    await writer.close();
    assert.equal(problems.length, 1);
  });

  test('a second writer of the same moment does not write into the first one’s file', async (t) => {
    const { folder, writer, append } = writerIn(t);
    mkdirSync(folder);
    writeFileSync(join(folder, recordingName(START)), 'somebody else');
    append(0);
    await writer.close();
    assert.equal(readFileSync(join(folder, recordingName(START)), 'utf8'), 'somebody else');
  });
});
