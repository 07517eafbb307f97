import type { ExitReason } from '../actors/exit-reason.js';
import type { Runtime } from '../actors/runtime.js';
import type { ChatScheduler } from './chat-scheduler.js';
import { Stalls } from './stall.js';
import type { InjectedFault } from './thread-messages.js';

/** Makes something fail in a development server, to see what becomes of it. Returns whether there was such a thing. */
export function injectFault(scheduler: ChatScheduler, fault: InjectedFault): boolean {
  const { runtime, sessions } = scheduler.node;
  const crash: ExitReason = { type: 'error', error: new Error(`injected: ${fault.kind}`) };
  switch (fault.kind) {
    case 'crash-session': {
      const session = scheduler.sessionOf(fault.user);
      if (session === undefined) return false;
      runtime.exit(session, crash);
      return true;
    }
    case 'crash-partition': {
      const partition = scheduler.node.ownPartition(fault.partition);
      if (partition === undefined) return false;
      runtime.exit(partition, crash);
      return true;
    }
    case 'crash-thread':
      // Outside of any process, as a bug in the runtime itself would be.
      scheduler.node.clock.defer(() => {
        throw new Error(`injected: ${fault.kind} with ${sessions.size} sessions`);
      });
      return true;
    case 'loop-session': {
      const session = scheduler.sessionOf(fault.user);
      return session !== undefined && neverReturn(session);
    }
    case 'loop-partition': {
      const partition = scheduler.node.ownPartition(fault.partition);
      return partition !== undefined && neverReturn(partition);
    }
    case 'stall-partition': {
      const partition = scheduler.node.ownPartition(fault.partition);
      if (partition === undefined) return false;
      stallsOf(runtime).stall(partition, fault.rate);
      return true;
    }
    case 'cure-partition': {
      const partition = scheduler.node.ownPartition(fault.partition);
      return partition !== undefined && stallsOf(runtime).cure(partition);
    }
    case 'loop-thread':
      scheduler.node.clock.defer(spin);
      return true;
    case 'crash-commit':
      // The writer's.
      return false;
  }
}

const stalls = new WeakMap<Runtime, Stalls>();

function stallsOf(runtime: Runtime): Stalls {
  let ofRuntime = stalls.get(runtime);
  if (ofRuntime === undefined) {
    ofRuntime = new Stalls(runtime);
    stalls.set(runtime, ofRuntime);
  }
  return ofRuntime;
}

/** What the process receives next it is never done with. */
function neverReturn(process: object): boolean {
  const { receiver } = process as { receiver: { receive: () => void } | null };
  if (receiver === null) return false;
  receiver.receive = spin;
  return true;
}

function spin(): never {
  for (;;);
}
