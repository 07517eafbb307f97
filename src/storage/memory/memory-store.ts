import { RecordBuffer } from '../../structures/record-buffer.js';
import type { RecordMemory } from '../../structures/record-memory.js';
import { applyCommand, encodeAppend, encodeControl, encodeWipe } from '../codec/command-codec.js';
import { CommandBatch } from '../command-batch.js';
import type { EventSink } from '../event-sink.js';
import { FullHold } from '../full-hold.js';
import { partitionOf } from '../partition-of.js';
import { SendHold } from '../send-hold.js';
import { StateMachine } from '../state-machine.js';
import {
  AppendStatus,
  CommandKind,
  type Control,
  type DeviceId,
  type EntryKind,
  type Seq,
  type Store,
  type StoreEvents,
  StoreFailure,
  type StoreLimits,
  type UserId,
} from '../stores.js';
import { CommandLog } from './command-log.js';
import { type Disk, DiskError } from './disk.js';
import { MemoryTables } from './memory-tables.js';

export interface MemoryStoreOptions {
  readonly disk: Disk;
  /** The same for the whole life of a log: it is judged again when it is read again. */
  readonly limits: StoreLimits;
  readonly events: EventSink;
  /** Wall-clock ms, for the number of a new epoch. */
  readonly now: number;
  /** Hears, as it was then, what a log that is opened has to tell. Default: nobody. */
  readonly past?: StoreEvents;
  /** Makes the empty tables. Default: {@link MemoryTables}. */
  readonly tables?: () => MemoryTables;
}

const BATCH_BYTES_MAX = 2 ** 28;
/** A command of the store's own in its log: drop what is older. float64 at 16: the time. */
const EXPIRE = 0x7f;
const EXPIRE_BYTES = 24;
/** Time between two looks for what is too old. */
const EXPIRY_ROUND_MS = 60_000;

/** Everything that is thrown away when a batch comes to nothing. */
interface Opened {
  readonly log: CommandLog;
  readonly tables: MemoryTables;
  readonly machine: StateMachine;
}

/** Takes no notice: while a log is read again, everybody has been told already. */
const SILENCE: StoreEvents = {
  appended() {},
  wiped() {},
  controlled() {},
  entry() {},
  page() {},
  account() {},
  deviceReplaced() {},
  truncated() {},
  failed() {},
};

/**
 * The store for tests and simulations: all of it in memory, durable through a log of its commands. Opening
 * reads the log and applies every command again, which gives the same store, because the judgement depends on
 * nothing else. The log is never shortened.
 *
 * @throws {DiskError} when the disk fails while it is opened
 */
