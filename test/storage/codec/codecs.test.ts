import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  applyCommand,
  encodeAppend,
  encodeControl,
  encodeLookup,
  encodeRead,
  encodeWipe,
} from '../../../src/storage/codec/command-codec.js';
import { deliverEvent, encodeControlled, encodeFailed } from '../../../src/storage/codec/event-codec.js';
import {
  type Control,
  type ControlResult,
  EntryKind,
  HEARD_MODULUS,
  type Store,
  StoreFailure,
} from '../../../src/storage/stores.js';
import { RecordBuffer } from '../../../src/structures/record-buffer.js';
import { RecordedEvents } from '../recorded-events.js';

const number = fc.maxSafeNat();
const word = fc.nat({ max: 2 ** 31 - 1 });
const bytes = fc.uint8Array({ maxLength: 40 });

const command = fc.oneof(
  fc.tuple(
    fc.constant('append' as const),
    fc.record({ requester: number, inbox: number, from: number, device: word, ref: number, time: number }),
    fc.constantFrom(...Object.values(EntryKind)),
    fc.nat({ max: HEARD_MODULUS - 1 }),
    bytes,
  ),
  fc.tuple(fc.constant('wipe' as const), number, number, word, number, number),
  fc.tuple(fc.constant('read' as const), number, number, number, word, word),
  fc.tuple(fc.constant('lookup' as const), number, number),
  fc.tuple(
    fc.constant('control' as const),
    number,
    word,
    fc.record({
      op: fc.constant('pin-request' as const),
      user: number,
      pinHash: bytes,
      now: number,
    }),
  ),
);

describe('commands as records', () => {
  it('come out as they went in, one behind the other', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        const sink = new RecordBuffer(64, 2 ** 20);
        const expected: unknown[] = [];
        for (const one of commands) {
          switch (one[0]) {
            case 'append': {
              const [, { requester, inbox, from, device, ref, time }, kind, heard, body] = one;
              const around = Buffer.concat([Buffer.from('?'), body, Buffer.from('?')]);
              const end = 1 + body.length;
              assert.ok(
                encodeAppend(sink, requester, inbox, from, device, kind, ref, time, around, 1, end, heard),
              );
              expected.push(['append', inbox, from, device, kind, ref, time, [...body], requester, heard]);
              break;
            }
            case 'wipe': {
              const [, requester, inbox, device, upTo, time] = one;
              assert.ok(encodeWipe(sink, requester, inbox, device, upTo, time));
              expected.push(['wipe', inbox, device, upTo, time, requester]);
              break;
            }
            case 'read': {
              const [, requester, inbox, after, countMax, bytesMax] = one;
              assert.ok(encodeRead(sink, requester, inbox, after, countMax, bytesMax));
              expected.push(['read', inbox, after, countMax, bytesMax, requester]);
              break;
            }
            case 'lookup':
              assert.ok(encodeLookup(sink, one[1], one[2]));
              expected.push(['lookup', one[2], one[1]]);
              break;
            case 'control':
              assert.ok(encodeControl(sink, one[1], one[2], one[3]));
              expected.push(['control', { ...one[3], pinHash: [...one[3].pinHash] }, one[1], one[2]]);
              break;
          }
        }
        const seen: unknown[] = [];
        const store: Pick<Store, 'append' | 'wipe' | 'read' | 'lookup' | 'control'> = {
          append: (inbox, from, device, kind, ref, time, source, start, end, requester, heard) => {
            const body = [...source.subarray(start, end)];
            seen.push(['append', inbox, from, device, kind, ref, time, body, requester, heard]);
          },
          wipe: (...rest) => seen.push(['wipe', ...rest]),
          read: (...rest) => seen.push(['read', ...rest]),
          lookup: (...rest) => seen.push(['lookup', ...rest]),
          control: (control, ...rest) => {
            const { pinHash } = control as Control & { op: 'pin-request' };
            seen.push(['control', { ...control, pinHash: [...pinHash] }, ...rest]);
          },
        };
        for (let at = sink.peek(); at >= 0; at = sink.peek()) {
          applyCommand(sink.memory, at, store);
          sink.shift();
        }
        assert.deepEqual(seen, expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('answers as records', () => {
  it('bring back whose they are, and which of its questions they are for', () => {
    fc.assert(
      fc.property(number, word, number, fc.string(), (requester, ref, user, name) => {
        const sink = new RecordBuffer(64, 2 ** 20);
        const result: ControlResult = { op: 'lookup-users', users: [{ user, name, lastSeen: 0 }] };
        assert.ok(encodeControlled(sink, requester, ref, result));
        assert.ok(encodeFailed(sink, -1, requester, 5, ref, StoreFailure.io));
        const events = new RecordedEvents();
        for (let at = sink.peek(); at >= 0; at = sink.peek()) {
          deliverEvent(sink.memory, at, events);
          sink.shift();
        }
        assert.deepEqual(events.take(), [
          { type: 'controlled', requester, ref, result },
          { type: 'failed', partition: -1, requester, command: 5, ref, failure: StoreFailure.io },
        ]);
      }),
    );
  });
});
