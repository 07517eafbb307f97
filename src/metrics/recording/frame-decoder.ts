import type { GroupDescription } from '../reading.js';
import type { ByteSource } from './byte-source.js';
import { readDescriptions } from './description-codec.js';
import { readFigure } from './figure-codec.js';
import { ROWS } from './frame-encoder.js';
import { RecordingError } from './recording-error.js';
import type { Sample, Table } from './sample.js';

const NOTHING = new Float64Array(0);
/** Rows of one group: more would be no recording of ours. */
const ROWS_MAX = 1_000_000;

/** A group as the frame that was read last has it. */
interface Known {
  readonly description: GroupDescription;
  readonly isWanted: boolean;
  instances: readonly string[];
  figures: Float64Array;
}

/**
 * Turns frames back into samples. Groups that nobody wants are skipped by their length and cost nothing.
 *
 * A delta frame needs the frame before it: {@link FrameDecoder.canRead} says whether that was read.
 */
export class FrameDecoder {
  readonly #wanted: ReadonlySet<string> | null;
  #groups: readonly Known[] = [];
  #number = -1;
  #at = 0;
  #uptimeUs = 0;

  /** @param wanted names of groups; null: all. */
  constructor(wanted: ReadonlySet<string> | null = null) {
    this.#wanted = wanted;
  }

  get descriptions(): readonly GroupDescription[] {
    return this.#groups.map(({ description }) => description);
  }

  /** @throws RecordingError */
  describe(source: ByteSource): void {
    this.#groups = readDescriptions(source).map((description) => ({
      description,
      isWanted: this.#wanted === null || this.#wanted.has(description.name),
      instances: [],
      figures: NOTHING,
    }));
    this.#number = -1;
  }

  /** Whether a delta frame with this number follows on what was read. */
  canRead(number: number): boolean {
    return this.#number >= 0 && number === this.#number + 1;
  }

  /** What was read is no ground for the next delta frame. */
  forget(): void {
    this.#number = -1;
  }

  /**
   * The sample of a frame; null for a delta frame whose ground is missing. Its tables are written over by the next frame.
   *
   * @throws RecordingError
   */
  frame(source: ByteSource, isKey: boolean): Sample | null {
    const number = source.varint();
    if (!isKey && !this.canRead(number)) return null;
    // Whatever is half read after an error is no ground either.
    this.#number = -1;
    if (isKey) {
      // A group that is not in it is compared with nothing when it comes back.
      for (const group of this.#groups) {
        group.instances = [];
        group.figures = NOTHING;
      }
    }
    this.#at = source.zigzag() + (isKey ? 0 : this.#at);
    this.#uptimeUs = source.zigzag() + (isKey ? 0 : this.#uptimeUs);
    const tables = new Map<string, Table>();
    for (let left = source.varint(); left > 0; left--) {
      const id = source.varint();
      const body = source.part(source.varint());
      const group = this.#groups[id];
      if (group === undefined) throw new RecordingError(`group ${id} was not described`);
      if (!group.isWanted) continue;
      if (isKey) this.#whole(body, group);
      else this.#changed(body, group);
      const { description, instances, figures } = group;
      tables.set(description.name, { description, instances, figures });
    }
    this.#number = number;
    return { at: this.#at, uptimeMs: this.#uptimeUs / 1000, tables };
  }

  #whole(body: ByteSource, group: Known): void {
    const rows = rowCount(body, group);
    const width = group.description.columns.length;
    const instances: string[] = [];
    const figures = new Float64Array(rows * width);
    let at = 0;
    for (let row = 0; row < rows; row++) {
      instances.push(body.text());
      for (let column = 0; column < width; column++) figures[at++] = readFigure(body, Number.NaN);
    }
    group.instances = instances;
    group.figures = figures;
  }

  #changed(body: ByteSource, group: Known): void {
    const width = group.description.columns.length;
    const kind = body.u8();
    if (kind === ROWS.same) {
      const { figures, instances } = group;
      for (let row = 0; row < instances.length; row++) readRow(body, width, figures, row * width);
      return;
    }
    if (kind !== ROWS.listed) throw new RecordingError(`rows of an unknown kind: ${kind}`);
    const rows = rowCount(body, group);
    const instances: string[] = [];
    const figures = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const instance = body.text();
      const before = group.instances.indexOf(instance);
      instances.push(instance);
      if (before < 0) figures.fill(Number.NaN, row * width, (row + 1) * width);
      else figures.set(group.figures.subarray(before * width, (before + 1) * width), row * width);
      readRow(body, width, figures, row * width);
    }
    group.instances = instances;
    group.figures = figures;
  }
}

/** Each row takes at least a byte for its name. */
function rowCount(body: ByteSource, { description }: Known): number {
  const rows = body.varint();
  if (rows > ROWS_MAX) throw new RecordingError(`${rows} rows of ${description.name}`);
  return rows;
}

/** The changes of one row, over what is there. */
function readRow(body: ByteSource, width: number, figures: Float64Array, at: number): void {
  const bitmap = body.part(Math.ceil(width / 8));
  for (let first = 0; first < width; first += 8) {
    const bits = bitmap.u8();
    if (bits === 0) continue;
    for (let bit = 0; bit < 8; bit++) {
      if ((bits & (1 << bit)) === 0) continue;
      if (first + bit >= width) throw new RecordingError('a change of a column that there is not');
      const index = at + first + bit;
      figures[index] = readFigure(body, figures[index]!);
    }
  }
}
