import {
  type Blocking,
  Exit,
  type InitAck,
  isBlocking,
  isPromise,
  type Name,
  type Pid,
  type Process,
  type Receiver,
  type Runtime,
  type StartOutcome,
  settled,
  startProcess,
} from '../actors/index.js';
import { nameInWords } from '../actors/via.js';

/** What an init returns that has nothing to do: the start gives `{ ignore: true }`. */
export interface Ignore {
  readonly ignore: true;
}

/** What makes a supervisor's specification, in the new process; called again when its code is changed. */
export type InitFunction<Spec> = (
  self: Process<never>,
) => Spec | Ignore | Blocking<Spec | Ignore> | Promise<Spec | Ignore>;

/** How a new supervisor is called. */
export interface Naming {
  /** What people call it. Default: its name. */
  readonly label?: string;
  readonly name?: Name;
}

/** What an init gives, itself a specification or a function that makes one; null: nothing to do. */
export function* initialize<Spec extends object>(
  self: Process<never>,
  init: Spec | InitFunction<Spec>,
): Blocking<Spec | null> {
  if (typeof init !== 'function') return init;
  let result: unknown;
  try {
    result = init(self);
    if (isBlocking(result)) result = yield* result;
    else if (isPromise(result)) result = yield* settled(result);
  } catch (thrown) {
    if (thrown instanceof Error || thrown instanceof Exit) throw thrown;
    // A value that is thrown is what the init of the process returns, which is no specification.
    if (!isIgnore(thrown)) throw new Exit({ type: 'bad_return_value', value: thrown });
    result = thrown;
  }
  return isIgnore(result) ? null : (result as Spec);
}

function isIgnore(value: unknown): value is Ignore {
  return (value as Partial<Ignore> | null)?.ignore === true;
}

/** A behaviour that says in {@link begin} when it is ready. */
export interface Beginner extends Receiver<never> {
  begin(ack: InitAck): void;
}

/** Starts the process of a supervisor; with a parent it is linked. */
export function startSupervising<P extends Pid>(
  runtime: Runtime,
  parent: Process<never> | null,
  { name, label }: Naming,
  kind: string,
  make: (self: Process<never>, parent: Pid | null) => Beginner,
): StartOutcome<P> {
  const outcome = startProcess<never>(
    runtime,
    {
      label: label ?? (name === undefined ? kind : nameInWords(name)),
      trapExit: true,
      ...(name === undefined ? {} : { name }),
      ...(parent === null ? {} : { parent, link: true }),
    },
    (self, ack) => {
      const supervisor = make(self, parent);
      // What it waits for in its init stands before it, then.
      self.receiver = supervisor;
      supervisor.begin(ack);
      return self.receiver;
    },
  );
  return outcome as unknown as StartOutcome<P>;
}
