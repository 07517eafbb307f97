import type { MessageStatus } from '../../client/index.js';
import { type Contact, stateText } from './chat-session.js';
import { viewOf } from './line-editor.js';
import { safeLine, safeText } from './safe-text.js';
import type { Picture, ScreenModel } from './screen-model.js';
import { clip, clipStyled, pad, width, wrap } from './text-layout.js';
import type { ChatLine } from './transcript.js';

/** Below so many columns the list of contacts gives its place to the conversation. */
const LIST_FROM_COLUMNS = 76;
const LIST_COLUMNS = 28;

/** Styles, or none where the terminal or the person wants none (NO_COLOR). */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  accent(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  read(text: string): string;
  inverse(text: string): string;
}

export function palette(isColoured: boolean): Palette {
  const style = (begin: string, end: string) => (text: string) =>
    isColoured && text !== '' ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
  return {
    bold: style('1', '22'),
    dim: style('2', '22'),
    accent: style('36', '39'),
    good: style('32', '39'),
    warn: style('33', '39'),
    bad: style('31', '39'),
    read: style('96', '39'),
    inverse: style('7', '27'),
  };
}

/** The whole screen as lines: pure, so that a test can look at it. */
export function picture(model: ScreenModel, columns: number, rows: number, colours: Palette): Picture {
  const drawn =
    model.stage === 'chat'
      ? chatPicture(model, columns, rows, colours)
      : registrationPicture(model, columns, rows, colours);
  const { column, row } = drawn.cursor;
  return {
    rows: drawn.rows.map((text) => clipStyled(text, columns)),
    cursor: { column: Math.min(column, columns - 1), row: Math.min(row, rows - 1) },
  };
}

function chatPicture(model: ScreenModel, columns: number, rows: number, colours: Palette): Picture {
  const hasList = columns >= LIST_FROM_COLUMNS;
  const left = hasList ? LIST_COLUMNS : 0;
  const right = hasList ? columns - left - 1 : columns;
  const height = Math.max(1, rows - 5);
  const list = hasList ? contactRows(model, left, height + 2, colours) : [];
  const conversation = model.isHelpShown
    ? helpRows(right, height, colours)
    : conversationRows(model, right, height, colours);
  const body = [peerRow(model, right, colours), colours.dim('─'.repeat(right)), ...conversation];
  const lines = [headRow(model, columns, colours)];
  for (let row = 0; row < height + 2; row++) {
    const cell = body[row] ?? '';
    lines.push(hasList ? `${pad(list[row] ?? '', left)}${colours.dim('│')}${cell}` : cell);
  }
  lines.push(colours.dim('─'.repeat(columns)));
  const prompt = ' › ';
  const view = viewOf(model.input, columns - prompt.length - 1);
  const placeholder =
    model.peer === null ? 'a number to write to, or /help' : `message to ${nameOf(model.peer)}, or /help`;
  lines.push(
    colours.accent(prompt) + (view.text === '' ? colours.dim(clip(placeholder, columns - 4)) : view.text),
  );
  return {
    rows: lines.slice(0, rows),
    cursor: { column: prompt.length + view.column, row: Math.min(rows, lines.length) - 1 },
  };
}

function headRow(model: ScreenModel, columns: number, colours: Palette): string {
  const { state, now } = model;
  const words = clip(safeLine(stateText(state, now)), Math.max(10, columns - 30));
  const isGood = state.kind === 'online';
  const sign = isGood ? colours.good('●') : state.kind === 'closed' ? colours.bad('●') : colours.warn('◌');
  const status = `${sign} ${isGood ? colours.good(words) : state.kind === 'closed' ? colours.bad(words) : colours.warn(words)} `;
  const who = model.user === null ? '' : ` +${model.user}`;
  const head = ` ♜ ${colours.bold('Rookery')}${colours.dim(who)}`;
  return head + ' '.repeat(Math.max(1, columns - width(head) - width(status))) + status;
}

