import { arch, availableParallelism, hostname, release, type } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { GroupReader } from '../../src/metrics/group-reader.js';
import type { Groups } from '../../src/metrics/groups.js';
import type { GroupDescription, Reading } from '../../src/metrics/reading.js';
import { sampleOf } from '../../src/metrics/recording/sample.js';
import type { Observed, Origin } from './observed.js';
import { ServerAway, type ServerClient } from './server-client.js';

/** What is read once an interval. */
export interface Live {
  readonly origin: Origin;
  describe(): Promise<readonly GroupDescription[]>;
  /** @throws ServerAway when there is nobody for the moment */
  read(names: readonly string[]): Promise<Reading>;
}

/** A server's groups and those of plug-ins of our own, which stand behind them. */
export class LiveServer implements Live {
  readonly origin: Origin;
  readonly #server: ServerClient;
  readonly #own: GroupReader;
  #readAt: number | null = null;
  #theirs: ReadonlySet<string> = new Set();

  constructor(server: ServerClient, own: Groups) {
    this.#server = server;
    this.#own = new GroupReader(own);
    this.origin = { program: 'rookery', system: '', host: server.url.host, cpus: null };
  }

  async describe(): Promise<readonly GroupDescription[]> {
    const groups = await this.#server.groups();
    this.#theirs = new Set(groups.map(({ name }) => name));
    return [...groups, ...this.#own.describe().filter(({ name }) => !this.#theirs.has(name))];
  }

  async read(names: readonly string[]): Promise<Reading> {
    const theirs = names.filter((name) => this.#theirs.has(name));
    const ours = names.filter((name) => !this.#theirs.has(name));
    const [reading, own] = await Promise.all([
      // The time is the server's in any case.
      this.#server.reading(theirs.length === 0 ? [...this.#theirs].slice(0, 1) : theirs, this.#readAt),
      ours.length === 0 ? null : this.#own.read(ours),
    ]);
    this.#readAt = reading.uptimeMs;
    return own === null ? reading : { ...reading, groups: { ...reading.groups, ...own.groups } };
  }
}

/** What can be read without a server. */
export class LiveMachine implements Live {
  readonly origin: Origin = {
    program: '',
    system: `${type()} ${release()} ${arch()}`,
    host: hostname(),
    cpus: availableParallelism(),
  };
  readonly #groups: GroupReader;

  constructor(groups: Groups) {
    this.#groups = new GroupReader(groups);
  }

  async describe(): Promise<readonly GroupDescription[]> {
    return this.#groups.describe();
  }

  read(names: readonly string[]): Promise<Reading> {
    return this.#groups.read(names);
  }
}

/** What a server's clock may fall behind ours between two readings without having begun anew. */
const LAG_MS_MAX = 500;

/** Monotonic ms; a wait. */
export interface Beat {
  now(): number;
  /** Resolves then; early when it is aborted. */
  until(at: number, signal: AbortSignal): Promise<void>;
}

export const systemBeat: Beat = {
  now: () => performance.now(),
  until: async (at, signal) => {
    await sleep(Math.max(0, at - performance.now()), null, { signal }).catch(() => {});
  },
};

/**
 * Readings at an interval, until the signal. A server that does not answer is waited for; one that has begun anew meanwhile
 * is known by its uptime, which has grown by less than the time that has passed.
 *
 * @param groups of the first reading; whether a group is read is asked again after a restart.
 */
export async function* observe(
  live: Live,
  wants: (group: GroupDescription) => boolean,
  intervalMs: number,
  signal: AbortSignal,
  beat: Beat = systemBeat,
): AsyncGenerator<Observed> {
  let groups: readonly GroupDescription[] | null = null;
  let before: { readonly uptimeMs: number; readonly at: number } | null = null;
  let isAway = false;
  let nextAt = beat.now();
  while (!signal.aborted) {
    const askedAt = beat.now();
    try {
      groups ??= (await live.describe()).filter(wants);
      let reading = await live.read(groups.map(({ name }) => name));
      const answeredAt = beat.now();
      const passedMs = answeredAt - (before?.at ?? answeredAt);
      const lagMs = before === null ? 0 : passedMs - (reading.uptimeMs - before.uptimeMs);
      if (lagMs > LAG_MS_MAX + (answeredAt - askedAt)) {
        yield { type: 'restart', at: reading.at, program: live.origin.program };
        // It may be another version, with other groups.
        groups = (await live.describe()).filter(wants);
        reading = await live.read(groups.map(({ name }) => name));
      }
      isAway = false;
      before = { uptimeMs: reading.uptimeMs, at: beat.now() };
      yield { type: 'sample', sample: sampleOf(reading, groups) };
    } catch (error) {
      if (!(error instanceof ServerAway) || before === null) throw error;
      if (!isAway) yield { type: 'note', text: error.message };
      isAway = true;
    }
    // Keeps to the beat; those that were missed are gone.
    const now = beat.now();
    nextAt += Math.max(1, Math.ceil((now - nextAt) / intervalMs)) * intervalMs;
    await beat.until(nextAt, signal);
  }
}
