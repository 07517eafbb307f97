import type { Snapshot, ThreadSnapshot } from '../ops/inspector.js';
import type { Config } from './config.js';
import type { SchedulerStats, WriterStats } from './thread-messages.js';
import { VERSION } from './version.js';

/** A thread, and what it said of itself; null: it did not answer. */
interface Asked<Stats> {
  readonly name: string;
  readonly running: boolean;
  readonly stats: Stats | null;
}

export interface SnapshotParts {
  readonly at: number;
  readonly uptimeMs: number;
  readonly state: Snapshot['server']['state'];
  readonly epoch: number;
  readonly config: Config;
  readonly chatUrl: string;
  readonly schedulers: readonly Asked<SchedulerStats>[];
  readonly writer: Asked<WriterStats>;
}

/** What the operator sees: the sums over all schedulers. */
export function snapshotOf(parts: SnapshotParts): Snapshot {
  const { config } = parts;
  const writer = parts.writer.stats;
  const stats = parts.schedulers.flatMap((scheduler) => scheduler.stats ?? []);
  const sum = (figure: (of: SchedulerStats) => number) => stats.reduce((total, of) => total + figure(of), 0);
  const most = (figure: (of: SchedulerStats) => number) => Math.max(0, ...stats.map(figure));
  const listener = (name: string) => sum((of) => of.listener[name] ?? 0);
  const chat = sums(stats.map((of) => of.chat as unknown as Readonly<Record<string, number>>));
  return {
    version: 1,
    at: parts.at,
    uptimeMs: parts.uptimeMs,
    server: {
      name: 'rookery',
      version: VERSION,
      node: process.version,
      pid: process.pid,
      state: parts.state,
      epoch: parts.epoch,
      development: config.development,
      chatUrl: parts.chatUrl,
    },
    memory: { residentBytes: process.memoryUsage.rss() },
    threads: [...parts.schedulers.map((one) => thread(one, one.stats)), thread(parts.writer, null)],
    connections: {
      open: sum((of) => of.connections),
      opened: listener('opened'),
      closed: listener('closed'),
      refused: ['refusedFull', 'refusedRate', 'refusedAddress', 'refusedOrigin', 'refusedProtocol'].reduce(
        (total, name) => total + listener(name),
        0,
      ),
    },
    sessions: { running: chat['sessions'] ?? 0, online: chat['online'] ?? 0, atHome: chat['atHome'] ?? 0 },
    locality: { local: chat['entriesLocal'] ?? 0, remote: chat['entriesRemote'] ?? 0 },
    mailboxes: {
      processes: sum((of) => of.processes),
      waiting: sum((of) => of.mailboxTotal),
      longest: most((of) => of.mailboxLongest),
    },
    store: {
      commits: writer?.commits ?? 0,
      commands: writer?.commands ?? 0,
      failures: writer?.failures ?? 0,
      walBytes: writer?.walBytes ?? 0,
      youngBytes: writer?.youngBytes ?? 0,
      queuedBytes: sum((of) => of.queuedBytes),
      queuedBytesMax: most((of) => of.queuedBytesMax),
    },
    chat,
  };
}

function sums(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all) {
    for (const [name, value] of Object.entries(one)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
}

function thread(
  asked: Asked<{ readonly utilization: number; readonly heapUsedBytes: number }>,
  scheduler: SchedulerStats | null,
): ThreadSnapshot {
  const { name, running, stats } = asked;
  return {
    name,
    state: !running ? 'restarting' : stats === null ? 'silent' : 'running',
    utilization: stats?.utilization ?? 0,
    heapUsedBytes: stats?.heapUsedBytes ?? 0,
    ...(scheduler === null ? {} : { partitions: scheduler.partitions, connections: scheduler.connections }),
  };
}
