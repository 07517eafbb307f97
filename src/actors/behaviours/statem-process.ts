import { BadArgument } from '../bad-argument.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { CallMessage } from '../request.js';
import type { InitAck } from '../starting.js';
import { type Blocking, Token } from '../wait.js';
import { Behaviour, type BehaviourStatus } from './behaviour.js';
import { isPending, resultOf, thrownResult } from './returned.js';
import { sameState } from './same-state.js';
import { type AnyStatem, HandlerTable, isStatem, type StatemStatus } from './statem-callbacks.js';
import { StatemError } from './statem-error.js';
import { MachineEvent } from './statem-event.js';
import type { Action, Actions, StatemCodeChange, StatemInit } from './statem-result.js';
import type { Timeouts } from './statem-timeouts.js';

/** Types of a machine of which nothing is known. */
export interface Unknown {
  readonly state: unknown;
  readonly data: unknown;
  readonly call: readonly [unknown, unknown];
  readonly cast: unknown;
  readonly info: unknown;
  readonly internal: unknown;
  readonly timeout: unknown;
}

/** What `sys.getState` shows of a machine. */
export interface StatemPlace {
  readonly state: unknown;
  readonly data: unknown;
}

/** What stands for an event while there is none. */
export const NONE = new MachineEvent('internal', 'init_state', null, undefined);

/** Has a machine enter its first state, after the start has returned and before anything else. */
export class Enter extends Token {
  constructor(readonly actions: Actions<Action<Unknown>> | undefined) {
    super();
  }
}

/** A state machine's beginning, its end, and what can be asked of it at any time; the rest is {@link StateMachine}. */
export abstract class StatemProcess extends Behaviour {
  protected state: unknown = undefined;
  protected data: unknown = undefined;
  /** The callbacks in use. */
  protected callbacks: AnyStatem;
  /** Those that were pushed aside, the last one last. */
  protected pushed: AnyStatem[] | null = null;
  /** For state functions. */
  protected handlers: HandlerTable | null = null;
  protected same: (one: unknown, other: unknown) => boolean = sameState;
  /** Null until one is set. */
  protected timeouts: Timeouts | null = null;
  /** Oldest first; null when there are none. */
  protected postponed: MachineEvent[] | null = null;
  /** What is handled. */
  protected event: MachineEvent = NONE;
  #initialized = false;

  constructor(self: Process<never>, parent: Pid | null, callbacks: AnyStatem) {
    super(self, parent);
    this.callbacks = callbacks;
  }

  // ---- beginning -----------------------------------------------------------------------------------------------

  /** Runs `init`, which may wait. */
  init(ack: InitAck): void {
    let result: unknown;
    try {
      result = this.callbacks.init(this.self);
    } catch (thrown) {
      result = thrownResult(thrown);
    }
    if (isPending(result)) this.self.block(resultOf(result), (value) => this.#initDone(value, ack));
    else this.#initDone(result, ack);
  }

  #initDone(returned: unknown, ack: InitAck): void {
    const result = returned as StatemInit<Unknown>;
    switch (result?.type) {
      case 'ok':
        this.state = result.state;
        this.data = result.data;
        this.#initialized = true;
        ack.ok();
        this.self.putFirst(new Enter(result.actions));
        return;
      case 'ignore':
        ack.ignore();
        throw new Exit(ExitReason.normal);
      case 'error':
        ack.error(result.reason);
        throw new Exit(ExitReason.normal);
      case 'stop':
        throw new Exit(result.reason);
    }
    throw new Exit({ type: 'bad_return_from_init', value: returned });
  }

  /** From now on these callbacks are called. */
  protected use(callbacks: AnyStatem): void {
    if (!isStatem(callbacks)) throw new StatemError('bad_return_from_callback_mode', callbacks);
    this.callbacks = callbacks;
    this.same = callbacks.sameState?.bind(callbacks) ?? sameState;
    this.handlers = callbacks.states === undefined ? null : HandlerTable.of(callbacks.states);
  }

  // ---- end -----------------------------------------------------------------------------------------------------

  override terminate(reason: ExitReason): void | Blocking<void> {
    if (!this.#initialized) return;
    return this.endWith(() => this.callbacks.terminate?.(reason, this.state, this.data), reason);
  }

  protected override terminated(reason: ExitReason): void {
    const { event } = this;
    if (event === NONE) this.reportEnd(reason, undefined);
    else if (event.from === null) this.reportEnd(reason, event);
    else this.reportEnd(reason, new CallMessage(event.from, event.content));
  }

  // ---- sys -----------------------------------------------------------------------------------------------------

  override get behaviour(): string {
    return 'GenStatem';
  }

  override get version(): unknown {
    return this.callbacks.version;
  }

  protected override getState(): StatemPlace {
    return { state: this.state, data: this.data };
  }

  protected override replaceState(replace: (state: unknown) => unknown): unknown {
    const place = replace(this.getState()) as StatemPlace | undefined;
    if (typeof place !== 'object' || place === null || !('state' in place) || !('data' in place)) {
      throw new BadArgument(`a machine has { state, data }, not ${String(place)}`);
    }
    this.state = place.state;
    this.data = place.data;
    return place;
  }

  protected override formatStatus(status: BehaviourStatus): BehaviourStatus {
    const state: StatemStatus = {
      state: this.state,
      data: this.data,
      postponed: (this.postponed ?? []) as unknown as StatemStatus['postponed'],
      timeouts: [...(this.timeouts ?? [])].map(({ type, name, content }) =>
        name === undefined ? { type, content } : { type, name, content },
      ),
    };
    const shown = { ...status, state };
    return this.callbacks.formatStatus?.(shown) ?? shown;
  }

  protected override changeCode(given: unknown, oldVersion: unknown, extra: unknown): void | Blocking<void> {
    const callbacks = (given ?? this.callbacks) as AnyStatem;
    let result: unknown;
    try {
      if (callbacks.codeChange === undefined) throw new BadArgument(`${this.self.label} has no codeChange`);
      result = callbacks.codeChange(oldVersion, this.state, this.data, extra);
    } catch (thrown) {
      result = thrownResult(thrown);
    }
    if (isPending(result)) return this.#changing(result, callbacks);
    this.#changed(result, callbacks);
  }

  *#changing(pending: Blocking<unknown> | PromiseLike<unknown>, callbacks: AnyStatem): Blocking<void> {
    this.#changed(yield* resultOf(pending), callbacks);
  }

  #changed(returned: unknown, callbacks: AnyStatem): void {
    const result = returned as StatemCodeChange<Unknown>;
    if (result?.type === 'error') throw new Exit(result.reason);
    if (result?.type !== 'ok') throw new Exit({ type: 'bad_return_value', value: returned });
    this.use(callbacks);
    this.state = result.state;
    this.data = result.data;
  }
}