function contactRows(model: ScreenModel, columns: number, height: number, colours: Palette): string[] {
  const rows: string[] = [];
  for (const contact of model.contacts) {
    const isOpen = contact.user === model.peer?.user;
    const unread = contact.unread.length;
    const badge = unread > 0 ? ` ${unread} ` : '';
    const dot = contact.online === true ? colours.good('●') : ' ';
    const name = clip(nameOf(contact), columns - 4 - badge.length);
    const title = isOpen || unread > 0 ? colours.bold(name) : name;
    const mark = isOpen ? colours.accent('▌') : ' ';
    rows.push(
      `${mark}${dot} ${pad(title, columns - 4 - badge.length)}${badge === '' ? '' : colours.inverse(badge)}`,
    );
    const { lastLine } = contact;
    const last =
      contact.typing !== 'stopped'
        ? colours.accent('typing…')
        : lastLine === null
          ? ''
          : `${lastLine.isOutgoing ? `${checkmark(lastLine.status, colours)} ` : ''}${colours.dim(clip(safeLine(lastLine.text), columns - 8))}`;
    rows.push(`${mark}  ${last}`);
    if (rows.length >= height) break;
  }
  if (rows.length === 0) rows.push(colours.dim('   no conversations yet'));
  return rows.slice(0, height);
}

function peerRow(model: ScreenModel, columns: number, colours: Palette): string {
  const { peer } = model;
  if (peer === null) return '';
  const name = clip(nameOf(peer), Math.max(8, columns - 34));
  const number = peer.name === '' ? '' : colours.dim(` +${peer.user}`);
  return ` ${colours.bold(name)}${number}  ${presenceText(peer, model.now, colours)}`;
}

function presenceText(peer: Contact, now: number, colours: Palette): string {
  if (peer.typing === 'typing') return colours.accent('typing…');
  if (peer.typing === 'recording') return colours.accent('recording…');
  if (peer.online === true) return colours.good('online');
  if (peer.online === null || peer.lastSeen === 0) return '';
  const day = dayText(peer.lastSeen, now);
  return colours.dim(`last seen ${day === 'Today' ? '' : `${day} `}${clockText(peer.lastSeen)}`);
}

function conversationRows(model: ScreenModel, columns: number, height: number, colours: Palette): string[] {
  const rows: string[] = [];
  const textColumns = Math.max(10, Math.min(columns - 18, 72));
  let day = '';
  for (const line of model.lines) {
    const thisDay = dayText(line.time, model.now);
    if (thisDay !== day) {
      day = thisDay;
      const side = Math.max(0, Math.floor((columns - day.length - 2) / 2));
      rows.push(colours.dim(`${' '.repeat(side)} ${day}`));
    }
    rows.push(...messageRows(line, columns, textColumns, colours));
  }
  if (model.peer === null) {
    rows.push('');
    const hint = 'Type a phone number to write to somebody. /help shows the rest.';
    for (const part of wrap(hint, columns - 3)) rows.push(colours.dim(`  ${part}`));
  }
  if (model.notice !== '') {
    for (const part of wrap(safeText(model.notice), columns - 3)) rows.push(colours.warn(` · ${part}`));
  }
  const end = Math.max(Math.min(height, rows.length), rows.length - model.scrolledBack);
  const shown = rows.slice(Math.max(0, end - height), end);
  while (shown.length < height) shown.unshift('');
  if (end < rows.length) shown[height - 1] = colours.dim(`  ↓ ${rows.length - end} more lines (PgDn)`);
  return shown;
}

