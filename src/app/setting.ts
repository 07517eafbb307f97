import { parseByLabel, wholeNumber } from '../metrics/alerts/alert-limits.js';

/** How texts are sent to phones. */
export type SmsGateway =
  /** Development: the text appears in the log and on the operator's page. */
  | { readonly kind: 'log' }
  /** Runs a program: phone, PIN and text stand in its environment. */
  | { readonly kind: 'command'; readonly path: string }
  /** POSTs phone, PIN and text as JSON. */
  | { readonly kind: 'webhook'; readonly url: string };

interface SettingBase {
  /** The property of Config. Its other spellings follow from it, see {@link spellings}. */
  readonly name: string;
  readonly group: string;
  /** One or two sentences for help and documentation. */
  readonly description: string;
  /** May be changed while the server runs: `rookery knob`. Somebody has to heed it, see `KnobValues.use`. */
  readonly knob: boolean;
}

interface NumberSetting extends SettingBase {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** It must be one. */
  readonly powerOfTwo?: boolean;
}

/** One row of the table of settings. Durations are ms and sizes are bytes in Config, whatever was written. */
export type Setting =
  | (NumberSetting & { readonly type: 'integer' | 'duration' | 'bytes' | 'ratio' })
  | (SettingBase & { readonly type: 'boolean'; readonly default: boolean })
  | (SettingBase & { readonly type: 'choice'; readonly default: string; readonly choices: readonly string[] })
  | (SettingBase & { readonly type: 'text'; readonly default: string; readonly emptyAllowed: boolean })
  | (SettingBase & { readonly type: 'origins'; readonly default: readonly string[] })
  /** Limits by label, such as `session=1000, partition-*=50000`; empty: none. */
  | (SettingBase & {
      readonly type: 'byLabel';
      readonly of: 'integer' | 'duration';
      readonly default: string;
    })
  | (SettingBase & { readonly type: 'gateway'; readonly default: SmsGateway });

export type SettingValue = number | boolean | string | readonly string[] | SmsGateway;

export interface Spellings {
  /** `inbox-count-max` in the file. */
  readonly fileKey: string;
  /** `--inbox-count-max`. */
  readonly flag: string;
  /** `ROOKERY_INBOX_COUNT_MAX`. */
  readonly variable: string;
}

export function spellings(name: string): Spellings {
  const fileKey = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { fileKey, flag: `--${fileKey}`, variable: `ROOKERY_${fileKey.replaceAll('-', '_').toUpperCase()}` };
}

/** What a value may be, in words. With examples of how to write it, for those who have just got it wrong. */
export function allowed(setting: Setting): string {
  const examples = EXAMPLES[setting.type];
  return examples === undefined ? allowedRange(setting) : `${allowedRange(setting)}, such as ${examples}`;
}

const EXAMPLES: Partial<Readonly<Record<Setting['type'], string>>> = {
  duration: '1500 (ms), 30s, 10m, 12h or 30d',
  bytes: '4096, 64KiB or 1MiB',
};

export function allowedRange(setting: Setting): string {
  const range = rangeOf(setting);
  return 'powerOfTwo' in setting && setting.powerOfTwo === true ? `${range}, a power of two` : range;
}

function rangeOf(setting: Setting): string {
  switch (setting.type) {
    case 'integer':
      return setting.min === setting.max
        ? `only ${setting.min} for now`
        : `a whole number from ${setting.min} to ${setting.max}`;
    case 'ratio':
      return `a number from ${setting.min} to ${setting.max}`;
    case 'duration':
      return `a time from ${durationText(setting.min)} to ${durationText(setting.max)}`;
    case 'bytes':
      return `a size from ${bytesText(setting.min)} to ${bytesText(setting.max)}`;
    case 'boolean':
      return 'on or off';
    case 'choice':
      return setting.choices.join(' or ');
    case 'text':
      return setting.emptyAllowed ? 'a text' : 'a text that is not empty';
    case 'origins':
      return 'a list of same, * and origins such as https://chat.example';
    case 'byLabel':
      return setting.of === 'integer'
        ? 'a list of labels and limits, such as session=1000,partition-*=50000'
        : 'a list of labels and limits, such as session=500ms,partition-*=5s';
    case 'gateway':
      return 'log, command:/absolute/path or webhook:https://…';
  }
}

