import { formatPid, type Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { Runtime } from '../actors/runtime.js';
import { type TraceEvent, trace } from '../actors/tracing.js';
import type { TraceLine, TracePart, TraceQuery } from '../ops/traces.js';
import { placeOf } from '../schedulers/index.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { Answers } from './answers.js';
import { outline } from './outline.js';
import { ProcessRefused } from './process-answers.js';

/** At a time, in one thread. */
const TRACES_MAX = 8;
/** Lines that nobody has fetched yet; what comes beyond is counted. */
const LINES_MAX = 2000;
/** A trace that nobody reads for so long ends. */
const UNREAD_MS = 15_000;
const MESSAGE_OUTLINE = { depth: 3, entries: 12, chars: 300 } as const;

export interface TraceBegun {
  readonly number: number;
  readonly label: string;
}

/** The topics `trace` ({@link TraceQuery} and an id → {@link TraceBegun}), `trace-read` and `trace-stop` (number → TracePart). */
export function registerTraces(answers: Answers, runtime: Runtime): void {
  const traces = new Map<number, RunningTrace>();
  let last = 0;
  const known = (number: number): RunningTrace => {
    const found = traces.get(number);
    if (found !== undefined) return found;
    throw new ProcessRefused(404, 'there is no such trace any more: it has ended, and was read to its end');
  };
  answers
    .on('trace', ({ id, query }: { id: number; query: TraceQuery }): TraceBegun => {
      const process = runtime.process(id);
      if (process === undefined || !process.alive || process === runtime.outside)
        throw new ProcessRefused(
          404,
          `there is no process ${formatPid({ scheduler: runtime.scheduler, id })}`,
        );
      if (traces.size >= TRACES_MAX)
        throw new ProcessRefused(409, `${TRACES_MAX} processes of this thread are traced already`);
      const number = ++last;
      try {
        traces.set(number, new RunningTrace(runtime, process, query, () => traces.delete(number)));
      } catch (error) {
        throw new ProcessRefused(409, (error as Error).message);
      }
      return { number, label: process.label };
    })
    .on('trace-read', (number: number): TracePart => known(number).take())
    .on('trace-stop', (number: number): TracePart => {
      const running = known(number);
      running.end('stopped');
      return running.take();
    });
}

class RunningTrace {
  #lines: TraceLine[] = [];
  #dropped = 0;
  #left: number;
  #ended: TracePart['ended'] = null;
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #process: Process<never>;
  readonly #direction: TraceQuery['direction'];
  readonly #startedAt: number;
  readonly #stop: () => void;
  readonly #forget: () => void;
  readonly #deadline: ClockTimer;
  #unread: ClockTimer;

  constructor(runtime: Runtime, process: Process<never>, query: TraceQuery, forget: () => void) {
    const { clock } = runtime;
    this.#runtime = runtime;
    this.#clock = clock;
    this.#process = process;
    this.#direction = query.direction;
    this.#left = query.max;
    this.#startedAt = clock.now();
    this.#forget = forget;
    this.#stop = trace(runtime, process, (event) => this.#see(event));
    process.onExit(this);
    this.#deadline = clock.setTimer(() => this.end('time'), query.forMs);
    this.#unread = this.#patience();
  }

  processExited(): void {
    this.end('process');
  }

  end(why: NonNullable<TracePart['ended']>): void {
    if (this.#ended !== null) return;
    this.#ended = why;
    this.#stop();
    this.#process.offExit(this);
    this.#clock.clearTimer(this.#deadline);
  }

  /** What has been seen since the last time. After the end it is forgotten with it. */
  take(): TracePart {
    const part: TracePart = { lines: this.#lines, dropped: this.#dropped, ended: this.#ended };
    this.#lines = [];
    this.#dropped = 0;
    this.#clock.clearTimer(this.#unread);
    if (this.#ended === null) this.#unread = this.#patience();
    else this.#forget();
    return part;
  }

  #patience(): ClockTimer {
    return this.#clock.setTimer(() => {
      this.end('stopped');
      this.#forget();
    }, UNREAD_MS);
  }

  #see(event: TraceEvent): void {
    if (this.#direction !== 'both' && this.#direction !== event.type) return;
    if (this.#lines.length < LINES_MAX) {
      const { text, bytes } = outline(event.message, MESSAGE_OUTLINE);
      this.#lines.push({
        at: Math.round((this.#clock.now() - this.#startedAt) * 1000) / 1000,
        direction: event.type,
        peer: this.#peerOf(event),
        message: text,
        bytes,
      });
    } else {
      this.#dropped++;
    }
    if (--this.#left === 0) this.end('count');
  }

  /** Of another scheduler's messages only requests say who sent them; of the others it is known whence they come. */
  #peerOf(event: TraceEvent): string | null {
    if (event.type === 'out') return this.#inWords(event.to);
    if (event.from !== null) return this.#inWords(event.from);
    if (event.scheduler === null) return null;
    const place = placeOf(event.scheduler);
    return place === 0 ? 'main' : `scheduler-${place}`;
  }

  #inWords(pid: Pid): string {
    const process = this.#runtime.local(pid);
    return process === null ? formatPid(pid) : `${process.label}${formatPid(pid)}`;
  }
}
