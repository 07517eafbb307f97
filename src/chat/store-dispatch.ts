import type { Pid } from '../actors/pid.js';
import {
  type Account,
  type AppendStatus,
  type CommandKind,
  type ControlResult,
  type DeviceId,
  type Entry,
  EntryKind,
  PARTITIONS,
  type Seq,
  type StoreEvents,
  type StoreFailure,
  type UserId,
} from '../storage/stores.js';
import { BytePool } from '../structures/byte-pool.js';
import type { ChatNode } from './chat-node.js';
import { MarkKind } from './message-marks.js';
import type { Appended, EntryMessage, PartitionMessage, RegistrarMessage } from './messages.js';
import { Requester } from './requesters.js';

/**
 * Takes the store's events on a scheduler and hands each to the process that it concerns.
 *
 * The two events that come for each chat message (appended, entry) are handled on this stack when their process
 * is idle, with one message object that is refilled each time and a body that stays where it is; only when the
 * process is busy is the message copied into its mailbox.
 */
export class StoreDispatch implements StoreEvents {
  readonly #node: ChatNode;
  readonly #appended: Appended = {
    type: 'appended',
    ref: 0,
    status: 0,
    seq: 0,
    time: 0,
    partition: 0,
    highest: 0,
  };
  readonly #entry = emptyEntry();

  constructor(node: ChatNode) {
    this.#node = node;
  }

  appended(
    requester: number,
    ref: number,
    status: AppendStatus,
    partition: number,
    seq: Seq,
    time: number,
    highest: number,
  ): void {
    const session = this.#node.sessions.get(requester);
    if (session === undefined) return;
    const message = this.#appended;
    message.ref = ref;
    message.status = status;
    message.partition = partition;
    message.seq = seq;
    message.time = time;
    message.highest = highest;
    if (!this.#node.runtime.tryDispatch(session, message)) this.#node.runtime.send(session, { ...message });
  }

  wiped(): void {
    // Nobody waits for it: a wipe that failed comes as `failed`.
  }

  controlled(requester: number, ref: number, result: ControlResult): void {
    const message = { type: 'controlled', requester, ref, result } as const;
    if (Requester.isRegistrar(requester)) {
      this.#toRegistrar(message);
      return;
    }
    const session = this.#node.sessions.get(requester);
    if (session !== undefined) this.#node.runtime.send(session, message);
  }

  entry(
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
  ): void {
    const pid = this.#node.ownPartition(partition);
    // Between two incarnations of a partition, or behind its move to another scheduler, which has a stream of events of
    // its own: its sessions read the entry from the store when they attach anew.
    if (pid === undefined) return;
    const { marks } = this.#node;
    if (marks.threshold !== 0 && kind === EntryKind.message) {
      marks.mark(MarkKind.routed, from, ref, inbox, seq, partition);
    }
    const message = this.#entry;
    message.partition = partition;
    message.inbox = inbox;
    message.seq = seq;
    message.time = time;
    message.kind = kind;
    message.from = from;
    message.ref = ref;
    message.source = source;
    message.bodyStart = bodyStart;
    message.bodyEnd = bodyEnd;
    if (!this.#node.runtime.tryDispatch(pid, message)) {
      this.#node.runtime.send(pid, ownedEntry(message));
    }
  }

  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void {
    this.#toPartition(partition, {
      type: 'page',
      requester,
      ref: 0,
      inbox,
      entries: entries.map((entry) => ({ ...entry, body: entry.body.slice() })),
      hasMore,
    });
  }

  account(partition: number, requester: number, account: Account): void {
    this.#toPartition(partition, {
      type: 'account',
      requester,
      account: { ...account, keySalt: account.keySalt.slice(), keyHash: account.keyHash.slice() },
    });
  }

  deviceReplaced(partition: number, user: UserId, device: DeviceId): void {
    this.#toPartition(partition, { type: 'device-replaced', user, device });
  }

  truncated(partition: number, inbox: UserId, truncated: Seq): void {
    this.#toPartition(partition, { type: 'truncated', inbox, truncated });
  }

  restarted(): void {
    this.#toRegistrar({ type: 'resync' });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      this.#toPartition(partition, { type: 'resync' });
    }
  }

  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void {
    this.#node.stats.storeFailures++;
    const message = { type: 'store-failed', command, ref, failure, requester } as const;
    if (partition >= 0) {
      this.#toPartition(partition, message);
      return;
    }
    if (Requester.isRegistrar(requester)) {
      this.#toRegistrar(message);
      return;
    }
    const session = this.#node.sessions.get(requester);
    if (session !== undefined) this.#node.runtime.send(session, message);
  }

  #toRegistrar(message: RegistrarMessage): void {
    const registrar = this.#node.registrar();
    if (registrar !== undefined) this.#node.runtime.send(registrar, message);
  }

  #toPartition(partition: number, message: PartitionMessage): void {
    const pid: Pid<PartitionMessage> | undefined = this.#node.ownPartition(partition);
    if (pid !== undefined) this.#node.runtime.send(pid, message);
  }
}

const bodies = new BytePool();

/** One to be filled, again and again. */
export function emptyEntry(): EntryMessage {
  return {
    type: 'entry',
    inbox: 0,
    seq: 0,
    time: 0,
    kind: EntryKind.message,
    from: 0,
    ref: 0,
    partition: 0,
    source: new Uint8Array(0),
    bodyStart: 0,
    bodyEnd: 0,
  };
}

/** A copy of an entry message that may wait in a mailbox: the body is its own. */
export function ownedEntry(message: EntryMessage): EntryMessage {
  const source = bodies.copy(message.source, message.bodyStart, message.bodyEnd);
  return { ...message, source, bodyStart: 0, bodyEnd: source.length };
}
