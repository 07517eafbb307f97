/** Connections that hold a place without being of use are let go: it takes the timeouts' own time to see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SendResult } from '../../src/transport/socket.js';
import { listen } from '../../src/transport/uws/uws-listener.js';
import { handshake, RawClient } from '../transport/raw-client.js';
import { Recorder } from '../transport/socket-contract.js';
import { testOptions, until } from '../transport/uws-world.js';

test('silence, headers in drips, idle WebSockets, and closed ones whose client reads nothing', async () => {
  const recorders: Recorder[] = [];
  const opened = (socket: Recorder['socket']) => {
    const recorder = new Recorder(socket);
    recorders.push(recorder);
    return recorder;
  };
  const listener = listen(
    { ...testOptions, connectionsMax: 6, idleTimeoutSeconds: 8 },
    { opened },
    new SystemClock(),
  );

  const silent = await RawClient.connect(listener.port);
  const nonsense = await RawClient.connect(listener.port);
  nonsense.write('NONSENSE\r\n\r\n');
  const slow = await RawClient.connect(listener.port);
  slow.write('GET /ws HTTP/1.1\r\nX-Slow: ');
  const drip = setInterval(() => slow.write('a'), 500);

  const idle = await RawClient.connect(listener.port);
  idle.write(handshake());
  await until(() => recorders.length === 1);

  const deaf = await RawClient.connect(listener.port);
  deaf.write(handshake());
  await until(() => recorders.length === 2);
  deaf.socket.pause();
  const { socket } = recorders[1]!;
  while (socket.send(new Uint8Array(60_000)) !== SendResult.dropped);
  socket.close(4001, 'slowConsumer');
  let isCut = false;
  // A paused stream does not see the end; a write into a connection that is gone does.
  const knock = setInterval(() => deaf.socket.write('x', (error) => (isCut ||= error != null)), 250);

  await until(() => silent.closed && nonsense.closed && slow.closed && recorders[0]!.closings.length === 1);
  clearInterval(drip);
  assert.equal(recorders[0]!.closings[0]?.code, 1006);
  await until(() => isCut);
  clearInterval(knock);
  deaf.destroy();

  // All places are free again.
  const clients: RawClient[] = [];
  while (listener.connections < 6) {
    const client = await RawClient.connect(listener.port);
    clients.push(client);
    client.write(handshake());
    await until(() => client.closed || client.text.includes('\r\n\r\n'));
  }
  assert.equal(listener.counters.refusedFull, 0);
  for (const client of clients) client.destroy();
  listener.close();
});
