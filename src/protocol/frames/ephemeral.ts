import { decodeUser, userAddress } from '../address.js';
import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** What an EPHEMERAL is about. Unknown kinds are ignored. */
export const EphemeralKind = {
  /** Both ways; `value` is a {@link TypingValue}. */
  typing: 1,
  /** From the server; `value` is a {@link PresenceValue}, `time` when the peer was last seen, 0: unknown. */
  presence: 2,
  /** From the client: tell me the presence of `peer`, now and when it changes. */
  subscribe: 3,
  unsubscribe: 4,
} as const;
export type EphemeralKind = (typeof EphemeralKind)[keyof typeof EphemeralKind];

export const TypingValue = { stopped: 0, typing: 1, recording: 2 } as const;
export type TypingValue = (typeof TypingValue)[keyof typeof TypingValue];

export const PresenceValue = { offline: 0, online: 1 } as const;
export type PresenceValue = (typeof PresenceValue)[keyof typeof PresenceValue];

/** A state of the moment: no seq, never stored, the latest wins, the first to be dropped. Reused. */
export class Ephemeral {
  /** An {@link EphemeralKind}, or one that this version does not know. */
  kind = 0;
  /** To whom (from a client) or from whom (from the server): a user. */
  peer = 0;
  value = 0;
  /** Wall-clock ms; from a client 0. */
  time = 0;
}

export function encodeEphemeral(
  writer: FrameWriter,
  kind: EphemeralKind,
  peer: number,
  value: number,
  time: number,
): void {
  writer.begin(FrameType.ephemeral, 0, 2 + 2 * 8);
  writer.u8(kind);
  writer.varint(userAddress(peer));
  writer.u8(value);
  writer.varint(time);
  writer.end();
}

export function decodeEphemeral(reader: FrameReader, into: Ephemeral): void {
  reader.allowFlags(0);
  into.kind = reader.u8();
  into.peer = decodeUser(reader);
  into.value = reader.u8();
  into.time = reader.varint();
}
