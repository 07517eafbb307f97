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

/**
 * Records the figures of this run, unless that is switched off: on the main thread, for which no chat message waits, and which
 * does not wait for the disk.
 *
 * @throws StartRefused for a group that there is not
 */
export function startRecording(config: Config, groups: Groups, clock: Clock, log: Log): Recorder | null {
  if (!config.wsarRecord) return null;
  const wanted = names(config.wsarGroups);
  const known = groups.describe().map(({ name }) => name);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new StartRefused(`wsar-groups: there is no group ${unknown}; there are ${known.join(', ')}`);
  const writer = new RecordingWriter({
    folder: join(resolve(config.dataFolder), 'wsar'),
    clock,
    origin: {
      run: `${process.pid}-${clock.wall()}`,
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
    groups,
    wants: (name) => (wanted.length === 0 ? name !== 'hw' : wanted.includes(name)),
    intervalMs: config.wsarIntervalMs,
    writer,
    onProblem: (error) => log.warn({ err: error }, 'figures could not be read for the recording'),
  });
}