function messageRows(line: ChatLine, columns: number, textColumns: number, colours: Palette): string[] {
  const parts = wrap(safeText(line.text), textColumns);
  const time = colours.dim(clockText(line.time));
  if (!line.isOutgoing) {
    return parts.map((part, at) => (at === 0 ? ` ${time}  ${part}` : `        ${part}`));
  }
  const wide = Math.max(...parts.map(width));
  const left = Math.max(1, columns - wide - 12);
  const rows = parts.map((part, at) => {
    const text = ' '.repeat(left) + colours.accent(part);
    if (at < parts.length - 1) return text;
    return `${pad(text, left + wide)}  ${time} ${checkmark(line.status, colours)}`;
  });
  if (line.status === 'failed') {
    const why = clip(`not sent: ${safeLine(line.failure ?? '')} — /again sends it anew`, columns - 2);
    rows.push(' '.repeat(Math.max(1, columns - width(why) - 1)) + colours.bad(why));
  }
  return rows;
}

/** Two columns wide in every state, so that nothing moves when they turn. */
function checkmark(status: MessageStatus, colours: Palette): string {
  switch (status) {
    case 'queued':
      return colours.dim('… ');
    case 'sent':
      return colours.dim('✓ ');
    case 'delivered':
      return colours.dim('✓✓');
    case 'read':
      return colours.read('✓✓');
    case 'failed':
      return colours.bad('✗ ');
  }
}

const HELP = [
  ['NUMBER or /to NAME', 'open a conversation'],
  ['Tab, Shift+Tab, Alt+↑↓', 'the next conversation, the one before'],
  ['Enter, Alt+Enter', 'send; a new line'],
  ['PgUp, PgDn', 'scroll back and forth'],
  ['/again', 'send the last failed message anew'],
  ['/name NAME', 'how others see you'],
  ['/block, /unblock', 'take no messages from this person'],
  ['/connect', 'connect now'],
  ['/info', 'what the server says of itself'],
  ['/quit, Ctrl+C', 'end'],
  ['', ''],
  ['…  ✓  ✓✓', 'waiting, on the server, delivered; coloured when read'],
] as const;

function helpRows(columns: number, height: number, colours: Palette): string[] {
  const rows = ['', ...HELP.map(([keys, what]) => clip(`  ${pad(keys, 24)}${what}`, columns))];
  rows.push('', colours.dim('  any key goes back'));
  while (rows.length < height) rows.push('');
  return rows.slice(0, height);
}

function registrationPicture(model: ScreenModel, columns: number, rows: number, colours: Palette): Picture {
  const questions = {
    phone: ['Your phone number, with country code', '+49 170 0000001'],
    name: ['Your name, as others see it', 'may stay empty'],
    pin: ['The PIN that was sent to you', '6 digits'],
    chat: ['', ''],
  } as const;
  const [question, placeholder] = questions[model.stage];
  const indent = '   ';
  const lines = [headRow(model, columns, colours), '', `${indent}${colours.bold('Welcome to Rookery.')}`, ''];
  if (model.stage === 'pin') {
    const hint =
      'Trying it on your own machine? Without an SMS gateway the server prints the PIN in its log and shows it on the operator’s page.';
    for (const part of wrap(hint, columns - 6)) lines.push(indent + colours.dim(part));
    lines.push('');
  }
  lines.push(`${indent}${question}`);
  const view = viewOf(model.input, columns - 6);
  const row = lines.length;
  lines.push(
    `${indent}${colours.accent('› ')}${view.text === '' ? colours.dim(placeholder) : view.text}`,
    '',
  );
  for (const part of wrap(safeText(model.notice), columns - 6)) lines.push(indent + colours.warn(part));
  while (lines.length < rows - 1) lines.push('');
  lines.push(colours.dim(`${indent}Enter goes on, Escape goes back, Ctrl+C quits`));
  return { rows: lines.slice(0, rows), cursor: { column: indent.length + 2 + view.column, row } };
}

export function nameOf(contact: { readonly user: number; readonly name: string }): string {
  const name = safeLine(contact.name);
  return name === '' ? `+${contact.user}` : name;
}

function clockText(time: number): string {
  const at = new Date(time);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}

const weekday = new Intl.DateTimeFormat('en', { weekday: 'long' });
const date = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });

function dayText(time: number, now: number): string {
  const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now) - midnight(time)) / 86_400_000);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekday.format(time) : date.format(time);
}
