import { pack, unpack } from 'msgpackr';
import { copyBytes, type RecordMemory, type RecordSink } from '../../structures/record-memory.js';
import {
  CommandKind,
  type Control,
  type DeviceId,
  type EntryKind,
  type Seq,
  type Store,
  type UserId,
} from '../stores.js';

/**
 * Commands as records (see structures/record-memory), for the rings and for the memory store's log.
 * Offsets in bytes; int32 unless f64 is said; bodies follow the fields. The first word of an append: kind in bits
 * 0–7, the entry's in 8–15, `heard` in 16–31.
 *
 *               4             8            12        16 f64     24 f64  32 f64  40 f64  48 f64
 *     append    kind·entry·h  body bytes   device    requester  inbox   from    ref     time    body
 *     wipe      kind          –            device    requester  inbox   upTo    time
 *     read      kind          countMax     bytesMax  requester  inbox   after
 *     lookup    kind          –            –         requester  user
 *     control   kind          bytes        ref       requester  MessagePack …
 *
 * Each function returns false when the sink has no room; nothing is left behind then.
 */
const APPEND_BYTES = 56;
const WIPE_BYTES = 48;
const READ_BYTES = 40;
const LOOKUP_BYTES = 32;
const CONTROL_BYTES = 24;

export function encodeAppend(
  sink: RecordSink,
  requester: number,
  inbox: UserId,
  from: UserId,
  device: DeviceId,
  kind: EntryKind,
  ref: number,
  time: number,
  source: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
  heard: number,
): boolean {
  const at = sink.reserve(APPEND_BYTES + bodyEnd - bodyStart);
  if (at < 0) return false;
  const { i32, f64, bytes } = sink.memory;
  const i = at >> 2;
  const f = at >> 3;
  i32[i + 1] = CommandKind.append | (kind << 8) | (heard << 16);
  i32[i + 2] = bodyEnd - bodyStart;
  i32[i + 3] = device;
  f64[f + 2] = requester;
  f64[f + 3] = inbox;
  f64[f + 4] = from;
  f64[f + 5] = ref;
  f64[f + 6] = time;
  copyBytes(bytes, at + APPEND_BYTES, source, bodyStart, bodyEnd);
  return true;
}

export function encodeWipe(
  sink: RecordSink,
  requester: number,
  inbox: UserId,
  device: DeviceId,
  upTo: Seq,
  time: number,
): boolean {
  const at = sink.reserve(WIPE_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  const f = at >> 3;
  i32[(at >> 2) + 1] = CommandKind.wipe;
  i32[(at >> 2) + 3] = device;
  f64[f + 2] = requester;
  f64[f + 3] = inbox;
  f64[f + 4] = upTo;
  f64[f + 5] = time;
  return true;
}

export function encodeRead(
  sink: RecordSink,
  requester: number,
  inbox: UserId,
  after: Seq,
  countMax: number,
  bytesMax: number,
): boolean {
  const at = sink.reserve(READ_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  const f = at >> 3;
  i32[(at >> 2) + 1] = CommandKind.read;
  i32[(at >> 2) + 2] = Math.min(countMax, 0x7fff_ffff);
  i32[(at >> 2) + 3] = Math.min(bytesMax, 0x7fff_ffff);
  f64[f + 2] = requester;
  f64[f + 3] = inbox;
  f64[f + 4] = after;
  return true;
}

export function encodeLookup(sink: RecordSink, requester: number, user: UserId): boolean {
  const at = sink.reserve(LOOKUP_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  i32[(at >> 2) + 1] = CommandKind.lookup;
  f64[(at >> 3) + 2] = requester;
  f64[(at >> 3) + 3] = user;
  return true;
}

export function encodeControl(sink: RecordSink, requester: number, ref: number, control: Control): boolean {
  const body = pack(control);
  const at = sink.reserve(CONTROL_BYTES + body.length);
  if (at < 0) return false;
  const { i32, f64, bytes } = sink.memory;
  i32[(at >> 2) + 1] = CommandKind.control;
  i32[(at >> 2) + 2] = body.length;
  i32[(at >> 2) + 3] = ref;
  f64[(at >> 3) + 2] = requester;
  bytes.set(body, at + CONTROL_BYTES);
  return true;
}

/** Applies the command at `at` to a store, or to its state machine. */
export function applyCommand(
  memory: RecordMemory,
  at: number,
  store: Pick<Store, 'append' | 'wipe' | 'read' | 'lookup' | 'control'>,
): void {
  const { i32, f64, bytes } = memory;
  const i = at >> 2;
  const f = at >> 3;
  const kind = i32[i + 1]! & 0xff;
  const requester = f64[f + 2]!;
  switch (kind) {
    case CommandKind.append: {
      const start = at + APPEND_BYTES;
      store.append(
        f64[f + 3]!,
        f64[f + 4]!,
        i32[i + 3]!,
        ((i32[i + 1]! >>> 8) & 0xff) as EntryKind,
        f64[f + 5]!,
        f64[f + 6]!,
        bytes,
        start,
        start + i32[i + 2]!,
        requester,
        i32[i + 1]! >>> 16,
      );
      return;
    }
    case CommandKind.wipe:
      store.wipe(f64[f + 3]!, i32[i + 3]!, f64[f + 4]!, f64[f + 5]!, requester);
      return;
    case CommandKind.read:
      store.read(f64[f + 3]!, f64[f + 4]!, i32[i + 2]!, i32[i + 3]!, requester);
      return;
    case CommandKind.lookup:
      store.lookup(f64[f + 3]!, requester);
      return;
    case CommandKind.control: {
      const start = at + CONTROL_BYTES;
      // A copy: what MessagePack hands out of binary fields may be kept, and the ring's memory may not.
      store.control(unpack(bytes.slice(start, start + i32[i + 2]!)) as Control, requester, i32[i + 3]!);
      return;
    }
    default:
      throw new Error(`no such command: ${kind} (a record was damaged, or the two ends do not agree)`);
  }
}
