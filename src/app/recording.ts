import { arch, availableParallelism, hostname, release, type } from 'node:os';
import { join, resolve } from 'node:path';
import type { Groups } from '../metrics/groups.js';
import { loadPlugins, PluginError } from '../metrics/load-plugins.js';
import { Recorder } from '../metrics/recording/recorder.js';
import { RecordingWriter } from '../metrics/recording/recording-writer.js';
import type { Clock } from '../structures/clock.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { StartRefused } from './start-refused.js';
import { VERSION } from './version.js';

function names(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Adds the groups of the plug-ins that are configured.
 *
 * @throws StartRefused
 */
export async function addGroupPlugins(config: Config, groups: Groups): Promise<void> {
  try {
    for (const source of await loadPlugins(names(config.groupPlugins))) groups.add(source);
  } catch (error) {
    if (!(error instanceof PluginError || error instanceof RangeError)) throw error;
    throw new StartRefused(`group-plugins: ${error.message}`);
  }
}

/** Turned while it records, these begin a new file. */
export const RECORDING_KNOBS = ['wsarRecord', 'wsarIntervalMs', 'wsarFileBytesMax', 'wsarKeepBytes'] as const;

/**
 * Records the figures of this run, unless that is switched off: on the main thread, for which no chat message waits, and which
 * does not wait for the disk.
 */
export class Recording {
  readonly #groups: Groups;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #wanted: readonly string[];
  /** The same for all files of this run: their counters go on from one to the next. */
  readonly #run: string;
  #recorder: Recorder | null = null;
  #changing: Promise<void> = Promise.resolve();
  #isOver = false;

  /** @throws StartRefused for a group that there is not */
  constructor(config: Config, groups: Groups, clock: Clock, log: Log) {
    this.#groups = groups;
    this.#clock = clock;
    this.#log = log;
    this.#run = `${process.pid}-${clock.wall()}`;
    this.#wanted = names(config.wsarGroups);
    const known = groups.describe().map(({ name }) => name);
    const unknown = this.#wanted.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new StartRefused(`wsar-groups: there is no group ${unknown}; there are ${known.join(', ')}`);
    this.#recorder = this.#begin(config);
  }

  /** Goes on by this configuration, in a new file; resolves when it does. */
  change(config: Config): Promise<void> {
    this.#changing = this.#changing
      .then(async () => {
        if (this.#isOver) return;
        const before = this.#recorder;
        this.#recorder = null;
        await before?.close();
        this.#recorder = this.#begin(config);
      })
      .catch((error: Error) =>
        this.#log.error({ err: error }, `figures are not recorded any more: ${error.message}`),
      );
    return this.#changing;
  }

  /** Ends it; resolves when it is on disk. */
  async close(): Promise<void> {
    await this.#changing;
    this.#isOver = true;
    await this.#recorder?.close();
  }

  #begin(config: Config): Recorder | null {
    if (!config.wsarRecord) return null;
    const clock = this.#clock;
    const log = this.#log;
    const wanted = this.#wanted;
    const writer = new RecordingWriter({
      folder: join(resolve(config.dataFolder), 'wsar'),
      clock,
      origin: {
        run: this.#run,
        host: hostname(),
        system: `${type()} ${release()} ${arch()}`,
        cpus: availableParallelism(),
        program: `rookery ${VERSION}`,
        intervalMs: config.wsarIntervalMs,
      },
      fileBytesMax: config.wsarFileBytesMax,
      keepBytes: config.wsarKeepBytes,
      onProblem: (error) => log.warn({ err: error }, `figures are not recorded: ${error.message}`),
    });
    return new Recorder({
      clock,
      groups: this.#groups,
      wants: (name) => (wanted.length === 0 ? name !== 'hw' : wanted.includes(name)),
      intervalMs: config.wsarIntervalMs,
      writer,
      onProblem: (error) => log.warn({ err: error }, 'figures could not be read for the recording'),
    });
  }
}
