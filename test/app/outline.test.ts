/** Outlines of values: what operators may see of messages and states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { outline } from '../../src/app/outline.js';
import { World } from '../actors/world.js';

const LIMITS = { depth: 4, entries: 5, chars: 1000 };
const drawn = (value: unknown, limits = LIMITS) => outline(value, limits).text;

test('numbers, fields and kinds are shown; of texts and bytes the sizes', () => {
  const message = {
    type: 'entry',
    inbox: 15550001,
    source: new Uint8Array(532),
    note: 'meet me at eight',
    ok: true,
    none: null,
    missing: undefined,
    big: 12n,
  };
  assert.deepEqual(outline(message, LIMITS), {
    text: '{ type: "entry", inbox: 15550001, source: (532 bytes), note: (16 characters), ok: true, … 3 more }',
    bytes: 5 + 532 + 16,
  });
  assert.equal(drawn('a secret'), '(8 characters)');
  assert.equal(drawn({ type: 'what somebody wrote, with "quotes" in it' }), '{ type: (40 characters) }');
});

test('lists, maps, sets, classes, pids, functions, errors, circles', () => {
  const { pid } = new World().puppet();
  class Account {
    balance = 7;
    get secret(): string {
      throw new Error('a getter was called');
    }
  }
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  assert.equal(drawn([1, [2, ['x']]]), '[ 1, [ 2, [ (1 characters) ] ] ]');
  assert.equal(drawn([]), '[]');
  assert.equal(drawn(new Map([['+15550001', { n: 1 }]])), 'Map(1) { (9 characters) => { n: 1 } }');
  assert.equal(drawn(new Set([1, 2, 3, 4, 5, 6, 7])), 'Set(7) { 1, 2, 3, 4, 5, … 2 more }');
  assert.equal(drawn(new Account()), 'Account { balance: 7 }');
  assert.equal(drawn({ from: pid }), `{ from: ${String(pid)} }`);
  assert.equal(
    drawn(Object.defineProperty({}, 'x', { enumerable: true, get: () => assert.fail() })),
    '{ x: (getter) }',
  );
  assert.equal(
    drawn([() => 1, new RangeError('told to nobody'), Symbol('s')]),
    '[ (function ), (RangeError), (s) ]',
  );
  assert.equal(drawn(circle), '{ self: (circular) }');
  assert.equal(drawn({ a: { b: { c: 1 } } }, { ...LIMITS, depth: 1 }), '{ a: {…} }');
});

test('an outline has its bounds, and no text of anybody is in it', () => {
  const secret = 'swordfish';
  const withSecrets = fc.object({
    maxDepth: 5,
    key: fc.oneof(fc.constantFrom('type', 'kind', 'text'), fc.string()),
    values: [fc.integer(), fc.constant(`my ${secret}!`), fc.uint8Array(), fc.boolean()],
    withMap: true,
    withSet: true,
    withTypedArray: true,
  });
  fc.assert(
    fc.property(withSecrets, (value) => {
      const { text } = outline(value, { depth: 6, entries: 8, chars: 200 });
      assert.ok(text.length <= 200);
      assert.ok(!text.includes(secret), text);
    }),
  );
});
