import {
  decodeEphemeral,
  Ephemeral as EphemeralFrame,
  EphemeralKind,
  ErrorCode,
  ErrorRef,
  encodeEphemeral,
  type FrameReader,
  isPhone,
} from '../protocol/index.js';
import type { UserId } from '../storage/stores.js';
import type { Ephemeral } from './messages.js';
import type { SessionOutput } from './session-output.js';

const frame = new EphemeralFrame();

/**
 * What is of the moment for one session: whose presence it was promised, and what waits for a socket that is full.
 * Made only when a session needs it.
 */
export class Ephemerals {
  /** Whose presence this session asked for. */
  readonly watches = new Set<UserId>();
  /** The latest of each kind and user. */
  readonly #waiting = new Map<number, Ephemeral>();

  /** The socket is full: the latest of each kind and user waits, whatever is beyond the bound is dropped. */
  keep(session: SessionOutput, message: Ephemeral): void {
    const { stats, limits } = session.node;
    const key = message.from * 8 + message.kind;
    if (this.#waiting.size >= limits.ephemeralsMax && !this.#waiting.has(key)) stats.ephemeralsDropped++;
    else this.#waiting.set(key, message);
  }

  /** The socket has room again. */
  flush(session: SessionOutput): void {
    for (const message of this.#waiting.values()) writeEphemeral(session, message);
    this.#waiting.clear();
  }
}

/** The part of a session that ephemerals need. */
export interface WatchingSession extends SessionOutput {
  ephemerals(): Ephemerals;
}

/** EPHEMERAL from the client. @param waitMs above 0: the connection is above its rate, and this is the first to go. */
export function handleEphemeral(session: WatchingSession, reader: FrameReader, waitMs: number): void {
  const { stats, clock, limits } = session.node;
  decodeEphemeral(reader, frame);
  stats.ephemeralsIn++;
  const { kind, peer, value } = frame;
  if (waitMs > 0 || !isPhone(peer)) {
    stats.ephemeralsDropped++;
    return;
  }
  if (kind === EphemeralKind.typing) {
    const time = clock.wall();
    session.toPartitionOf(peer, {
      type: 'ephemeral',
      kind,
      to: peer,
      from: session.user,
      value: Math.min(value, 2),
      time,
    });
    return;
  }
  if (kind !== EphemeralKind.subscribe && kind !== EphemeralKind.unsubscribe) return;
  const { watches } = session.ephemerals();
  const on = kind === EphemeralKind.subscribe;
  if (on && watches.size >= limits.watchesMax && !watches.has(peer)) {
    const text = `at most ${limits.watchesMax} presence subscriptions`;
    session.error(ErrorRef.connection, 0, ErrorCode.windowExceeded, text, 0, limits.watchesMax);
    return;
  }
  if (on) watches.add(peer);
  else watches.delete(peer);
  watch(session, peer, on);
}

/** Tells a user's partition that this session wants (or wants no longer) to know of the user's presence. */
export function watch(session: SessionOutput, user: UserId, on: boolean): void {
  session.toPartitionOf(user, {
    type: 'watch',
    session: session.pid,
    watcher: session.user,
    user,
    on,
  });
}

export function writeEphemeral(session: SessionOutput, message: Ephemeral): void {
  session.node.stats.ephemeralsOut++;
  encodeEphemeral(session.writer(), message.kind, message.from, message.value, message.time);
}
