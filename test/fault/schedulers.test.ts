/** Schedulers die at random while their clients chat: what was acknowledged is all there, once and in order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { underLoad } from '../support/load.js';
import { TestServer } from '../support/test-server.js';

/** More of them, for whoever has time: each takes about a second. */
const ROUNDS = Number(process.env['ROOKERY_SCHEDULER_ROUNDS'] ?? 24);
const SCHEDULERS = 3;
/** So that none is left out for dying too often. */
const DEATHS_A_MINUTE_MAX = 5;

test(`schedulers, partitions, sessions and writers die ${ROUNDS} times at random under load`, {
  timeout: 60_000 + ROUNDS * 15_000,
}, async (t) => {
  const seed = Number(process.env['ROOKERY_SCHEDULER_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`ROOKERY_SCHEDULER_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const server = await TestServer.start(t, { settings: { schedulers: SCHEDULERS } });
  const { pid } = server;
  const deaths = new Map<string, number[]>();
  const counts: Record<string, number> = {};
  const mayDie = (thread: string) => {
    const now = performance.now();
    const recent = (deaths.get(thread) ?? []).filter((at) => now - at < 62_000);
    deaths.set(thread, recent);
    if (recent.length >= DEATHS_A_MINUTE_MAX) return false;
    recent.push(now);
    return true;
  };
  const peers = await underLoad(
    t,
    server,
    async (after, users) => {
      for (let round = 0; round < ROUNDS; round++) {
        await after(1 + random.below(400));
        const line = server.lines.all.length;
        const place = 1 + random.below(SCHEDULERS);
        const thread = `scheduler-${place}` as const;
        const pick = random.below(10);
        const what = pick < 5 ? 'scheduler' : pick < 6 ? 'writer' : pick < 8 ? 'partition' : 'move';
        if (what === 'scheduler' && mayDie(thread)) {
          await server.injectFault({ kind: 'crash-thread', thread });
          await server.log(new RegExp(`^${thread} ended`), line);
          // Mostly the next fault comes when it is back, sometimes before.
          if (random.below(4) !== 0) await server.log(new RegExp(`^${thread} serves again`), line);
        } else if (what === 'writer' && mayDie('writer-1')) {
          const kind = random.below(2) === 0 ? 'crash-thread' : 'crash-commit';
          await server.injectFault({ kind, thread: 'writer-1' });
          await server.log(/^writer-1 ended/, line);
        } else if (what === 'partition') {
          await server.injectFault({ kind: 'crash-partition', partition: random.below(64) });
        } else {
          const partitions = Array.from({ length: 8 }, () => random.below(64));
          await (
            await server.operator(`/api/partitions/move?partitions=${partitions}&to=${thread}`, 'POST')
          ).text();
        }
        counts[what] = (counts[what] ?? 0) + 1;
        if (random.below(3) === 0) {
          const { user } = users[random.below(users.length)]!;
          await server.injectFault({ kind: 'crash-session', user });
        }
      }
      await after(500);
    },
    12,
  );
  t.diagnostic(
    `${JSON.stringify(counts)}, ${peers.reduce((sum, peer) => sum + peer.duplicates, 0)} sends were repeated`,
  );
  assert.equal(server.pid, pid, 'the process lives on');
  assert.ok(
    peers.reduce((sum, peer) => sum + peer.connects, 0) > 2 * peers.length,
    'hardly anybody was disconnected: the deaths came at idle moments',
  );
});
