import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CloseCode,
  closeCodeOf,
  closeName,
  ErrorCode,
  errorName,
  FrameType,
  isKnownFrame,
  isRetryableError,
  mayReconnect,
} from '../../src/protocol/index.js';
import * as limits from '../../src/protocol/limits.js';
import { LAYOUTS, toHex, varint } from './second-codec.js';
import { documentText, frameVector, vectors } from './vectors.js';

const document = documentText();

/** The rows of all tables whose first cell matches. */
function rows(first: RegExp, text = document): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    )
    .filter((cells) => first.test(cells[0]!));
}
const chapter = (title: string): string => {
  const start = document.indexOf(`\n## ${title}`);
  assert.ok(start >= 0, title);
  const end = document.indexOf('\n## ', start + 4);
  return document.slice(start, end < 0 ? undefined : end);
};

describe('docs/wire-protocol.md', () => {
  it('shows each worked example byte by byte as the vectors have it', () => {
    const blocks = [...document.matchAll(/^```hex (\S+)\n([\s\S]*?)^```$/gm)];
    const shown = new Set<string>();
    for (const [, label, text] of blocks) {
      let hex = '';
      for (const line of text!.split('\n')) {
        // Bytes, then three spaces or the end, then words.
        const bytes = /^\s*((?:[0-9a-f]{2})(?: [0-9a-f]{2})*)(?:\s{3}|$)/.exec(line);
        if (line.trim() !== '') hex += bytes![1]!.replaceAll(' ', '');
      }
      if (label === 'ranges') {
        assert.ok(
          vectors.ranges.some((vector) => vector.hex === hex),
          hex,
        );
      } else if (label!.startsWith('message:')) {
        const found = vectors.messages.find((vector) => `message:${vector.name}` === label);
        assert.equal(hex, found?.hex, label);
      } else {
        const vector = frameVector(label!);
        assert.equal(hex, vector.hex, label);
        shown.add(vector.frame);
      }
    }
    assert.deepEqual([...shown].sort(), Object.keys(LAYOUTS).sort(), 'every frame has an example');
  });

  it('lists the frames with the fields that the vectors were made from', () => {
    const kinds: Record<string, string> = {
      counter: 'varint',
      bool8: 'u8',
      key32: '32 bytes without length',
      key: 'bytes',
      msgpack: 'bytes',
      pin: 'text',
      user: 'address',
      recipient: 'address',
    };
    const table = rows(/^0x[0-9a-f]{2}$/, chapter('3. Frames at a glance'));
    const listed = new Set<string>();
    for (const [type, link, from, fields, flags] of table) {
      const name = /^\[([A-Z_]+)\]/.exec(link!)![1]!;
      const key = name === 'RECEIPT' && from === 'client' ? 'READ_RECEIPT' : name;
      const layout = LAYOUTS[key]!;
      listed.add(key);
      assert.equal(Number(type), layout.type, key);
      assert.deepEqual(from === 'both' ? ['client', 'server'] : [from], layout.from, key);
      const expected = layout.fields.map(([field, kind]) => {
        if (kind === 'ranges') return 'ranges';
        if (kind === 'items') return 'count varint, then as many frames';
        return `${field} ${kind.startsWith('text') ? 'text' : (kinds[kind] ?? kind)}`;
      });
      assert.equal(fields, expected.join(', '), key);
      for (const flag of layout.flags ?? []) assert.ok(flags!.includes(flag.name), `${key} ${flag.name}`);
    }
    assert.deepEqual([...listed].sort(), Object.keys(LAYOUTS).sort());
    const types = new Set(Object.values(LAYOUTS).map(({ type }) => type));
    for (const type of Object.values(FrameType)) assert.equal(isKnownFrame(type), types.has(type as never));
  });

  it('lists the varints as they are', () => {
    const table = rows(/^[0-9 ^−]+$/, chapter('2. Encoding')).filter((cells) => cells.length === 5);
    let checked = 0;
    for (const [value, bytes, , refused] of table) {
      const number = value!.includes('^53−1') ? Number.MAX_SAFE_INTEGER : Number(value!.replaceAll(' ', ''));
      if (!bytes!.startsWith('`')) continue;
      assert.equal(bytes!.replaceAll(/[` ]/g, ''), toHex(varint(number)), value);
      checked++;
      const bad = refused!.replaceAll(/[` ]/g, '');
      if (bad !== '')
        assert.ok(
          vectors.badVarints.some(({ hex }) => hex === bad),
          bad,
        );
    }
    assert.equal(checked, 7);
  });

  it('lists the error codes, which of them are retryable, and how they end', () => {
    const table = rows(/^\d+$/, chapter('15. Errors'));
    assert.equal(table.length, Object.keys(ErrorCode).length);
    for (const [number, name, retryable, ends] of table) {
      const code = Number(number);
      assert.equal(errorName(code), name);
      assert.equal(retryable === 'r', isRetryableError(code), name);
      const close = /\d{4}/.exec(ends!);
      if (close !== null) assert.equal(Number(close[0]), closeCodeOf(code as ErrorCode), name);
    }
  });

  it('lists the close codes', () => {
    const [again, never] = chapter('16. Close codes').split("**4400–4999: don't**");
    const check = (text: string, reconnect: boolean) => {
      const table = rows(/^\d{4}$/, text);
      for (const [number, name] of table) {
        assert.equal(closeName(Number(number)), name);
        assert.equal(mayReconnect(Number(number)), reconnect, name);
      }
      return table.length;
    };
    assert.equal(check(again!, true) + check(never!, false), Object.keys(CloseCode).length);
    for (const code of [1002, 1003, 1007, 1009, 1010]) assert.equal(mayReconnect(code), false);
    for (const code of [1000, 1001, 1006, 1011, 4399]) assert.equal(mayReconnect(code), true);
    assert.equal(mayReconnect(4999), false);
  });

  it('tells the limits that the code has', () => {
    const table = new Map(
      rows(/./, chapter('17. Limits')).map(([what, bytes]) => [
        what!,
        Number(/\d[\d ]*/.exec(bytes!)?.[0].replaceAll(' ', '')),
      ]),
    );
    const expected: Record<string, number> = {
      'a message from the client before WELCOME, or anonymous': limits.UNAUTHENTICATED_MESSAGE_BYTES_MAX,
      'a message from the client': limits.CLIENT_MESSAGE_BYTES_MAX,
      'a message from the server': limits.SERVER_MESSAGE_BYTES_MAX,
      'a body': limits.BODY_BYTES_MAX,
      'a BATCH, whole': limits.BATCH_BYTES_MAX,
      'agent, name': limits.NAME_BYTES_MAX,
      method: limits.METHOD_BYTES_MAX,
      host: limits.HOST_BYTES_MAX,
      "ERROR's message": limits.ERROR_TEXT_BYTES_MAX,
      "a REQ's body": limits.REQUEST_BYTES_MAX,
      "a RES's body": limits.RESPONSE_BYTES_MAX,
      'ranges of a receipt': limits.RECEIPT_RANGES_MAX,
    };
    for (const [what, value] of Object.entries(expected)) assert.equal(table.get(what), value, what);
    assert.equal(limits.AGENT_BYTES_MAX, limits.NAME_BYTES_MAX);
  });
});
