/** Schedulers die and hang at random while their clients chat: what was acknowledged is all there, once and in order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { skip } from '../schedulers/guarded-world.js';
import { underLoad } from '../support/load.js';
import { type Fault, TestServer } from '../support/test-server.js';

/** Longer, for whoever has time: `ROOKERY_SCHEDULER_SECONDS=300`. */
const SECONDS = Number(process.env['ROOKERY_SCHEDULER_SECONDS'] ?? 30);
const SCHEDULERS = 3;
/** So that none is left out for dying too often. */
const DEATHS_A_MINUTE_MAX = 5;
/** Only what the native guard can cut off may hang. */
const MAY_HANG = skip === false;
/** A process that does not return is cut off after this, and a thread that hangs ends. */
const HANGS = { longScheduleKillMs: 300, schedulerHangMs: 1000 };

type Thread = `scheduler-${number}`;

test(`schedulers, partitions, sessions and writers die and hang at random for ${SECONDS} s under load`, {
  timeout: 120_000 + SECONDS * 10_000,
}, async (t) => {
  const seed = Number(process.env['ROOKERY_SCHEDULER_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`ROOKERY_SCHEDULER_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const server = await TestServer.start(t, { settings: { schedulers: SCHEDULERS, ...HANGS } });
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
  /** What happens next; threads that have died too often of late are spared. */
  const next = (thread: Thread, user: number): Fault | null => {
    const partition = random.below(64);
    const pick = random.below(MAY_HANG ? 16 : 10);
    if (pick < 4) return mayDie(thread) ? { kind: 'crash-thread', thread } : null;
    if (pick < 5) {
      const kind = random.below(2) === 0 ? 'crash-thread' : 'crash-commit';
      return mayDie('writer-1') ? { kind, thread: 'writer-1' } : null;
    }
    if (pick < 7) return { kind: 'crash-partition', partition };
    if (pick < 8) return { kind: 'crash-session', user };
    if (pick < 10) return null;
    if (pick < 12) return { kind: 'loop-session', user };
    if (pick < 14) return { kind: 'loop-partition', partition };
    return mayDie(thread) ? { kind: 'loop-thread', thread } : null;
  };
  const peers = await underLoad(
    t,
    server,
    async (after, users) => {
      const end = performance.now() + SECONDS * 1000;
      while (performance.now() < end) {
        await after(1 + random.below(400));
        const line = server.lines.all.length;
        const thread: Thread = `scheduler-${1 + random.below(SCHEDULERS)}`;
        const { user } = users[random.below(users.length)]!;
        const fault = next(thread, user);
        const name =
          fault === null ? 'move' : 'thread' in fault ? `${fault.kind} ${fault.thread}` : fault.kind;
        counts[name] = (counts[name] ?? 0) + 1;
        if (fault === null) {
          const partitions = Array.from({ length: 8 }, () => random.below(64));
          const query = `partitions=${partitions}&to=${thread}`;
          await (await server.operator(`/api/partitions/move?${query}`, 'POST')).text();
          continue;
        }
        await server.injectFault(fault);
        if (!('thread' in fault)) continue;
        await server.log(new RegExp(`^${fault.thread} ended`), line);
        // Mostly the next fault comes when it is back, sometimes before.
        const isScheduler = fault.thread !== 'writer-1';
        if (isScheduler && random.below(4) !== 0) {
          await server.log(new RegExp(`^${thread} serves again`), line);
        }
      }
      await after(500);
    },
    12,
  );
  t.diagnostic(
    `${JSON.stringify(counts)}, ${peers.reduce((sum, peer) => sum + peer.duplicates, 0)} sends were repeated`,
  );
  const cut = server.lines.all.filter(({ message }) => /was cut off after \d+ ms/.test(message)).length;
  t.diagnostic(`${cut} processes were cut off`);
  assert.equal(server.pid, pid, 'the process lives on');
  assert.ok(
    peers.reduce((sum, peer) => sum + peer.connects, 0) > 2 * peers.length,
    'hardly anybody was disconnected: the deaths came at idle moments',
  );
});
