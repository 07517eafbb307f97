import colors from 'picocolors';
import { type DestinationStream, type Logger, pino } from 'pino';

/** The server's log: `log.info({ port }, 'listening')`. Only the main thread has one; others send it events. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'level'>;

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** auto: pretty on a terminal, JSON lines otherwise. */
  readonly format: 'auto' | 'pretty' | 'json';
  /** Where the lines go; standard output unless a test listens. */
  readonly out?: DestinationStream & { readonly isTTY?: boolean };
}

/** Lines are written before the call returns: a crash loses none, and there are few. */
export function openLog(options: LogOptions): Log {
  const out = options.out ?? pino.destination({ fd: 1, sync: true });
  const isTerminal = options.out === undefined ? process.stdout.isTTY === true : options.out.isTTY === true;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && isTerminal);
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pretty ? { write: (line: string) => out.write(prettyLine(line, isTerminal)) } : out,
  );
}

const LEVELS: Readonly<Record<number, readonly [string, (text: string) => string]>> = {
  10: ['trace', colors.gray],
  20: ['debug', colors.gray],
  30: ['info ', colors.green],
  40: ['warn ', colors.yellow],
  50: ['error', colors.red],
  60: ['fatal', colors.red],
};

/** `23:07:17.123 info  listening  port=8470`, and an error's stack on the lines below. */
export function prettyLine(line: string, colored: boolean): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const [name, paint] = LEVELS[Number(level)] ?? [String(level), colors.gray];
  const dim = (text: string) => (colored ? colors.dim(text) : text);
  const parts = [dim(String(time).slice(11, 23)), colored ? paint(name) : name, printable(String(msg ?? ''))];
  for (const [key, value] of Object.entries(fields)) {
    const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
    parts.push(dim(`${key}=${text}`));
  }
  const error = err as { readonly stack?: string; readonly message?: string } | undefined;
  const below = error === undefined ? '' : `\n${error.stack ?? error.message ?? JSON.stringify(error)}`;
  return `${parts.join(' ')}${printable(below)}\n`;
}

/** What peers send must not move the cursor of a terminal or begin a line of its own. */
function printable(text: string): string {
  const escaped = text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped.replaceAll('\n', '\n    ');
}
