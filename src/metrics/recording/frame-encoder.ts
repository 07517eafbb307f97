import type { GroupDescription } from '../reading.js';
import { ByteSink } from './byte-sink.js';
import { writeDescriptions } from './description-codec.js';
import { writeFigure } from './figure-codec.js';
import type { Sample, Table } from './sample.js';

/** What a group looked like in the frame before. */
interface Before {
  /** Nobody changes a table but the reader of a recording, and he hands out another one each time. */
  readonly table: Table;
  readonly instances: readonly string[];
  readonly figures: Float64Array;
}

/** How the rows of a group in a delta frame relate to those of the frame before. */
export const ROWS = { same: 0, listed: 1 } as const;

/**
 * Turns samples into frames: a key frame stands for itself, a delta frame says what has changed since the frame before it.
 * docs/operations/wsar-format.md has the bytes.
 */
export class FrameEncoder {
  #groups: readonly GroupDescription[] = [];
  #before = new Map<string, Before>();
  #number = 0;
  #at = 0;
  #uptimeUs = 0;
  readonly #body = new ByteSink();

  /** The payload of a block of descriptions. The next frame must be a key frame. */
  describe(sink: ByteSink, groups: readonly GroupDescription[]): void {
    this.#groups = groups;
    this.#before.clear();
    writeDescriptions(sink, groups);
  }

  /** The payload of a frame. Groups that were not described are left out. */
  frame(sink: ByteSink, sample: Sample, isKey: boolean): void {
    const at = Math.round(sample.at);
    const uptimeUs = Math.round(sample.uptimeMs * 1000);
    sink.varint(++this.#number);
    if (isKey) this.#before.clear();
    sink.zigzag(at - (isKey ? 0 : this.#at));
    sink.zigzag(uptimeUs - (isKey ? 0 : this.#uptimeUs));
    this.#at = at;
    this.#uptimeUs = uptimeUs;
    const groups = this.#groups;
    let present = 0;
    for (const { name } of groups) if (sample.tables.has(name)) present++;
    sink.varint(present);
    for (let id = 0; id < groups.length; id++) {
      const { name } = groups[id]!;
      const table = sample.tables.get(name);
      if (table === undefined) continue;
      this.#body.clear();
      const before = this.#before.get(name);
      const isSame = before?.table === table;
      if (isKey) this.#whole(table);
      else if (isSame) this.#same(table);
      else this.#changed(table, before);
      sink.varint(id);
      sink.varint(this.#body.length);
      sink.append(this.#body.bytes);
      if (isSame) continue;
      const { instances, figures } = table;
      this.#before.set(name, { table, instances, figures: figures.slice() });
    }
  }

  #whole({ instances, figures, description }: Table): void {
    const width = description.columns.length;
    this.#body.varint(instances.length);
    for (let row = 0; row < instances.length; row++) {
      this.#body.text(instances[row]!);
      for (let column = 0; column < width; column++)
        writeFigure(this.#body, figures[row * width + column]!, Number.NaN);
    }
  }

  /** As {@link #changed} where nothing has: no bit is set. */
  #same({ instances, description }: Table): void {
    this.#body.u8(ROWS.same);
    const bytes = instances.length * Math.ceil(description.columns.length / 8);
    for (let n = 0; n < bytes; n++) this.#body.u8(0);
  }

  #changed(table: Table, before: Before | undefined): void {
    const { instances, description } = table;
    const width = description.columns.length;
    const isSame = before !== undefined && sameTexts(instances, before.instances);
    this.#body.u8(isSame ? ROWS.same : ROWS.listed);
    if (!isSame) this.#body.varint(instances.length);
    for (let row = 0; row < instances.length; row++) {
      const instance = instances[row]!;
      if (!isSame) this.#body.text(instance);
      const rowBefore = isSame ? row : (before?.instances.indexOf(instance) ?? -1);
      this.#row(table, row, width, rowBefore < 0 ? null : before!.figures, rowBefore * width);
    }
  }

  /** One bit for each column that has changed, then these. */
  #row({ figures }: Table, row: number, width: number, before: Float64Array | null, beforeAt: number): void {
    const at = row * width;
    for (let first = 0; first < width; first += 8) {
      let bits = 0;
      for (let bit = 0; bit < 8 && first + bit < width; bit++) {
        const column = first + bit;
        if (!sameFigure(figures[at + column]!, before?.[beforeAt + column] ?? Number.NaN)) bits |= 1 << bit;
      }
      this.#body.u8(bits);
    }
    for (let column = 0; column < width; column++) {
      const old = before?.[beforeAt + column] ?? Number.NaN;
      const figure = figures[at + column]!;
      if (!sameFigure(figure, old)) writeFigure(this.#body, figure, old);
    }
  }
}

/** NaN is n/a, and the same as itself. */
function sameFigure(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
