import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog, prettyLine } from '../../src/app/log.js';

function out(isTTY = false) {
  const lines: string[] = [];
  return { lines, isTTY, write: (line: string) => lines.push(line) };
}

test('JSON lines where nobody looks, pretty ones on a terminal or when asked for', () => {
  const json = out();
  openLog({ level: 'info', format: 'auto', out: json }).info({ port: 8470 }, 'listening');
  const line = JSON.parse(json.lines[0]!);
  assert.deepEqual([line.level, line.port, line.msg], [30, 8470, 'listening']);
  const pretty = out();
  openLog({ level: 'info', format: 'pretty', out: pretty }).info({ port: 8470 }, 'listening');
  assert.match(pretty.lines[0]!, /^\d\d:\d\d:\d\d\.\d{3} info {2}listening port=8470\n$/);
  const terminal = out(true);
  openLog({ level: 'info', format: 'auto', out: terminal }).info('x');
  assert.doesNotMatch(terminal.lines[0]!, /^\{/);
});

test('levels below the least are not written', () => {
  const lines = out();
  const log = openLog({ level: 'warn', format: 'json', out: lines });
  log.info('no');
  log.warn('yes');
  assert.equal(lines.lines.length, 1);
  openLog({ level: 'silent', format: 'json', out: lines }).fatal('no');
  assert.equal(lines.lines.length, 1);
});

test('an error comes with its stack; what peers send cannot forge a line', () => {
  const pretty = out();
  const log = openLog({ level: 'info', format: 'pretty', out: pretty });
  log.error(new Error('the disk is full'), 'store failed');
  assert.match(pretty.lines[0]!, /error store failed\n {4}Error: the disk is full\n {8}at /);
  log.info({ name: 'a\nb \u001b[2J' }, 'hello\u001b[2J\r\nforged');
  const line = pretty.lines[1]!;
  assert.equal(line.split('\n').length, 3, 'one line, and one indented');
  assert.match(line, /\n {4}forged /);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  assert.doesNotMatch(line, /[\u001b\r]/);
});

test('pretty lines need nothing but a level', () => {
  assert.equal(
    prettyLine('{"level":35,"time":"2024-01-01T01:02:03.004Z","msg":"m","a":"b c"}', false),
    '01:02:03.004 35 m a="b c"\n',
  );
});
