import { basename } from 'node:path';
import type { GroupDescription } from '../../src/metrics/reading.js';
import { RecordingCursor } from '../../src/metrics/recording/recording-cursor.js';
import { RecordingError } from '../../src/metrics/recording/recording-error.js';
import { RecordingFile } from '../../src/metrics/recording/recording-file.js';
import {
  type NamedRecording,
  recordingsAt,
  recordingsWithin,
} from '../../src/metrics/recording/recording-folder.js';
import type { Observed, Origin } from './observed.js';
import { WsarError } from './wsar-error.js';

export interface Range {
  /** Wall-clock ms, both included. */
  readonly from: number;
  readonly to: number;
}

/** A recording on disk: a file, or a folder of them. */
export class Replay {
  readonly #path: string;

  /** @throws WsarError if nothing is there. */
  constructor(path: string) {
    this.#path = path;
    if (this.files().length === 0) throw new WsarError(`there is no recording in ${path}`);
  }

  /** As they are now. @throws WsarError */
  files(): readonly NamedRecording[] {
    try {
      return recordingsAt(this.#path);
    } catch (error) {
      throw new WsarError(`${this.#path} cannot be read: ${(error as Error).message}`);
    }
  }

  /** Of the first file that can be read. @throws WsarError if none can */
  origin(): Origin {
    return this.#firstOf(this.files(), ({ origin }) => origin);
  }

  /** When it begins, and when it ends for now. @throws WsarError */
  span(): Range {
    const files = this.files();
    return {
      from: this.#firstOf(files, ({ origin }) => origin.at),
      to: this.#firstOf([...files].reverse(), (file) => file.index().lastAt),
    };
  }

  /** The groups of all files in a range; of a group that has changed, its last description. @throws WsarError */
  groups(range: Range): readonly GroupDescription[] {
    const groups = new Map<string, GroupDescription>();
    for (const { path } of recordingsWithin(this.files(), range.from, range.to)) {
      const file = openOrNull(path);
      if (file === null) continue;
      try {
        // Nobody's figures are wanted: only descriptions are read.
        const cursor = new RecordingCursor(file, new Set());
        for (const at of [range.from, range.to]) {
          cursor.seek(at);
          cursor.next();
          for (const group of cursor.descriptions) groups.set(group.name, group);
        }
      } finally {
        file.close();
      }
    }
    if (groups.size === 0) throw new WsarError(`${this.#path} has nothing of that time`);
    return [...groups.values()];
  }

  /**
   * All samples in a range, over as many files as it takes.
   *
   * @param wanted names of groups; others are skipped unread. null: all.
   * @param isFollowing at the end it pauses instead of ending, for whoever asks again.
   */
  *samples(range: Range, wanted: ReadonlySet<string> | null, isFollowing = false): Generator<Observed> {
    let run: string | null = null;
    let last: string | null = null;
    for (;;) {
      const next = this.#nextFile(range, last);
      if (next === null) {
        if (!isFollowing) return;
        yield { type: 'pause' };
        continue;
      }
      last = next;
      const file = openOrNull(next);
      if (file === null) {
        yield { type: 'note', text: `${basename(next)} is no recording that can be read: left out` };
        continue;
      }
      try {
        if (run !== null && run !== file.origin.run) {
          yield { type: 'restart', at: file.origin.at, program: file.origin.program };
        }
        run = file.origin.run;
        const isDone = yield* this.#samplesOf(file, range, wanted, isFollowing);
        if (isDone) return;
      } finally {
        file.close();
      }
    }
  }

  #nextFile({ from, to }: Range, last: string | null): string | null {
    const files = recordingsWithin(this.files(), from, to);
    return files.find(({ path }) => last === null || path > last)?.path ?? null;
  }

  /** @returns whether the range is over. */
  *#samplesOf(
    file: RecordingFile,
    { from, to }: Range,
    wanted: ReadonlySet<string> | null,
    isFollowing: boolean,
  ): Generator<Observed, boolean> {
    const cursor = new RecordingCursor(file, wanted);
    const name = basename(file.path);
    if (from > file.origin.at) cursor.seek(from);
    // Where the range is begun for the last time: a clock that was set back comes to it again.
    let lastBegun: number | null = null;
    for (;;) {
      const next = cursor.next();
      switch (next.type) {
        case 'sample':
          if (next.sample.at > to) {
            lastBegun ??= file.index().keys.findLast(({ at }) => at <= to)?.offset ?? 0;
            if (cursor.offset > lastBegun) return true;
          } else if (next.sample.at >= from) yield next;
          break;
        case 'cut':
          yield {
            type: 'note',
            text: `${name}: ${next.cut.bytes} bytes from byte ${next.cut.offset} on are damaged`,
          };
          break;
        case 'lost':
          yield { type: 'note', text: `${name}: ${next.samples} samples cannot be read without them` };
          break;
        case 'end': {
          // A file behind this one means that nobody writes here any more.
          const isLast = this.#nextFile({ from, to }, file.path) === null;
          if (isFollowing && isLast && !next.isEnded) {
            yield { type: 'pause' };
            break;
          }
          if (next.rest > 0) {
            yield { type: 'note', text: `${name}: ends within a block, whose ${next.rest} bytes are cut` };
          }
          return false;
        }
      }
    }
  }

  #firstOf<T>(files: readonly NamedRecording[], value: (file: RecordingFile) => T): T {
    for (const { path } of files) {
      const file = openOrNull(path);
      if (file === null) continue;
      try {
        return value(file);
      } finally {
        file.close();
      }
    }
    throw new WsarError(`${this.#path} is no recording that can be read`);
  }
}

function openOrNull(path: string): RecordingFile | null {
  try {
    return new RecordingFile(path);
  } catch (error) {
    // One that was removed meanwhile, too.
    if (error instanceof RecordingError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new WsarError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
