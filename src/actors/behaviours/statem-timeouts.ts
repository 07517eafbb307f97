import type { Process } from '../process.js';
import { ProcessTimer } from '../timers.js';
import { Token } from '../wait.js';
import type { EventTimeoutAction, GenericTimeoutAction, StateTimeoutAction } from './statem-result.js';

export type TimeoutAction =
  | EventTimeoutAction<unknown>
  | StateTimeoutAction<unknown>
  | GenericTimeoutAction<unknown>;

/** Whether the time of a timeout, and its name, are any good. */
export function isTimeoutAction(action: TimeoutAction): boolean {
  const { type, time, absolute } = action;
  if (type === 'generic_timeout' && action.name === undefined) return false;
  if (typeof time !== 'number') return time === 'cancel' || time === 'update';
  return absolute === true ? !Number.isNaN(time) && time !== Number.NEGATIVE_INFINITY : time >= 0;
}

/** A timeout of a machine that is set. When its time is over it comes through the mailbox. */
export class Timeout extends Token {
  /** Null: its time was 0, so it does not come through the mailbox. */
  timer: ProcessTimer | null = null;

  constructor(
    readonly type: TimeoutAction['type'],
    readonly name: PropertyKey | undefined,
    public content: unknown,
  ) {
    super();
  }
}

class TimeoutTimer extends ProcessTimer {
  constructor(
    self: Process<never>,
    private readonly timeout: Timeout,
  ) {
    super(self, null, false);
  }

  override expired(): void {
    this.detach();
    this.process.deliver(this.timeout);
  }
}

/**
 * The timeouts of one machine: the event timeout, the state timeout, and those with names. Each is there once. Those of 0
 * ms have no timer: they wait, in the order of setting, until no event is left that the machine has itself.
 */
export class Timeouts {
  #event: Timeout | null = null;
  #state: Timeout | null = null;
  #named: Map<PropertyKey, Timeout> | null = null;
  /** Those of 0 ms, oldest first. */
  readonly #due: Timeout[] = [];

  constructor(private readonly self: Process<never>) {}

  *[Symbol.iterator](): Generator<Timeout, void, undefined> {
    if (this.#event !== null) yield this.#event;
    if (this.#state !== null) yield this.#state;
    if (this.#named !== null) yield* this.#named.values();
  }

  /** An event is handled: the event timeout is off. */
  eventHandled(): void {
    if (this.#event !== null) this.#cancel(this.#event);
  }

  /** The state has changed: the state timeout is off. */
  stateChanged(): void {
    if (this.#state !== null) this.#cancel(this.#state);
  }

  /** Sets, changes or ends what the actions say; of several for the same timeout the last counts. */
  perform(actions: readonly TimeoutAction[]): void {
    for (let at = 0; at < actions.length; at++) {
      const action = actions[at]!;
      if (!overridden(actions, at)) this.#perform(action);
    }
  }

  /** The next timeout of 0 ms; it is set no more. */
  takeDue(): Timeout | null {
    const timeout = this.#due.shift();
    if (timeout === undefined) return null;
    this.#put(timeout.type, timeout.name, null);
    return timeout;
  }

  /** A timeout came through the mailbox; it is set no more. */
  expired(timeout: Timeout): void {
    this.#put(timeout.type, timeout.name, null);
  }

  #get(type: TimeoutAction['type'], name: PropertyKey | undefined): Timeout | null {
    if (type === 'timeout') return this.#event;
    if (type === 'state_timeout') return this.#state;
    return this.#named?.get(name!) ?? null;
  }

  #put(type: TimeoutAction['type'], name: PropertyKey | undefined, timeout: Timeout | null): void {
    if (type === 'timeout') this.#event = timeout;
    else if (type === 'state_timeout') this.#state = timeout;
    else if (timeout === null) this.#named?.delete(name!);
    else {
      this.#named ??= new Map();
      this.#named.set(name!, timeout);
    }
  }

  #perform(action: TimeoutAction): void {
    const { type, time, content } = action;
    const name = action.type === 'generic_timeout' ? action.name : undefined;
    const running = this.#get(type, name);
    if (time === 'update') {
      if (running !== null) running.content = content;
      else this.#start(type, name, 0, content);
      return;
    }
    if (running !== null) this.#cancel(running);
    if (time === 'cancel' || time === Number.POSITIVE_INFINITY) return;
    // A time of 0 is 0 ms also when it is absolute. Any other that has passed comes behind what waits in the mailbox.
    if (time === 0) this.#start(type, name, 0, content);
    else if (!action.absolute) this.#start(type, name, time, content);
    else {
      const { clock } = this.self.runtime;
      this.#startTimer(new Timeout(type, name, content), Math.max(0, time - clock.now()));
    }
  }

  #start(type: TimeoutAction['type'], name: PropertyKey | undefined, ms: number, content: unknown): void {
    const timeout = new Timeout(type, name, content);
    if (ms !== 0) {
      this.#startTimer(timeout, ms);
      return;
    }
    this.#put(type, name, timeout);
    this.#due.push(timeout);
  }

  #startTimer(timeout: Timeout, ms: number): void {
    const { self } = this;
    this.#put(timeout.type, timeout.name, timeout);
    timeout.timer = new TimeoutTimer(self, timeout);
    self.runtime.timers.start(timeout.timer, ms);
  }

  #cancel(timeout: Timeout): void {
    this.#put(timeout.type, timeout.name, null);
    const { self } = this;
    if (timeout.timer === null) {
      this.#due.splice(this.#due.indexOf(timeout), 1);
      return;
    }
    if (self.cancelTimer(timeout.timer) !== false) return;
    // It is over, but its message waits still.
    if (self.flush((message) => message === timeout)) self.handledCount = (self.handledCount - 1) | 0;
  }
}

function overridden(actions: readonly TimeoutAction[], at: number): boolean {
  const { type, name } = actions[at] as GenericTimeoutAction<unknown>;
  for (let later = at + 1; later < actions.length; later++) {
    const other = actions[later] as GenericTimeoutAction<unknown>;
    if (other.type === type && other.name === name) return true;
  }
  return false;
}
