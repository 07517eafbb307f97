import { Option } from 'commander';
import { allowedRange, type Setting, spellings, valueText } from './setting.js';
import { SETTINGS } from './settings.js';

/** A setting as help and documentation show it. */
export interface SettingDescription {
  readonly name: string;
  readonly group: string;
  readonly flag: string;
  readonly variable: string;
  readonly fileKey: string;
  /** As one would write it; empty for none. */
  readonly default: string;
  readonly allowed: string;
  readonly knob: boolean;
  readonly description: string;
}

/** The table of settings, ready to be shown. */
export function describeSettings(): readonly SettingDescription[] {
  return (SETTINGS as readonly Setting[]).map((setting) => ({
    name: setting.name,
    group: setting.group,
    ...spellings(setting.name),
    default: valueText(setting, setting.default),
    allowed: allowedRange(setting),
    knob: setting.knob,
    description: setting.description,
  }));
}

const PLACEHOLDERS = {
  integer: '<number>',
  ratio: '<number>',
  duration: '<time>',
  bytes: '<size>',
  boolean: '[on|off]',
  choice: '<word>',
  text: '<text>',
  origins: '<list>',
  byLabel: '<list>',
  gateway: '<gateway>',
} as const satisfies Record<Setting['type'], string>;

/**
 * Commander's options for all settings, and `--config`. Values stay text (`opts()` goes to loadConfig as it
 * is), and defaults are only shown, so that environment and file keep their turn.
 */
export function settingOptions(): Option[] {
  const config = new Option(
    '--config <file>',
    'file with settings; ./rookery.toml is read when it is there',
  ).helpGroup('Configuration:');
  const settings = (SETTINGS as readonly Setting[]).map((setting) => {
    const standard = valueText(setting, setting.default);
    const shown = standard === '' ? '' : ` (default: ${standard})`;
    return new Option(
      `${spellings(setting.name).flag} ${PLACEHOLDERS[setting.type]}`,
      `${setting.description}${shown}`,
    ).helpGroup(`${setting.group}:`);
  });
  return [config, ...settings];
}

/** docs/configuration.md. */
export function configurationPage(): string {
  const lines = [
    '# Configuration',
    '',
    '<!-- Made from src/app/settings.ts. To renew it: npm run build && node dist/src/app/write-configuration-page.js -->',
    '',
    'A setting can be given as a flag (`--inbox-count-max 500`), as an environment variable',
    '(`ROOKERY_INBOX_COUNT_MAX=500`) or in a TOML file (`inbox-count-max = 500`). Flags win over the environment, the',
    'environment over the file, the file over the default. The file is the one named by `--config` or',
    '`ROOKERY_CONFIG`, else `./rookery.toml` when it is there.',
    '',
    'Times are whole milliseconds or have a unit: `1500`, `500ms`, `30s`, `10m`, `12h`, `30d`. Sizes are bytes or',
    'have a unit: `4096`, `64KiB`, `1MiB`, `1GiB`. In the file, values with a unit are strings and lists are TOML',
    'lists; in flags and variables lists are separated by commas.',
    '',
    'A value that is not allowed, a setting that does not exist (in the file or as a `ROOKERY_` variable) and settings',
    'that contradict each other refuse the start. All of them are named at once, with where they came from.',
    '',
    '```toml',
    '# rookery.toml',
    'host = "0.0.0.0"',
    'tls-key-file = "/etc/rookery/key.pem"',
    'tls-cert-file = "/etc/rookery/cert.pem"',
    'origins = ["same", "https://chat.example"]',
    'inbox-age-ms-max = "30d"',
    'sms-gateway = "command:/usr/local/bin/send-sms"',
    '```',
    '',
    '“Knob” marks what is meant to be changeable while the server runs; for now every change needs a restart.',
  ];
  const settings = describeSettings();
  for (const group of new Set(settings.map((setting) => setting.group))) {
    lines.push(
      '',
      `## ${group}`,
      '',
      ...markdownTable(settings.filter((setting) => setting.group === group)),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Padded, as the formatter wants tables. */
function markdownTable(settings: readonly SettingDescription[]): string[] {
  const rows = settings.map((setting) => [
    `\`${setting.flag}\`<br>\`${setting.variable}\``,
    setting.default === '' ? '(none)' : `\`${setting.default}\``,
    setting.allowed,
    setting.knob ? 'yes' : '',
    setting.description,
  ]);
  const table = [['Setting', 'Default', 'Allowed', 'Knob', 'What it does'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const padded = table.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]!))));
  return [padded[0]!, line(widths.map((width) => '-'.repeat(width))), ...padded.slice(1)];
}
