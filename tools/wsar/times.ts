import { WsarError } from './wsar-error.js';

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };

/** `1500ms`, `30s`, `10m`, `2h`, `1d`; a number alone means seconds, as for sar. @throws WsarError */
export function parseDuration(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const ms = match === null ? Number.NaN : Number(match[1]) * UNITS_MS[match[2] ?? 's']!;
  if (!(ms > 0)) throw new WsarError(`${what} must be a time such as 1, 0.5, 30s or 10m, not ${text}`, 2);
  return ms;
}

const SIZES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `64MiB`; a number alone means bytes. @throws WsarError */
export function parseSize(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB)?$/.exec(text);
  const bytes = match === null ? Number.NaN : Math.floor(Number(match[1]) * SIZES[match[2] ?? '']!);
  if (!(bytes > 0)) throw new WsarError(`${what} must be a size such as 64MiB, not ${text}`, 2);
  return bytes;
}

/**
 * A point in time, wall-clock ms: `10:00` or `10:00:30` of a day, `2026-11-22` or `2026-11-22T10:00`, all in local time; with
 * `Z` behind it, in UTC; `-10m` before the end of what there is.
 *
 * @param day a time of the day that is meant. @param end of what there is.
 * @throws WsarError
 */
export function parseTime(text: string, what: string, day: number, end: number): number {
  const before = /^-(.+)$/.exec(text);
  if (before !== null) return end - parseDuration(before[1]!, what);
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text);
  if (clock !== null) {
    const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
    if (hours <= 24 && minutes < 60 && seconds < 60)
      return new Date(day).setHours(hours, minutes, seconds, 0);
  }
  const dated = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z?))?$/.exec(text);
  // Date alone would be taken for UTC.
  const at = dated === null ? Number.NaN : Date.parse(`${dated[1]}T${dated[2] ?? '00:00'}${dated[3] ?? ''}`);
  if (Number.isNaN(at) || !isDate(dated![1]!)) {
    throw new WsarError(`${what} must be a time such as 10:00, 2026-11-22T10:00:30 or -10m, not ${text}`, 2);
  }
  return at;
}

/** `2026-11-22`, `today`, `yesterday`, `-2` (days ago). @param now wall-clock ms. @throws WsarError */
export function parseDay(text: string, now: number): number {
  const noon = new Date(now).setHours(12, 0, 0, 0);
  const ago =
    text === 'today' ? 0 : text === 'yesterday' ? 1 : /^-\d+$/.test(text) ? Number(text.slice(1)) : null;
  // By noons, which days that are an hour longer or shorter do not move to other dates.
  if (ago !== null) return new Date(noon).setDate(new Date(noon).getDate() - ago);
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T12:00`) : Number.NaN;
  if (Number.isNaN(at) || !isDate(text))
    throw new WsarError(`--day must be such as 2026-11-22, yesterday or -2, not ${text}`, 2);
  return at;
}

/** Whether there is such a day: a 30th of February would be taken for a day of March. */
function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
