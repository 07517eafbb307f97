import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  DownMessage,
  ExitMessage,
  ExitReason,
  type Pid,
  type Ref,
  RemoteRef,
} from '../../src/actors/index.js';
import { NotEncodable, UndecodableRecord } from '../../src/schedulers/index.js';
import { TermCodec } from '../../src/schedulers/term-codec.js';
import { World } from '../actors/world.js';

const here = new World({ scheduler: 1 });
const there = new World({ scheduler: 2 });
const sends = new TermCodec(here.runtime);
const receives = new TermCodec(there.runtime);

/** What arrives on scheduler 2 of what scheduler 1 sends. */
function travel(value: unknown): unknown {
  return receives.unpack(sends.pack(value));
}

/** There and back. */
function return_(value: unknown): unknown {
  return sends.unpack(receives.pack(travel(value)));
}

const anything = fc.anything({
  withBigInt: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: false,
  withNullPrototype: true,
  withObjectString: false,
  key: fc.oneof(fc.string(), fc.constantFrom('constructor', '__proto__', 'toJSON', 'type', 'hasOwnProperty')),
});

describe('values on their way to another scheduler', () => {
  test('plain data arrives as it was', () => {
    fc.assert(
      fc.property(anything, (value) => {
        assert.deepStrictEqual(travel(value), value);
      }),
      { numRuns: 2000 },
    );
  });

  test('a value that is sent is not changed by it', () => {
    const value = { list: [-0, new Map([[{ a: 1n }, new Set(['x'])]])], when: new Date(5) };
    const copy = structuredClone(value);
    travel(value);
    assert.deepStrictEqual(value, copy);
  });

  test('bytes stay bytes, and are copies', () => {
    for (const bytes of [new Uint8Array([1, 2, 3]), new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4)]) {
      const arrived = travel({ bytes }) as { bytes: Uint8Array };
      assert.deepStrictEqual(arrived, { bytes: new Uint8Array([1, 2, 3]) });
      sends.pack({ other: new Uint8Array(100).fill(7) });
      assert.deepStrictEqual(arrived.bytes, new Uint8Array([1, 2, 3]));
    }
    assert.deepStrictEqual(travel(Buffer.from('hi')), new Uint8Array([104, 105]));
    assert.deepStrictEqual(travel(new Uint8Array([5, 6]).buffer), new Uint8Array([5, 6]).buffer);
    assert.deepStrictEqual(travel(new Float32Array([0.5, 2])), new Float32Array([0.5, 2]));
  });

  test('numbers and texts at their limits', () => {
    for (const value of [
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      -(2 ** 53),
      5e-324,
      2n ** 200n,
      '\ud800',
      '\udc00x',
      '👪',
    ]) {
      assert.ok(Object.is(travel(value), value), String(value));
      assert.deepStrictEqual(travel({ value }), { value });
    }
  });

  test('regular expressions and dates', () => {
    assert.deepStrictEqual(travel([/a+b/giu, new Date(5)]), [/a+b/giu, new Date(5)]);
    assert.ok(Number.isNaN((travel(new Date(Number.NaN)) as Date).getTime()));
  });

  test('errors: name, message, stack, code, cause', () => {
    class Refused extends Error {
      override readonly name = 'Refused';
      readonly code = 'E_REFUSED';
      readonly socket = () => {};
    }
    const error = new Refused('no', { cause: new RangeError('because', { cause: () => {} }) });
    const arrived = travel({ error }) as { error: Refused };
    assert.ok(arrived.error instanceof Error);
    const { name, message, stack, code, cause } = arrived.error;
    assert.deepEqual(
      { name, message, stack, code },
      { name: 'Refused', message: 'no', stack: error.stack, code: 'E_REFUSED' },
    );
    assert.ok(cause instanceof RangeError);
    assert.equal(cause.message, 'because');
    assert.equal(cause.cause, '[the function cause]');
    assert.equal(Object.hasOwn(travel(new TypeError('x')) as Error, 'cause'), false);
  });

  test('pids are the same process everywhere', () => {
    const a = here.puppet().pid;
    const b = there.puppet().pid;
    const foreign = here.runtime.pid(3, 12345);
    const arrived = travel({ a, b: here.runtime.pid(2, b.id), list: [foreign] }) as {
      a: Pid;
      b: Pid;
      list: Pid[];
    };
    assert.equal(arrived.a, there.runtime.pid(1, a.id));
    assert.equal(arrived.b, b);
    assert.equal(arrived.list[0], there.runtime.pid(3, 12345));
    assert.equal(return_(a), a);
  });

  test('references: the same here and there while they are in use', () => {
    const { self } = here.puppet();
    const alias = self.alias();
    const arrived = travel(alias) as RemoteRef;
    assert.ok(arrived instanceof RemoteRef);
    assert.equal(travel(alias), arrived);
    assert.equal((return_({ alias }) as { alias: Ref }).alias, alias);
    self.unalias(alias);
    assert.notEqual(return_(alias), alias);
    assert.equal((return_(alias) as Ref).isAlias, false);
  });

  test('EXIT and DOWN messages, with what their reasons hold as far as it can', () => {
    const { self, pid } = here.puppet();
    const exit = travel(new ExitMessage(pid, ExitReason.custom({ f: () => {}, n: 1 }))) as ExitMessage;
    assert.ok(exit instanceof ExitMessage);
    assert.equal(exit.from, there.runtime.pid(1, pid.id));
    assert.deepEqual(exit.reason, ExitReason.custom({ f: '[the function f]', n: 1 }));
    const down = travel(new DownMessage(self.monitor(pid), 'name', ExitReason.noproc, 'tag')) as DownMessage;
    assert.ok(down instanceof DownMessage);
    assert.deepEqual([down.from, down.reason, down.tag], ['name', ExitReason.noproc, 'tag']);
  });
});

