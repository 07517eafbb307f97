import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counter } from '../../../src/metrics/columns.js';
import { Groups } from '../../../src/metrics/groups.js';
import type { GroupSource, Row } from '../../../src/metrics/reading.js';
import { Recorder } from '../../../src/metrics/recording/recorder.js';
import { RecordingCursor } from '../../../src/metrics/recording/recording-cursor.js';
import { RecordingFile } from '../../../src/metrics/recording/recording-file.js';
import { recordingsIn } from '../../../src/metrics/recording/recording-folder.js';
import { RecordingWriter } from '../../../src/metrics/recording/recording-writer.js';
import { readingOf } from '../../../src/metrics/recording/sample.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

function source(name: string, read: () => readonly Row[] | Promise<readonly Row[]>): GroupSource {
  return {
    description: { name, version: 1, title: '', instance: null, columns: [counter('n', '1', '')] },
    read,
  };
}

/** Lets what was promised happen; no time passes. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

test('a recording at a beat: what is wanted, rounded, and no second reading while one is under way', async (t) => {
  const clock = new SimulatedClock();
  const folder = temporaryFolder(t);
  let reads = 0;
  let release: (() => void) | null = null;
  const groups = new Groups({ clock, startedAt: clock.now() })
    .add(
      source('a', () => {
        reads++;
        const rows = [{ instance: '', figures: [reads / 3] }];
        if (reads !== 3) return rows;
        return new Promise<readonly Row[]>((resolve) => {
          release = () => resolve(rows);
        });
      }),
    )
    .add(source('hw', () => assert.fail('nobody wants it')));
  const problems: unknown[] = [];
  const recorder = new Recorder({
    clock,
    groups,
    wants: (name) => name !== 'hw',
    intervalMs: 1000,
    writer: new RecordingWriter({
      folder,
      clock,
      origin: { run: 'r', host: 'h', system: 's', cpus: 2, program: 'p', intervalMs: 1000 },
      fileBytesMax: 1 << 20,
      keepBytes: 1 << 30,
      freeBytesMin: 0,
      onProblem: (error) => problems.push(error),
    }),
    onProblem: (error) => problems.push(error),
  });
  for (let ms = 0; ms < 6000; ms += 100) {
    clock.advance(100);
    await settle();
    // The third reading takes 900 ms, over the next beat not quite.
    if (ms === 3800) (release as (() => void) | null)?.();
    await settle();
  }
  await recorder.close();
  const readsBefore = reads;
  clock.advance(5000);
  await settle();
  assert.equal(reads, readsBefore, 'nothing is read after the end');
  const path = recordingsIn(folder)[0]!.path;
  const file = new RecordingFile(path);
  const cursor = new RecordingCursor(file);
  const seen: unknown[] = [];
  for (let next = cursor.next(); next.type === 'sample'; next = cursor.next()) {
    const { uptimeMs, groups } = readingOf(next.sample);
    seen.push([uptimeMs, groups['a']?.[0]?.figures[0]]);
  }
  file.close();
  assert.deepEqual(problems, []);
  assert.deepEqual(seen, [
    [1000, 0.3333],
    [2000, 0.6667],
    [3000, 1],
    [4000, 1.3333],
    [5000, 1.6667],
    [6000, 2],
  ]);
});

test('a group that says that nothing has changed stands in every frame; one that only hands out the same array is looked at', async (t) => {
  const clock = new SimulatedClock();
  const folder = temporaryFolder(t);
  let reads = 0;
  const first = Object.freeze([{ instance: '', figures: [1 / 3] }]);
  const second = Object.freeze([{ instance: '', figures: [7] }]);
  const figures = [0];
  const reused = [{ instance: '', figures }];
  const groups = new Groups({ clock, startedAt: clock.now() })
    .add(
      source('still', () => {
        reads++;
        // It fails once, is away in that frame, and comes back.
        if (reads === 5) throw new Error('no');
        return reads < 8 ? first : second;
      }),
    )
    .add(
      source('reused', () => {
        figures[0] = reads;
        return reused;
      }),
    );
  const recorder = new Recorder({
    clock,
    groups,
    wants: () => true,
    intervalMs: 1000,
    writer: new RecordingWriter({
      folder,
      clock,
      origin: { run: 'r', host: 'h', system: 's', cpus: 2, program: 'p', intervalMs: 1000 },
      fileBytesMax: 1 << 20,
      keepBytes: 1 << 30,
      freeBytesMin: 0,
      keyEvery: 4,
      onProblem: assert.fail,
    }),
    onProblem: (error) => assert.fail(String(error)),
  });
  for (let second = 0; second < 10; second++) {
    clock.advance(1000);
    await settle();
  }
  await recorder.close();
  const file = new RecordingFile(recordingsIn(folder)[0]!.path);
  const cursor = new RecordingCursor(file);
  const seen: unknown[] = [];
  for (let next = cursor.next(); next.type === 'sample'; next = cursor.next()) {
    const { groups: read } = readingOf(next.sample);
    seen.push([read['still']?.[0]?.figures[0], read['reused']?.[0]?.figures[0]]);
  }
  file.close();
  assert.deepEqual(seen, [
    [0.3333, 1],
    [0.3333, 2],
    [0.3333, 3],
    [0.3333, 4],
    [undefined, 5],
    [0.3333, 6],
    [0.3333, 7],
    [7, 8],
    [7, 9],
    [7, 10],
  ]);
});
