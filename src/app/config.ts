import { parse as parseToml, TomlError } from 'smol-toml';
import { didYouMean } from './did-you-mean.js';
import {
  allowed,
  bytesText,
  durationText,
  parseSetting,
  type Setting,
  type SettingValue,
  type SmsGateway,
  spellings,
} from './setting.js';
import { SETTINGS } from './settings.js';

type ValueOf<S extends Setting> = S extends { type: 'integer' | 'duration' | 'bytes' | 'ratio' }
  ? number
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'choice' }
      ? S['choices'][number]
      : S extends { type: 'origins' }
        ? readonly string[]
        : S extends { type: 'gateway' }
          ? SmsGateway
          : string;

export type SettingName = (typeof SETTINGS)[number]['name'];

/** All settings with their values. Times in ms, sizes in bytes. Frozen. */
export type Config = {
  readonly [S in (typeof SETTINGS)[number] as S['name']]: ValueOf<S>;
};

/** Where values come from; the first that has one wins: flags, environment, file, default. */
export interface ConfigSources {
  /** By setting name, as commander gives them: `{ port: '8080' }`. Undefined: not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly file?: { readonly path: string; readonly text: string } | null;
}

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The setting, or the unknown key or variable. */
  readonly setting: string;
  /** `--port`, `ROOKERY_PORT`, `rookery.toml: port`, or both ends of a contradiction. */
  readonly source: string;
  /** The value as it was written, as JSON. */
  readonly value: string;
  /** What would be right. */
  readonly expected: string;
}

/** The start is refused: everything that is wrong, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ source, value, expected }) => `  ${source}${value === '' ? '' : ` = ${value}`}: ${expected}`,
    );
    super(`The configuration is wrong:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** Where the values of a configuration came from: `--port`, `ROOKERY_PORT`, `rookery.toml: port`. What is missing is the default. */
export type ConfigOrigins = Readonly<Partial<Record<SettingName, string>>>;

/** Beside the configuration and not in it: it is handed to threads as it is. */
const origins = new WeakMap<Config, ConfigOrigins>();

export function originsOf(config: Config): ConfigOrigins {
  return origins.get(config) ?? {};
}

/** A configuration with other values. Frozen; where the rest came from is known of it as well. */
export function withValues(config: Config, values: Partial<Config>): Config {
  const changed = Object.freeze({ ...config, ...values });
  origins.set(changed, originsOf(config));
  return changed;
}

/** What the settings allow each for itself but not together. */
export function contradictionsOf(config: Config): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  contradictions(config, null, problems);
  return problems;
}

/** Environment variables of this name space that are not settings. */
const OTHER_VARIABLES = ['ROOKERY_CONFIG', 'ROOKERY_OPERATOR', 'ROOKERY_OPERATOR_TOKEN', 'ROOKERY_NO_NATIVE'];

