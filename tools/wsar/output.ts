import type { Interval } from './intervals.js';
import type { Origin } from './observed.js';

/** Writes what was observed in one form. */
export interface Output {
  begin(origin: Origin, at: number): void;
  interval(interval: Interval): void;
  /** Counters began again: what is looked at was started anew. */
  restart(at: number, program: string): void;
  /** Over everything. Forms for programs leave it out. */
  average(interval: Interval): void;
}

/** Where lines go. */
export type Write = (text: string) => void;

export function clockTime(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

export function calendarDay(at: number): string {
  const date = new Date(at);
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${date.getFullYear()}-${month}-${day}`;
}

/** For programs: no more digits than mean something. */
export function plain(value: number): number | null {
  return Number.isNaN(value) ? null : Number(value.toPrecision(9));
}
