import type { Pid } from './pid.js';

/**
 * Names of its own, beside those registered with the runtime: a Registry, for one. What OTP asks of the module in
 * `{via, Module, Name}`.
 */
export interface ViaTable<out P extends Pid = Pid> {
  /** The live process under a key. */
  whereisName(key: unknown): P | undefined;
  /** Puts a process that is about to begin under a key. False if another one is there. It goes when the process ends. */
  registerName(key: unknown, process: Pid, value: unknown): boolean;
  /** The name in words: for labels and errors. */
  describeName(key: unknown): string;
}

/**
 * A name in such a table: `{ via: registry, key: 'lobby' }`. It may stand wherever a registered name may: to start a
 * process under it, to call it, cast to it, stop it, monitor it.
 */
export interface Via<out P extends Pid = Pid> {
  readonly via: ViaTable<P>;
  readonly key: unknown;
  /** What the table keeps beside the process that is started under the name. */
  readonly value?: unknown;
}

/** What a process can be started under and found by: a name registered with the runtime, or one in a table. */
export type Name = string | Via;

/** Whom something is for: a process, or whoever has a name when it is sent. */
export type Target = Pid | Name;

export function isVia(target: Target): target is Via {
  return typeof target === 'object' && 'via' in target;
}

/** A target as it stands in exit reasons and errors: a {@link Via} in words, so that they can leave the scheduler. */
export function targetInWords(target: Target): Pid | string {
  return isVia(target) ? target.via.describeName(target.key) : target;
}

/** The name in words. */
export function nameInWords(name: Name): string {
  return typeof name === 'string' ? name : name.via.describeName(name.key);
}
