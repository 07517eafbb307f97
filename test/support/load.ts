import type { TestContext } from 'node:test';
import { registerMany } from './accounts.js';
import { atEnd } from './at-end.js';
import { assertNothingLost, settle } from './nothing-lost.js';
import type { Credentials } from './protocol-client.js';
import { ReliablePeer } from './reliable-peer.js';
import type { TestServer } from './test-server.js';
import { until } from './within.js';

/** Pairs under load, and faults while they chat; everything must come out right. */
export async function underLoad(
  t: TestContext,
  server: TestServer,
  faults: (
    after: (acknowledgements: number) => Promise<void>,
    users: readonly Credentials[],
    peers: readonly ReliablePeer[],
  ) => Promise<void>,
  people = 8,
): Promise<ReliablePeer[]> {
  const users = await registerMany(server, people);
  const peers = users.map((user) => new ReliablePeer(server, user, { inFlightMax: 30, ackEvery: 5 }));
  atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));
  let loading = true;
  let acknowledged = 0;
  for (const [index, peer] of peers.entries()) {
    const partner = users[index ^ 1]!.user;
    const fill = () => {
      while (loading && peer.pending < 40) peer.send(partner, `message ${peer.messages.length}`);
    };
    peer.onAcknowledged = () => {
      acknowledged++;
      fill();
    };
    fill();
    peer.run();
  }
  await faults(
    async (count) => {
      const goal = acknowledged + count;
      await until(`${count} more acknowledgements`, () => acknowledged >= goal, { everyMs: 5 });
    },
    users,
    peers,
  );
  loading = false;
  await settle(peers);
  t.diagnostic(
    `${acknowledged} acknowledged, ${peers.reduce((sum, peer) => sum + peer.connects, 0)} connections of ${peers.length}`,
  );
  assertNothingLost(peers);
  return peers;
}
