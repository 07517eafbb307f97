import type { Pid } from '../pid.js';
import type { AnyHandler, HandlerRef, Swapped, TerminateArgument } from './event-handler.js';

/** Callbacks as the manager calls them: it knows nothing of their types. */
export interface HandlerModule {
  readonly init: (argument: unknown, swapped: Swapped | undefined) => unknown;
  readonly handleEvent: (event: unknown, state: unknown) => unknown;
  readonly handleCall?: (request: unknown, state: unknown) => unknown;
  readonly handleInfo?: (message: unknown, state: unknown) => unknown;
  readonly terminate?: (argument: TerminateArgument, state: unknown) => unknown;
  readonly codeChange?: (oldVersion: unknown, state: unknown, extra: unknown) => unknown;
  readonly formatStatus?: (state: unknown) => unknown;
}

/** A handler that is there. */
export class InstalledHandler {
  state: unknown = undefined;

  constructor(
    readonly module: HandlerModule,
    /** Undefined: it has none. */
    readonly id: unknown,
    readonly hasId: boolean,
    /** Who is told of its end, and with whom it ends. */
    readonly owner: Pid | null,
  ) {}

  static of(ref: HandlerRef, owner: Pid | null): InstalledHandler {
    return 'module' in ref
      ? new InstalledHandler(ref.module as unknown as HandlerModule, ref.id, true, owner)
      : new InstalledHandler(ref as unknown as HandlerModule, undefined, false, owner);
  }

  get ref(): HandlerRef {
    const module = this.module as unknown as AnyHandler;
    return this.hasId ? { module, id: this.id } : module;
  }

  is(ref: HandlerRef): boolean {
    if ('module' in ref) return this.hasId && this.module === (ref.module as unknown) && this.id === ref.id;
    return !this.hasId && this.module === (ref as unknown);
  }

  /** What people call it: the class of its callbacks, and its id. */
  get name(): string {
    const name = this.module.constructor?.name ?? '';
    const kind = name === '' || name === 'Object' ? 'handler' : name;
    return this.hasId ? `${kind} ${String(this.id)}` : kind;
  }

  /** What is shown of its state. */
  get shown(): unknown {
    if (this.module.formatStatus === undefined) return this.state;
    try {
      return this.module.formatStatus(this.state);
    } catch (error) {
      return `formatStatus failed: ${String(error)}`;
    }
  }
}
