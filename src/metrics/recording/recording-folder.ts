import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RECORDING_NAME } from './format.js';

/** A file of a recording, by its name. */
export interface NamedRecording {
  readonly path: string;
  /** Wall-clock ms of its beginning; for a name that does not say, −∞. */
  readonly at: number;
}

/** The files of a recording in the order of time. @throws errors of the file system */
export function recordingsIn(folder: string): readonly NamedRecording[] {
  return readdirSync(folder)
    .filter((name) => RECORDING_NAME.test(name))
    .sort()
    .map((name) => ({ path: join(folder, name), at: timeOf(name) }));
}

/** The files of a folder, or the one file that was named. @throws errors of the file system */
export function recordingsAt(path: string): readonly NamedRecording[] {
  return statSync(path).isDirectory() ? recordingsIn(path) : [{ path, at: Number.NEGATIVE_INFINITY }];
}

/** Those that may have samples between two times. */
export function recordingsWithin(
  files: readonly NamedRecording[],
  from: number,
  to: number,
): readonly NamedRecording[] {
  return files.filter(
    ({ at }, index) => at <= to && (files[index + 1]?.at ?? Number.POSITIVE_INFINITY) > from,
  );
}

/** `wsar-20261122T051200123Z.wsar` */
function timeOf(name: string): number {
  const [, year, month, day, hour, minute, second, ms] =
    /^wsar-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(name) ?? [];
  return Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(ms),
  );
}
