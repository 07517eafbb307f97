import { pack, unpack } from 'msgpackr';
import {
  copyBytes,
  type RecordMemory,
  type RecordSink,
  recordLength,
} from '../../structures/record-memory.js';
import type {
  Account,
  AppendStatus,
  CommandKind,
  ControlResult,
  DeviceId,
  Entry,
  EntryKind,
  Seq,
  StoreEvents,
  StoreFailure,
  UserId,
} from '../stores.js';

/**
 * Events as records (see structures/record-memory). Offsets in bytes; int32 unless f64 is said. `p`: the
 * partition, in bits 16–23 of the type's word.
 *
 *                     4               8            12          16 f64 …
 *     appended        type·status<<8·p –           –           requester ref seq time highest
 *     wiped           type            count        –           requester inbox upTo
 *     controlled      type            bytes        ref         requester, MessagePack …
 *     entry           type·kind<<8·p  body bytes   –           inbox seq time from ref, body …
 *     page            type·more<<8·p  count        –           requester inbox, items …
 *         item, 8-aligned:  f64 seq time from ref · int32 kind, body bytes · body …
 *     account         type·p          device       name bytes  requester user head acked truncated
 *                                                              pendingCount pendingBytes lastSeen,
 *                                                              int32 salt bytes, hash bytes, blocked count, –,
 *                                                              f64 blocked …, salt hash name …
 *     deviceReplaced  type·p          device       –           user
 *     truncated       type·p          –            –           inbox truncated
 *     failed          type·cmd<<8     partition    failure     requester ref
 *     restarted       type
 *
 * Each function returns false when the sink has no room; nothing is left behind then.
 */
const EventType = {
  appended: 1,
  wiped: 2,
  controlled: 3,
  entry: 4,
  page: 5,
  account: 6,
  deviceReplaced: 7,
  truncated: 8,
  failed: 9,
  restarted: 10,
} as const;

const APPENDED_BYTES = 56;
const WIPED_BYTES = 40;
const CONTROLLED_BYTES = 24;
const ENTRY_BYTES = 56;
const PAGE_BYTES = 32;
const ITEM_BYTES = 40;
const ACCOUNT_BYTES = 96;
const DEVICE_REPLACED_BYTES = 24;
const TRUNCATED_BYTES = 32;
const FAILED_BYTES = 32;
const RESTARTED_BYTES = 8;

