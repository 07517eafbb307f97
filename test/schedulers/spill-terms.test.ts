/** What a message is when it comes back from outside of the heap. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CastMessage, ExitReason, type Pid, RemoteRef } from '../../src/actors/index.js';
import { chatCodecs } from '../../src/app/chat-codecs.js';
import { type MessageCodec, MessageCodecs } from '../../src/schedulers/index.js';
import { World } from '../actors/world.js';
import { SpillingWorld } from './spilling-world.js';

const CHUNK = 64;

/** The messages after they were stored in one chunk and loaded again; null if the chunk was not taken. */
function around(world: SpillingWorld, messages: readonly unknown[]): unknown[] | null {
  const chunk = world.spill.store(messages, 0, messages.length);
  if (chunk === null) return null;
  const slots: unknown[] = new Array(CHUNK);
  world.spill.load(chunk, slots, 0);
  world.spill.free(chunk);
  return slots.slice(0, messages.length);
}

/** One message, beside one that is sure to be taken. */
function aroundOne(world: SpillingWorld, message: unknown): unknown {
  return around(world, [1, message])![1];
}

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
  withObjectString: true,
  key: fc.oneof(
    fc.string(),
    fc.constantFrom('constructor', '__proto__', 'toJSON', 'type', '0', 'hasOwnProperty'),
  ),
});

