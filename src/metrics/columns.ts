import type { Column, Unit } from './reading.js';

/** A column that only grows. */
export function counter(name: string, unit: Unit, description: string): Column {
  return { name, kind: 'counter', unit, description };
}

/** A column that says how it is now. */
export function gauge(name: string, unit: Unit, description: string): Column {
  return { name, kind: 'gauge', unit, description };
}

/** A column that says the most there was. */
export function peak(name: string, unit: Unit, description: string): Column {
  return { name, kind: 'peak', unit, description };
}

/** The name of the column for a counter that is called so in the code: `entriesLocal` is `entries_local`. */
export function columnName(counter: string): string {
  return counter.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
