import type { Clock, ClockTimer } from '../../structures/clock.js';
import { GroupReader } from '../group-reader.js';
import type { Groups } from '../groups.js';
import { RecordedTables } from './recorded-tables.js';
import type { RecordingWriter } from './recording-writer.js';

export interface RecorderOptions {
  readonly clock: Clock;
  readonly groups: Pick<Groups, 'describe' | 'read'>;
  /** Whether a group is recorded. */
  readonly wants: (group: string) => boolean;
  readonly intervalMs: number;
  readonly writer: RecordingWriter;
  /** A reading failed: told once until one succeeds. */
  readonly onProblem: (error: unknown) => void;
}

/**
 * Reads all groups at an interval and has them written. It begins an interval after its start, keeps to the interval's beat,
 * and leaves a beat out when the reading before is still under way.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #reader: GroupReader;
  readonly #tables = new RecordedTables();
  #timer: ClockTimer | null = null;
  #nextAt: number;
  #underWay: Promise<void> | null = null;
  #isFailing = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#reader = new GroupReader(options.groups);
    this.#nextAt = options.clock.now();
    this.#wait();
  }

  /** Ends the recording; resolves when it is on disk. */
  async close(): Promise<void> {
    const { clock, writer } = this.#options;
    if (this.#timer !== null) clock.clearTimer(this.#timer);
    this.#timer = null;
    await this.#underWay;
    await writer.close();
  }

  #wait(): void {
    const { clock, intervalMs } = this.#options;
    const now = clock.now();
    // After a pause of the thread the beats that it missed are gone.
    this.#nextAt = Math.max(this.#nextAt + intervalMs, now + intervalMs / 2);
    this.#timer = clock.setTimer(() => {
      this.#wait();
      this.#underWay ??= this.#record().finally(() => {
        this.#underWay = null;
      });
    }, this.#nextAt - now);
  }

  async #record(): Promise<void> {
    const { wants, writer, onProblem } = this.#options;
    try {
      const descriptions = this.#reader.describe().filter(({ name }) => wants(name));
      const reading = await this.#reader.read(descriptions.map(({ name }) => name));
      writer.append(this.#tables.sampleOf(reading, descriptions), descriptions);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) onProblem(error);
      this.#isFailing = true;
    }
  }
}
