import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type MessageTrace,
  MessageTraces,
  type StationMark,
  type StationName,
} from '../../src/metrics/message-trace.js';

const STATIONS: readonly StationName[] = ['received', 'stored', 'routed', 'delivered'];

function mark(station: StationName, id: number, at = 0): StationMark {
  const knows = (...stations: StationName[]) => stations.includes(station);
  return {
    station,
    at: at + STATIONS.indexOf(station),
    thread: `scheduler-${1 + (STATIONS.indexOf(station) % 2)}`,
    sender: 15_550_001,
    id,
    recipient: knows('stored') ? null : 15_550_002,
    bodyBytes: knows('received') ? 5 : null,
    partition: knows('received') ? null : 3,
    seq: knows('received') ? null : 100 + id,
  };
}

function traces(openMax = 100) {
  const told: MessageTrace[] = [];
  const of = new MessageTraces({ lingerMs: 5000, openMax, onTrace: (trace) => told.push(trace) });
  return { of, told };
}

test('the marks of many messages, in any order, become one trace each', () => {
  const all = [1, 2, 3, 4].flatMap((id) => STATIONS.map((station) => mark(station, id, id * 10)));
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (marks) => {
      const { of, told } = traces();
      for (const one of marks) of.add(one, 0);
      assert.equal(of.size, 0);
      told.sort((a, b) => a.id - b.id);
      assert.deepEqual(
        told.map(({ id, recipient, bodyBytes, partition, seq }) => [
          id,
          recipient,
          bodyBytes,
          partition,
          seq,
        ]),
        [1, 2, 3, 4].map((id) => [id, 15_550_002, 5, 3, 100 + id]),
      );
      assert.deepEqual(told[0]!.received, { at: 10, thread: 'scheduler-1' });
      assert.deepEqual(told[0]!.delivered, { at: 13, thread: 'scheduler-2' });
    }),
  );
});

test('one whose recipient is away is told of after a while, as far as it has come', () => {
  const { of, told } = traces();
  for (const station of ['received', 'stored', 'routed'] as const) of.add(mark(station, 1), 1000);
  of.expire(5999);
  assert.equal(told.length, 0);
  of.expire(6000);
  assert.equal(told.length, 1);
  assert.equal(told[0]!.delivered, null);
  assert.equal(told[0]!.seq, 101);
});

test('a message without a beginning is none', () => {
  const { of, told } = traces();
  of.add(mark('delivered', 1), 0);
  of.add(mark('stored', 2), 0);
  of.expire(5000);
  assert.equal(of.size, 0);
  assert.deepEqual(told, []);
});

test('sent twice, it was received the first time', () => {
  const { of, told } = traces();
  of.add(mark('received', 1, 10), 0);
  of.add(mark('received', 1, 90), 0);
  of.flush();
  assert.equal(told[0]!.received.at, 10);
});

test('of too many on their way the oldest are told of early', () => {
  const { of, told } = traces(10);
  for (let id = 1; id <= 25; id++) of.add(mark('received', id), 0);
  assert.equal(of.size, 10);
  assert.deepEqual(
    told.map(({ id }) => id),
    Array.from({ length: 15 }, (_, index) => index + 1),
  );
});
