/** Figures as one reads them at three in the morning. */

/** `612,340`; the locale of the machine does not matter. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `40 K/s`, `3.5/s`, `1.2 M/s`. */
export function rate(perSecond: number): string {
  return `${short(perSecond)}/s`;
}

/** Two digits that count: `950`, `21 K`, `1.2 M`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size < 10) return trimmed(value, 1);
  if (size < 1000) return trimmed(value, 0);
  if (size < 10_000) return `${trimmed(value / 1000, 1)} K`;
  if (size < 999_500) return `${trimmed(value / 1000, 0)} K`;
  if (size < 10_000_000) return `${trimmed(value / 1e6, 1)} M`;
  return `${trimmed(value / 1e6, 0)} M`;
}

/** `0.4 s`, `15 s`, `2 min 5 s`, `3 h 20 min`, `4 days`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${trimmed(seconds, 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoParts(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return twoParts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  return `${Math.round(minutes / 1440)} days`;
}

/** `812 MiB`, `1.5 GiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${trimmed(size, size < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

/** Of a share from 0 to 1: `94 %`. */
export function percent(share: number): string {
  return `${trimmed(share * 100, 0)} %`;
}

function twoParts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.0+$/, '');
}
