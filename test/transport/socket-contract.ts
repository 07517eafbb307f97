import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { Listener } from '../../src/transport/listener.js';
import { type ConnectionHandler, SendResult, type Socket } from '../../src/transport/socket.js';

/** A client as the suite sees it, over whatever transport. */
export interface ContractClient {
  /** Messages that arrived, in order. */
  readonly received: Uint8Array[];
  /** How the connection ended for the client, or null. */
  readonly ended: { readonly code: number; readonly reason: string } | null;
  send(bytes: Uint8Array, isBinary?: boolean): void;
  close(code: number, reason: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** One end of a connection at the server, recording. */
export class Recorder implements ConnectionHandler {
  readonly messages: { readonly bytes: Uint8Array; readonly isBinary: boolean }[] = [];
  drains = 0;
  readonly closings: { readonly code: number; readonly reason: string }[] = [];
  onMessage: (bytes: Uint8Array) => void = () => {};
  constructor(readonly socket: Socket) {}
  message(bytes: Uint8Array, isBinary: boolean): void {
    assert.equal(this.closings.length, 0, 'a message after closed');
    this.messages.push({ bytes: bytes.slice(), isBinary });
    this.onMessage(bytes);
  }
  drained(): void {
    assert.equal(this.closings.length, 0, 'drained after closed');
    this.drains++;
  }
  closed(code: number, reason: string): void {
    this.closings.push({ code, reason });
  }
}

export interface ContractWorld {
  readonly listener: Listener;
  readonly maxPayloadBytes: number;
  readonly maxBackpressureBytes: number;
  /** Errors that handlers threw. */
  readonly handlerErrors: unknown[];
  /** Who answers the next `opened`. */
  accept: (socket: Socket) => ConnectionHandler | null;
  /** Null: refused. */
  connect(): Promise<ContractClient | null>;
  /** Lets things happen until `condition` holds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets time pass for the listener's own timers. */
  pass(ms: number): Promise<void>;
  dispose(): void;
}

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

/** What every implementation of Socket and Listener has to do, and in the same way. */
export function socketContract(name: string, makeWorld: () => Promise<ContractWorld> | ContractWorld): void {
  describe(name, () => {
    let disposable: ContractWorld | null = null;
    afterEach(() => {
      disposable?.dispose();
      disposable = null;
    });

    async function world(): Promise<ContractWorld> {
      disposable = await makeWorld();
      return disposable;
    }

    async function connected(w: ContractWorld): Promise<[ContractClient, Recorder]> {
      let recorder: Recorder | null = null;
      w.accept = (socket) => {
        recorder = new Recorder(socket);
        return recorder;
      };
      const client = await w.connect();
      assert.ok(client !== null);
      await w.until(() => recorder !== null);
      return [client, recorder!];
    }

    test('messages in order, both ways, with their kind', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      assert.match(server.socket.remoteAddress, /^([0-9a-f]{8}|[0-9a-f]{32})$/);
      for (let i = 0; i < 50; i++) client.send(bytes(i, i), i % 7 !== 3 || i > 40);
      await w.until(() => server.messages.length === 50);
      for (const [i, message] of server.messages.entries()) {
        assert.deepEqual(message, { bytes: bytes(i, i), isBinary: i % 7 !== 3 || i > 40 });
      }
      for (let i = 0; i < 50; i++) assert.notEqual(server.socket.send(bytes(i, i)), SendResult.dropped);
      await w.until(() => client.received.length === 50);
      for (const [i, message] of client.received.entries()) assert.deepEqual(message, bytes(i, i));
    });

    test('a sent buffer may be reused at once', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      const buffer = bytes(1000, 0);
      for (let i = 0; i < 20; i++) {
        buffer.fill(i);
        server.socket.send(buffer);
      }
      buffer.fill(255);
      await w.until(() => client.received.length === 20);
      for (const [i, message] of client.received.entries()) assert.deepEqual(message, bytes(1000, i));
    });

    test('a send inside the message callback is answered as any other', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      server.onMessage = (message) => server.socket.send(message);
      client.send(bytes(10, 1));
      client.send(bytes(20_000, 2));
      await w.until(() => client.received.length === 2);
      assert.deepEqual(client.received, [bytes(10, 1), bytes(20_000, 2)]);
    });

    test('close flushes what was sent before, and says code and reason', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      client.pause();
      let sent = 0;
      while (server.socket.send(bytes(60_000, sent)) !== SendResult.dropped) sent++;
      server.socket.close(4001, 'slowConsumer');
      client.resume();
      await w.until(() => client.ended !== null);
      assert.deepEqual(client.ended, { code: 4001, reason: 'slowConsumer' });
      assert.equal(client.received.length, sent);
      for (const [i, message] of client.received.entries()) assert.deepEqual(message, bytes(60_000, i));
    });

