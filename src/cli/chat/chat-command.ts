import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { WEBSOCKET_PATH } from '../../protocol/limits.js';
import { parsePhone } from '../../protocol/phone.js';
import { ChatSession, errorText } from './chat-session.js';
import { PLAIN_MODE_HELP, PlainMode } from './plain-mode.js';
import { ScreenMode } from './screen-mode.js';
import { palette } from './screen-view.js';
import { Terminal } from './terminal.js';

const DEFAULT_SERVER = 'ws://127.0.0.1:8470';

interface ChatFlags {
  readonly server: string;
  readonly profiles: string;
  readonly phone?: number;
  readonly name: string;
  readonly plain: boolean;
}

/** `rookery chat`: the terminal client. */
export function chatCommand(): Command {
  return new Command('chat')
    .description('Chat in the terminal.')
    .summary('chat in the terminal')
    .option(
      '--server <url>',
      'the chat server',
      serverUrl,
      serverUrl(process.env['ROOKERY_SERVER'] ?? DEFAULT_SERVER),
    )
    .option(
      '--phone <number>',
      'your phone number with country code; without it: the only one known here, or you are asked',
      phoneNumber,
    )
    .option('--name <text>', 'how others see you, when you register', '')
    .option(
      '--profiles <folder>',
      'where numbers keep their keys and messages, a folder each',
      process.env['ROOKERY_PROFILES'] ?? join(homedir(), '.rookery'),
    )
    .option('--plain', 'lines in and out instead of a screen, as without a terminal', false)
    .addHelpText(
      'after',
      `\n${PLAIN_MODE_HELP}\n\nExit codes: 0 all sent, 1 it could not start or messages are left.`,
    )
    .action(async (flags: ChatFlags) => {
      try {
        process.exitCode = await chat(flags);
      } catch (error) {
        process.stderr.write(`rookery chat: ${errorText(error)}\n`);
        process.exitCode = 1;
      }
    });
}

async function chat(flags: ChatFlags): Promise<number> {
  const isScreen = !flags.plain && process.stdin.isTTY && process.stdout.isTTY;
  const known = profiles(flags);
  const phone = flags.phone ?? (known.length === 1 ? known[0]! : null);
  const open = (number: number): Promise<ChatSession> =>
    ChatSession.open({ url: flags.server, folder: profileFolder(flags, number), agent: 'rookery-chat' });
  if (!isScreen) {
    if (phone === null) throw new Error(`say --phone NUMBER${known.length > 0 ? `: ${numbers(known)}` : ''}`);
    const session = await open(phone);
    const mode = new PlainMode(session, phone, flags.name, (line) => process.stdout.write(`${line}\n`));
    onSignals(() => process.stdin.destroy());
    try {
      return await mode.run(process.stdin);
    } finally {
      session.close();
    }
  }
  const colours = palette(process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '');
  const terminal = new Terminal(process.stdin, process.stdout);
  const mode = new ScreenMode(
    terminal,
    colours,
    phone === null ? null : await open(phone),
    phone,
    flags.name,
    open,
    known.length > 1 && phone === null ? `Known here: ${numbers(known)}` : '',
  );
  onSignals(() => mode.stop());
  // Whatever happens, the person gets the terminal back as it was.
  process.once('exit', () => terminal.restore());
  let left = 0;
  try {
    await mode.run();
  } finally {
    left = mode.session?.unsentCount ?? 0;
    mode.session?.close();
    if (left > 0) process.stdout.write(`${left} not sent yet: kept for the next time.\n`);
  }
  return left > 0 ? 1 : 0;
}

function numbers(phones: readonly number[]): string {
  return phones.map((phone) => `+${phone}`).join(', ');
}

function onSignals(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, stop);
}

/** One folder for each server and number. */
function profileFolder(flags: ChatFlags, phone: number): string {
  return join(flags.profiles, new URL(flags.server).host.replace(/[^\w.-]/g, '_'), String(phone));
}

/** Numbers that have a profile for this server. */
function profiles(flags: ChatFlags): number[] {
  const folder = join(profileFolder(flags, 0), '..');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map(parsePhone)
    .filter((phone) => phone !== null);
}

/** `http://host:port`, `host:port` and `ws://host:port/ws` all mean the same server. */
function serverUrl(text: string): string {
  const withScheme = /^[a-z]+:\/\//.test(text) ? text : `ws://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme.replace(/^http/, 'ws'));
  } catch {
    throw new InvalidArgumentError(`not a server: ${text}`);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new InvalidArgumentError(`not a server: ${text}`);
  if (url.pathname === '/') url.pathname = WEBSOCKET_PATH;
  return url.href;
}

function phoneNumber(text: string): number {
  const phone = parsePhone(text);
  if (phone === null) throw new InvalidArgumentError('a number with its country code, like +49 170 0000001');
  return phone;
}
