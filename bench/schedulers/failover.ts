import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PartitionsReport } from '../../src/ops/pages/partitions-page.js';
import type { ReturnResult } from '../chat/load-messages.js';
import { LoadProcess } from '../chat/load-process.js';
import { type RookeryServer, startRookery, temporaryDataFolder } from '../chat/rookery-server.js';
import { type LoopPause, LoopPauses } from '../measure/loop-pauses.js';
import { processUsage } from '../measure/process-usage.js';

export interface FailoverOptions {
  /** Users of the whole server; each of the two schedulers has about half of them. */
  readonly sessions: number;
  readonly rounds: number;
}

/** The death of one scheduler of two. */
export interface Failover extends ReturnResult {
  readonly scheduler: string;
  /** How long it took to open one session before, with many handshakes at a time and nothing else to do. */
  readonly openMs: number;
  /** Of the server's process, from the fault until all are served. */
  readonly cpuSeconds: number;
  /** From the fault to its successor's “serves again”, in ms. */
  readonly threadMs: number;
  readonly pauses: readonly LoopPause[];
}

/** Handshakes at the same time while the sessions are opened at leisure. */
const PARALLEL = 256;
const RETURN_MS_MAX = 60_000;
const SETTLE_MS_MAX = 60_000;

/**
 * Two schedulers with many idle sessions; one of them dies, its clients connect again after a random time of a quarter
 * of a second at most, on the common port, and each sends its partner a message: until the receipt is back it does not
 * count as served.
 */
export async function benchFailover(
  options: FailoverOptions,
  say: (text: string) => void,
): Promise<Failover[]> {
  const dataFolder = await temporaryDataFolder();
  const server = await startRookery({ dataFolder, schedulers: 2, development: true, inspected: true });
  const load = await LoadProcess.start(
    {
      dialect: 'rookery',
      bodyBytes: 120,
      sourceAddresses: 1,
      firstPhone: 49_200_000_000,
      settleMsMax: 0,
    },
    server.pins,
  );
  try {
    say(`registering ${options.sessions} users`);
    await load.open(server.port, options.sessions, PARALLEL);
    const deaths: Failover[] = [];
    for (let round = 0; round < options.rounds; round++) {
      // Everybody to the scheduler of the inbox again.
      await load.close();
      await settled(server);
      const begun = performance.now();
      await load.open(server.port, options.sessions, PARALLEL);
      const openMs = (performance.now() - begun) / options.sessions;
      const death = { ...(await die(server, load, `scheduler-${1 + (round % 2)}`)), openMs };
      deaths.push(death);
      say(
        `${death.scheduler} died with ${death.lost} sessions: all welcome after ${last(death.welcomeMs)} ms, ` +
          `all served after ${last(death.servedMs)} ms, the thread is back after ${Math.round(death.threadMs)} ms`,
      );
    }
    return deaths;
  } finally {
    load.stop();
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

function last(times: readonly number[]): number {
  return Math.round(times.at(-1) ?? Number.NaN);
}

async function die(
  server: RookeryServer,
  load: LoadProcess,
  scheduler: string,
): Promise<Omit<Failover, 'openMs'>> {
  const { schedulers } = await settled(server);
  const { connections } = schedulers.find((one) => one.scheduler === scheduler)!;
  await load.expectLosses(server.port);
  const pauses = await LoopPauses.begin(server.inspectorPort);
  const back = server.line(new RegExp(`"${scheduler} serves again`));
  const { cpuSeconds } = processUsage(server.pid);
  const begun = performance.now();
  await server.operator(`/api/fault?kind=crash-thread&thread=${scheduler}`, 'POST');
  const result = await load.returned(connections, RETURN_MS_MAX);
  const used = processUsage(server.pid).cpuSeconds - cpuSeconds;
  await back;
  const threadMs = performance.now() - begun;
  return { ...result, scheduler, cpuSeconds: used, threadMs, pauses: await pauses.end() };
}

/** Waits until the partitions are spread evenly and none is moving. */
async function settled(server: RookeryServer): Promise<PartitionsReport> {
  const end = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const report = await server.operator<PartitionsReport>('/api/partitions');
    const [one, other] = report.schedulers;
    const isMoving = report.partitions.some(({ moving, scheduler }) => moving || scheduler === null);
    if (!isMoving && one!.partitions === other!.partitions) return report;
    if (performance.now() > end) throw new Error('the partitions do not come to rest');
    await sleep(100);
  }
}
