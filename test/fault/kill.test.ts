/** kill -9 at random moments under load: what was acknowledged arrives once and in order, and its receipts come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { assertNothingLost, settle } from '../support/nothing-lost.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

const ROUNDS = Number(process.env['ROOKERY_KILL_ROUNDS'] ?? 32);
const PAIRS = 6;
const IN_FLIGHT = 40;

test(`kill -9, ${ROUNDS} times under load`, { timeout: 300_000 }, async (t) => {
  const seed = Number(process.env['ROOKERY_KILL_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`ROOKERY_KILL_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const server = await TestServer.start(t);
  const users = await registerMany(server, PAIRS * 2);
  const peers = users.map(
    (user) => new ReliablePeer(server, user, { inFlightMax: IN_FLIGHT, ackEvery: 1 + random.below(16) }),
  );
  atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));

  // Both of a pair send without pause: an answer makes room for the next message.
  let loading = true;
  let acknowledged = 0;
  let wake = () => {};
  let wakeAt = Number.POSITIVE_INFINITY;
  for (const [index, peer] of peers.entries()) {
    const partner = peers[index ^ 1]!.user;
    const fill = () => {
      while (loading && peer.pending < IN_FLIGHT) {
        peer.send(partner, `${peer.user} ${peer.messages.length} ${'x'.repeat(random.below(200))}`);
      }
    };
    peer.onAcknowledged = () => {
      if (++acknowledged >= wakeAt) wake();
      fill();
    };
    fill();
    peer.run();
  }
  const afterMore = (count: number) =>
    within(
      `${count} more acknowledgements`,
      new Promise<void>((resolve) => {
        wake = resolve;
        wakeAt = acknowledged + count;
      }),
      60_000,
    );

  let killedInStart = 0;
  for (let round = 0; round < ROUNDS; round++) {
    if (random.below(5) === 0) {
      // In the middle of a start, when the log is being read and the clients are knocking.
      killedInStart++;
      await server.kill();
      server.spawn();
      await new Promise((resolve) => setTimeout(resolve, random.below(600)));
    } else {
      await afterMore(1 + random.below(1500));
      // And somewhere within a commit.
      await new Promise((resolve) => setTimeout(resolve, random.below(8)));
    }
    if (random.below(3) === 0) peers[random.below(peers.length)]!.cut();
    const exit = await server.kill();
    assert.deepEqual(exit, { code: null, signal: 'SIGKILL' }, server.lines.tail());
    await server.start();
  }

  // Two senders vanish for good with sends in flight: these may have arrived, but not twice.
  const vanished = new Set([peers[0]!, peers[2]!]);
  await afterMore(500);
  for (const peer of vanished) await peer.stop();
  loading = false;
  await settle(peers, vanished);
  t.diagnostic(
    `${acknowledged} acknowledged, ${peers.reduce((sum, peer) => sum + peer.duplicates, 0)} of them as repeats, ` +
      `${peers.reduce((sum, peer) => sum + peer.connects, 0)} connections, ${killedInStart} kills during a start`,
  );
  assertNothingLost(peers, vanished);
  assert.ok(
    peers.reduce((sum, peer) => sum + peer.duplicates, 0) > 0,
    'no send was ever repeated: the kills came at idle moments',
  );
});