describe('what cannot leave its scheduler', () => {
  class Socket {
    readonly port = 5;
  }
  const circle: { list: unknown[] } = { list: [] };
  circle.list.push(circle);
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [() => 1, 'message', /^a function$/],
    [{ handlers: { onClose() {} } }, 'message.handlers.onClose', /the function onClose/],
    [[1, [Symbol('s')]], 'message[1][0]', /Symbol\(s\)/],
    [{ 'two words': new Socket() }, 'message["two words"]', /an instance of Socket/],
    [new Map([['key', new Socket()]]), 'message.key', /Socket/],
    [new Map([[new Socket(), 1]]), 'message.key', /Socket/],
    [new Set([1, () => {}]), 'message[1]', /a function/],
    [circle, 'message.list[0].list[0]', /in a circle/],
    [new WeakMap(), 'message', /WeakMap/],
    [Promise.resolve(), 'message', /Promise/],
    [new SharedArrayBuffer(8), 'message', /SharedArrayBuffer/],
    [class extends Array {}.from([1]), 'message', /instance|object/],
  ];
  for (const [value, path, what] of cases) {
    test(`${path}: ${what.source}`, () => {
      assert.throws(
        () => sends.pack(value),
        (error: unknown) => {
          assert.ok(error instanceof NotEncodable);
          assert.ok(error.path === path || error.path.startsWith(path), error.path);
          assert.match(error.what, what);
          assert.match(error.message, /cannot leave its scheduler$/);
          return true;
        },
      );
    });
  }

  test('parts that are shared many times over are refused before they take for ever', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 60; depth++) value = [value, value];
    assert.throws(() => sends.pack(value), NotEncodable);
  });

  test('reasons travel all the same, with a text in its place', () => {
    const reason: ExitReason = { type: 'nocatch', value: [new Socket(), Symbol('x'), circle] };
    const arrived = receives.unpack(sends.packReason(reason)) as { value: unknown[] };
    assert.deepEqual(arrived.value.slice(0, 2), ['[an instance of Socket]', '[Symbol(x)]']);
    const error = new Error('boom');
    const crash = receives.unpack(sends.packReason({ type: 'error', error })) as { error: Error };
    assert.equal(crash.error.stack, error.stack);
  });
});

describe('what arrives and makes no sense', () => {
  test('is an UndecodableRecord, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          receives.unpack(bytes);
        } catch (error) {
          assert.ok(error instanceof UndecodableRecord, String(error));
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('also if only a byte of it is wrong', () => {
    const packed = new Uint8Array(
      sends.pack({
        pid: here.puppet().pid,
        map: new Map([[1, new Set([2])]]),
        error: new Error('x'),
        at: new Date(),
        f: new Float32Array(2),
        n: 5n,
      }),
    );
    for (let at = 0; at < packed.length; at++) {
      for (const value of [0, 1, 33, 0x7f, 0x80, 0x90, 0xc1, 0xd4, 0xff]) {
        const broken = packed.slice();
        broken[at] = value;
        try {
          receives.unpack(broken);
        } catch (error) {
          assert.ok(error instanceof UndecodableRecord, String(error));
        }
      }
    }
  });
});
