/** Numbers, days and times as people read them. */

/** `+49 170 0000001`: grouped by country code where it is known well enough, else in threes. */
export function phoneText(user: number): string {
  const digits = String(user);
  const code = COUNTRY_CODES.find((prefix) => digits.startsWith(prefix)) ?? digits.slice(0, 2);
  const rest = digits.slice(code.length);
  const groups: string[] = [];
  for (let at = 0; at < rest.length; ) {
    // No group of one digit at the end.
    const size = rest.length - at === 4 ? 4 : 3;
    groups.push(rest.slice(at, at + size));
    at += size;
  }
  return `+${code} ${groups.join(' ')}`;
}

/** One and two digits; all others have three (ITU-T E.164, list of assigned codes). */
const COUNTRY_CODES = [
  '1',
  '7',
  '20',
  '27',
  '30',
  '31',
  '32',
  '33',
  '34',
  '36',
  '39',
  '40',
  '41',
  '43',
  '44',
  '45',
  '46',
  '47',
  '48',
  '49',
  '51',
  '52',
  '53',
  '54',
  '55',
  '56',
  '57',
  '58',
  '60',
  '61',
  '62',
  '63',
  '64',
  '65',
  '66',
  '81',
  '82',
  '84',
  '86',
  '90',
  '91',
  '92',
  '93',
  '94',
  '95',
  '98',
];

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const dateAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: '2-digit', year: '2-digit' });

export function clockText(time: number): string {
  return clock.format(time);
}

/** Local days since some day: equal on the same day. */
export function dayOf(time: number): number {
  const at = new Date(time);
  return Math.round(new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime() / 86_400_000);
}

export function dayText(time: number, now: number): string {
  const ago = dayOf(now) - dayOf(time);
  if (ago <= 0) return 'Today';
  if (ago === 1) return 'Yesterday';
  if (ago < 7) return weekday.format(time);
  return new Date(time).getFullYear() === new Date(now).getFullYear()
    ? date.format(time)
    : dateAndYear.format(time);
}

/** For a list: the time of today, the day before. */
export function listTimeText(time: number, now: number): string {
  const ago = dayOf(now) - dayOf(time);
  if (ago <= 0) return clockText(time);
  if (ago === 1) return 'Yesterday';
  return ago < 7 ? weekday.format(time) : shortDate.format(time);
}

export function lastSeenText(time: number, now: number): string {
  if (now - time < 60_000) return 'last seen just now';
  const day = dayText(time, now);
  return `last seen ${day === 'Today' ? 'today' : day === 'Yesterday' ? 'yesterday' : `on ${day}`} at ${clockText(time)}`;
}

/** Up to two letters for a picture. */
export function initials(name: string, user: number): string {
  const words = name
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return String(user).slice(-2);
  const first = [...words[0]!][0]!;
  const last = words.length > 1 ? [...words.at(-1)!][0]! : '';
  return (first + last).toUpperCase();
}
