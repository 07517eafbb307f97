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
} from '../../src/storage/stores.js';

/** One event as a plain object; bodies copied. */
export type RecordedEvent =
  | {
      readonly type: 'appended';
      readonly requester: number;
      readonly ref: number;
      readonly status: AppendStatus;
      readonly partition: number;
      readonly seq: Seq;
      readonly time: number;
      readonly highest: number;
    }
  | {
      readonly type: 'wiped';
      readonly requester: number;
      readonly inbox: UserId;
      readonly upTo: Seq;
      readonly count: number;
    }
  | {
      readonly type: 'controlled';
      readonly requester: number;
      readonly ref: number;
      readonly result: ControlResult;
    }
  | {
      readonly type: 'entry';
      readonly partition: number;
      readonly inbox: UserId;
      readonly seq: Seq;
      readonly time: number;
      readonly kind: EntryKind;
      readonly from: UserId;
      readonly ref: number;
      readonly body: string;
    }
  | {
      readonly type: 'page';
      readonly partition: number;
      readonly requester: number;
      readonly inbox: UserId;
      readonly entries: readonly (Omit<Entry, 'body'> & { readonly body: string })[];
      readonly hasMore: boolean;
    }
  | {
      readonly type: 'account';
      readonly partition: number;
      readonly requester: number;
      readonly account: Account;
    }
  | {
      readonly type: 'deviceReplaced';
      readonly partition: number;
      readonly user: UserId;
      readonly device: DeviceId;
    }
  | { readonly type: 'restarted' }
  | {
      readonly type: 'truncated';
      readonly partition: number;
      readonly inbox: UserId;
      readonly truncated: Seq;
    }
  | {
      readonly type: 'failed';
      readonly partition: number;
      readonly requester: number;
      readonly command: CommandKind;
      readonly ref: number;
      readonly failure: StoreFailure;
    };

/** Bytes as text, one character for each byte, so that a difference can be read. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Keeps every event, in order. */
export class RecordedEvents implements StoreEvents {
  readonly log: RecordedEvent[] = [];

  /** Takes what has gathered. */
  take(): RecordedEvent[] {
    return this.log.splice(0);
  }

  /** The events of one type, taken out of the log. */
  takeOf<T extends RecordedEvent['type']>(type: T): Extract<RecordedEvent, { type: T }>[] {
    return this.take().filter((event): event is Extract<RecordedEvent, { type: T }> => event.type === type);
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
    this.log.push({ type: 'appended', requester, ref, status, partition, seq, time, highest });
  }

  wiped(requester: number, inbox: UserId, upTo: Seq, count: number): void {
    this.log.push({ type: 'wiped', requester, inbox, upTo, count });
  }

  controlled(requester: number, ref: number, result: ControlResult): void {
    this.log.push({ type: 'controlled', requester, ref, result });
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
    const body = latin1(source.subarray(bodyStart, bodyEnd));
    this.log.push({ type: 'entry', partition, inbox, seq, time, kind, from, ref, body });
  }

  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void {
    const copied = entries.map((entry) => ({ ...entry, body: latin1(entry.body) }));
    this.log.push({ type: 'page', partition, requester, inbox, entries: copied, hasMore });
  }

  account(partition: number, requester: number, account: Account): void {
    this.log.push({ type: 'account', partition, requester, account });
  }

  deviceReplaced(partition: number, user: UserId, device: DeviceId): void {
    this.log.push({ type: 'deviceReplaced', partition, user, device });
  }

  truncated(partition: number, inbox: UserId, truncated: Seq): void {
    this.log.push({ type: 'truncated', partition, inbox, truncated });
  }

  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void {
    this.log.push({ type: 'failed', partition, requester, command, ref, failure });
  }

  restarted(): void {
    this.log.push({ type: 'restarted' });
  }
}
