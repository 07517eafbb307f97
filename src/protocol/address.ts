import type { FieldReader } from './field-reader.js';
import { BAD_FIELD } from './protocol-error.js';

/** What an address names. Version 1 knows users; a server answers the others with `notSupported`. */
export const AddressKind = {
  user: 0,
  /** A user and a device id, in a varint that follows. Reserved. */
  device: 1,
  /** Reserved. */
  group: 2,
  /** A targeting expression. Reserved. */
  expression: 3,
} as const;
export type AddressKind = (typeof AddressKind)[keyof typeof AddressKind];

/** The largest id that fits beside its kind: 2^51−1. */
export const ADDRESS_ID_MAX = 2 ** 51 - 1;

/** A decoded recipient, reused. */
export interface Recipient {
  /** The user (an E.164 number, not checked) when `toKind` is `user` or `device`. */
  to: number;
  toKind: AddressKind;
  /** 0 unless `toKind` is `device`. */
  toDevice: number;
}

/** The varint of a user's address. */
export function userAddress(user: number): number {
  return user * 4 + AddressKind.user;
}

/** Reads an address: id × 4 + kind, and for `device` a device id. */
export function decodeRecipient(reader: FieldReader, into: Recipient): void {
  const value = reader.varint();
  const kind = (value & 3) as AddressKind;
  into.toKind = kind;
  into.to = (value - kind) / 4;
  into.toDevice = kind === AddressKind.device ? reader.varint() : 0;
}

/** Reads an address that must be a user's: what a version 1 server sends. */
export function decodeUser(reader: FieldReader): number {
  const value = reader.varint();
  if ((value & 3) !== AddressKind.user) throw BAD_FIELD;
  return value / 4;
}
