import { ExitReason } from '../actors/index.js';

/**
 * What goes over a ring from one scheduler to another, as records (structures/record-memory). Byte order is the
 * machine's; everything is a double but what is said otherwise.
 *
 *     0        4                        8            16        24                 32       …
 *     │ length │ kind · form · code     │ process id │ heads … │ term, or exit reason      │
 *       int32    8      8      16 bits
 *
 *     kind              heads                            then
 *     message, cast     –                                term
 *     call, system      caller's id, scheduler, ref      term: the request
 *     stop              caller's id, scheduler, ref      reason     (ref 0: nobody waits for the end)
 *     link, unlink      from's id, scheduler             –
 *     exit, exitLink    from's id, scheduler             reason     (sent by somebody; over a link)
 *     monitor, demonitor  from's id, scheduler, ref      –
 *     down              from's id, scheduler, ref        reason
 *     alias             ref                              term
 *     fragment          bytes in all, where these begin  bytes: a piece of a record too long for the ring
 *
 * The form says how the term is written; with `codec` the code says by which. Of a reason without details the form is
 * its place in {@link PLAIN_REASONS}.
 */
export const RecordKind = {
  message: 1,
  cast: 2,
  call: 3,
  stop: 4,
  link: 5,
  unlink: 6,
  exit: 7,
  exitLink: 8,
  monitor: 9,
  demonitor: 10,
  down: 11,
  alias: 12,
  fragment: 13,
  system: 14,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

export const TermForm = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  text: 5,
  bytes: 6,
  pid: 7,
  messagePack: 8,
  codec: 9,
} as const;
export type TermForm = (typeof TermForm)[keyof typeof TermForm];

/** Bytes before the heads. */
export const HEADER_BYTES = 16;

/** The reasons that are no more than their type. */
export const PLAIN_REASONS: readonly ExitReason[] = [
  ExitReason.normal,
  ExitReason.shutdown,
  ExitReason.kill,
  ExitReason.killed,
  ExitReason.noproc,
  ExitReason.noconnection,
  ExitReason.timeout,
  ExitReason.callingSelf,
  ExitReason.alreadyPresent,
  ExitReason.maxChildren,
  ExitReason.busy,
  ExitReason.mailboxOverflow,
];

/** The form of a reason with details: MessagePack follows. */
export const DETAILED_REASON = 255;

const plainForms = new Map(PLAIN_REASONS.map((reason, form) => [reason.type, form]));

/** The place of a reason in {@link PLAIN_REASONS}, or {@link DETAILED_REASON}. */
export function reasonForm(reason: ExitReason): number {
  if (reason.type === 'shutdown' && reason.detail !== undefined) return DETAILED_REASON;
  return plainForms.get(reason.type) ?? DETAILED_REASON;
}
