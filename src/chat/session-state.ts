import type { Timer } from '../actors/timers.js';
import { DeliveryWindow } from './delivery-window.js';
import type { Attach } from './messages.js';
import type { Session } from './session.js';

/** How far a connection has come. */
export const Phase = {
  /** Nothing received yet. */
  opened: 0,
  /** HELLO without a user: only registration is allowed. */
  anonymous: 1,
  /** HELLO with a key that is being checked. */
  attaching: 2,
  active: 3,
  /** Close was said; what still comes is ignored. */
  closing: 4,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What the one timer of a session is for. */
export const Due = {
  deadline: 'deadline',
  attach: 'attach',
  acks: 'acks',
  store: 'store',
  leave: 'leave',
  /** Not of that one timer: of what the store was asked. */
  requests: 'requests',
} as const;
export type Due = (typeof Due)[keyof typeof Due];

/**
 * What the process of one connection remembers between two messages: data alone, so that its code can be changed. The code
 * is handlers/session.ts.
 */
export class SessionState {
  readonly window = new DeliveryWindow();
  /** Somebody looks at the client. */
  attentive = true;
  /** A page is being read. */
  pullOutstanding = false;
  /** A PULL has not got its BATCH yet, whatever became of the page that was asked for. */
  batchOwed = false;
  /** A pull that waits for the socket to drain, or for the store. */
  pullDeferred = false;
  /** Number of the latest pull: a page of an earlier one, perhaps by way of an earlier partition, is not its answer. */
  pullRef = 0;
  pullCountMax = 0;
  pullBytesMax = 0;
  /** Up to there something was gone when the client came, and its WELCOME said so. */
  toldTruncated = 0;
  /** The highest accepted seq that a wipe was submitted for. */
  wiped = 0;
  wipeRetry = false;
  /** The partition does not know this session yet: it could not reach the store. */
  reattachDue = false;
  /** GOAWAY was sent; the one timer is that of the end. */
  leaving = false;
  opsFullAt = 0;
  bytesFullAt = 0;
  /** Frames refused for the rate, less those taken since: a flood is not forgiven for one frame in a thousand. */
  refusedSurplus = 0;
  /** The accepted seq when the ack timer was armed. */
  acceptedAtTimer = -1;
  timer: Timer | null = null;
  timerDue: Due | null = null;
  /** What the client said of itself, until its partition has answered. */
  claim: Pick<Attach, 'key' | 'epoch' | 'seq'> | null = null;
  attachTries = 0;

  constructor(
    /** The connection: it stays when the state is changed. */
    readonly out: Session,
  ) {}

  /** For operators. */
  summary(): Readonly<Record<string, unknown>> {
    const { phase, user, requestsMade } = this.out;
    const [name = ''] = Object.entries(Phase).find(([, value]) => value === phase) ?? [];
    return {
      phase: name,
      user,
      attentive: this.attentive,
      pullUnderWay: this.pullOutstanding,
      requestsUnderWay: requestsMade?.size ?? 0,
      timerFor: { kind: this.timerDue },
      leaving: this.leaving,
    };
  }
}

/** A copy for a trial of new code, which must not reach the connection. */
export function copySessionState(state: unknown): SessionState {
  const original = state as SessionState;
  const copy = Object.assign(
    Object.create(Object.getPrototypeOf(original) as object) as SessionState,
    original,
  );
  return Object.assign(copy, { window: original.window.copy() });
}
