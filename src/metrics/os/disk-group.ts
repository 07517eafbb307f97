import { counter, gauge } from '../columns.js';
import type { GroupDescription, GroupSource, Row } from '../reading.js';
import { parseDisks } from './parse-disks.js';
import type { ProcFiles } from './proc-files.js';

/** What `/proc/diskstats` counts in, whatever the device's own sectors are. */
const SECTOR_BYTES = 512;

export const DISK_DESCRIPTION: GroupDescription = {
  name: 'disk',
  version: 1,
  title: 'Disks',
  instance: 'device',
  columns: [
    counter('reads', '{operation}', 'Reads that have ended.'),
    counter('writes', '{operation}', 'Writes that have ended.'),
    counter('rd', 'By', 'Bytes read.'),
    counter('wr', 'By', 'Bytes written.'),
    counter('rd_time', 'ms', 'Time that reads took, of all together.'),
    counter('wr_time', 'ms', 'Time that writes took, of all together.'),
    gauge('inflight', '{operation}', 'Operations under way.'),
    counter('util', 'ms', 'Time in which the device had something to do.'),
    counter(
      'queue',
      'ms',
      'Time that operations took, of all together: 100 % is one under way all the time.',
    ),
    counter('flushes', '{operation}', 'Flushes that have ended (since Linux 5.5).'),
    counter('fl_time', 'ms', 'Time that flushes took (since Linux 5.5).'),
  ],
};

/** Group `disk`: `/proc/diskstats`, whole devices. */
export class DiskGroup implements GroupSource {
  readonly description = DISK_DESCRIPTION;
  readonly #files: ProcFiles;

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  read(): readonly Row[] {
    return this.#files.parsed('proc/diskstats', rowsOf) ?? [];
  }
}

function rowsOf(text: string): readonly Row[] {
  const rows = parseDisks(text).map(({ name, words }) => ({
    instance: name,
    figures: [
      words[0]!,
      words[4]!,
      words[2]! * SECTOR_BYTES,
      words[6]! * SECTOR_BYTES,
      words[3]!,
      words[7]!,
      words[8]!,
      words[9]!,
      words[10]!,
      words[15] ?? null,
      words[16] ?? null,
    ],
  }));
  return Object.freeze(rows);
}
