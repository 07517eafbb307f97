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