export class MemoryStore implements Store {
  readonly epoch: number;
  readonly #options: MemoryStoreOptions;
  readonly #events: EventSink;
  readonly #batch = new CommandBatch();
  readonly #hold = new SendHold();
  readonly #fullHold = new FullHold();
  #appendTime = 0;
  readonly #commands = new RecordBuffer(16 * 1024, BATCH_BYTES_MAX);
  #opened: Opened | null;
  #failure: StoreFailure | null = null;
  #closed = false;
  #expiryAt = 0;
  /** Bytes of the log that are known to be durable. */
  #durable = Number.POSITIVE_INFINITY;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.#events = options.events;
    this.#opened = this.#open(options.past ?? SILENCE);
    this.epoch = this.#opened.log.epoch;
  }

  begin(): void {
    this.#failure = this.#closed ? StoreFailure.closed : null;
    this.#commands.clear();
    if (this.#opened === null && !this.#closed) {
      this.#guard(() => {
        this.#opened = this.#open(SILENCE);
      });
    }
  }

  append(
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    kind: EntryKind,
    ref: number,
    time: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    requester: number,
    heard: number,
  ): void {
    this.#appendTime = time;
    if (this.#hold.holds(requester, ref, heard, time)) {
      this.#batch.addHeld(requester, ref);
      if (this.#opened === null) return;
      this.#events.appended(requester, ref, AppendStatus.held, partitionOf(inbox), 0, time, 0);
      return;
    }
    this.#batch.addAppend(requester, ref, heard);
    if (this.#opened === null) return;
    if (this.#fullHold.holds(requester, inbox, ref, time)) {
      this.#events.appended(requester, ref, AppendStatus.inboxFull, partitionOf(inbox), 0, time, 0);
      return;
    }
    kept(
      encodeAppend(this.#commands, 0, inbox, from, device, kind, ref, time, source, bodyStart, bodyEnd, 0),
    );
    const { machine } = this.#opened;
    const status = machine.append(
      inbox,
      from,
      device,
      kind,
      ref,
      time,
      source,
      bodyStart,
      bodyEnd,
      requester,
    );
    if (status === AppendStatus.inboxFull) this.#fullHold.refused(requester, inbox, ref, time);
  }

  wipe(inbox: UserId, device: DeviceId, upTo: Seq, time: number, requester: number): void {
    this.#batch.add(CommandKind.wipe, requester, 0, -1);
    if (this.#opened === null) return;
    kept(encodeWipe(this.#commands, 0, inbox, device, upTo, time));
    this.#opened.machine.wipe(inbox, device, upTo, time, requester);
  }

  read(inbox: UserId, after: Seq, countMax: number, bytesMax: number, requester: number): void {
    this.#batch.add(CommandKind.read, requester, 0, partitionOf(inbox));
    this.#opened?.machine.read(inbox, after, countMax, bytesMax, requester);
  }

  lookup(user: UserId, requester: number): void {
    this.#batch.add(CommandKind.lookup, requester, 0, partitionOf(user));
    this.#opened?.machine.lookup(user, requester);
  }

  control(control: Control, requester: number, ref: number): void {
    this.#batch.add(CommandKind.control, requester, ref, -1);
    if (this.#opened === null) return;
    if (control.op !== 'blocked' && control.op !== 'lookup-users') {
      kept(encodeControl(this.#commands, 0, 0, control));
    }
    this.#opened.machine.control(control, requester, ref);
  }

  commit(): StoreFailure | null {
    this.#write();
    const failure = this.#failure;
    this.#failure = null;
    if (failure === null) this.#batch.clear();
    else {
      this.#events.discard();
      this.#batch.fail(this.#events, failure, this.#hold, this.#appendTime);
    }
    this.#events.publish();
    return failure;
  }

  housekeep(now: number, idle: boolean): boolean {
    if (this.#opened === null || this.#closed || !idle) return false;
    if (Math.abs(now - this.#expiryAt) < EXPIRY_ROUND_MS) return false;
    this.#expiryAt = now;
    const before = now - this.#options.limits.inboxAgeMsMax;
    if (this.#opened.tables.oldestTime() >= before) return false;
    this.#commands.clear();
    const at = this.#commands.reserve(EXPIRE_BYTES);
    this.#commands.memory.i32[(at >> 2) + 1] = EXPIRE;
    this.#commands.memory.f64[(at >> 3) + 2] = before;
    expire(this.#opened.tables, before, this.#events);
    this.#write();
    if (this.#failure !== null) this.#events.discard();
    this.#failure = null;
    this.#events.publish();
    return false;
  }

  close(): void {
    this.#closed = true;
    this.#opened = null;
  }

  /** Appends the batch to the log and syncs. */
  #write(): void {
    const { start, end, memory } = this.#commands;
    if (this.#opened !== null && end > start) {
      const { log } = this.#opened;
      this.#durable = log.size;
      this.#guard(() => log.append(memory.bytes.subarray(start, end)));
    }
    this.#commands.clear();
  }

  /** Reads the log and applies it. */
  #open(told: StoreEvents): Opened {
    // A batch that failed may be in the file as a whole all the same. Everybody was told that it is not stored,
    // and a later sync does not promise what an earlier one could not do: it goes before the log is read.
    if (this.#options.disk.size > this.#durable) {
      this.#options.disk.truncate(this.#durable);
      this.#options.disk.sync();
    }
    const log = new CommandLog(this.#options.disk, Math.max(1, Math.floor(this.#options.now / 1000)));
    const { limits } = this.#options;
    const tables = this.#options.tables?.() ?? new MemoryTables();
    const past = new StateMachine(tables, limits, told);
    log.replay((batch) => replayBatch(batch, past, tables, told));
    return { log, tables, machine: new StateMachine(tables, limits, this.#events) };
  }

  /** Runs what may fail with the disk; then nothing in memory is worth anything. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#failure = error.failure;
      this.#opened = null;
    }
  }
}

function replayBatch(
  batch: RecordMemory,
  machine: StateMachine,
  tables: MemoryTables,
  told: StoreEvents,
): void {
  for (let at = 0; at < batch.bytes.length; at += batch.i32[at >> 2]!) {
    if ((batch.i32[(at >> 2) + 1]! & 0xff) === EXPIRE) {
      expire(tables, batch.f64[(at >> 3) + 2]!, told);
    } else {
      applyCommand(batch, at, machine);
    }
  }
}

function expire(tables: MemoryTables, before: number, events: StoreEvents): void {
  tables.expire(before, (inbox, truncated) => events.truncated(partitionOf(inbox), inbox, truncated));
}

function kept(encoded: boolean): void {
  if (!encoded) throw new Error(`a batch exceeds ${BATCH_BYTES_MAX} bytes`);
}
