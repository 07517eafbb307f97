import { AsyncProcess } from './async-process.js';
import { Behaviour } from './behaviours/behaviour.js';
import { Coroutine } from './coroutine.js';
import type { Process } from './process.js';
import type { Receiver } from './receiver.js';
import { RequestReceiver } from './request.js';

/** What a process does, for inspection. */
export interface ReceiverInfo {
  /** `GenServer`, `Supervisor`, …; the class of a receiver; `generator`, `async function`; `function` for what has no class. */
  readonly kind: string;
  /** Null: it is no behaviour, and system messages are none of its business. */
  readonly behaviour: Behaviour | null;
  /** What a receiver tells of itself; null: nothing. */
  readonly summary: (() => Readonly<Record<string, unknown>>) | null;
  /** It waits inside of a callback, a generator or an async function. */
  readonly waits: boolean;
}

/** Looks behind what the core itself has put in the place of a process's receiver. */
export function receiverOf(process: Process<never>): ReceiverInfo {
  let receiver: unknown = process.receiver;
  let waits = false;
  for (;;) {
    if (receiver instanceof RequestReceiver) {
      receiver = receiver.inner;
    } else if (receiver instanceof Coroutine) {
      waits = true;
      if (receiver.outer === null) return { kind: 'generator', behaviour: null, summary: null, waits };
      receiver = receiver.outer;
    } else {
      break;
    }
  }
  if (receiver instanceof AsyncProcess)
    return { kind: 'async function', behaviour: null, summary: null, waits: true };
  if (receiver instanceof Behaviour)
    return { kind: receiver.behaviour, behaviour: receiver, summary: null, waits };
  const own = receiver as Receiver<never> | null;
  const summary = typeof own?.summary === 'function' ? () => own.summary!() : null;
  if (typeof own?.reportedAs === 'string') return { kind: own.reportedAs, behaviour: null, summary, waits };
  const name = own?.constructor?.name ?? 'Object';
  return { kind: name === 'Object' ? 'function' : name, behaviour: null, summary, waits };
}
