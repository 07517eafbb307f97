import type { Unit } from '../../metrics/reading.js';
import type { Point } from './samples.js';

/** What stands for a figure that there is not. Never 0. */
export const NOT_AVAILABLE = 'n/a';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const finest = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function number(value: Point): string {
  if (value === null) return NOT_AVAILABLE;
  const size = Math.abs(value);
  if (size >= 100_000) return short.format(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return (size >= 10 ? fine : finest).format(value);
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: Point): string {
  if (value === null) return NOT_AVAILABLE;
  let unit = 0;
  let left = value;
  while (Math.abs(left) >= 1024 && unit < BYTES.length - 1) {
    left /= 1024;
    unit++;
  }
  return `${left < 10 && unit > 0 ? left.toFixed(1) : Math.round(left)} ${BYTES[unit]}`;
}

/** A time span as one says it: two units at most. */
export function duration(ms: Point): string {
  if (ms === null) return NOT_AVAILABLE;
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  const minutes = Math.floor(s / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return `${minutes} min ${Math.floor(s) % 60} s`;
}

export function share(value: Point): string {
  return value === null
    ? NOT_AVAILABLE
    : `${value !== 0 && value < 0.1 ? (value * 100).toFixed(1) : Math.round(value * 100)} %`;
}

/** A figure in its unit; of a counter, which is shown as a rate, with `/s` behind it. */
export function figure(value: Point, unit: Unit, isRate = false): string {
  if (value === null) return NOT_AVAILABLE;
  switch (unit) {
    case 'By':
      return bytes(value) + (isRate ? '/s' : '');
    case 'KiBy':
      return bytes(value * 1024) + (isRate ? '/s' : '');
    // Milliseconds in each second are a share of the time.
    case 'ms':
      return isRate ? share(value / 1000) : duration(value);
    case 's':
      return isRate ? share(value) : duration(value * 1000);
    case 'us':
      return isRate ? share(value / 1e6) : duration(value / 1000);
    case 'ns':
      return isRate ? share(value / 1e9) : duration(value / 1e6);
    case '1':
      return isRate ? `${number(value)}/s` : share(value);
    case '%':
      return `${number(value)} %`;
    default:
      return number(value) + (isRate ? '/s' : '');
  }
}

export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

export function dayAndTime(at: number): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The time of day, with the day before it when it was not today. */
export function momentText(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return isToday ? clockTime(at) : dayAndTime(at);
}

/** Figures are shown in whatever unit suits them: a name that says another one would mislead. */
const TIMES = /_(?:ms|ns|us|s)(?=_max$|$)/;
const SHORT_FORMS = /\b(?:cpu|gc|io|ipc|psi|tcp|udp|wal)\b/g;

/** `batch_ms_max` as a heading: Batch time max. */
export function words(name: string): string {
  const text = name
    .replace(TIMES, '_time')
    .replaceAll('_', ' ')
    .replace(SHORT_FORMS, (form) => form.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}
