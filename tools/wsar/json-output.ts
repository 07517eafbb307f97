import type { View } from './columns.js';
import type { Interval } from './intervals.js';
import type { Origin } from './observed.js';
import { type Output, plain, type Write } from './output.js';

/** A line of JSON for each interval, and one for what it is at the beginning and at each restart. null: n/a. */
export class JsonOutput implements Output {
  readonly #views: readonly View[];
  readonly #write: Write;

  constructor(views: readonly View[], write: Write) {
    this.#views = views;
    this.#write = write;
  }

  begin(origin: Origin, at: number): void {
    this.#line({ type: 'begin', time: new Date(at).toISOString(), ...origin });
  }

  interval({ at, seconds, tables }: Interval): void {
    const groups: Record<string, unknown[]> = {};
    for (const { group, columns } of this.#views) {
      const rows = tables.get(group.name)?.rows;
      if (rows === undefined) continue;
      groups[group.name] = rows.map(({ instance, values }) => {
        const figures: Record<string, unknown> = group.instance === null ? {} : { instance };
        for (const index of columns) figures[group.columns[index]!.name] = plain(values[index]!);
        return figures;
      });
    }
    this.#line({ type: 'interval', time: new Date(at).toISOString(), seconds: plain(seconds), groups });
  }

  restart(at: number, program: string): void {
    this.#line({ type: 'restart', time: new Date(at).toISOString(), program });
  }

  average(): void {}

  #line(value: unknown): void {
    this.#write(`${JSON.stringify(value)}\n`);
  }
}
