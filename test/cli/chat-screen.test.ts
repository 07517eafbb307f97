/** What the terminal client shows, and how it reads keys: pure parts, no terminal. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Contact } from '../../src/cli/chat/chat-session.js';
import { type KeyEvent, KeyReader } from '../../src/cli/chat/key-reader.js';
import { EMPTY_LINE, edit, insert, lineOf, lineText, viewOf } from '../../src/cli/chat/line-editor.js';
import { escaped, unescaped } from '../../src/cli/chat/plain-mode.js';
import { safeLine, safeText } from '../../src/cli/chat/safe-text.js';
import type { ScreenModel } from '../../src/cli/chat/screen-model.js';
import { palette, picture } from '../../src/cli/chat/screen-view.js';
import { clip, clipStyled, pad, width, wrap } from '../../src/cli/chat/text-layout.js';
import type { ChatLine } from '../../src/cli/chat/transcript.js';

const NOW = new Date(2026, 5, 15, 14, 30).getTime();
const BOB = 491_700_000_002;

const line: ChatLine = {
  peer: BOB,
  isOutgoing: true,
  id: 1,
  messageId: null,
  time: NOW,
  text: 'hello',
  status: 'sent',
  failure: null,
};

const bob: Contact = {
  user: BOB,
  name: 'Bob',
  lastLine: line,
  unread: [],
  online: true,
  lastSeen: 0,
  typing: 'stopped',
};

const model: ScreenModel = {
  stage: 'chat',
  user: 491_700_000_001,
  state: { kind: 'online' },
  now: NOW,
  contacts: [bob],
  peer: bob,
  lines: [line],
  scrolledBack: 0,
  input: EMPTY_LINE,
  notice: '',
  isHelpShown: false,
};

const plain = palette(false);

function shown(changes: Partial<ScreenModel>, columns = 100, rows = 20): string {
  return picture({ ...model, ...changes }, columns, rows, plain).rows.join('\n');
}

describe('the picture', () => {
  test('shows who, the state, the conversation and its checkmarks', () => {
    const text = shown({});
    assert.match(text, /Rookery \+491700000001 .*● online/);
    assert.match(text, /▌● Bob/);
    assert.match(text, /Bob \+491700000002 {2}online/);
    assert.match(text, /Today/);
    assert.match(text, /hello {2}14:30 ✓ /);
  });

  for (const [status, sign] of [
    ['queued', '… '],
    ['sent', '✓ '],
    ['delivered', '✓✓'],
    ['read', '✓✓'],
    ['failed', '✗ '],
  ] as const) {
    test(`a message that is ${status} has ${sign}`, () => {
      assert.ok(shown({ lines: [{ ...line, status, failure: 'because' }] }).includes(`14:30 ${sign}`));
    });
  }

  test('read checkmarks are another colour than delivered ones', () => {
    const coloured = (status: 'delivered' | 'read'): string =>
      picture({ ...model, lines: [{ ...line, status }] }, 100, 20, palette(true)).rows.join('\n');
    assert.notEqual(coloured('delivered'), coloured('read'));
  });

  test('a failure says why, and what to do', () => {
    const text = shown({ lines: [{ ...line, status: 'failed', failure: 'their inbox is full' }] });
    assert.match(text, /not sent: their inbox is full — \/again/);
  });

  test('typing, last seen, and the wait for the next try with its countdown', () => {
    assert.match(shown({ peer: { ...bob, typing: 'typing' } }), /typing…/);
    const lastSeen = new Date(2026, 5, 14, 9, 5).getTime();
    assert.match(shown({ peer: { ...bob, online: false, lastSeen } }), /last seen Yesterday 09:05/);
    const state = {
      kind: 'waiting',
      retryAt: NOW + 4_200,
      delayMs: 9_000,
      attempt: 3,
      ending: { code: 1006, reason: 'ECONNREFUSED' },
    } as const;
    assert.match(shown({ state }), /no connection \(ECONNREFUSED\), next try in 5 s/);
  });

  test('no name and no message can command the terminal', () => {
    const evil = '\x1b]0;owned\x07\x1b[2J\u202Egnp\r\nnew';
    const text = shown({
      lines: [{ ...line, isOutgoing: false, text: evil }],
      peer: { ...bob, name: evil },
      contacts: [{ ...bob, name: evil, lastLine: { ...line, text: evil } }],
      notice: evil,
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  test('no row is wider than the screen, whatever is said in whatever size', () => {
    const anything = fc.string({ unit: 'grapheme', maxLength: 120 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ text: anything, isOutgoing: fc.boolean() }), { maxLength: 8 }),
        anything,
        anything,
        fc.integer({ min: 20, max: 140 }),
        fc.integer({ min: 8, max: 40 }),
        fc.constantFrom('chat', 'phone', 'pin', 'name'),
        (said, name, typed, columns, rows, stage) => {
          const changed: ScreenModel = {
            ...model,
            stage,
            lines: said.map((part) => ({ ...line, ...part })),
            peer: { ...bob, name },
            contacts: [{ ...bob, name, unread: [1, 2, 3] }],
            input: lineOf(typed),
            notice: name,
          };
          const result = picture(changed, columns, rows, plain);
          assert.ok(result.rows.length <= rows);
          for (const row of result.rows)
            assert.ok(width(row) <= columns, `${width(row)} > ${columns}: ${row}`);
          assert.ok(result.cursor.column < columns && result.cursor.row < rows);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('what does not fit can be scrolled back to', () => {
    const lines = Array.from({ length: 50 }, (_, at) => ({ ...line, id: at, text: `number ${at}` }));
    assert.match(shown({ lines }), /number 49/);
    assert.doesNotMatch(shown({ lines }), /number 10 /);
    const back = shown({ lines, scrolledBack: 38 });
    assert.match(back, /number 10 /);
    assert.match(back, /more lines/);
    assert.match(shown({ lines, scrolledBack: 10_000 }), /number 0 /);
  });
});

describe('the input', () => {
  test('is edited by characters as people count them', () => {
    let input = insert(EMPTY_LINE, 'ab👩‍👩‍👧é');
    assert.equal(input.cursor, 4);
    input = edit(input, 'backspace');
    input = edit(input, 'backspace');
    assert.equal(lineText(input), 'ab');
    input = insert(edit(input, 'home'), 'x y ');
    assert.equal(lineText(input), 'x y ab');
    assert.equal(lineText(edit(edit(input, 'end'), 'ctrl-w')), 'x y ');
    assert.equal(lineText(edit(input, 'ctrl-k')), 'x y ');
    assert.equal(lineText(edit(input, 'ctrl-u')), 'ab');
    assert.equal(lineText(edit(edit(input, 'right'), 'delete')), 'x y a');
    assert.equal(lineText(edit(input, 'delete')), 'x y b');
    // An accent that is typed on its own joins the letter before it.
    assert.equal(insert(lineOf('e'), '\u0301').text.length, 1);
  });

  test('keeps its cursor in view', () => {
    const long = lineOf('x'.repeat(50));
    const view = viewOf(long, 10);
    assert.ok(view.column < 10 && view.column >= 0);
    assert.equal(viewOf(edit(long, 'home'), 10).column, 0);
  });
});

describe('keys', () => {
  const keys = (...inputs: string[]): KeyEvent[] => {
    const reader = new KeyReader();
    return [...inputs.flatMap((input) => reader.read(input)), ...reader.flush()];
  };

  test('named ones, text, and text pasted with line breaks that do not send', () => {
    assert.deepEqual(keys('hé\r'), [{ text: 'hé' }, { key: 'enter' }]);
    assert.deepEqual(keys('\x1b[A\x1b[1;5D\x03\t\x1b[Z\x7f'), [
      { key: 'up' },
      { key: 'word-left' },
      { key: 'ctrl-c' },
      { key: 'tab' },
      { key: 'back-tab' },
      { key: 'backspace' },
    ]);
    assert.deepEqual(keys('\x1b[200~one\r\ntwo\x1b[201~'), [{ text: 'one\ntwo' }]);
    assert.deepEqual(keys('\x1b'), [{ key: 'escape' }]);
    assert.deepEqual(keys('\x1b\r'), [{ key: 'alt-enter' }]);
    assert.deepEqual(keys('\x1b[99;99q'), []);
  });

  test('cut anywhere they are the same', () => {
    const input = 'a\x1b[A\x1b[200~p\x1b[3~q\x1b[201~\x1b[1;5Cb\x7f';
    const joined = (events: KeyEvent[]): string =>
      events.map((event) => ('key' in event ? `<${event.key}>` : event.text)).join('');
    const whole = joined(keys(input));
    assert.equal(whole, 'a<up>p\x1b[3~q<word-right>b<backspace>');
    for (let at = 1; at < input.length; at++) {
      assert.equal(joined(keys(input.slice(0, at), input.slice(at))), whole, `cut at ${at}`);
    }
  });
});

describe('text in columns', () => {
  test('is clipped and padded by what is seen', () => {
    assert.equal(clip('日本語テキスト', 7), '日本語…');
    assert.equal(clip('short', 10), 'short');
    assert.equal(pad('日本', 6), '日本  ');
    assert.equal(width('\x1b[1mbold\x1b[22m'), 4);
    assert.equal(clipStyled('\x1b[1mbold\x1b[22m and more', 6), '\x1b[1mbold\x1b[22m …');
  });

  test('is wrapped at spaces, losing nothing but them', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
    assert.deepEqual(wrap('a\n\nb', 4), ['a', '', 'b']);
    fc.assert(
      // Some characters are several columns wide: below their width nothing fits.
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 12, max: 40 }), (text, columns) => {
        const safe = safeText(text);
        const lines = wrap(safe, columns);
        for (const part of lines) {
          // What people see as one character is never cut, however wide it is.
          const characters = [...new Intl.Segmenter().segment(part)].length;
          assert.ok(width(part) <= columns || characters === 1, JSON.stringify(part));
        }
        const squeezed = (value: string): string => value.replace(/\s/g, '');
        assert.equal(squeezed(lines.join('')), squeezed(safe));
      }),
    );
  });

  test('of the line protocol survives its escapes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const line = escaped(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
        assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/);
      }),
    );
    assert.equal(unescaped(escaped('two\nlines and \\n and \\')), 'two\nlines and \\n and \\');
    assert.equal(safeLine(' a\n  b\t'), 'a b');
  });
});
