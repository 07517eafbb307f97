import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import { DownMessage } from './system-message.js';

/** What a {@link Ref} is at the moment. */
export const RefFlag = {
  /** It monitors its target. */
  monitor: 1,
  /** Messages sent to it reach its owner. */
  alias: 2,
  /** The first message through the alias ends it, and the monitor. */
  reply: 4,
  /** The alias ends with the monitor. */
  demonitor: 8,
} as const;

/** How long the alias of a monitor lives; see {@link RefFlag}. */
export type AliasMode = 'explicit_unalias' | 'demonitor' | 'reply_demonitor';

/**
 * A monitor, an alias, or both: what Erlang calls a reference. It is in two lists, so that it can be found and
 * taken out in O(1) from both ends: those of its owner, and those that watch its target.
 */
export class Ref {
  /** @internal Combination of {@link RefFlag}. */
  flags: number;
  /** @internal */
  nextOwned: Ref | null = null;
  /** @internal */
  previousOwned: Ref | null = null;
  /** @internal */
  nextWatcher: Ref | null = null;
  /** @internal */
  previousWatcher: Ref | null = null;
  /** @internal Number under which other schedulers know it; 0: none does. */
  exported = 0;
  /** What its DOWN says in the place of `DOWN`: see `Process.monitor`. */
  tag: unknown = undefined;

  constructor(
    readonly owner: Process<never>,
    /** The monitored process; null for a mere alias, or when there was none. */
    readonly target: Pid | null,
    /** The name by which it was monitored. */
    readonly name: string | null,
    flags: number,
  ) {
    this.flags = flags;
  }

  /** Whether messages sent to it still reach its owner. */
  get isAlias(): boolean {
    return (this.flags & RefFlag.alias) !== 0;
  }

  /** Whether it still monitors. */
  get isMonitor(): boolean {
    return (this.flags & RefFlag.monitor) !== 0;
  }

  /** Who is told. */
  get watcher(): Pid {
    return this.owner;
  }

  /** @internal The number by which other schedulers can name it; 0 if it is no more than a memory. */
  export(): number {
    if (this.exported !== 0 || (this.flags & (RefFlag.monitor | RefFlag.alias)) === 0) return this.exported;
    return this.owner.runtime.signals.export(this);
  }

  /** @internal The target ended. */
  down(reason: ExitReason): void {
    this.owner.deliver(new DownMessage(this, this.name ?? this.target!, reason, this.tag));
  }

  /** @internal A message came through the alias, which is active. */
  aliased(message: unknown): void {
    this.owner.deliver(message);
  }
}

/** A monitor or an alias that belongs to a process of another scheduler: it can be sent to, and compared with `===`. */
export class RemoteRef {
  constructor(
    readonly owner: Pid,
    /** @internal */
    readonly number: number,
  ) {}
}
