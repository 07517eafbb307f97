import { type Blocking, ExitMessage, type Pid, type Process, Wait } from '../../../src/actors/index.js';
import type { Json } from './json.js';
import { caught, exit } from './raise.js';
import { Raised } from './raised.js';
import { termOf } from './reason.js';
import type { Env, World } from './world.js';

/** Says that a puppet has an op to run. It is never in the mailbox while an op runs, so no op sees it. */
class Wake {}

/** An op that the driver has given to a puppet, and what came of it. */
export interface Order {
  readonly operation: readonly Json[];
  /** Undefined until it is done. */
  result: { readonly value: unknown } | undefined;
  /** The step is over: what comes now is logged as `late`. */
  late: boolean;
}

/** Waits until the driver has an op, or the parent that it obeys has ended. */
class Idle extends Wait<unknown> {
  readonly afterMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly orders: readonly Order[],
    private readonly parent: Pid | null,
  ) {
    super();
  }

  override begin(self: Process<never>): void {
    if (this.orders.length > 0) self.send(self as unknown as Pid<Wake>, new Wake());
  }

  matches(message: unknown): boolean {
    return message instanceof Wake || (message instanceof ExitMessage && message.from === this.parent);
  }

  finish(message: unknown): unknown {
    return message;
  }

  expired(): never {
    throw new Error('a wait without a time has expired');
  }
}

/** What the puppets of a world were told to do. */
export class Puppets {
  readonly #orders = new Map<Pid, Order[]>();
  readonly #idle = new Set<Pid>();

  constructor(private readonly world: World) {}

  /** Gives an op to a puppet. */
  order(pid: Pid, operation: readonly Json[]): Order {
    const order: Order = { operation, result: undefined, late: false };
    this.#ordersOf(pid).push(order);
    if (this.#idle.delete(pid)) this.world.runtime.send(pid as Pid<Wake>, new Wake());
    return order;
  }

  #ordersOf(pid: Pid): Order[] {
    let orders = this.#orders.get(pid);
    if (orders === undefined) {
      orders = [];
      this.#orders.set(pid, orders);
    }
    return orders;
  }

  /** The life of a puppet: runs its first ops, then those of the driver. */
  *live(first: readonly Json[]): Blocking<void> {
    yield* this.world.performAll(first);
    yield* this.obey(null, []);
  }

  /** Runs the driver's ops until `return`, or the parent that it obeys has ended. */
  *obey(parent: Pid | null, onStop: readonly Json[]): Blocking<void> {
    const { self } = this.world;
    const orders = this.#ordersOf(self);
    for (;;) {
      if (orders.length === 0) this.#idle.add(self);
      const message = yield* new Idle(orders, parent);
      this.#idle.delete(self);
      if (message instanceof ExitMessage) {
        yield* this.world.performAll(onStop);
        exit(termOf(message.reason));
      }
      const order = orders.shift();
      if (order === undefined) continue;
      const name = String(order.operation[0]);
      const value = name === 'return' ? 'ok' : yield* this.#guarded(order.operation);
      // One that was ended meanwhile has no result: it only ran on to here. Of a signal Erlang waits for nothing, so what
      // comes back over links comes after the op.
      if (!self.alive && name !== 'signal') return;
      order.result = { value };
      if (order.late) this.world.log(['late', name, value]);
      if (name === 'return') return;
    }
  }

  *#guarded(operation: readonly Json[]): Blocking<unknown> {
    const name = operation[0];
    if (name === 'exit' || name === 'error' || name === 'throw') {
      return yield* this.world.perform(operation);
    }
    return yield* attempt(this.world, operation);
  }
}

/** Runs an op and catches what it raises. */
export function* attempt(world: World, operation: readonly Json[], env?: Env): Blocking<unknown> {
  try {
    return yield* world.perform(operation, env);
  } catch (thrown) {
    const { class: errorClass, reason } = caught(thrown);
    return new Raised(errorClass, reason);
  }
}