/** @throws ConfigError */
export function loadConfig(sources: ConfigSources): Config {
  const problems: ConfigProblem[] = [];
  const table = readTable(sources.file ?? null, problems);
  const values: Record<string, SettingValue> = {};
  const origin: Record<string, string> = {};
  for (const setting of SETTINGS as readonly Setting[]) {
    const { name } = setting;
    values[name] = setting.default;
    for (const { source, raw } of found(setting, sources, table)) {
      const value = parseSetting(setting, raw);
      if (value === undefined) {
        problems.push({
          setting: name,
          source,
          value: written(raw),
          expected: `must be ${allowed(setting)}`,
        });
      } else if (origin[name] === undefined) {
        values[name] = value;
        origin[name] = source;
      }
    }
  }
  unknownFlags(sources.flags ?? {}, problems);
  unknownVariables(sources.env ?? {}, problems);
  unknownKeys(sources.file?.path ?? '', table, problems);
  const config = Object.freeze(values) as Config;
  if (problems.length === 0) contradictions(config, origin, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  origins.set(config, origin);
  return config;
}

function readTable(
  file: { path: string; text: string } | null,
  problems: ConfigProblem[],
): Record<string, unknown> {
  if (file === null) return {};
  try {
    return parseToml(file.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n');
    problems.push({
      setting: file.path,
      source: `${file.path}:${error.line}:${error.column}`,
      value: '',
      expected: first,
    });
    return {};
  }
}

/** A setting's values in all sources, strongest first: weaker ones are checked as well. */
function found(
  setting: Setting,
  sources: ConfigSources,
  table: Record<string, unknown>,
): { source: string; raw: unknown }[] {
  const { fileKey, flag, variable } = spellings(setting.name);
  const list: { source: string; raw: unknown }[] = [];
  const add = (source: string, raw: unknown) => {
    if (raw !== undefined) list.push({ source, raw });
  };
  add(flag, sources.flags?.[setting.name]);
  add(variable, sources.env?.[variable]);
  add(`${sources.file?.path}: ${fileKey}`, Object.hasOwn(table, fileKey) ? table[fileKey] : undefined);
  return list;
}

function unknownFlags(flags: Readonly<Record<string, unknown>>, problems: ConfigProblem[]): void {
  const names = SETTINGS.map(({ name }) => name as string);
  for (const name of Object.keys(flags)) {
    if (names.includes(name)) continue;
    const near = didYouMean(name, names);
    unknown(spellings(name).flag, near === null ? null : spellings(near).flag, problems);
  }
}

function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): void {
  const names = [...SETTINGS.map(({ name }) => spellings(name).variable), ...OTHER_VARIABLES];
  for (const name of Object.keys(env).sort()) {
    if (name.startsWith('ROOKERY_') && !names.includes(name))
      unknown(name, didYouMean(name, names), problems);
  }
}

function unknownKeys(path: string, table: Record<string, unknown>, problems: ConfigProblem[]): void {
  const names = SETTINGS.map(({ name }) => spellings(name).fileKey);
  for (const key of Object.keys(table)) {
    if (names.includes(key)) continue;
    // A property name from the documentation of the API, for instance.
    const near = didYouMean(spellings(key).fileKey, names);
    unknown(`${path}: ${key}`, near, problems);
  }
}

function unknown(source: string, near: string | null, problems: ConfigProblem[]): void {
  const expected =
    near === null ? 'there is no such setting' : `there is no such setting; did you mean ${near}?`;
  problems.push({ setting: source, source, value: '', expected });
}

/** What each setting allows for itself but not together with another. */
function contradictions(
  config: Config,
  origin: Readonly<Record<string, string>> | null,
  problems: ConfigProblem[],
): void {
  const from = (name: SettingName) => {
    const { fileKey } = spellings(name);
    return origin === null ? fileKey : (origin[name] ?? `${fileKey} (default)`);
  };
  const check = (right: boolean, name: SettingName, value: string, expected: string) => {
    if (!right) problems.push({ setting: name, source: from(name), value, expected });
  };
  if ((config.tlsKeyFile === '') !== (config.tlsCertFile === '')) {
    const [given, missing] =
      config.tlsKeyFile === ''
        ? (['tlsCertFile', 'tlsKeyFile'] as const)
        : (['tlsKeyFile', 'tlsCertFile'] as const);
    check(false, given, written(config[given]), `needs ${spellings(missing).fileKey} as well`);
  }
  check(
    config.idleTimeoutMs >= 2 * config.heartbeatMs,
    'idleTimeoutMs',
    durationText(config.idleTimeoutMs),
    `must be at least twice ${from('heartbeatMs')} = ${durationText(config.heartbeatMs)}`,
  );
  check(
    config.deliverWindowBytes + config.batchBytesMax <= config.socketBufferBytesMax,
    'socketBufferBytesMax',
    bytesText(config.socketBufferBytesMax),
    `must hold a window and a batch: ${from('deliverWindowBytes')} = ${bytesText(config.deliverWindowBytes)}, ${from('batchBytesMax')} = ${bytesText(config.batchBytesMax)}`,
  );
  check(
    config.receiveBytesBurst >= 2 * config.bodyBytesMax,
    'receiveBytesBurst',
    bytesText(config.receiveBytesBurst),
    `must be at least twice ${from('bodyBytesMax')} = ${bytesText(config.bodyBytesMax)}`,
  );
  check(
    config.port === 0 || config.port !== config.operatorPort,
    'operatorPort',
    String(config.operatorPort),
    `must differ from ${from('port')}`,
  );
  check(
    config.sliceMs <= config.turnMs,
    'sliceMs',
    durationText(config.sliceMs),
    `must not be above ${from('turnMs')} = ${durationText(config.turnMs)}`,
  );
  const { longScheduleMs, longScheduleKillMs, schedulerHangMs } = config;
  check(
    longScheduleKillMs === 0 || longScheduleKillMs >= longScheduleMs,
    'longScheduleKillMs',
    durationText(longScheduleKillMs),
    `must be at least ${from('longScheduleMs')} = ${durationText(longScheduleMs)}, or 0`,
  );
  check(
    schedulerHangMs >= longScheduleKillMs && schedulerHangMs >= longScheduleMs,
    'schedulerHangMs',
    durationText(schedulerHangMs),
    `must be at least ${from('longScheduleKillMs')} = ${durationText(longScheduleKillMs)} and ${from('longScheduleMs')} = ${durationText(longScheduleMs)}`,
  );
  const { alertWebhook, alertCommand } = config;
  check(
    alertWebhook === '' || (/^https?:/.test(alertWebhook) && URL.canParse(alertWebhook)),
    'alertWebhook',
    alertWebhook,
    'must be a URL such as https://alerts.example/rookery',
  );
  check(
    alertCommand === '' || alertCommand.startsWith('/'),
    'alertCommand',
    alertCommand,
    'must be an absolute path',
  );
  const { homePort } = config;
  const lastHomePort = homePort + Math.max(1, config.schedulers) - 1;
  check(
    homePort === 0 || lastHomePort <= 65_535,
    'homePort',
    String(homePort),
    `must leave room for ${from('schedulers')} = ${config.schedulers} ports`,
  );
  for (const name of ['port', 'operatorPort'] as const) {
    check(
      homePort === 0 || config[name] < homePort || config[name] > lastHomePort,
      'homePort',
      String(homePort),
      `must not be, or pass, ${from(name)} = ${config[name]}`,
    );
  }
}

function written(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
