/** What hears of a flush is cut off by the native guard: nobody else's frames stay behind. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CorkedConnection, Corks, type CorkWriter } from '../../src/transport/cork.js';
import { SendResult, type Socket } from '../../src/transport/socket.js';
import { GuardedWorld, skip } from '../schedulers/guarded-world.js';

class Writer implements CorkWriter {
  bytes = new Uint8Array(16);
  length = 0;
  fits(bytes: number): boolean {
    return this.length + bytes <= 16;
  }
  reset(): void {
    this.length = 0;
  }
  write(value: number): void {
    this.bytes[this.length++] = value;
  }
}

class Connection implements CorkedConnection<Writer> {
  corkWriter: Writer | null = null;
  corkDropped = false;
  readonly sent: number[] = [];
  readonly socket: Socket = {
    remoteAddress: '7f000001',
    send: (bytes) => {
      this.sent.push(...bytes);
      return SendResult.sent;
    },
    bufferedBytes: () => 0,
    close: () => {},
    terminate: () => {},
  };
}

describe('cut off', { skip }, () => {
  let world: GuardedWorld;
  before(() => {
    world = new GuardedWorld();
  });
  after(() => world.close());

  function make(onFlushed: (connection: Connection) => void = () => {}): Corks<Writer, Connection> {
    const { runtime } = world;
    const flush = () => corks.flush();
    const corks: Corks<Writer, Connection> = new Corks<Writer, Connection>({
      makeWriter: () => new Writer(),
      poolMax: 4,
      keptBytesMax: 16,
      onDirty: () => runtime.turns.afterTurn(flush),
      onFlushed,
    });
    return corks;
  }

  test('within a flush: those behind go out with the next one, before what is newer', () => {
    const [a, b, c, d] = [new Connection(), new Connection(), new Connection(), new Connection()];
    const order: Connection[] = [];
    let cuts = 0;
    const corks = make((connection) => {
      order.push(connection);
      if (connection === b && cuts++ === 0) world.loop();
    });
    for (const [at, connection] of [a, b, c, d].entries()) corks.writerFor(connection).write(at);
    world.turns();
    assert.equal(cuts, 1);
    assert.deepEqual([a.sent, b.sent, c.sent, d.sent], [[0], [1], [], []]);
    assert.equal(corks.dirty, 2);
    const failed = world.events.flatMap((event) =>
      event.type === 'hook_failed' ? [String(event.error)] : [],
    );
    assert.deepEqual(failed, ['CutOff: cut off after 1234 ms']);
    // One that was there is written to once more; the first is new.
    corks.writerFor(a).write(4);
    corks.writerFor(c).write(5);
    world.turns();
    assert.deepEqual([a.sent, b.sent, c.sent, d.sent], [[0, 4], [1], [2, 5], [3]]);
    assert.deepEqual(order, [a, b, c, d, a]);
    assert.equal(corks.dirty, 0);
  });

  test('within a flush: a frame for one that waits is enough to have the rest sent', () => {
    const [a, b, c] = [new Connection(), new Connection(), new Connection()];
    const corks = make((connection) => {
      if (connection === a) world.loop();
    });
    for (const [at, connection] of [a, b, c].entries()) corks.writerFor(connection).write(at);
    world.turns();
    assert.deepEqual([b.sent, c.sent], [[], []]);
    corks.writerFor(c).write(3);
    world.turns();
    assert.deepEqual([b.sent, c.sent], [[1], [2, 3]]);
  });
});
