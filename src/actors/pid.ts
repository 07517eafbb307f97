/** Where the type of the messages is kept; there is no such property. */
export declare const accepts: unique symbol;

/**
 * The address of a process that takes messages of type `M`. A local pid is the process object itself, so
 * sending needs no look-up; one of another scheduler is a {@link RemotePid}. Compare with `===`.
 *
 * `Pid<A | B>` may be used where a `Pid<A>` is wanted. `Pid` alone is any process: it can be linked, monitored
 * and ended, but not sent to.
 */
export interface Pid<in M = never> {
  /** Number of the scheduler on which it lives its whole life. */
  readonly scheduler: number;
  /** Never used twice on its scheduler (well, after 2^29 uses of one slot): slot + generation × 2^24. */
  readonly id: number;
  readonly [accepts]?: (message: M) => void;
}

/** A process of another scheduler. Made by the runtime, once for each address while anybody holds it. */
export class RemotePid implements Pid<unknown> {
  constructor(
    readonly scheduler: number,
    readonly id: number,
  ) {}

  declare readonly [accepts]?: (message: unknown) => void;

  toString(): string {
    return formatPid(this);
  }
}

/** `<scheduler.slot.generation>`. */
export function formatPid(pid: Pid): string {
  return `<${pid.scheduler}.${pid.id % 2 ** 24}.${Math.floor(pid.id / 2 ** 24)}>`;
}

/** Slots and generations of ids, as `SlotTable` makes them. */
const SLOTS = 2 ** 24;
const GENERATIONS = 2 ** 29;

/**
 * The numbers in a pid that somebody has copied from a log line: `<2.17.0>`, with a label before it (`session<2.17.0>`) or
 * without the brackets, which shells do not like. Null: it is no pid.
 */
export function parsePid(text: string): { readonly scheduler: number; readonly id: number } | null {
  const match = /^(?:[^<>]*<(\d{1,9})\.(\d{1,8})\.(\d{1,9})>|(\d{1,9})\.(\d{1,8})\.(\d{1,9}))$/.exec(text);
  if (match === null) return null;
  const [scheduler, slot, generation] = match
    .slice(1)
    .filter((group) => group !== undefined)
    .map(Number) as [number, number, number];
  return slot < SLOTS && generation < GENERATIONS ? { scheduler, id: slot + generation * SLOTS } : null;
}