describe('messages outside of the heap', () => {
  test('are what they were, whatever they are, in their order', () => {
    const world = new SpillingWorld();
    let taken = 0;
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: CHUNK }), (messages) => {
        const back = around(world, messages);
        if (back === null) return;
        taken++;
        assert.deepStrictEqual(back, messages);
      }),
      { numRuns: 2000 },
    );
    assert.ok(taken > 1000, `only ${taken} chunks were taken`);
  });

  test('of many shapes are told apart, also when they share their type', () => {
    const world = new SpillingWorld();
    const shapes = fc.record(
      {
        type: fc.constantFrom('a', 'b', 1, null),
        x: fc.integer(),
        y: fc.double(),
        z: fc.string(),
        at: anything,
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(shapes, { minLength: 1, maxLength: CHUNK }), (messages) => {
        const back = around(world, messages)!;
        assert.deepStrictEqual(back, messages);
        for (const [at, message] of messages.entries()) {
          assert.deepStrictEqual(Object.keys(back[at] as object), Object.keys(message));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('numbers and texts at their limits', () => {
    const world = new SpillingWorld();
    const limits = [
      0,
      -0,
      2 ** 27 - 1,
      2 ** 27,
      -(2 ** 27),
      -(2 ** 27) - 1,
      2 ** 31,
      2 ** 53,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      5e-324,
      '',
      'ä',
      '\ud800',
      '\u0000',
      '💬'.repeat(100),
      'x'.repeat(5000),
      'x'.repeat(50_000),
      true,
      false,
      null,
      undefined,
    ];
    assert.deepStrictEqual(around(world, limits), limits);
    for (const value of limits) {
      assert.deepStrictEqual(aroundOne(world, [value, { value }]), [value, { value }]);
    }
  });

  test('what cannot be copied is the same object in its place', () => {
    class Letter {
      constructor(readonly text: string) {}
    }
    const world = new SpillingWorld();
    const self = world.puppet().self;
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const one of [
      new Letter('x'),
      () => 1,
      Symbol('s'),
      10n,
      new Map([[1, 2]]),
      new Date(0),
      /x/,
      new Error('e'),
      Buffer.from('hi'),
      shared,
      new Float64Array(2),
      Object.create(null),
      self.alias(),
      self.monitor(self),
      new RemoteRef(self, 3),
      Promise.resolve(),
      Object.assign(new Array(3), { 0: 1 }),
      Object.assign(Object.create(null), { a: 1 }),
      new Uint8Array(1_000_000),
    ]) {
      assert.equal(aroundOne(world, one), one);
      const inner = aroundOne(world, { type: 'x', before: 1, one, after: [one, 2] });
      assert.deepStrictEqual(inner, { type: 'x', before: 1, one, after: [one, 2] });
      assert.equal((inner as { one: unknown }).one, one);
    }
    const back = aroundOne(world, { a: circle }) as { a: { self: { self: unknown } } };
    assert.deepStrictEqual(back, { a: circle });
  });

  test('bytes are copies', () => {
    const world = new SpillingWorld();
    for (const length of [0, 1, 63, 64, 65, 1000, 1025, 9000]) {
      const bytes = new Uint8Array(length + 2).map((_, at) => at).subarray(1, length + 1);
      const sent = { bytes };
      const expected = bytes.slice();
      const chunk = world.spill.store([sent], 0, 1)!;
      bytes.fill(0);
      const slots: unknown[] = [];
      world.spill.load(chunk, slots, 0);
      world.spill.free(chunk);
      assert.deepStrictEqual((slots[0] as typeof sent).bytes, expected);
    }
  });

  test('pids are those of before, of the living, the dead and of other schedulers', () => {
    const codec: MessageCodec<{ type: 'who'; pid: Pid<unknown> }> = {
      code: 7,
      message: 'who',
      bytesMax: () => 16,
      encode: ({ pid }, out) => out.pid(pid),
      decode: (input) => ({ type: 'who', pid: input.pid() }),
    };
    const world = new SpillingWorld({ codecs: new MessageCodecs([codec] as MessageCodec[]) });
    const stays = world.puppet().pid;
    const dies = world.puppet().pid;
    const dead = world.puppet().pid;
    world.runtime.exit(dead, ExitReason.kill);
    const remote = world.runtime.pid(9, 77);
    const stranger = new World().puppet().pid;
    const pids = [stays, dies, dead, remote, stranger];
    const sent: unknown[] = pids.flatMap((pid) => [pid, { type: 'from', pid }]);
    for (const pid of [stays, dies, dead, remote]) sent.push({ type: 'who', pid });
    const chunk = world.spill.store(sent, 0, sent.length)!;
    world.runtime.exit(dies, ExitReason.kill);
    // Its slot is used again: that is another process.
    world.puppet();
    const slots: unknown[] = [];
    world.spill.load(chunk, slots, 0);
    for (const [at, message] of sent.entries()) {
      const back = slots[at] as { pid?: unknown };
      const pid = (message as { pid?: unknown }).pid ?? message;
      assert.equal(back.pid ?? back, pid, `message ${at}`);
    }
    assert.equal(world.runtime.pid(0, dies.id), dies);
    world.spill.free(chunk);
    assert.notEqual(world.runtime.pid(0, dies.id), dies, 'the dead are remembered for ever');
  });

  test('pids of the dead are remembered as long as a message may hold them, and no longer', () => {
    const world = new SpillingWorld();
    const full = Array.from({ length: CHUNK }, () => 'x'.repeat(16_000));
    const first = world.puppet().pid;
    const before = world.spill.store([first, ...full.slice(1)], 0, CHUNK)!;
    world.runtime.exit(first, ExitReason.kill);
    const second = world.puppet().pid;
    const behind = world.spill.store([second, ...full.slice(1)], 0, CHUNK)!;
    world.runtime.exit(second, ExitReason.kill);
    world.spill.free(before);
    assert.notEqual(world.runtime.pid(0, first.id), first, 'it is remembered without need');
    const slots: unknown[] = [];
    world.spill.load(behind, slots, 0);
    assert.equal(slots[0], second);
    world.spill.free(behind);
    assert.notEqual(world.runtime.pid(0, second.id), second);
  });

  test('casts and calls keep what they carry, calls their caller', () => {
    const world = new SpillingWorld();
    const cast = new CastMessage({ add: 3 });
    const back = aroundOne(world, cast);
    assert.ok(back instanceof CastMessage && back !== cast);
    assert.deepStrictEqual(back.message, { add: 3 });
  });

  test("the chat's messages take their compact form", () => {
    const world = new SpillingWorld({ codecs: chatCodecs });
    const source = new Uint8Array(300).fill(7);
    const entry = { type: 'entry', inbox: 1, seq: 2, time: 3.5, kind: 1, from: 4, ref: 5, partition: 6 };
    const back = aroundOne(world, { ...entry, source, bodyStart: 100, bodyEnd: 200 });
    assert.deepStrictEqual(back, { ...entry, source: source.slice(100, 200), bodyStart: 0, bodyEnd: 100 });
  });

  test('a codec that throws, or sends while it writes, harms nobody', () => {
    let sink: Pid<unknown> | null = null;
    const codec: MessageCodec<{ type: 'bad'; how: string }> = {
      code: 7,
      message: 'bad',
      bytesMax: () => 100,
      encode({ how }, out) {
        out.int(1);
        if (how === 'throws') throw new Error('a bug');
        if (how === 'longer') for (let left = 1_000_000; left > 0; left--) out.int(1);
        if (how === 'sends') for (let left = 1000; left > 0; left--) world.runtime.send(sink!, left);
      },
      decode: () => ({ type: 'bad', how: 'decoded' }),
    };
    const world = new SpillingWorld({ codecs: new MessageCodecs([codec] as MessageCodec[]) });
    const seen: unknown[] = [];
    sink = world.runtime.spawn(() => ({ receive: (message) => void seen.push(message) }));
    const throws = { type: 'bad', how: 'throws' };
    assert.equal(aroundOne(world, throws), throws);
    assert.equal(around(world, [1, { type: 'bad', how: 'longer' }]), null);
    assert.deepEqual(aroundOne(world, { type: 'bad', how: 'sends' }), { type: 'bad', how: 'decoded' });
    world.runtime.flush();
    assert.deepEqual(
      seen,
      Array.from({ length: 1000 }, (_, at) => 1000 - at),
    );
  });

  test('objects used as tables do not fill the memory with shapes', () => {
    const world = new SpillingWorld();
    for (let round = 0; round < 200; round++) {
      const tables = Array.from({ length: CHUNK }, (_, at) => ({
        type: 't',
        table: { [`k${round}-${at}`]: at },
      }));
      assert.deepStrictEqual(around(world, tables), tables);
    }
  });
});
