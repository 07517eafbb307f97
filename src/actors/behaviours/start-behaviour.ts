import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import type { Runtime } from '../runtime.js';
import type { MonitoredStart, StartOutcome } from '../start-result.js';
import {
  type InitAck,
  monitoredStart,
  type StartOptions,
  startMonitored,
  startProcess,
} from '../starting.js';
import { nameInWords } from '../via.js';
import type { Behaviour } from './behaviour.js';
import type { ServerOptions } from './gen-server.js';

/** A behaviour that begins with an `init`, which may wait. */
interface Beginning extends Behaviour {
  init(ack: InitAck): void;
}

/** Makes the behaviour of a new process. One that nobody is linked with is its own parent, as in OTP. */
export type MakeBehaviour = (self: Process<never>, parent: Pid) => Beginning;

/** Starts a behaviour, linked with its parent if it has one. `kind` is its label if nothing better is known. */
export function startBehaviour(
  runtime: Runtime,
  parent: Process<never> | null,
  kind: string,
  options: ServerOptions,
  make: MakeBehaviour,
): StartOutcome<Pid<unknown>> {
  const start = { ...startOptions(kind, options), ...(parent === null ? {} : { parent, link: true }) };
  return startProcess<unknown>(runtime, start, (self, ack) =>
    begin(self, make(self as Process<never>, parent ?? self), ack),
  );
}

/** Starts a behaviour that `starter` monitors from before its first word on. Without a link, too, that is its parent. */
export function startBehaviourMonitored(
  starter: Process<never>,
  kind: string,
  options: ServerOptions,
  make: MakeBehaviour,
): MonitoredStart<Pid<unknown>> {
  const start = { ...startOptions(kind, options), parent: starter };
  return monitoredStart(
    starter,
    startMonitored<unknown>(starter.runtime, start, (self, ack) =>
      begin(self, make(self as Process<never>, starter), ack),
    ),
  );
}

/** What the callbacks' class is called, or what kind of behaviour they are of. */
export function kindOf(callbacks: object, behaviour: string): string {
  const name = callbacks.constructor?.name ?? '';
  return name === 'Object' || name === '' ? behaviour : name;
}

function startOptions(kind: string, { label, ...options }: ServerOptions): StartOptions {
  return { ...options, label: label ?? nameInWords(options.name ?? kind) };
}

function begin(self: Process<unknown>, behaviour: Beginning, ack: InitAck) {
  // Before init: if that waits, the process goes on as this afterwards.
  self.receiver = behaviour;
  behaviour.init(ack);
  return self.receiver;
}
