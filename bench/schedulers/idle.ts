import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRookery } from '../chat/rookery-server.js';
import { processUsage } from '../measure/process-usage.js';
import { median } from '../measure/statistics.js';

export interface IdleOptions {
  /** Numbers of schedulers. */
  readonly schedulers: readonly number[];
  readonly rounds: number;
  /** How long a server is left alone before its memory is read, and how long it is watched then. */
  readonly settleMs: number;
  readonly watchMs: number;
}

/** A server that nobody is connected to. Medians. */
export interface IdleServer {
  readonly schedulers: number;
  /** As a part of one core. */
  readonly cores: number;
  /** Wake-ups of all its threads a second. */
  readonly wakes: number;
  readonly residentBytes: number;
}

/** Servers with different numbers of schedulers side by side, so that what else runs concerns all of them. */
export async function benchIdle(options: IdleOptions, say: (text: string) => void): Promise<IdleServer[]> {
  const readings: IdleServer[][] = [];
  for (let round = 0; round < options.rounds; round++) {
    say(`idle servers, round ${round + 1}`);
    const servers = await Promise.all(options.schedulers.map((schedulers) => startRookery({ schedulers })));
    try {
      await sleep(options.settleMs);
      const before = servers.map(({ pid }) => ({ ...processUsage(pid), wakes: wakesOf(pid) }));
      const begun = performance.now();
      await sleep(options.watchMs);
      const seconds = (performance.now() - begun) / 1000;
      readings.push(
        servers.map(({ pid, schedulers }, at) => {
          const { cpuSeconds, residentBytes } = processUsage(pid);
          const cores = (cpuSeconds - before[at]!.cpuSeconds) / seconds;
          const wakes = (wakesOf(pid) - before[at]!.wakes) / seconds;
          return { schedulers, cores, wakes, residentBytes };
        }),
      );
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }
  return options.schedulers.map((schedulers, at) => {
    const of = (value: (reading: IdleServer) => number) => median(readings.map((round) => value(round[at]!)));
    return {
      schedulers,
      cores: of(({ cores }) => cores),
      wakes: of(({ wakes }) => wakes),
      residentBytes: of(({ residentBytes }) => residentBytes),
    };
  });
}

function wakesOf(pid: number): number {
  let wakes = 0;
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${id}/status`, 'latin1');
    wakes += Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? Number.NaN);
  }
  return wakes;
}
