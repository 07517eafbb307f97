import { ExitReason } from '../actors/index.js';
import type { ActorProcess } from './actor-process.js';
import { type Decision, SupervisionActions } from './nact-internals.js';

/**
 * A policy has decided about an error, of the actor itself or (`child`) one that was escalated to it. nact does what was
 * decided; this is what else follows: why whoever stops now will have ended, and who goes on whom nact forgets.
 */
export function follow(
  decision: Decision,
  error: unknown,
  actor: ActorProcess,
  child: ActorProcess | undefined,
): void {
  const reason = ExitReason.ofThrown(error);
  switch (decision) {
    case SupervisionActions.stopChild:
      if (child !== undefined) child.endReason = reason;
      break;
    case SupervisionActions.stopAllChildren:
      for (const one of actor.children) one.endReason = one === child ? reason : ExitReason.shutdown;
      break;
    case SupervisionActions.stopAll:
      for (const peer of actor.above.children) peer.endReason ??= ExitReason.shutdown;
      actor.endReason = reason;
      break;
    case SupervisionActions.resume:
      // nact goes on with this actor only, and leaves the child that failed as it is: busy for ever.
      child?.resumeEscalated();
      break;
    case SupervisionActions.reset:
    case SupervisionActions.resetAll:
    case SupervisionActions.resetChild:
    case SupervisionActions.resetAllChildren:
      break;
    default:
      // Stop; or escalate, which ends it if nobody above decides otherwise.
      actor.endReason = reason;
      if (child !== undefined) actor.escalated.add(child);
      break;
  }
}

/** Whether nact, after this decision of an actor about itself, would leave it busy for ever: it says nothing about it. */
export function concernsChildrenOnly(decision: Decision): boolean {
  return decision === SupervisionActions.stopAllChildren || decision === SupervisionActions.resetAllChildren;
}