export function encodeAppended(
  sink: RecordSink,
  requester: number,
  ref: number,
  status: AppendStatus,
  partition: number,
  seq: Seq,
  time: number,
  highest: number,
): boolean {
  const at = sink.reserve(APPENDED_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  const f = at >> 3;
  i32[(at >> 2) + 1] = EventType.appended | (status << 8) | (partition << 16);
  f64[f + 2] = requester;
  f64[f + 3] = ref;
  f64[f + 4] = seq;
  f64[f + 5] = time;
  f64[f + 6] = highest;
  return true;
}

export function encodeWiped(
  sink: RecordSink,
  requester: number,
  inbox: UserId,
  upTo: Seq,
  count: number,
): boolean {
  const at = sink.reserve(WIPED_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  i32[(at >> 2) + 1] = EventType.wiped;
  i32[(at >> 2) + 2] = count;
  f64[(at >> 3) + 2] = requester;
  f64[(at >> 3) + 3] = inbox;
  f64[(at >> 3) + 4] = upTo;
  return true;
}

export function encodeControlled(
  sink: RecordSink,
  requester: number,
  ref: number,
  result: ControlResult,
): boolean {
  const body = pack(result);
  const at = sink.reserve(CONTROLLED_BYTES + body.length);
  if (at < 0) return false;
  const { i32, f64, bytes } = sink.memory;
  i32[(at >> 2) + 1] = EventType.controlled;
  i32[(at >> 2) + 2] = body.length;
  i32[(at >> 2) + 3] = ref;
  f64[(at >> 3) + 2] = requester;
  bytes.set(body, at + CONTROLLED_BYTES);
  return true;
}

export function encodeEntry(
  sink: RecordSink,
  partition: number,
  inbox: UserId,
  seq: Seq,
  time: number,
  kind: EntryKind,
  from: UserId,
  ref: number,
  source: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
): boolean {
  const at = sink.reserve(ENTRY_BYTES + bodyEnd - bodyStart);
  if (at < 0) return false;
  const { i32, f64, bytes } = sink.memory;
  const f = at >> 3;
  i32[(at >> 2) + 1] = EventType.entry | (kind << 8) | (partition << 16);
  i32[(at >> 2) + 2] = bodyEnd - bodyStart;
  f64[f + 2] = inbox;
  f64[f + 3] = seq;
  f64[f + 4] = time;
  f64[f + 5] = from;
  f64[f + 6] = ref;
  copyBytes(bytes, at + ENTRY_BYTES, source, bodyStart, bodyEnd);
  return true;
}

export function encodePage(
  sink: RecordSink,
  partition: number,
  requester: number,
  inbox: UserId,
  entries: readonly Entry[],
  hasMore: boolean,
): boolean {
  let length = PAGE_BYTES;
  for (const entry of entries) length += ITEM_BYTES + recordLength(entry.body.length);
  const at = sink.reserve(length);
  if (at < 0) return false;
  const { i32, f64, bytes } = sink.memory;
  i32[(at >> 2) + 1] = EventType.page | (hasMore ? 1 << 8 : 0) | (partition << 16);
  i32[(at >> 2) + 2] = entries.length;
  f64[(at >> 3) + 2] = requester;
  f64[(at >> 3) + 3] = inbox;
  let item = at + PAGE_BYTES;
  for (const { seq, time, kind, from, ref, body } of entries) {
    const f = item >> 3;
    f64[f] = seq;
    f64[f + 1] = time;
    f64[f + 2] = from;
    f64[f + 3] = ref;
    i32[(item >> 2) + 8] = kind;
    i32[(item >> 2) + 9] = body.length;
    bytes.set(body, item + ITEM_BYTES);
    item += ITEM_BYTES + recordLength(body.length);
  }
  return true;
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

export function encodeAccount(
  sink: RecordSink,
  partition: number,
  requester: number,
  account: Account,
): boolean {
  const name = textEncoder.encode(account.name);
  const { keySalt, keyHash, blocked } = account;
  const rest = ACCOUNT_BYTES + 8 * blocked.length;
  const at = sink.reserve(rest + keySalt.length + keyHash.length + name.length);
  if (at < 0) return false;
  const { i32, f64, bytes } = sink.memory;
  const i = at >> 2;
  const f = at >> 3;
  i32[i + 1] = EventType.account | (partition << 16);
  i32[i + 2] = account.device;
  i32[i + 3] = name.length;
  f64[f + 2] = requester;
  f64[f + 3] = account.user;
  f64[f + 4] = account.head;
  f64[f + 5] = account.acked;
  f64[f + 6] = account.truncated;
  f64[f + 7] = account.pendingCount;
  f64[f + 8] = account.pendingBytes;
  f64[f + 9] = account.lastSeen;
  i32[i + 20] = keySalt.length;
  i32[i + 21] = keyHash.length;
  i32[i + 22] = blocked.length;
  for (let n = 0; n < blocked.length; n++) f64[f + 12 + n] = blocked[n]!;
  bytes.set(keySalt, at + rest);
  bytes.set(keyHash, at + rest + keySalt.length);
  bytes.set(name, at + rest + keySalt.length + keyHash.length);
  return true;
}

export function encodeDeviceReplaced(
  sink: RecordSink,
  partition: number,
  user: UserId,
  device: DeviceId,
): boolean {
  const at = sink.reserve(DEVICE_REPLACED_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  i32[(at >> 2) + 1] = EventType.deviceReplaced | (partition << 16);
  i32[(at >> 2) + 2] = device;
  f64[(at >> 3) + 2] = user;
  return true;
}

export function encodeTruncated(sink: RecordSink, partition: number, inbox: UserId, truncated: Seq): boolean {
  const at = sink.reserve(TRUNCATED_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  i32[(at >> 2) + 1] = EventType.truncated | (partition << 16);
  f64[(at >> 3) + 2] = inbox;
  f64[(at >> 3) + 3] = truncated;
  return true;
}

export function encodeFailed(
  sink: RecordSink,
  partition: number,
  requester: number,
  command: CommandKind,
  ref: number,
  failure: StoreFailure,
): boolean {
  const at = sink.reserve(FAILED_BYTES);
  if (at < 0) return false;
  const { i32, f64 } = sink.memory;
  i32[(at >> 2) + 1] = EventType.failed | (command << 8);
  i32[(at >> 2) + 2] = partition;
  i32[(at >> 2) + 3] = failure;
  f64[(at >> 3) + 2] = requester;
  f64[(at >> 3) + 3] = ref;
  return true;
}

export function encodeRestarted(sink: RecordSink): boolean {
  const at = sink.reserve(RESTARTED_BYTES);
  if (at < 0) return false;
  sink.memory.i32[(at >> 2) + 1] = EventType.restarted;
  return true;
}

/** Hands the event at `at` to `events`. Bodies are views of `memory`, valid while its record is held. */
export function deliverEvent(memory: RecordMemory, at: number, events: StoreEvents): void {
  const { i32, f64, bytes } = memory;
  const i = at >> 2;
  const f = at >> 3;
  const word = i32[i + 1]!;
  const detail = (word >>> 8) & 0xff;
  const partition = word >>> 16;
  switch (word & 0xff) {
    case EventType.appended:
      events.appended(
        f64[f + 2]!,
        f64[f + 3]!,
        detail as AppendStatus,
        partition,
        f64[f + 4]!,
        f64[f + 5]!,
        f64[f + 6]!,
      );
      return;
    case EventType.wiped:
      events.wiped(f64[f + 2]!, f64[f + 3]!, f64[f + 4]!, i32[i + 2]!);
      return;
    case EventType.controlled: {
      const start = at + CONTROLLED_BYTES;
      events.controlled(
        f64[f + 2]!,
        i32[i + 3]!,
        unpack(bytes.slice(start, start + i32[i + 2]!)) as ControlResult,
      );
      return;
    }
    case EventType.entry: {
      const start = at + ENTRY_BYTES;
      events.entry(
        partition,
        f64[f + 2]!,
        f64[f + 3]!,
        f64[f + 4]!,
        detail as EntryKind,
        f64[f + 5]!,
        f64[f + 6]!,
        bytes,
        start,
        start + i32[i + 2]!,
      );
      return;
    }
    case EventType.page:
      events.page(partition, f64[f + 2]!, f64[f + 3]!, decodePage(memory, at), detail !== 0);
      return;
    case EventType.account:
      events.account(partition, f64[f + 2]!, decodeAccount(memory, at));
      return;
    case EventType.deviceReplaced:
      events.deviceReplaced(partition, f64[f + 2]!, i32[i + 2]!);
      return;
    case EventType.truncated:
      events.truncated(partition, f64[f + 2]!, f64[f + 3]!);
      return;
    case EventType.failed:
      events.failed(
        i32[i + 2]!,
        f64[f + 2]!,
        detail as CommandKind,
        f64[f + 3]!,
        i32[i + 3]! as StoreFailure,
      );
      return;
    case EventType.restarted:
      events.restarted?.();
      return;
    default:
      throw new Error(`no such event: ${word & 0xff} (a record was damaged, or the two ends do not agree)`);
  }
}

function decodePage({ i32, f64, bytes }: RecordMemory, at: number): Entry[] {
  const entries: Entry[] = [];
  const count = i32[(at >> 2) + 2]!;
  let item = at + PAGE_BYTES;
  for (let n = 0; n < count; n++) {
    const f = item >> 3;
    const length = i32[(item >> 2) + 9]!;
    entries.push({
      seq: f64[f]!,
      time: f64[f + 1]!,
      kind: i32[(item >> 2) + 8]! as EntryKind,
      from: f64[f + 2]!,
      ref: f64[f + 3]!,
      body: bytes.subarray(item + ITEM_BYTES, item + ITEM_BYTES + length),
    });
    item += ITEM_BYTES + recordLength(length);
  }
  return entries;
}

function decodeAccount({ i32, f64, bytes }: RecordMemory, at: number): Account {
  const i = at >> 2;
  const f = at >> 3;
  const blocked = i32[i + 22]!;
  const salt = at + ACCOUNT_BYTES + 8 * blocked;
  const hash = salt + i32[i + 20]!;
  const name = hash + i32[i + 21]!;
  return {
    device: i32[i + 2]!,
    user: f64[f + 3]!,
    head: f64[f + 4]!,
    acked: f64[f + 5]!,
    truncated: f64[f + 6]!,
    pendingCount: f64[f + 7]!,
    pendingBytes: f64[f + 8]!,
    lastSeen: f64[f + 9]!,
    blocked: Array.from(f64.subarray(f + 12, f + 12 + blocked)),
    // Copies: they are small, rare, and outlive the call (a decoder refuses shared memory, too).
    keySalt: bytes.slice(salt, hash),
    keyHash: bytes.slice(hash, name),
    name: textDecoder.decode(bytes.slice(name, name + i32[i + 3]!)),
  };
}
