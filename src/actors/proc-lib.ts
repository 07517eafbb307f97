import { stop } from './calls.js';
import type { Pid } from './pid.js';
import type { Process, Start } from './process.js';
import type { Ref } from './ref.js';
import type { Runtime } from './runtime.js';
import type { SpawnOptions } from './runtime-options.js';
import type { StartOutcome } from './start-result.js';
import { type InitAck, type StartOptions, startMonitored, startProcess } from './starting.js';

/** What the process does that is started: as a start function, but it is also handed what it says its first word with. */
export type AcknowledgedStart<M> = (self: Process<M>, ack: InitAck) => ReturnType<Start<M>>;

/** Options of a start: see {@link StartOptions}. */
export type ProcLibOptions = Omit<StartOptions, 'parent' | 'link'>;

/**
 * Starts processes that say when they are ready, and ends those that take system messages: OTP's proc_lib. All
 * behaviours stand on it; by itself it is for processes that are none.
 *
 * ```ts
 * import { defaultRuntime, ExitReason, procLib, receive, started } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * const listener = procLib.start<{ port: number }>(runtime, function* (_self, ack) {
 *   const { port } = yield* receive<{ port: number }>(); // What takes a while.
 *   if (port === 0) ack.fail({ error: ExitReason.custom('no port') }, ExitReason.normal);
 *   ack.ok({ port }); // From here on the start has returned.
 *   yield* receive('close');
 * }, { name: 'listener' });
 * runtime.sendNamed('listener', { port: 80 });
 * const { ok, info } = (await runtime.wait(started(listener))) as { ok: unknown; info: unknown };
 * console.log(ok === runtime.whereis('listener'), info); // → true { port: 80 }
 * runtime.sendNamed('listener', { type: 'close' });
 * ```
 *
 * The first word counts, and the end of the process is one: `error` with its reason, `normal` included. The starter hears
 * of a failure when the process has ended: its name is free by then, and a linked starter that traps exits gets no EXIT.
 * Whoever starts need not wait: the result is `pending` if the process has not said its word when the start returns.
 *
 * Every process here that ends by its own doing otherwise than with `normal` or `shutdown` is reported as `crash`, not only
 * those that were started so: see `RuntimeEvent`, and `formatReport` for a text.
 */
export const procLib = {
  /** As `self.spawn`: there is no difference here between processes of proc_lib and others. */
  spawn<M>(self: Process<never>, start: Start<M>, options: SpawnOptions = {}): Pid<M> {
    return self.spawn(start, options);
  },

  /** As `self.spawnLink`. */
  spawnLink<M>(self: Process<never>, start: Start<M>, options: SpawnOptions = {}): Pid<M> {
    return self.spawnLink(start, options);
  },

  /** Starts a process that nobody is linked with. Its parent is who runs. */
  start<M>(runtime: Runtime, init: AcknowledgedStart<M>, options: ProcLibOptions = {}): StartOutcome<Pid<M>> {
    return startProcess(runtime, options, init);
  },

  /** Starts a process linked with `parent`, from before it runs. */
  startLink<M>(
    parent: Process<never>,
    init: AcknowledgedStart<M>,
    options: ProcLibOptions = {},
  ): StartOutcome<Pid<M>> {
    return startProcess(parent.runtime, { ...options, parent, link: true }, init);
  },

  /**
   * Starts a process that `parent` monitors, from before it runs. The DOWN comes also when the start fails. There is no
   * monitor only if the name was taken.
   */
  startMonitor<M>(
    parent: Process<never>,
    init: AcknowledgedStart<M>,
    options: ProcLibOptions = {},
  ): { readonly result: StartOutcome<Pid<M>>; readonly ref: Ref | null } {
    return startMonitored(parent.runtime, { ...options, parent }, init);
  },

  /** Ends a process that takes system messages, and waits for its end: `yield* procLib.stop(server)`. */
  stop,
} as const;
