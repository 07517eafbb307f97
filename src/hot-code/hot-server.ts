import { BadArgument } from '../actors/bad-argument.js';
import { GenServer } from '../actors/behaviours/gen-server.js';
import type { AnyServer } from '../actors/behaviours/server-process.js';
import { Exit, ExitReason } from '../actors/exit-reason.js';
import type { Process } from '../actors/process.js';
import type { From } from '../actors/request.js';
import type { CallPair } from '../actors/server-pid.js';
import { CodeHolder } from './code-holder.js';
import { type Contract, functions } from './contract.js';
import type { ModuleSlot } from './module-slot.js';
import type { ChangeableProcess, CodeChanging } from './module-table.js';
import type { ModuleVersion } from './module-version.js';

/** What a module exports to be a GenServer's callbacks: those of GenServer as functions, and its `codeChange` in the table's manner. */
export interface HotServerModule extends CodeChanging {
  init(self: Process<never>): unknown;
  handleCall?(request: never, from: From<never>, state: never): unknown;
  handleCast?(message: never, state: never): unknown;
  handleInfo?(message: never, state: never): unknown;
  handleContinue?(argument: never, state: never): unknown;
  terminate?(reason: ExitReason, state: never): unknown;
}

/** The contract of such a module. */
export function serverContract(name: string): Contract<HotServerModule> {
  return functions<HotServerModule>(
    name,
    ['init'],
    ['handleCall', 'handleCast', 'handleInfo', 'handleContinue', 'terminate', 'codeChange'],
  );
}

/** Does nothing, but that the server comes to its version. */
const CHANGE = { type: 'change_code' } as const;

type Server = ModuleVersion<HotServerModule>;

/**
 * The callbacks of a GenServer that looks its code up for each message: to be made anew for each server.
 *
 * ```ts
 * const slot = table.define(serverContract('counter'), await import('./counter.js'));
 * const counter = GenServer.start(runtime, hotServer<number, Calls>(slot), { name: 'counter' });
 * ```
 *
 * That the module fits `State`, `Calls` and the rest is the caller's word. `sys.changeCode` is not needed, and refuses.
 */
export function hotServer<
  State,
  Calls extends CallPair = never,
  Casts = never,
  Info = never,
  Continue = never,
>(slot: ModuleSlot<HotServerModule>): GenServer<State, Calls, Casts, Info, Continue> {
  return new HotServer(slot) as unknown as GenServer<State, Calls, Casts, Info, Continue>;
}

class HotServer implements ChangeableProcess {
  readonly #slot: ModuleSlot<HotServerModule>;
  #self: Process<never> | null = null;
  #code: CodeHolder<HotServerModule> | null = null;
  #state: unknown = undefined;
  #isKnown = false;

  constructor(slot: ModuleSlot<HotServerModule>) {
    this.#slot = slot;
  }

  init(self: Process<never>): unknown {
    if (this.#self !== null) throw new BadArgument('hotServer(…) is made anew for each server');
    this.#self = self;
    this.#code = new CodeHolder(this.#slot, self);
    return this.#noted(this.#counted(this.#code.version, undefined, ({ init }) => init(self)));
  }

  handleCall(request: unknown, from: From<unknown>, state: unknown): unknown {
    return this.#call(state, ({ handleCall }, state) => {
      if (handleCall === undefined) throw new BadArgument(`${this.#slot.name} takes no calls`);
      return (handleCall as NonNullable<AnyServer['handleCall']>)(request as never, from as never, state);
    });
  }

  handleCast(message: unknown, state: unknown): unknown {
    return this.#call(state, ({ handleCast }, state) => {
      if (handleCast === undefined) throw new BadArgument(`${this.#slot.name} takes no casts`);
      return (handleCast as NonNullable<AnyServer['handleCast']>)(message, state);
    });
  }

  handleInfo(message: unknown, state: unknown): unknown {
    if (message === CHANGE) return this.#call(state, (_, state) => GenServer.noreply(state));
    return this.#call(state, ({ handleInfo }, state) =>
      handleInfo === undefined
        ? GenServer.noreply(state)
        : (handleInfo as NonNullable<AnyServer['handleInfo']>)(message, state),
    );
  }

  handleContinue(argument: unknown, state: unknown): unknown {
    return this.#call(state, ({ handleContinue }, state) => {
      if (handleContinue === undefined) throw new BadArgument(`${this.#slot.name} cannot continue`);
      return (handleContinue as NonNullable<AnyServer['handleContinue']>)(argument, state);
    });
  }

  terminate(reason: ExitReason, state: unknown): unknown {
    return this.#code?.version.exports.terminate?.(reason, state as never);
  }

  codeChange(): unknown {
    return GenServer.error(ExitReason.custom('its code is changed by its table'));
  }

  // ---- for the table -------------------------------------------------------------------------------------------

  get slot(): ModuleSlot {
    return this.#slot as unknown as ModuleSlot;
  }

  get version(): Server {
    return this.#code!.version;
  }

  get process(): string {
    return this.#code?.process ?? this.#slot.name;
  }

  /** As far as it is known: that of a callback that waits is the one that it began with. @throws RangeError before there is one */
  get state(): unknown {
    if (!this.#isKnown) throw new RangeError('it has not begun yet');
    return this.#state;
  }

  /** Its state is the server's: it is changed with a message of its own, behind those that wait. */
  change(): void {
    if (this.#code !== null && this.#code.wanted !== null) this.#self!.deliver(CHANGE);
  }

  kill(): void {
    this.#self!.runtime.exit(this.#self!, ExitReason.kill);
  }

  #call(state: unknown, body: (exports: HotServerModule, state: unknown) => unknown): unknown {
    const code = this.#code!;
    this.#state = state;
    this.#isKnown = true;
    const version = code.wanted;
    if (version === null) return this.#noted(this.#counted(code.version, state, body));
    return this.#noted(
      code.first(version, state, (state) => this.#counted(code.version, state, body), isFailure),
    );
  }

  /** The state that a callback returns is one to try a change with; one that waits has not returned it yet. */
  #noted<Result>(result: Result): Result {
    if (typeof result === 'object' && result !== null && 'state' in result) {
      this.#state = result.state;
      this.#isKnown = true;
    }
    return result;
  }

  #counted(
    version: Server,
    state: unknown,
    body: (exports: HotServerModule, state: unknown) => unknown,
  ): unknown {
    const started = this.#slot.begin(version);
    try {
      const result = body(version.exports, state);
      if (started !== 0) this.#slot.ended(version, started);
      return result;
    } catch (error) {
      if (error instanceof Error) this.#slot.threw(version, error);
      throw error;
    }
  }
}

/** What is thrown and is no Error is an answer, as in GenServer; that it wants to end is no failure of the code. */
function isFailure(error: unknown): boolean {
  return error instanceof Error && !(error instanceof Exit);
}
