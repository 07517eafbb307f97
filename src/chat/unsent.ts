import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { SessionMessage } from './messages.js';

/** Before what had no room is tried again. */
const RETRY_MS = 100;
/** Tries for a session that nobody watches over: it may be gone, with its scheduler. */
const TRIES_MAX = 50;

/** The word that its timer brings. */
export const UNSENT = 'unsent';

interface Word {
  message: SessionMessage;
  tries: number;
}

/**
 * What could not be sent to sessions of other schedulers because the way there was full: the last word for each, tried
 * again until it is taken. It is one word only, since each of them makes the session ask anew for all the rest
 * (`resync`), or ends it.
 */
export class Unsent {
  readonly #self: Process<never>;
  readonly #words = new Map<Pid<SessionMessage>, Word>();
  #isTimed = false;

  constructor(self: Process<never>) {
    this.#self = self;
  }

  get size(): number {
    return this.#words.size;
  }

  /** A later word takes the place of an earlier one, but nothing that of a last one. */
  add(session: Pid<SessionMessage>, message: SessionMessage): void {
    const word = this.#words.get(session);
    if (word === undefined) this.#words.set(session, { message, tries: 0 });
    else if (word.message.type === 'resync') word.message = message;
    this.#time();
  }

  /** The session has ended, or has asked anew by itself. */
  forget(session: Pid<SessionMessage>): void {
    this.#words.delete(session);
  }

  /** The timer was heard. `isWatched`: the session's end would be told. */
  retry(isWatched: (session: Pid<SessionMessage>) => boolean): void {
    this.#isTimed = false;
    const { runtime } = this.#self;
    for (const [session, word] of this.#words) {
      const isTaken = runtime.trySend(session, word.message);
      if (isTaken || (++word.tries >= TRIES_MAX && !isWatched(session))) this.#words.delete(session);
    }
    this.#time();
  }

  #time(): void {
    if (this.#isTimed || this.#words.size === 0) return;
    this.#isTimed = true;
    this.#self.startTimer(RETRY_MS, UNSENT);
  }
}
