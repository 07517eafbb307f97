import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { loadConfig } from '../../src/app/config.js';
import { Recording } from '../../src/app/recording.js';
import { counter } from '../../src/metrics/columns.js';
import { Groups } from '../../src/metrics/groups.js';
import { RecordingFile } from '../../src/metrics/recording/recording-file.js';
import { recordingsIn } from '../../src/metrics/recording/recording-folder.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('knobs of the recording: another interval begins a new file of the same run; off, and on again', async (t) => {
  const clock = new SimulatedClock();
  const dataFolder = temporaryFolder(t);
  const config = (settings: Record<string, unknown>) => loadConfig({ flags: { dataFolder, ...settings } });
  let reads = 0;
  const groups = new Groups({ clock, startedAt: clock.now() }).add({
    description: { name: 'a', version: 1, title: '', instance: null, columns: [counter('n', '1', '')] },
    read: () => [{ instance: '', figures: [++reads] }],
  });
  const recording = new Recording(config({}), groups, clock, pino({ level: 'silent' }));
  /** Lets time pass, and what was read be written. */
  const pass = async (ms: number, count: number) => {
    const wanted = reads + count;
    for (let step = 0; step < count; step++) {
      clock.advance(ms);
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    }
    assert.equal(reads, wanted);
  };
  await pass(1000, 3);
  await recording.change(config({ wsarIntervalMs: '100ms' }));
  await pass(100, 5);
  await recording.change(config({ wsarRecord: 'off' }));
  clock.advance(60_000);
  assert.equal(reads, 8, 'nothing is read while it is off');
  await recording.change(config({ wsarIntervalMs: '2s' }));
  await pass(2000, 2);
  await recording.close();
  await recording.change(config({}));
  clock.advance(60_000);
  assert.equal(reads, 10, 'what is over stays so');

  const files = recordingsIn(join(dataFolder, 'wsar')).map(({ path }) => new RecordingFile(path));
  assert.deepEqual(
    files.map(({ origin }) => origin.intervalMs),
    [1000, 100, 2000],
  );
  assert.equal(new Set(files.map(({ origin }) => origin.run)).size, 1);
});