    test('closed is called once, before close returns; afterwards the socket is inert', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      server.socket.close(4000, 'goingAway');
      assert.deepEqual(server.closings, [{ code: 4000, reason: 'goingAway' }]);
      assert.equal(server.socket.send(bytes(1, 1)), SendResult.dropped);
      assert.equal(server.socket.bufferedBytes(), 0);
      server.socket.close(4005, 'again');
      server.socket.terminate();
      client.send(bytes(5, 5));
      await w.until(() => client.ended !== null);
      assert.equal(client.ended?.code, 4000);
      assert.equal(server.closings.length, 1);
      assert.equal(w.listener.connections, 0);
    });

    test('close inside the message callback', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      server.onMessage = () => {
        server.socket.send(bytes(3, 3));
        server.socket.close(4400, 'malformed');
      };
      client.send(bytes(1, 1));
      client.send(bytes(1, 2));
      await w.until(() => client.ended !== null);
      assert.deepEqual(client.ended, { code: 4400, reason: 'malformed' });
      assert.deepEqual(client.received, [bytes(3, 3)]);
      assert.equal(server.messages.length, 1);
    });

    test('terminate ends it without a handshake', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      server.socket.terminate();
      assert.equal(server.closings.length, 1);
      assert.equal(server.closings[0]?.code, 1006);
      server.socket.terminate();
      server.socket.close(4000, '');
      await w.until(() => client.ended !== null);
      assert.equal(client.ended?.code, 1006);
      assert.equal(server.closings.length, 1);
    });

    test('the client closes: the handler hears code and reason', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      client.send(bytes(2, 2));
      client.close(4123, 'bye');
      await w.until(() => server.closings.length > 0 && client.ended !== null);
      assert.deepEqual(server.closings, [{ code: 4123, reason: 'bye' }]);
      assert.equal(server.messages.length, 1);
      assert.deepEqual(client.ended, { code: 4123, reason: 'bye' });
      assert.equal(server.socket.send(bytes(1, 1)), SendResult.dropped);
    });

    test('the client vanishes: the handler hears 1006', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      client.terminate();
      await w.until(() => server.closings.length > 0);
      assert.equal(server.closings[0]?.code, 1006);
    });

    test('a client that does not read: bounded, then dropped, then drained, and no hole nobody knows of', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      client.pause();
      const taken: number[] = [];
      let dropped = 0;
      let buffered = 0;
      for (let i = 0; dropped < 20; i++) {
        const result = server.socket.send(bytes(30_000, i % 251));
        assert.ok(server.socket.bufferedBytes() <= w.maxBackpressureBytes);
        if (result === SendResult.dropped) dropped++;
        else taken.push(i % 251);
        if (result === SendResult.buffered) buffered++;
        assert.ok(i < 100_000, 'never dropped');
      }
      assert.ok(buffered > 0);
      assert.ok(server.socket.bufferedBytes() > w.maxBackpressureBytes / 2);
      assert.equal(server.drains, 0);
      client.resume();
      await w.until(() => server.socket.bufferedBytes() === 0);
      await w.until(() => server.drains > 0 && client.received.length === taken.length);
      assert.deepEqual(
        client.received.map((message) => message[0]),
        taken,
      );
      assert.equal(server.socket.send(bytes(5, 77)), SendResult.sent);
      await w.until(() => client.received.length === taken.length + 1);
    });

    test('one message larger than the buffer is dropped', async () => {
      const w = await world();
      const [, server] = await connected(w);
      assert.equal(server.socket.send(bytes(w.maxBackpressureBytes + 1, 0)), SendResult.dropped);
      assert.equal(server.socket.bufferedBytes(), 0);
    });

    test('a message above the limit ends the connection with 4404, a huge one without a word', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      client.send(bytes(w.maxPayloadBytes, 1));
      client.send(bytes(w.maxPayloadBytes + 1, 2));
      await w.until(() => client.ended !== null);
      assert.equal(client.ended?.code, 4404);
      assert.equal(server.messages.length, 1);
      const [huge, other] = await connected(w);
      huge.send(bytes(2 * w.maxPayloadBytes + 1, 3));
      await w.until(() => huge.ended !== null && other.closings.length > 0);
      assert.equal(huge.ended?.code, 1006);
      assert.equal(other.messages.length, 0);
    });

    test('the acceptor refuses: by null, or by closing', async () => {
      const w = await world();
      w.accept = () => null;
      const first = await w.connect();
      // Over a network it may see the end before the handshake.
      await w.until(() => first === null || first.ended !== null);
      if (first !== null) assert.equal(first.ended?.code, 1006);
      w.accept = (socket) => {
        socket.send(bytes(4, 4));
        socket.close(4003, 'overloaded');
        return null;
      };
      const second = await w.connect();
      await w.until(() => second !== null && second.ended !== null);
      assert.deepEqual(second?.ended, { code: 4003, reason: 'overloaded' });
      assert.deepEqual(second?.received, [bytes(4, 4)]);
      assert.equal(w.listener.connections, 0);
    });

    test('a handler that throws loses its own connection only', async () => {
      const w = await world();
      const [bystander, other] = await connected(w);
      const [client, server] = await connected(w);
      server.onMessage = () => {
        throw new Error('bug');
      };
      client.send(bytes(1, 1));
      await w.until(() => client.ended !== null);
      assert.equal(client.ended?.code, 1006);
      assert.equal(server.closings.length, 1);
      assert.equal(w.handlerErrors.length, 1);
      assert.equal(w.listener.counters.handlerErrors, 1);
      w.accept = () => {
        throw new Error('bug in the acceptor');
      };
      const refused = await w.connect();
      await w.until(() => refused === null || refused.ended !== null);
      assert.equal(w.handlerErrors.length, 2);
      bystander.send(bytes(6, 6));
      await w.until(() => other.messages.length === 1);
      assert.equal(w.listener.connections, 1);
    });

    test('forEach visits the open ones, whoever closes meanwhile', async () => {
      const w = await world();
      const ends: [ContractClient, Recorder][] = [];
      for (let i = 0; i < 6; i++) ends.push(await connected(w));
      const visited = new Set<Socket>();
      w.listener.forEach((socket) => {
        visited.add(socket);
      });
      assert.equal(visited.size, 6);
      visited.clear();
      // The first one visited closes itself and all others but one.
      w.listener.forEach((socket) => {
        visited.add(socket);
        assert.notEqual(socket.send(bytes(1, 1)), SendResult.dropped, 'a closed one was visited');
        if (visited.size > 1) return;
        socket.close(4000, '');
        let spared = false;
        for (const [, { socket: other }] of ends) {
          if (other === socket) continue;
          if (spared) other.terminate();
          spared = true;
        }
      });
      assert.equal(visited.size, 2);
      assert.equal(w.listener.connections, 1);
    });

    test('drain waits for those who go by themselves', async () => {
      const w = await world();
      const [client] = await connected(w);
      const [, second] = await connected(w);
      let result = -1;
      void w.listener.drain(60_000).then((terminated) => {
        result = terminated;
      });
      assert.equal(await w.connect(), null, 'no new connections');
      client.close(4000, '');
      await w.until(() => w.listener.connections === 1);
      assert.equal(result, -1);
      second.socket.close(4000, 'goingAway');
      await w.until(() => result >= 0);
      assert.equal(result, 0);
    });

    test('drain cuts off the rest at the deadline; a shorter one hurries', async () => {
      const w = await world();
      const ends = [await connected(w), await connected(w), await connected(w)];
      const results: number[] = [];
      void w.listener.drain(600_000).then((terminated) => results.push(terminated));
      ends[0]![1].socket.close(4000, '');
      void w.listener.drain(20).then((terminated) => results.push(terminated));
      await w.pass(20);
      await w.until(() => results.length === 2);
      assert.deepEqual(results, [2, 2]);
      assert.equal(w.listener.connections, 0);
      for (const [client] of ends) await w.until(() => client.ended !== null);
      assert.equal(await w.listener.drain(1000), 2, 'draining what is drained is no waiting');
    });

    test('close ends everything, twice is once', async () => {
      const w = await world();
      const [client, server] = await connected(w);
      w.listener.close();
      assert.equal(server.closings.length, 1);
      w.listener.close();
      await w.until(() => client.ended !== null);
      assert.equal(w.listener.connections, 0);
      assert.equal(await w.connect(), null);
      assert.deepEqual([w.listener.counters.opened, w.listener.counters.closed], [1, 1]);
      await w.listener.drain(1000);
    });
  });
}
