import { Fifo } from '../../structures/fifo.js';
import { BadArgument } from '../bad-argument.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import type { SysOperation } from '../sys-request.js';

/** What a traced behaviour did: a message came, one went out, it went on without a reply, or something of its own kind. */
export type SysAction =
  | { readonly type: 'in'; readonly message: unknown }
  | { readonly type: 'out'; readonly message: unknown; readonly to: Pid | null; readonly state?: unknown }
  | { readonly type: 'noreply'; readonly state: unknown }
  | { readonly type: 'continue'; readonly argument: unknown }
  | { readonly type: 'other'; readonly event: unknown };

/** The same with its time: the clock's, in ms. */
export type SysEvent = SysAction & { readonly at: number };

/** What `sys.statistics` tells. */
export interface SysStatistics {
  /** When it was begun, and now: the clock's ms. */
  readonly startTime: number;
  readonly currentTime: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

/** Returned by a {@link DebugFunction} that wants to see no more. */
export const debugDone: unique symbol = Symbol('done');

/**
 * Sees every event of a behaviour, in its turn: returns its own next state, or {@link debugDone}. One that throws is
 * removed too, and nothing else comes of it.
 */
export type DebugFunction<S> = (
  state: S,
  event: SysEvent,
  process: { readonly pid: Pid; readonly label: string },
) => S | typeof debugDone;

type DebugOperation = Extract<
  SysOperation,
  { readonly op: 'statistics' | 'log' | 'trace' | 'install' | 'remove' | 'no_debug' }
>;

/** Events kept by `sys.log` unless said otherwise: OTP's number. */
const LOG_LENGTH = 10;
const LOG_LENGTH_MAX = 100_000;
const FUNCTIONS_MAX = 100;

/** What is written down about one behaviour: OTP's sys:debug options. */
export class SysDebug {
  #statistics: { readonly startTime: number; in: number; out: number } | null = null;
  #log: Fifo<SysEvent> | null = null;
  #logLength = LOG_LENGTH;
  #sink: ((event: unknown) => void) | null = null;
  readonly #functions = new Map<unknown, { readonly call: DebugFunction<unknown>; state: unknown }>();

  constructor(private readonly self: Process<never>) {}

  /** Whether nothing is asked for. */
  get idle(): boolean {
    return (
      this.#statistics === null && this.#log === null && this.#sink === null && this.#functions.size === 0
    );
  }

  /** The events kept, oldest first. */
  get log(): readonly SysEvent[] {
    return this.#log === null ? [] : [...this.#log];
  }

  in(message: unknown): void {
    if (this.#statistics !== null) this.#statistics.in++;
    this.event({ type: 'in', message });
  }

  out(message: unknown, to: Pid | null, state?: unknown): void {
    if (this.#statistics !== null) this.#statistics.out++;
    this.event({ type: 'out', message, to, state });
  }

  event(action: SysAction): void {
    if (this.#log === null && this.#sink === null && this.#functions.size === 0) return;
    const event: SysEvent = { ...action, at: this.#now() };
    if (this.#sink !== null) this.#trace(this.#sink, event);
    for (const [id, entry] of this.#functions) this.#show(id, entry, event);
    if (this.#log === null) return;
    this.#log.push(event);
    if (this.#log.length > this.#logLength) this.#log.shift();
  }

  perform(operation: DebugOperation): unknown {
    switch (operation.op) {
      case 'statistics':
        return this.#statisticsOf(operation.flag);
      case 'log':
        return this.#logOf(operation.flag, operation.length);
      case 'trace':
        this.#sink = operation.sink;
        return 'ok';
      case 'install':
        return this.#install(operation.id, operation.call as DebugFunction<unknown>, operation.state);
      case 'remove':
        this.#functions.delete(operation.id);
        return 'ok';
      case 'no_debug':
        this.#statistics = null;
        this.#log = null;
        this.#sink = null;
        this.#functions.clear();
        return 'ok';
    }
  }

  #install(id: unknown, call: DebugFunction<unknown>, state: unknown): 'ok' {
    if (this.#functions.has(id)) return 'ok';
    if (this.#functions.size === FUNCTIONS_MAX) {
      throw new BadArgument(`${this.self.label} has ${FUNCTIONS_MAX} debug functions already`);
    }
    this.#functions.set(id, { call, state });
    return 'ok';
  }

  #show(
    id: unknown,
    entry: { readonly call: DebugFunction<unknown>; state: unknown },
    event: SysEvent,
  ): void {
    let state: unknown;
    try {
      state = entry.call(entry.state, event, { pid: this.self, label: this.self.label });
    } catch {
      state = debugDone;
    }
    if (state === debugDone) this.#functions.delete(id);
    else entry.state = state;
  }

  #trace(sink: (event: unknown) => void, event: SysEvent): void {
    try {
      sink(event);
    } catch (error) {
      this.#sink = null;
      this.self.runtime.emit({ type: 'hook_failed', error });
    }
  }

  #statisticsOf(flag: boolean | 'get'): SysStatistics | 'no_statistics' | 'ok' {
    if (flag === 'get') {
      if (this.#statistics === null) return 'no_statistics';
      const { startTime, in: messagesIn, out: messagesOut } = this.#statistics;
      return { startTime, currentTime: this.#now(), messagesIn, messagesOut };
    }
    if (!flag) this.#statistics = null;
    else this.#statistics ??= { startTime: this.#now(), in: 0, out: 0 };
    return 'ok';
  }

  #logOf(flag: boolean | 'get', length = LOG_LENGTH): readonly SysEvent[] | 'ok' {
    if (flag === 'get') return this.log;
    if (!Number.isInteger(length) || length < 1 || length > LOG_LENGTH_MAX) {
      throw new BadArgument(`a log keeps 1 to ${LOG_LENGTH_MAX} events, not ${length}`);
    }
    if (!flag) {
      this.#log = null;
      return 'ok';
    }
    this.#log ??= new Fifo<SysEvent>();
    this.#logLength = length;
    while (this.#log.length > length) this.#log.shift();
    return 'ok';
  }

  #now(): number {
    return this.self.runtime.clock.now();
  }
}
