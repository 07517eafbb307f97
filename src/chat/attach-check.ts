import { createHash, timingSafeEqual } from 'node:crypto';
import type { Account, Seq } from '../storage/stores.js';
import { type Attach, ResumeState } from './messages.js';

/** Whether the key of a hello is the device's. Compares in constant time, also when there is no account to compare with. */
export function keyFits(attach: Attach, account: Account): boolean {
  if (attach.key === null) return true;
  const salt = account.keySalt.length > 0 ? account.keySalt : NO_SALT;
  const expected = account.keyHash.length === NO_HASH.length ? account.keyHash : NO_HASH;
  const given = createHash('sha256').update(salt).update(attach.key).digest();
  return timingSafeEqual(given, expected) && account.device !== 0;
}
const NO_SALT = new Uint8Array(16);
const NO_HASH = new Uint8Array(32);

/**
 * What a client's cursor (epoch, seq) means here; docs/wire-protocol.md has the table. Never a silent hole: a
 * cursor that is not of this database, or claims what this database never gave out, is reset; one that lies
 * before something that is gone is told so.
 */
export function resumeState(
  cursor: { readonly epoch: number; readonly seq: Seq },
  account: { readonly head: Seq; readonly acked: Seq; readonly truncated: Seq },
  epoch: number,
): ResumeState {
  if (cursor.epoch !== epoch || cursor.seq > account.head) return ResumeState.reset;
  if (cursor.seq < account.truncated || cursor.seq < account.acked) return ResumeState.truncated;
  return ResumeState.resumed;
}
