import {
  type Blocking,
  ExitMessage,
  ExitReason,
  isBlocking,
  isPromise,
  type Pid,
  type Process,
  receive,
  settled,
  started,
} from '../actors/index.js';
import type { ApplicationError } from './application-error.js';
import type { ApplicationStart, Waiting } from './application-spec.js';
import type { LoadedApplication } from './application-table.js';

/** What a master tells the controller, once: it runs, or why it does not. */
export class MasterReport {
  constructor(
    readonly master: Pid,
    readonly error: ApplicationError | null,
  ) {}
}

/** What the controller tells a master: stop. */
export class StopApplication {}

/** What a callback returned, once it has waited; a value that it throws is one too. */
function* done<T>(run: () => Waiting<T>): Blocking<T> {
  const result = run();
  if (isBlocking(result)) return yield* result as Blocking<T>;
  if (isPromise(result)) return yield* settled(result as Promise<T>);
  return result;
}

type Outcome<T> = { readonly value: T } | { readonly error: ApplicationError };

/**
 * The process of an application that runs, OTP's application master: it starts the top process and is its parent, stops it,
 * and ends with its reason. It traps exits, so whatever becomes of the controller the application stops in order.
 */
export class ApplicationMaster {
  readonly #self: Process<never>;
  readonly #controller: Pid<unknown>;
  readonly #application: LoadedApplication;
  #state: unknown;

  constructor(self: Process<never>, controller: Pid<unknown>, application: LoadedApplication) {
    this.#self = self;
    this.#controller = controller;
    this.#application = application;
  }

  *run(): Blocking<void> {
    const self = this.#self;
    self.trapExit = true;
    const top = yield* this.#start();
    if ('error' in top) {
      self.send(this.#controller, new MasterReport(self, top.error));
      return;
    }
    const pid = top.value;
    // What died already was linked with this process if it was started as it should be; nobody else will tell.
    const dead = pid.scheduler === self.scheduler ? self.runtime.exitReasonOf(pid) : null;
    if (dead === null) self.link(pid);
    const failed = yield* this.#phases();
    if (failed !== null) {
      if (dead === null) yield* this.#stopTop(pid);
      self.send(this.#controller, new MasterReport(self, failed));
      return;
    }
    self.send(this.#controller, new MasterReport(self, null));
    const end = dead === null ? yield* this.#untilEnd(pid) : yield* this.#endedWith(dead);
    // A signal to itself, so that it is no crash of its own: the top process has told already.
    self.trapExit = false;
    self.runtime.exit(self, end);
  }

  /** Until the application has stopped: the reason with which this process is to end. */
  *#untilEnd(top: Pid): Blocking<ExitReason> {
    for (;;) {
      // Takes everything, so that nothing gathers.
      const message = yield* receive();
      if (message instanceof ExitMessage && message.from === top) {
        return yield* this.#endedWith(message.reason);
      }
      const orphaned = message instanceof ExitMessage && message.from === (this.#controller as Pid);
      if (!orphaned && !(message instanceof StopApplication)) continue;
      yield* this.#prepStop();
      yield* this.#stopTop(top);
      yield* this.#stopped();
      return orphaned ? message.reason : ExitReason.normal;
    }
  }

  /** The top process has ended by itself. */
  *#endedWith(reason: ExitReason): Blocking<ExitReason> {
    yield* this.#prepStop();
    yield* this.#stopped();
    return reason;
  }

  // ---- callbacks -----------------------------------------------------------------------------------------------

  get #how(): ApplicationStart<object> {
    return { name: this.#name, type: 'normal', env: this.#application.environment };
  }

  get #name(): string {
    return this.#application.spec.name;
  }

  *#start(): Blocking<Outcome<Pid>> {
    const application = this.#name;
    let value: unknown;
    try {
      const { spec } = this.#application;
      value = yield* done(() => spec.start!(this.#self, this.#how));
      if (isOutcome(value) && value.pending !== undefined) value = yield* started(value as never);
    } catch (thrown) {
      return { error: { type: 'start_failed', application, reason: ExitReason.ofThrown(thrown) } };
    }
    if (isPid(value)) return { value };
    if (isOutcome(value)) {
      if (isPid(value.ok)) {
        this.#state = (value as { readonly state?: unknown }).state;
        return { value: value.ok };
      }
      if (isReason(value.error)) return { error: { type: 'start_failed', application, reason: value.error } };
    }
    return { error: { type: 'bad_return', application, value } };
  }

  *#phases(): Blocking<ApplicationError | null> {
    const { spec } = this.#application;
    const application = this.#name;
    for (const [phase, argument] of spec.startPhases ?? []) {
      let value: unknown;
      try {
        value = yield* done(() => spec.startPhase!(phase, this.#how, argument));
      } catch (thrown) {
        return { type: 'start_failed', application, phase, reason: ExitReason.ofThrown(thrown) };
      }
      if (value === undefined || value === 'ok') continue;
      if (isOutcome(value) && isReason(value.error))
        return { type: 'start_failed', application, phase, reason: value.error };
      return { type: 'bad_return', application, phase, value };
    }
    return null;
  }

  *#prepStop(): Blocking<void> {
    const { spec } = this.#application;
    if (spec.prepStop === undefined) return;
    try {
      this.#state = yield* done(() => spec.prepStop!(this.#state));
    } catch (thrown) {
      this.#callbackFailed('prepStop', thrown);
    }
  }

  *#stopped(): Blocking<void> {
    const { spec } = this.#application;
    if (spec.stop === undefined) return;
    try {
      yield* done(() => spec.stop!(this.#state));
    } catch (thrown) {
      this.#callbackFailed('stop', thrown);
    }
  }

  /** What a callback throws that is to stop the application does not keep it from stopping. */
  #callbackFailed(callback: 'prepStop' | 'stop', thrown: unknown): void {
    this.#self.runtime.emit({
      type: 'application_callback_failed',
      application: this.#name,
      callback,
      reason: ExitReason.ofThrown(thrown),
    });
  }

  /** However long it takes: the top process is a supervisor, and knows how long its children may take. */
  *#stopTop(top: Pid): Blocking<void> {
    this.#self.runtime.exit(top, ExitReason.shutdown);
    yield* receive(
      (message): message is ExitMessage => message instanceof ExitMessage && message.from === top,
    );
  }
}

interface AnyOutcome {
  readonly ok?: unknown;
  readonly error?: unknown;
  readonly pending?: unknown;
}

function isOutcome(value: unknown): value is AnyOutcome {
  return typeof value === 'object' && value !== null && !isPid(value);
}

function isPid(value: unknown): value is Pid {
  return typeof value === 'object' && value !== null && 'scheduler' in value && 'id' in value;
}

function isReason(value: unknown): value is ExitReason {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly type?: unknown }).type === 'string'
  );
}