/** A value as one would write it. */
export function valueText(setting: Setting, value: SettingValue): string {
  switch (setting.type) {
    case 'duration':
      return durationText(value as number);
    case 'bytes':
      return bytesText(value as number);
    case 'boolean':
      return value === true ? 'on' : 'off';
    case 'origins':
      return (value as readonly string[]).join(',');
    case 'gateway': {
      const gateway = value as SmsGateway;
      if (gateway.kind === 'log') return 'log';
      return gateway.kind === 'command' ? `command:${gateway.path}` : `webhook:${gateway.url}`;
    }
    default:
      return String(value);
  }
}

const DURATION_UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** In the largest unit that divides it. */
export function durationText(ms: number): string {
  return inUnits(ms, DURATION_UNITS_MS, 'ms');
}

export function bytesText(bytes: number): string {
  return inUnits(bytes, BYTE_UNITS, 'B');
}

function inUnits(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  let best = smallest;
  for (const [unit, size] of Object.entries(units)) if (value !== 0 && value % size === 0) best = unit;
  return `${value / units[best]!}${best}`;
}

/**
 * Reads a value as it came from a flag or variable (a string; `true` for a flag without value) or from the
 * file (what TOML has).
 *
 * @returns undefined when it is not {@link allowed}.
 */
export function parseSetting(setting: Setting, raw: unknown): SettingValue | undefined {
  switch (setting.type) {
    case 'integer':
      return inRange(setting, parseNumber(raw, { '': 1 }));
    case 'ratio':
      return inRange(setting, parseNumber(raw, { '': 1 }), false);
    case 'duration':
      return inRange(setting, parseNumber(raw, { '': 1, ...DURATION_UNITS_MS }));
    case 'bytes':
      return inRange(setting, parseNumber(raw, { '': 1, ...BYTE_UNITS }));
    case 'boolean':
      if (typeof raw === 'boolean') return raw;
      if (raw === 'on' || raw === 'true' || raw === '1') return true;
      return raw === 'off' || raw === 'false' || raw === '0' ? false : undefined;
    case 'choice':
      return setting.choices.find((choice) => choice === raw);
    case 'text':
      return typeof raw === 'string' && (raw !== '' || setting.emptyAllowed) ? raw : undefined;
    case 'origins':
      return parseOrigins(raw);
    case 'byLabel': {
      const parse = setting.of === 'integer' ? wholeNumber : parseDuration;
      return typeof raw === 'string' && parseByLabel(raw, parse) !== null ? raw : undefined;
    }
    case 'gateway':
      return parseGateway(raw);
  }
}

/** `5s`, in ms; undefined: it is no time. */
export function parseDuration(text: string): number | undefined {
  return parseNumber(text, { '': 1, ...DURATION_UNITS_MS });
}

function parseNumber(raw: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof raw === 'number') return raw;
  if (typeof raw !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(raw);
  if (match === null || !Object.hasOwn(units, match[2]!)) return undefined;
  return Number(match[1]) * units[match[2]!]!;
}

function inRange(setting: NumberSetting, value: number | undefined, whole = true): number | undefined {
  if (value === undefined || Number.isNaN(value) || (whole && !Number.isInteger(value))) return undefined;
  if (setting.powerOfTwo === true && (value & (value - 1)) !== 0) return undefined;
  return value >= setting.min && value <= setting.max ? value : undefined;
}

function parseOrigins(raw: unknown): readonly string[] | undefined {
  const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return list.every(isOrigin) ? Object.freeze([...list]) : undefined;
}

function isOrigin(text: unknown): text is string {
  if (text === '*' || text === 'same') return true;
  // `new URL(…).origin` is the form that browsers send: lower case, no default port, no slash at the end.
  return (
    typeof text === 'string' && /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
  );
}

function parseGateway(raw: unknown): SmsGateway | undefined {
  if (typeof raw !== 'string') return undefined;
  if (raw === 'log') return Object.freeze({ kind: 'log' });
  if (raw.startsWith('command:/'))
    return Object.freeze({ kind: 'command', path: raw.slice('command:'.length) });
  const url = raw.startsWith('webhook:') ? raw.slice('webhook:'.length) : '';
  if (!/^https?:/.test(url) || !URL.canParse(url)) return undefined;
  return Object.freeze({ kind: 'webhook', url });
}
