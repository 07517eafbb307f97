import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, ClockTimer } from '../../structures/clock.js';
import { counter } from '../columns.js';
import type { Figure, GroupDescription, GroupSource, Row } from '../reading.js';
import { HARDWARE_EVENTS, parsePerf } from './parse-perf.js';

export const HARDWARE_DESCRIPTION: GroupDescription = {
  name: 'hw',
  version: 1,
  title: 'Hardware counters, by perf where that is permitted',
  instance: null,
  columns: [
    counter('cycles', '{cycle}', 'Cycles of CPUs.'),
    counter('instr', '{instruction}', 'Instructions retired.'),
    counter('cache_refs', '{access}', 'Accesses to the last cache.'),
    counter('cache_miss', '{access}', 'Those that went to memory.'),
    counter('branches', '{branch}', 'Branches.'),
    counter('br_miss', '{branch}', 'Branches that were predicted wrongly.'),
  ],
};

const INTERVAL_MS = 1000;
/** perf goes when nobody has asked for so long. */
const IDLE_MS = 60_000;
/** A line that is longer is none of ours. */
const LINE_CHARS_MAX = 4096;

export interface HardwareOptions {
  readonly clock: Clock;
  /** Whose counters; null: the whole machine's. */
  readonly pid: number | null;
  /** The program, for tests. */
  readonly perf?: string;
}

/**
 * Group `hw`. perf runs only while somebody reads: from the first reading until a minute after the last. Where there is
 * none, or the kernel or the machine denies the counters, every figure is null, and perf is not tried again.
 *
 * perf speaks once a second at moments of its own; what it counted in one second is handed out evenly over the next, so
 * that readers see no second with nothing and none with twice as much.
 */
export class HardwareGroup implements GroupSource {
  readonly description = HARDWARE_DESCRIPTION;
  readonly #clock: Clock;
  readonly #pid: number | null;
  readonly #program: string;
  readonly #counts = HARDWARE_EVENTS.map(() => new EvenCounter());
  #perf: ChildProcess | null = null;
  #isDenied = false;
  #readAt = 0;
  #idleTimer: ClockTimer | null = null;

  constructor(options: HardwareOptions) {
    this.#clock = options.clock;
    this.#pid = options.pid;
    this.#program = options.perf ?? 'perf';
  }

  read(): readonly Row[] {
    const now = this.#clock.now();
    this.#readAt = now;
    if (this.#perf === null && !this.#isDenied) this.#start();
    return [{ instance: '', figures: this.#counts.map((count) => count.at(now)) }];
  }

  /** perf while it runs. */
  get child(): ChildProcess | null {
    return this.#perf;
  }

  /** Ends perf; the next reading starts it again. */
  close(): void {
    if (this.#idleTimer !== null) this.#clock.clearTimer(this.#idleTimer);
    this.#idleTimer = null;
    this.#perf?.kill();
    this.#perf = null;
  }

  #start(): void {
    const whose = this.#pid === null ? ['-a'] : ['-p', String(this.#pid)];
    const args = ['stat', '-x,', '-I', String(INTERVAL_MS), '-e', HARDWARE_EVENTS.join(','), ...whose];
    const perf = spawn(this.#program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    this.#perf = perf;
    let hasCounted = false;
    let unsupported = 0;
    let rest = '';
    perf.stderr?.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!.slice(0, LINE_CHARS_MAX);
      for (const line of lines) {
        const counted = parsePerf(line);
        if (counted === null) continue;
        if (!counted.isSupported) unsupported++;
        if (counted.value === null) continue;
        hasCounted = true;
        this.#counts[counted.event]!.add(counted.value, this.#clock.now());
      }
      if (!hasCounted && unsupported >= HARDWARE_EVENTS.length) {
        this.#isDenied = true;
        this.close();
      }
    });
    // Without a listener these would end the process; `close` comes after either.
    perf.on('error', () => {});
    perf.on('close', () => {
      if (this.#perf !== perf) return;
      this.#perf = null;
      if (!hasCounted) this.#isDenied = true;
    });
    // It must not keep a program alive that has nothing else to do.
    perf.unref();
    (perf.stderr as unknown as { unref?: () => void } | null)?.unref?.();
    this.#watchIdle();
  }

  #watchIdle(): void {
    this.#idleTimer = this.#clock.setTimer(() => {
      this.#idleTimer = null;
      if (this.#clock.now() - this.#readAt >= IDLE_MS) this.close();
      else if (this.#perf !== null) this.#watchIdle();
    }, IDLE_MS);
  }
}

/** A counter that comes in steps, read as if each step came evenly over the time until the next. Never goes back. */
class EvenCounter {
  #before = 0;
  #sum: Figure = null;
  #addedAt = 0;

  add(grown: number, now: number): void {
    this.#before = this.#sum ?? 0;
    this.#sum = this.#before + grown;
    this.#addedAt = now;
  }

  at(now: number): Figure {
    if (this.#sum === null) return null;
    const share = Math.min(1, (now - this.#addedAt) / INTERVAL_MS);
    return Math.round(this.#before + (this.#sum - this.#before) * share);
  }
}
