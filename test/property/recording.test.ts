/** The recording's bytes: what is written is read, what is cut or flipped is noticed, and the rest is read all the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Column, Figure, GroupDescription, Reading, Row } from '../../src/metrics/reading.js';
import { writeBlock, writeHeader } from '../../src/metrics/recording/blocks.js';
import { ByteSink } from '../../src/metrics/recording/byte-sink.js';
import { ByteSource } from '../../src/metrics/recording/byte-source.js';
import { readFigure, rounded, writeFigure } from '../../src/metrics/recording/figure-codec.js';
import { RecordingCursor } from '../../src/metrics/recording/recording-cursor.js';
import { RecordingError } from '../../src/metrics/recording/recording-error.js';
import { RecordingFile } from '../../src/metrics/recording/recording-file.js';
import { RecordingWriter } from '../../src/metrics/recording/recording-writer.js';
import { readingOf, sampleOf } from '../../src/metrics/recording/sample.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const figure: fc.Arbitrary<Figure> = fc.oneof(
  fc.constant(null),
  fc.nat(1000),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => rounded(value) + 0),
);

const groupName = fc.constantFrom('os', 'sched', 'msgq', 'größe');

const group: fc.Arbitrary<GroupDescription> = fc.record({
  name: groupName,
  version: fc.integer({ min: 1, max: 300 }),
  title: fc.string({ maxLength: 20 }),
  instance: fc.option(fc.string({ maxLength: 8 })),
  columns: fc
    .array(
      fc.record({
        kind: fc.constantFrom<Column['kind']>('counter', 'gauge', 'peak'),
        unit: fc.constantFrom('By', 'ms', '{message}'),
        description: fc.string({ maxLength: 10 }),
      }),
      { minLength: 1, maxLength: 19 },
    )
    .map((columns) => columns.map((column, index) => ({ name: `c${index}`, ...column }))),
});

const groups = fc.uniqueArray(group, { minLength: 1, maxLength: 3, selector: ({ name }) => name });

function rows(of: GroupDescription): fc.Arbitrary<readonly Row[]> {
  const width = of.columns.length;
  return fc.uniqueArray(
    fc.record(
      {
        instance: fc.constantFrom('', 'a', 'b', 'scheduler-1', '1>2'),
        figures: fc.array(figure, { minLength: width, maxLength: width }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 4, selector: ({ instance }) => instance },
  );
}

interface Step {
  readonly groups: readonly GroupDescription[];
  readonly reading: Reading;
}

/** Samples of the same groups, now and then without one of them; figures often stay as they were. */
const steps: fc.Arbitrary<readonly Step[]> = groups.chain((described) =>
  fc
    .array(
      fc.record({
        gapMs: fc.integer({ min: -5000, max: 100_000 }),
        uptimeUs: fc.integer({ min: 0, max: 2 ** 45 }),
        rows: fc.tuple(...described.map((one) => fc.option(rows(one), { freq: 6 }))),
        repeats: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    )
    .map((list) => {
      let at = Date.UTC(2026, 10, 22, 10);
      let before: Reading['groups'] = {};
      return list.map(({ gapMs, uptimeUs, rows, repeats }) => {
        at += gapMs;
        const fresh = Object.fromEntries(
          described.flatMap(({ name }, index) => {
            const value = rows[index];
            return value === null || value === undefined ? [] : [[name, value] as const];
          }),
        );
        before = repeats ? before : fresh;
        return {
          groups: described,
          reading: { version: 1 as const, at, uptimeMs: uptimeUs / 1000, groups: before },
        };
      });
    }),
);

/** The bytes of a file with these samples, ended in order or as it stands while it is written. */
async function recorded(
  folder: string,
  list: readonly Step[],
  isEnded: boolean,
  keyEvery = 60,
): Promise<Uint8Array> {
  const inner = mkdtempSync(join(folder, 'wsar-'));
  const writer = new RecordingWriter({
    folder: inner,
    clock: new SimulatedClock(),
    origin: { run: 'r', host: 'h', system: 's', cpus: 2, program: 'p', intervalMs: 1000 },
    fileBytesMax: Number.MAX_SAFE_INTEGER,
    keepBytes: Number.MAX_SAFE_INTEGER,
    keyEvery,
    onProblem: (error) => assert.fail(error),
  });
  for (const { reading, groups } of list) assert.ok(writer.append(sampleOf(reading, groups), groups));
  await writer.settled();
  const open = readFileSync(join(inner, readdirSync(inner)[0]!));
  await writer.close();
  return isEnded ? readFileSync(join(inner, readdirSync(inner)[0]!)) : open;
}

interface ReadBack {
  readonly readings: readonly Reading[];
  /** What the reader said was not as it should be. */
  readonly complaints: number;
  readonly error: RecordingError | null;
}

function readBack(path: string, bytes: Uint8Array, from: number | null = null): ReadBack {
  writeFileSync(path, bytes);
  let file: RecordingFile;
  try {
    file = new RecordingFile(path);
  } catch (error) {
    assert.ok(error instanceof RecordingError, String(error));
    return { readings: [], complaints: 1, error };
  }
  const cursor = new RecordingCursor(file);
  if (from !== null) cursor.seek(from);
  const readings: Reading[] = [];
  let complaints = 0;
  for (;;) {
    const next = cursor.next();
    if (next.type === 'sample') readings.push(readingOf(next.sample));
    else if (next.type === 'end') {
      file.close();
      return { readings, complaints: complaints + (next.rest > 0 ? 1 : 0), error: null };
    } else complaints++;
  }
}

describe('recordings', () => {
  test('a figure is read as it was written, whatever stood before it', () => {
    const any = figure.map((value) => value ?? Number.NaN);
    fc.assert(
      fc.property(any, any, (value, before) => {
        const sink = new ByteSink();
        writeFigure(sink, value, before);
        const source = new ByteSource(sink.bytes);
        assert.equal(readFigure(source, before), value);
        assert.ok(source.isAtEnd);
      }),
      { numRuns: 2000 },
    );
  });

  test('numbers as they go into files', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger().filter((value) => Math.abs(value) < 2 ** 52)), (values) => {
        const sink = new ByteSink(1);
        for (const value of values) sink.zigzag(value);
        const source = new ByteSource(sink.bytes);
        for (const value of values) assert.equal(source.zigzag(), value);
        assert.throws(() => source.u8(), RecordingError);
      }),
    );
  });

  test('what is written is read, ended or not', async (t) => {
    const folder = temporaryFolder(t);
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (list, isEnded, keyEvery) => {
          const bytes = await recorded(folder, list, isEnded, keyEvery);
          const { readings, complaints } = readBack(join(folder, 'x.wsar'), bytes);
          assert.equal(complaints, 0);
          assert.deepEqual(
            readings,
            list.map(({ reading }) => reading),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('cut off at any byte: everything before is read, and the rest is reported', async (t) => {
    const folder = temporaryFolder(t);
    await fc.assert(
      fc.asyncProperty(steps, async (whole) => {
        const list = whole.slice(0, 4);
        const bytes = await recorded(folder, list, true, 2);
        const all = list.map(({ reading }) => reading);
        let most = 0;
        let boundaries = 0;
        for (let length = 0; length < bytes.length; length++) {
          const { readings, complaints, error } = readBack(join(folder, 'x.wsar'), bytes.subarray(0, length));
          assert.deepEqual(readings, all.slice(0, readings.length));
          assert.ok(readings.length >= most, 'more bytes, and fewer samples');
          most = readings.length;
          if (error === null && complaints === 0) boundaries++;
        }
        assert.equal(most, all.length);
        // Behind the header, each block, and the index.
        assert.equal(boundaries, all.length + 3);
      }),
      { numRuns: 3 },
    );
  });

  test('a flipped bit is noticed, and no sample is read wrongly', async (t) => {
    const folder = temporaryFolder(t);
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.double({ min: 0, max: 0.9999999, noNaN: true }), { minLength: 40, maxLength: 40 }),
        async (list, places) => {
          const bytes = await recorded(folder, list, true);
          const all = list.map(({ reading }) => JSON.stringify(reading));
          for (const place of places) {
            const spoilt = Uint8Array.from(bytes);
            const bit = Math.floor(place * bytes.length * 8);
            spoilt[bit >> 3]! ^= 1 << (bit & 7);
            const { readings, complaints } = readBack(join(folder, 'x.wsar'), spoilt);
            assert.ok(complaints > 0, `bit ${bit} of ${bytes.length * 8} was not noticed`);
            for (const reading of readings) assert.ok(all.includes(JSON.stringify(reading)), `bit ${bit}`);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('a block that is damaged costs the samples until the next key frame, and no more', async (t) => {
    const folder = temporaryFolder(t);
    const described: GroupDescription[] = [
      {
        name: 'g',
        version: 1,
        title: '',
        instance: null,
        columns: [{ name: 'n', kind: 'counter', unit: '1', description: '' }],
      },
    ];
    const list = Array.from({ length: 200 }, (_, index) => ({
      groups: described,
      reading: {
        version: 1 as const,
        at: Date.UTC(2026, 10, 22, 10) + index * 1000,
        uptimeMs: index * 1000,
        groups: { g: [{ instance: '', figures: [index * 7] }] },
      },
    }));
    const bytes = await recorded(folder, list, true);
    const path = join(folder, 'x.wsar');
    writeFileSync(path, bytes);
    const file = new RecordingFile(path);
    const { keys } = file.index();
    assert.equal(keys.length, 4);
    assert.deepEqual(
      keys.map(({ at }) => (at - list[0]!.reading.at) / 1000),
      [0, 60, 120, 180],
    );
    // The block behind the second key frame.
    const key = file.blockAt(keys[1]!.offset);
    assert.equal(key.type, 'block');
    const spoilt = Uint8Array.from(bytes);
    if (key.type === 'block') spoilt[key.block.end + 14]! ^= 0xff;
    file.close();
    const { readings, complaints } = readBack(path, spoilt);
    const seconds = readings.map(({ uptimeMs }) => uptimeMs / 1000);
    assert.deepEqual(seconds, [
      ...Array(61).keys(),
      ...Array.from({ length: 80 }, (_, index) => 120 + index),
    ]);
    // The cut, and the samples that are lost with it.
    assert.equal(complaints, 2);
    // From the index or by looking through: the same places.
    for (const image of [bytes, bytes.subarray(0, bytes.length - 1)]) {
      const late = readBack(path, image, list[150]!.reading.at).readings;
      assert.deepEqual([late[0]?.uptimeMs, late.length], [120_000, 80]);
    }
  });

  test('an old reader skips what it does not know', async (t) => {
    const folder = temporaryFolder(t);
    const sink = new ByteSink();
    // A description and a column that say more than this version knows.
    const longer = (...parts: ((sink: ByteSink) => void)[]) => {
      const part = new ByteSink();
      for (const write of parts) write(part);
      return (into: ByteSink) => {
        into.varint(part.length);
        into.append(part.bytes);
      };
    };
    const column = longer(
      (part) => part.text('n'),
      (part) => part.u8(1),
      (part) => part.text('By'),
      (part) => part.text('…'),
      (part) => part.f64(42),
    );
    sink.varint(1);
    longer(
      (part) => part.text('later'),
      (part) => part.varint(7),
      (part) => part.text('A later group'),
      (part) => part.u8(0),
      (part) => part.text(''),
      (part) => part.varint(1),
      column,
      (part) => part.text('and more'),
    )(sink);
    const frame = new ByteSink();
    frame.varint(1);
    frame.zigzag(1000);
    frame.zigzag(5000);
    frame.varint(1);
    frame.varint(0);
    const body = new ByteSink();
    body.varint(1);
    body.text('');
    writeFigure(body, 9, Number.NaN);
    frame.varint(body.length);
    frame.append(body.bytes);
    const file = new ByteSink();
    writeHeader(file, { run: 'r', at: 0, host: 'h', system: 's', cpus: 1, program: 'p', intervalMs: 1 });
    writeBlock(file, 1, sink.bytes);
    writeBlock(file, 200, new Uint8Array(5));
    writeBlock(file, 2, frame.bytes);
    const { readings, complaints } = readBack(join(folder, 'x.wsar'), file.bytes);
    assert.equal(complaints, 0);
    assert.deepEqual(readings, [
      { version: 1, at: 1000, uptimeMs: 5, groups: { later: [{ instance: '', figures: [9] }] } },
    ]);
  });
});
