import type { ExitReason } from '../actors/exit-reason.js';
import type { ChatScheduler } from './chat-scheduler.js';
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
    case 'crash-commit':
      // The writer's.
      return false;
  }
}
