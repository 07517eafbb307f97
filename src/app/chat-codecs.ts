import type { Pid } from '../actors/pid.js';
import type {
  Activity,
  Attach,
  Attached,
  EntryMessage,
  Ephemeral,
  PageMessage,
  Pause,
  Pull,
  ResumeState,
  SessionMessage,
  Watch,
} from '../chat/messages.js';
import { emptyEntry } from '../chat/store-dispatch.js';
import type { EphemeralKind } from '../protocol/index.js';
import { type MessageCodec, MessageCodecs, type RecordReader } from '../schedulers/index.js';
import type { Entry, EntryKind } from '../storage/stores.js';

/**
 * The compact forms of what sessions and partitions of different schedulers send each other all the time. Everything
 * else (refusals, resyncs, …) is rare and travels as MessagePack.
 */

const session = (input: RecordReader) => input.pid() as Pid<SessionMessage>;

const borrowedEntry = emptyEntry();

/** Written from the store's ring into the scheduler's, and from there to the socket. */
const entry: MessageCodec<EntryMessage> = {
  code: 1,
  message: 'entry',
  bytesMax: ({ bodyStart, bodyEnd }) => 2 * 4 + 5 * 12 + 8 + bodyEnd - bodyStart,
  encode(message, out) {
    out.int(message.kind);
    out.int(message.partition);
    out.number(message.inbox);
    out.number(message.seq);
    out.number(message.time);
    out.number(message.from);
    out.number(message.ref);
    out.bytes(message.source, message.bodyStart, message.bodyEnd);
  },
  decode(input) {
    const message = readEntry(input, { ...borrowedEntry });
    message.source = input.bytes();
    message.bodyEnd = message.source.length;
    return message;
  },
  borrow(input) {
    const message = readEntry(input, borrowedEntry);
    const length = input.view();
    message.source = input.source;
    message.bodyStart = input.at - ((length + 3) & ~3);
    message.bodyEnd = message.bodyStart + length;
    return message;
  },
};

function readEntry(input: RecordReader, message: EntryMessage): EntryMessage {
  message.kind = input.int() as EntryKind;
  message.partition = input.int();
  message.inbox = input.number();
  message.seq = input.number();
  message.time = input.number();
  message.from = input.number();
  message.ref = input.number();
  message.bodyStart = 0;
  return message;
}

const page: MessageCodec<PageMessage> = {
  code: 2,
  message: 'page',
  bytesMax({ entries }) {
    let bytes = 2 * 4 + 3 * 12;
    for (const { body } of entries) bytes += 4 + 4 * 12 + 8 + body.length;
    return bytes;
  },
  encode(message, out) {
    out.number(message.requester);
    out.number(message.ref);
    out.number(message.inbox);
    out.boolean(message.hasMore);
    out.int(message.entries.length);
    for (const { kind, seq, time, from, ref, body } of message.entries) {
      out.int(kind);
      out.number(seq);
      out.number(time);
      out.number(from);
      out.number(ref);
      out.bytes(body);
    }
  },
  decode(input) {
    const requester = input.number();
    const ref = input.number();
    const inbox = input.number();
    const hasMore = input.boolean();
    const entries: Entry[] = [];
    for (let left = input.int(); left > 0; left--) {
      const kind = input.int() as EntryKind;
      const seq = input.number();
      const time = input.number();
      const from = input.number();
      entries.push({ kind, seq, time, from, ref: input.number(), body: input.bytes() });
    }
    return { type: 'page', requester, ref, inbox, entries, hasMore };
  },
};

const attach: MessageCodec<Attach> = {
  code: 3,
  message: 'attach',
  bytesMax: ({ key }) => 3 * 4 + 16 + 4 * 12 + 8 + (key?.length ?? 0),
  encode(message, out) {
    out.pid(message.session);
    out.number(message.requester);
    out.number(message.user);
    out.int(message.device);
    out.number(message.epoch);
    out.number(message.seq);
    out.boolean(message.active);
    out.boolean(message.key !== null);
    out.bytes(message.key ?? NO_KEY);
  },
  decode(input) {
    const from = session(input);
    const requester = input.number();
    const user = input.number();
    const device = input.int();
    const epoch = input.number();
    const seq = input.number();
    const active = input.boolean();
    const hasKey = input.boolean();
    const bytes = input.bytes();
    const key = hasKey ? bytes : null;
    return { type: 'attach', session: from, requester, user, device, key, epoch, seq, active };
  },
};
const NO_KEY = new Uint8Array(0);

const attached: MessageCodec<Attached> = {
  code: 4,
  message: 'attached',
  bytesMax: () => 4 + 5 * 12,
  encode(message, out) {
    out.int(message.state);
    out.number(message.head);
    out.number(message.acked);
    out.number(message.truncated);
    out.number(message.pendingCount);
    out.number(message.pendingBytes);
  },
  decode: (input) => ({
    type: 'attached',
    state: input.int() as ResumeState,
    head: input.number(),
    acked: input.number(),
    truncated: input.number(),
    pendingCount: input.number(),
    pendingBytes: input.number(),
  }),
};

const pull: MessageCodec<Pull> = {
  code: 5,
  message: 'pull',
  bytesMax: () => 16 + 5 * 12,
  encode(message, out) {
    out.pid(message.session);
    out.number(message.ref);
    out.number(message.user);
    out.number(message.after);
    out.number(message.countMax);
    out.number(message.bytesMax);
  },
  decode: (input) => ({
    type: 'pull',
    session: session(input),
    ref: input.number(),
    user: input.number(),
    after: input.number(),
    countMax: input.number(),
    bytesMax: input.number(),
  }),
};

const pause: MessageCodec<Pause> = {
  code: 6,
  message: 'pause',
  bytesMax: () => 16 + 12,
  encode(message, out) {
    out.pid(message.session);
    out.number(message.user);
  },
  decode: (input) => ({ type: 'pause', session: session(input), user: input.number() }),
};

const activity: MessageCodec<Activity> = {
  code: 7,
  message: 'activity',
  bytesMax: () => 16 + 12 + 4,
  encode(message, out) {
    out.pid(message.session);
    out.number(message.user);
    out.boolean(message.active);
  },
  decode: (input) => ({
    type: 'activity',
    session: session(input),
    user: input.number(),
    active: input.boolean(),
  }),
};

const ephemeral: MessageCodec<Ephemeral> = {
  code: 8,
  message: 'ephemeral',
  bytesMax: () => 4 + 4 * 12,
  encode(message, out) {
    out.int(message.kind);
    out.number(message.to);
    out.number(message.from);
    out.number(message.value);
    out.number(message.time);
  },
  decode: (input) => ({
    type: 'ephemeral',
    kind: input.int() as EphemeralKind,
    to: input.number(),
    from: input.number(),
    value: input.number(),
    time: input.number(),
  }),
};

const watch: MessageCodec<Watch> = {
  code: 9,
  message: 'watch',
  bytesMax: () => 16 + 2 * 12 + 4,
  encode(message, out) {
    out.pid(message.session);
    out.number(message.watcher);
    out.number(message.user);
    out.boolean(message.on);
  },
  decode: (input) => ({
    type: 'watch',
    session: session(input),
    watcher: input.number(),
    user: input.number(),
    on: input.boolean(),
  }),
};

/** The same on all schedulers. */
export const chatCodecs: MessageCodecs = new MessageCodecs([
  entry,
  page,
  attach,
  attached,
  pull,
  pause,
  activity,
  ephemeral,
  watch,
] as MessageCodec[]);
