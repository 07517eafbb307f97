import { Fifo } from '../../structures/fifo.js';
import { BadArgument } from '../bad-argument.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import type { SysOperation } from '../sys-request.js';

/** One thing that a traced behaviour did. Times are the clock's, in ms. */
export type SysEvent =
  | { readonly type: 'in'; readonly at: number; readonly message: unknown }
  | { readonly type: 'out'; readonly at: number; readonly message: unknown; readonly to: Pid | null };

/** What `sys.statistics` tells. */
export interface SysStatistics {
  /** When it was begun, and now: the clock's ms. */
  readonly startTime: number;
  readonly currentTime: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

type DebugOperation = Extract<SysOperation, { readonly op: 'statistics' | 'log' | 'trace' }>;

/** Events kept by `sys.log` unless said otherwise: OTP's number. */
const LOG_LENGTH = 10;
const LOG_LENGTH_MAX = 100_000;

/** What is written down about one behaviour: OTP's sys:debug options. */
export class SysDebug {
  #statistics: { readonly startTime: number; in: number; out: number } | null = null;
  #log: Fifo<SysEvent> | null = null;
  #logLength = LOG_LENGTH;
  #sink: ((event: unknown) => void) | null = null;

  constructor(private readonly self: Process<never>) {}

  /** Whether nothing is asked for. */
  get idle(): boolean {
    return this.#statistics === null && this.#log === null && this.#sink === null;
  }

  in(message: unknown): void {
    if (this.#statistics !== null) this.#statistics.in++;
    if (this.#log !== null || this.#sink !== null) this.#write({ type: 'in', at: this.#now(), message });
  }

  out(message: unknown, to: Pid | null): void {
    if (this.#statistics !== null) this.#statistics.out++;
    if (this.#log !== null || this.#sink !== null) this.#write({ type: 'out', at: this.#now(), message, to });
  }

  perform(operation: DebugOperation): unknown {
    if (operation.op === 'statistics') return this.#statisticsOf(operation.flag);
    if (operation.op === 'log') return this.#logOf(operation.flag, operation.length);
    this.#sink = operation.sink;
    return 'ok';
  }

  #statisticsOf(flag: boolean | 'get'): SysStatistics | 'no_statistics' | 'ok' {
    if (flag === 'get') {
      if (this.#statistics === null) return 'no_statistics';
      const { startTime, in: messagesIn, out: messagesOut } = this.#statistics;
      return { startTime, currentTime: this.#now(), messagesIn, messagesOut };
    }
    this.#statistics = flag ? { startTime: this.#now(), in: 0, out: 0 } : null;
    return 'ok';
  }

  #logOf(flag: boolean | 'get', length = LOG_LENGTH): readonly SysEvent[] | 'ok' {
    if (flag === 'get') return this.#log === null ? [] : [...this.#log];
    if (!Number.isInteger(length) || length < 1 || length > LOG_LENGTH_MAX) {
      throw new BadArgument(`a log keeps 1 to ${LOG_LENGTH_MAX} events, not ${length}`);
    }
    this.#log = flag ? new Fifo<SysEvent>() : null;
    this.#logLength = length;
    return 'ok';
  }

  #write(event: SysEvent): void {
    this.#sink?.(event);
    if (this.#log === null) return;
    this.#log.push(event);
    if (this.#log.length > this.#logLength) this.#log.shift();
  }

  #now(): number {
    return this.self.runtime.clock.now();
  }
}
