import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CorkedConnection, Corks, type CorkWriter } from '../../src/transport/cork.js';
import { SendResult, type Socket } from '../../src/transport/socket.js';

const LIMIT = 100;

class Writer implements CorkWriter {
  bytes = new Uint8Array(LIMIT);
  length = 0;
  fits(bytes: number): boolean {
    return this.length + bytes <= LIMIT;
  }
  reset(): void {
    this.length = 0;
  }
  write(...values: number[]): void {
    this.bytes.set(values, this.length);
    this.length += values.length;
  }
}

class Connection implements CorkedConnection<Writer> {
  corkWriter: Writer | null = null;
  corkDropped = false;
  readonly sent: number[][] = [];
  results: SendResult[] = [];
  readonly socket: Socket = {
    remoteAddress: '7f000001',
    send: (bytes) => {
      const result = this.results.shift() ?? SendResult.sent;
      if (result !== SendResult.dropped) this.sent.push([...bytes]);
      return result;
    },
    bufferedBytes: () => 0,
    close: () => {},
    terminate: () => {},
  };
}

function make(poolMax = 4, keptBytesMax = LIMIT) {
  const flushed: [Connection, SendResult][] = [];
  const state = { dirtied: 0, made: 0, onFlushed: (_: Connection): void => {} };
  const corks: Corks<Writer, Connection> = new Corks<Writer, Connection>({
    makeWriter: () => {
      state.made++;
      return new Writer();
    },
    poolMax,
    keptBytesMax,
    onDirty: () => state.dirtied++,
    onFlushed: (connection, result) => {
      flushed.push([connection, result]);
      state.onFlushed(connection);
    },
  });
  return { corks, flushed, state };
}

test('one message a turn for each connection, in order', () => {
  const { corks, flushed, state } = make();
  const a = new Connection();
  const b = new Connection();
  corks.writerFor(a).write(1);
  corks.writerFor(b).write(2);
  corks.writerFor(a).write(3);
  assert.equal(state.dirtied, 1);
  assert.deepEqual(a.sent, []);
  corks.flush();
  assert.deepEqual(a.sent, [[1, 3]]);
  assert.deepEqual(b.sent, [[2]]);
  assert.deepEqual(flushed, [
    [a, SendResult.sent],
    [b, SendResult.sent],
  ]);
  assert.equal(a.corkWriter, null);
  corks.flush();
  assert.equal(a.sent.length, 1);
});

test('buffers are shared between turns and idle connections hold none', () => {
  const { corks, state } = make(2);
  for (let turn = 0; turn < 10; turn++) {
    const connections = [new Connection(), new Connection(), new Connection()];
    for (const connection of connections) corks.writerFor(connection).write(turn);
    corks.flush();
    assert.ok(connections.every((connection) => connection.corkWriter === null));
    assert.equal(corks.pooled, 2);
  }
  assert.equal(state.made, 3 + 9);
});

test('a writer that has grown too large is let go', () => {
  const { corks } = make(4, LIMIT - 1);
  corks.writerFor(new Connection()).write(1);
  corks.flush();
  assert.equal(corks.pooled, 0);
});

test('what does not fit goes in a message of its own, in order', () => {
  const { corks, flushed } = make();
  const a = new Connection();
  corks.writerFor(a, 60).write(...new Array(60).fill(1));
  corks.writerFor(a, 60).write(...new Array(60).fill(2));
  corks.flush();
  assert.deepEqual(
    a.sent.map((message) => [message[0], message.length]),
    [
      [1, 60],
      [2, 60],
    ],
  );
  assert.equal(flushed.length, 1);
});

test('after a dropped message nothing of that turn follows, the next turn starts anew', () => {
  const { corks, flushed } = make();
  const a = new Connection();
  a.results = [SendResult.dropped];
  corks.writerFor(a, 60).write(...new Array(60).fill(1));
  corks.writerFor(a, 60).write(2);
  corks.flush();
  assert.deepEqual(a.sent, []);
  assert.deepEqual(flushed, [[a, SendResult.dropped]]);
  corks.writerFor(a).write(3);
  corks.flush();
  assert.deepEqual(a.sent, [[3]]);
});

test('what is written while flushing waits for the next flush', () => {
  const { corks, state } = make();
  const a = new Connection();
  let answers = 0;
  state.onFlushed = (connection) => {
    if (answers++ < 3) corks.writerFor(connection).write(9);
  };
  corks.writerFor(a).write(1);
  corks.flush();
  assert.deepEqual(a.sent, [[1]]);
  assert.equal(state.dirtied, 2);
  corks.flush();
  assert.deepEqual(a.sent, [[1], [9]]);
});

test('flushNow before a close; discard when it is gone; both may write again', () => {
  const { corks, flushed } = make();
  const a = new Connection();
  const b = new Connection();
  corks.writerFor(a).write(1);
  assert.equal(corks.flushNow(a), SendResult.sent);
  assert.deepEqual(a.sent, [[1]]);
  corks.writerFor(a).write(2);
  corks.writerFor(b).write(3);
  corks.discard(b);
  corks.flush();
  assert.deepEqual(a.sent, [[1], [2]]);
  assert.deepEqual(b.sent, []);
  assert.equal(flushed.length, 1);
  assert.equal(corks.flushNow(b), SendResult.sent);
});

test('an error of one connection does not lose the others', () => {
  const { corks, state } = make();
  const a = new Connection();
  const b = new Connection();
  state.onFlushed = (connection) => {
    if (connection === a) throw new Error('bug');
  };
  corks.writerFor(a).write(1);
  corks.writerFor(b).write(2);
  assert.throws(() => corks.flush(), /bug/);
  assert.equal(state.dirtied, 2, 'a new flush was asked for');
  corks.flush();
  assert.deepEqual(b.sent, [[2]]);
});

test('any sequence: each connection gets exactly what was written for it, in order', () => {
  const step = fc.record({
    what: fc.constantFrom('write', 'write', 'write', 'flush', 'now'),
    connection: fc.nat(3),
    size: fc.integer({ min: 1, max: LIMIT }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (list) => {
      const { corks } = make();
      const connections = [0, 1, 2, 3].map(() => new Connection());
      const written: number[][] = [[], [], [], []];
      let value = 0;
      for (const { what, connection, size } of list) {
        const one = connections[connection]!;
        if (what === 'flush') corks.flush();
        else if (what === 'now') corks.flushNow(one);
        else {
          const values = Array.from({ length: size }, () => value++ % 256);
          corks.writerFor(one, size).write(...values);
          written[connection]!.push(...values);
        }
      }
      corks.flush();
      for (const [i, connection] of connections.entries()) {
        assert.deepEqual(connection.sent.flat(), written[i]);
        assert.ok(connection.sent.every((message) => message.length > 0 && message.length <= LIMIT));
      }
    }),
  );
});
