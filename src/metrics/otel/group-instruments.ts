import type { Attributes, Meter, Observable } from '@opentelemetry/api';
import type { Column, GroupDescription, Reading, Row } from '../reading.js';
import { type InstrumentOf, instrumentOf } from './instrument-of.js';

/** What is exported: the registry of groups. */
export interface ReadableGroups {
  describe(): readonly GroupDescription[];
  read(names?: Iterable<string>): Promise<Reading>;
}

interface Exported {
  readonly instrument: Observable;
  readonly of: InstrumentOf;
  /** Where its figures stand in a row, and the column that they are times. */
  readonly index: number;
  readonly timesIndex: number | null;
}

/**
 * Makes an observable instrument for each column of each group, and reads all groups once for each collection. Nothing is
 * read in between. Counters are observable counters; gauges and peaks are observable gauges. A figure that is not to be
 * had is not observed.
 *
 * Groups whose rows are transient are left out.
 *
 * A peak is the most since the reading before: of these instruments, if `groups` is a GroupReader.
 *
 * @throws RangeError when two columns would have the same name.
 */
export function groupInstruments(meter: Meter, groups: ReadableGroups): void {
  const instruments = new Map<string, { readonly instrument: Observable; readonly kind: Column['kind'] }>();
  const streams = new Set<string>();
  const exported = new Map<string, readonly Exported[]>();
  for (const group of groups.describe()) {
    if (group.transient === true) continue;
    exported.set(
      group.name,
      group.columns.map((column, index): Exported => {
        const of = instrumentOf(group, column);
        const stream = `${of.name} ${JSON.stringify(of.attributes)}`;
        if (streams.has(stream)) throw new RangeError(`two columns would be exported as ${stream}`);
        streams.add(stream);
        let made = instruments.get(of.name);
        if (made === undefined) {
          made = { instrument: observable(meter, of, column), kind: column.kind };
          instruments.set(of.name, made);
        } else if ((made.kind === 'counter') !== (column.kind === 'counter')) {
          throw new RangeError(`${of.name} would be a counter and a gauge`);
        }
        const timesIndex =
          of.times === undefined ? null : group.columns.findIndex(({ name }) => name === of.times);
        return { instrument: made.instrument, of, index, timesIndex };
      }),
    );
  }
  const uptime = meter.createObservableGauge('process.uptime', {
    unit: 's',
    description: 'Time since the server was started.',
  });
  meter.addBatchObservableCallback(
    async (result) => {
      const reading = await groups.read(exported.keys());
      result.observe(uptime, reading.uptimeMs / 1000);
      for (const [name, rows] of Object.entries(reading.groups)) {
        for (const one of exported.get(name) ?? []) {
          for (const row of rows) {
            const value = exportedValue(one, row);
            if (value !== null) result.observe(one.instrument, value, attributesOf(one.of, row));
          }
        }
      }
    },
    [uptime, ...[...instruments.values()].map(({ instrument }) => instrument)],
  );
}

function observable(meter: Meter, { name, unit, description }: InstrumentOf, { kind }: Column): Observable {
  const options = { unit, description };
  return kind === 'counter'
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
}

function exportedValue({ of, index, timesIndex }: Exported, { figures }: Row): number | null {
  const figure = figures[index] ?? null;
  const times = timesIndex === null ? 1 : (figures[timesIndex] ?? null);
  return figure === null || times === null ? null : figure * of.scale * times;
}

function attributesOf({ attributes, instanceAttribute }: InstrumentOf, { instance }: Row): Attributes {
  return instanceAttribute === null ? attributes : { ...attributes, [instanceAttribute]: instance };
}
