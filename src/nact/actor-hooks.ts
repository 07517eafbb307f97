import type { ActorProcess } from './actor-process.js';
import { type ConcreteActor, defaultSupervisionPolicy, type Mailbox, type Policy } from './nact-internals.js';

/** What the actor did itself before its process took part. */
export interface ActorMethods {
  stop(): void;
  reset(): void;
  processNext(): void;
  handleFault(
    message: unknown,
    sender: unknown,
    error: unknown,
    child?: { readonly name: string },
  ): Promise<void> | void;
}

/**
 * Puts a process in the way of an actor's messages, failures and end. On the object itself: other actors stay as they are.
 * It may be called from within the actor's constructor (where nact tells the parent), so what that sets later is an
 * accessor here.
 */
export function hookActor(actor: ConcreteActor, process: ActorProcess): ActorMethods {
  const methods: ActorMethods = {
    stop: actor.stop.bind(actor),
    reset: actor.reset.bind(actor),
    processNext: actor.processNext.bind(actor),
    handleFault: actor.handleFault.bind(actor),
  };
  const childSpawned = actor.childSpawned.bind(actor);
  actor.clearTimeout();
  actor.mailbox = mailboxOf(process);
  actor.dispatch = (message, sender) => {
    if (actor.stopped) throw new Error(`${actor.reference.path} has stopped`);
    process.dispatched(message, sender);
  };
  actor.stop = () => process.stopNow();
  actor.reset = () => process.reset();
  actor.processNext = () => process.next();
  actor.handleFault = (message, sender, error, child) => process.failed(message, sender, error, child);
  actor.childSpawned = (child) => {
    process.spawned(child);
    childSpawned(child);
  };
  // An actor that never stops by itself has a setTimeout of its own that does nothing, set behind this.
  actor.setTimeout = () => process.startTimer();
  actor.clearTimeout = () => process.stopTimer();
  let policy = actor.onCrash;
  Object.defineProperty(actor, 'onCrash', {
    configurable: true,
    enumerable: true,
    get: (): Policy => async (message, error, context, child) => {
      const decide = policy === defaultSupervisionPolicy ? stopQuietly : policy;
      const decision = await decide.call(actor, message, error, context, child);
      process.decided(decision, error, child?.name);
      return decision;
    },
    set: (given: Policy) => {
      policy = given;
    },
  });
  return methods;
}

/** nact's default without its words on the console: the process's exit tells, and a crash is an event. */
const stopQuietly: Policy = (_message, _error, context) => context['stop'] as symbol;

/** Empty for the actor, whose messages come through its process; what waits there can be looked at. */
function mailboxOf(process: ActorProcess): Mailbox {
  return {
    push: ({ message, sender }) => process.dispatched(message, sender),
    shift: () => undefined,
    toArray: () => process.mail(),
  };
}
