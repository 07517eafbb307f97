import { type FileHandle, mkdir, open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../structures/clock.js';
import type { GroupDescription } from '../reading.js';
import { writeBlock, writeHeader, writeTrailer } from './blocks.js';
import { ByteSink } from './byte-sink.js';
import { BLOCK, RECORDING_NAME, type RecordingOrigin, recordingName } from './format.js';
import { FrameEncoder } from './frame-encoder.js';
import type { Sample } from './sample.js';
import { type KeyFrame, writeTimeIndex } from './time-index.js';

export interface RecordingWriterOptions {
  /** Made if it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  /** What the files say of themselves; their beginning is added. */
  readonly origin: Omit<RecordingOrigin, 'at'>;
  /** A file that has become larger is ended, and so is one of an earlier day (UTC). */
  readonly fileBytesMax: number;
  /** All files of the folder together: the oldest ones are removed. The one that is being written stays in any case. */
  readonly keepBytes: number;
  /** Frames from one key frame to the next; 60 unless said otherwise. */
  readonly keyEvery?: number;
  /** What stays free on the disk; 256 MiB unless said otherwise. */
  readonly freeBytesMin?: number;
  /** Told each time: the disk refuses, or cannot keep up and samples are left out. */
  readonly onProblem: (error: Error) => void;
}

/** Frames from one key frame to the next: what is lost at most behind a damage. */
const KEY_EVERY = 60;
/** What may wait for the disk. Beyond it samples are left out. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** What stays free on the disk: others need it more than a recording. Looked at before every so many bytes. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;
const FREE_LOOK_BYTES = 1024 * 1024;
/** After the disk has refused. */
const RETRY_MS = 60_000;
const DAY_MS = 86_400_000;

type Order =
  | { readonly type: 'begin'; readonly name: string }
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  | { readonly type: 'end' };

/** The file that samples go into. */
interface Current {
  readonly day: number;
  readonly encoder: FrameEncoder;
  readonly keyFrames: KeyFrame[];
  readonly descriptions: number[];
  groups: readonly GroupDescription[];
  /** Bytes so far. */
  length: number;
  frames: number;
  lastAt: number;
}

/**
 * Writes samples into files, one for each day and each run. Encoding is done at once; the disk is waited for by nobody.
 *
 * Nothing is flushed but at a file's end: what was written survives the end of the process, however it ends, and a power
 * cut may take the last seconds.
 */
export class RecordingWriter {
  readonly #options: RecordingWriterOptions;
  readonly #sink = new ByteSink(4096);
  readonly #payload = new ByteSink(4096);
  readonly #orders: Order[] = [];
  #current: Current | null = null;
  #waitingBytes = 0;
  #isBehind = false;
  #retryAt = Number.NEGATIVE_INFINITY;
  #atWork: Promise<void> = Promise.resolve();
  #isAtWork = false;
  #handle: FileHandle | null = null;
  /** Bytes that may be written before the free space is looked at again. */
  #unlookedBytes = 0;
  /** Samples left out because the disk was behind, or refused. */
  dropped = 0;

  constructor(options: RecordingWriterOptions) {
    this.#options = options;
  }

  /** @returns false if the sample was left out. */
  append(sample: Sample, groups: readonly GroupDescription[]): boolean {
    if (!this.#mayAppend()) {
      this.dropped++;
      return false;
    }
    const day = Math.floor(sample.at / DAY_MS);
    if (
      this.#current !== null &&
      (day > this.#current.day || this.#current.length >= this.#options.fileBytesMax)
    ) {
      this.#endFile();
    }
    this.#current ??= this.#beginFile(sample.at, day);
    const current = this.#current;
    if (!sameGroups(current.groups, groups)) {
      current.groups = groups;
      current.descriptions.push(current.length);
      this.#payload.clear();
      current.encoder.describe(this.#payload, groups);
      this.#block(BLOCK.descriptions, current);
    }
    const isKey =
      current.frames % (this.#options.keyEvery ?? KEY_EVERY) === 0 ||
      current.descriptions.at(-1)! > (current.keyFrames.at(-1)?.offset ?? 0);
    if (isKey) current.keyFrames.push({ at: sample.at, offset: current.length });
    this.#payload.clear();
    current.encoder.frame(this.#payload, sample, isKey);
    this.#block(isKey ? BLOCK.key : BLOCK.delta, current);
    current.frames++;
    current.lastAt = sample.at;
    return true;
  }

  /** Ends the file in order, and resolves when it is on disk. */
  async close(): Promise<void> {
    this.#endFile();
    await this.#atWork;
  }

  /** What has been appended is written (or refused). */
  settled(): Promise<void> {
    return this.#atWork;
  }

  #mayAppend(): boolean {
    const { clock, onProblem } = this.#options;
    if (clock.now() < this.#retryAt) return false;
    const isBehind = this.#waitingBytes > WAITING_BYTES_MAX;
    if (isBehind && !this.#isBehind) {
      onProblem(
        new Error(`the disk is behind: ${this.#waitingBytes} bytes wait for it, samples are left out`),
      );
    }
    this.#isBehind = isBehind;
    return !isBehind;
  }

  #beginFile(at: number, day: number): Current {
    this.#order({ type: 'begin', name: recordingName(at) });
    this.#sink.clear();
    writeHeader(this.#sink, { ...this.#options.origin, at });
    const length = this.#sink.length;
    this.#order({ type: 'write', bytes: this.#sink.bytes.slice() });
    return {
      day,
      encoder: new FrameEncoder(),
      keyFrames: [],
      descriptions: [],
      groups: [],
      length,
      frames: 0,
      lastAt: at,
    };
  }

  #block(type: number, current: Current): void {
    this.#sink.clear();
    writeBlock(this.#sink, type, this.#payload.bytes);
    current.length += this.#sink.length;
    this.#order({ type: 'write', bytes: this.#sink.bytes.slice() });
  }

  #endFile(): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    this.#payload.clear();
    const { descriptions, keyFrames: keys, lastAt, frames } = current;
    writeTimeIndex(this.#payload, { descriptions, keys, lastAt, frames });
    this.#sink.clear();
    writeBlock(this.#sink, BLOCK.index, this.#payload.bytes);
    writeTrailer(this.#sink, this.#sink.length);
    this.#order({ type: 'write', bytes: this.#sink.bytes.slice() });
    this.#order({ type: 'end' });
  }

  #order(order: Order): void {
    if (order.type === 'write') this.#waitingBytes += order.bytes.length;
    this.#orders.push(order);
    if (!this.#isAtWork) {
      this.#isAtWork = true;
      this.#atWork = this.#work().finally(() => {
        this.#isAtWork = false;
      });
    }
  }

  async #work(): Promise<void> {
    for (let order = this.#orders.shift(); order !== undefined; order = this.#orders.shift()) {
      try {
        await this.#carryOut(order);
      } catch (error) {
        this.#refused(error as Error);
      }
      if (order.type === 'write') this.#waitingBytes -= order.bytes.length;
    }
  }

  async #carryOut(order: Order): Promise<void> {
    switch (order.type) {
      case 'begin':
        await this.#begin(order.name);
        break;
      case 'write': {
        await this.#lookForRoom(order.bytes.length);
        // A write may take a part only.
        for (let at = 0; this.#handle !== null && at < order.bytes.length; ) {
          at += (await this.#handle.write(order.bytes, at)).bytesWritten;
        }
        break;
      }
      case 'end':
        await this.#handle?.sync();
        await this.#closeHandle();
        await this.#removeOld(null);
        break;
    }
  }

  async #begin(name: string): Promise<void> {
    const { folder } = this.#options;
    await this.#closeHandle();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#unlookedBytes = 0;
    await this.#lookAtFolder();
    this.#handle = await open(join(folder, name), 'wx', 0o600);
    await this.#removeOld(name);
  }

  async #lookForRoom(bytes: number): Promise<void> {
    this.#unlookedBytes -= bytes;
    if (this.#handle === null || this.#unlookedBytes > 0) return;
    await this.#lookAtFolder();
  }

  async #lookAtFolder(): Promise<void> {
    const { folder, freeBytesMin = FREE_BYTES_MIN } = this.#options;
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < freeBytesMin) {
      throw new Error(
        `only ${bavail * bsize} bytes are free in ${folder}, and ${freeBytesMin} are left to others`,
      );
    }
    this.#unlookedBytes = FREE_LOOK_BYTES;
  }

  /** The disk refused: what is there of the file stays readable; a new one is tried later. */
  #refused(error: Error): void {
    this.#retryAt = this.#options.clock.now() + RETRY_MS;
    this.#current = null;
    // The rest of this file has no place any more.
    const begin = this.#orders.findIndex(({ type }) => type === 'begin');
    for (const order of this.#orders.splice(0, begin < 0 ? this.#orders.length : begin)) {
      if (order.type === 'write') this.#waitingBytes -= order.bytes.length;
    }
    void this.#closeHandle().catch(() => {});
    this.#options.onProblem(error);
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** @param current stays. */
  async #removeOld(current: string | null): Promise<void> {
    const { folder, keepBytes } = this.#options;
    const names = (await readdir(folder)).filter((name) => RECORDING_NAME.test(name)).sort();
    let bytes = 0;
    // From the newest on, until there is no room for more.
    for (const name of names.reverse()) {
      const path = join(folder, name);
      bytes += (await stat(path)).size;
      if (bytes > keepBytes && name !== current) await unlink(path);
    }
  }
}

function sameGroups(a: readonly GroupDescription[], b: readonly GroupDescription[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
