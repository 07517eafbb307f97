import { Inspector } from '../measure/inspector.js';
import { type LoopPause, LoopPauses } from '../measure/loop-pauses.js';
import { type ThreadUsage, threadUsageBetween } from '../measure/process-usage.js';
import type { Dialect, GeneratorOptions, RoundOptions, RoundResult } from './load-messages.js';
import { LoadProcess } from './load-process.js';
import { type Locality, type ServerUnderTest, type Snapshot, snapshot } from './server-under-test.js';

/** One round as it is reported. */
export interface Round extends RoundResult {
  readonly serverCpuSeconds: number;
  readonly serverSystemSeconds: number;
  readonly messagesPerCpuSecond: number;
  readonly serverThreads: readonly ThreadUsage[];
  /** Of the entries forwarded to sessions, those that stayed on their scheduler; NaN where nothing is known. */
  readonly locality: number;
  /** Of the users online, those on the scheduler of their inbox. */
  readonly atHome: number;
}

function shares(before: Locality | undefined, after: Locality | undefined) {
  if (before === undefined || after === undefined) return { locality: Number.NaN, atHome: Number.NaN };
  const local = after.local - before.local;
  const remote = after.remote - before.remote;
  return { locality: local / (local + remote), atHome: after.atHome / after.online };
}

/** A server with a load generator of its own: open once, then measured in as many rounds as wanted. */
export class Contestant {
  readonly label: string;
  readonly dialect: Dialect;
  readonly server: ServerUnderTest;
  readonly #load: LoadProcess;

  private constructor(label: string, dialect: Dialect, server: ServerUnderTest, load: LoadProcess) {
    this.label = label;
    this.dialect = dialect;
    this.server = server;
    this.#load = load;
  }

  static async enter(
    label: string,
    dialect: Dialect,
    server: ServerUnderTest,
    pairs: number,
    options: Omit<GeneratorOptions, 'dialect'>,
  ): Promise<Contestant> {
    const load = await LoadProcess.start({ dialect, ...options }, server.pins);
    await load.open(server.port, pairs * 2);
    return new Contestant(label, dialect, server, load);
  }

  /** With a folder the server's threads are profiled, warm-up included: figures of such a round are lower. */
  async round(options: RoundOptions, profileFolder?: string): Promise<Round> {
    if (profileFolder === undefined) return await this.#round(options);
    const inspector = await Inspector.connect(this.server.inspectorPort);
    await inspector.startProfiles();
    try {
      return await this.#round(options);
    } finally {
      await inspector.stopProfiles(profileFolder);
      inspector.close();
    }
  }

  /** The longest pauses of the server's threads during one more round, whose other figures the watching spoils. */
  async pauses(options: RoundOptions): Promise<LoopPause[]> {
    const pauses = await LoopPauses.begin(this.server.inspectorPort);
    await this.#round(options);
    return await pauses.end();
  }

  async #round(options: RoundOptions): Promise<Round> {
    let before: Snapshot | null = null;
    let after: Snapshot | null = null;
    const placesBefore = await this.server.locality?.();
    const result = await this.#load.run(options, {
      measuring: () => {
        before = snapshot(this.server);
      },
      measured: () => {
        after = snapshot(this.server);
      },
    });
    if (before === null || after === null) throw new Error('the server’s CPU time was not read');
    const [first, last] = [before as Snapshot, after as Snapshot];
    const placesAfter = await this.server.locality?.();
    const serverCpuSeconds = last.process.cpuSeconds - first.process.cpuSeconds;
    return {
      ...result,
      serverCpuSeconds,
      serverSystemSeconds: last.process.systemSeconds - first.process.systemSeconds,
      messagesPerCpuSecond: result.delivered / serverCpuSeconds,
      serverThreads: threadUsageBetween(first.threads, last.threads),
      ...shares(placesBefore, placesAfter),
    };
  }

  /** The load generator goes; the server stays, another contestant may use it. */
  leave(): void {
    this.#load.stop();
  }
}
