import { gauge } from '../columns.js';
import type { Figure, GroupDescription, GroupSource, Row } from '../reading.js';
import { parseColons, parseFileNumbers, parseLimit } from './parse-lines.js';
import type { ProcFiles } from './proc-files.js';

/** Beyond that, counting entries one by one is left to kernels that do it themselves. */
const COUNTED_MAX = 16_384;

export const FILES_DESCRIPTION: GroupDescription = {
  name: 'files',
  version: 1,
  title: 'Open files',
  instance: null,
  columns: [
    gauge('open', '{file}', 'Files and sockets that this process has open.'),
    gauge('limit', '{file}', 'How many it may have (RLIMIT_NOFILE); n/a without a limit.'),
    gauge('sys_open', '{file}', 'Files open in the whole system.'),
    gauge('sys_limit', '{file}', 'How many the whole system may have (fs.file-max).'),
  ],
};

/**
 * Group `files`, of the process that reads. The number of its files is the size of `/proc/self/fd` since Linux 6.2; before, its
 * entries are counted, which is left out (n/a) for tables of more than 16,384 places: it would take longer than the rest
 * of a reading together.
 */
export class FilesGroup implements GroupSource {
  readonly description = FILES_DESCRIPTION;
  readonly #files: ProcFiles;

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  read(): readonly Row[] | Promise<readonly Row[]> {
    const size = this.#files.size('proc/self/fd');
    return size === null || size > 0 ? this.#rows(size) : this.#counted();
  }

  async #counted(): Promise<readonly Row[]> {
    const places = this.#files.parsed('proc/self/status', placesOf) ?? 0;
    if (places > COUNTED_MAX) return this.#rows(null);
    return this.#rows((await this.#files.entries('proc/self/fd'))?.length ?? null);
  }

  #rows(open: Figure): readonly Row[] {
    const limit = this.#files.parsed('proc/self/limits', limitOf);
    const system = this.#files.parsed('proc/sys/fs/file-nr', parseFileNumbers);
    const figures = [
      open,
      limit === Number.POSITIVE_INFINITY ? null : limit,
      system?.open ?? null,
      system?.limit ?? null,
    ];
    return [{ instance: '', figures }];
  }
}

function limitOf(text: string): Figure {
  return parseLimit(text, 'Max open files');
}

function placesOf(text: string): Figure {
  return parseColons(text, ['FDSize'])[0] ?? null;
}
