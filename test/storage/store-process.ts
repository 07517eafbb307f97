/**
 * A process with a SQLite store of its own, for tests that need another process: it opens the folder in
 * `argv[2]`, says `open`, or `refused` and why, and then does what `argv[3]` says:
 *
 *     hold     nothing
 *     append   appends for ever, as user 1 to user 2, one to twenty in a batch, wipes now and then, and says
 *              what was stored
 */
import { BufferedEvents } from '../../src/storage/buffered-events.js';
import { DEFAULT_STORE_LIMITS } from '../../src/storage/limits.js';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import { StoreOpenError } from '../../src/storage/store-open-error.js';
import { AppendStatus, EntryKind, type StoreEvents } from '../../src/storage/stores.js';

const folder = process.argv[2]!;
const say = (message: unknown): void => {
  process.send!(message);
};

/** Says each message that is durable, and what user 2 still has. */
class Reporter implements StoreEvents {
  stored: number[] = [];
  lastSeq = 0;
  appended(_requester: number, ref: number, status: AppendStatus, _partition: number, seq: number): void {
    if (status !== AppendStatus.stored && status !== AppendStatus.duplicate) {
      throw new Error(`append ${ref}: ${status}`);
    }
    this.stored.push(ref);
    if (status === AppendStatus.stored) this.lastSeq = seq;
  }
  wiped(): void {}
  controlled(): void {}
  entry(): void {}
  page(): void {}
  account(): void {}
  deviceReplaced(): void {}
  truncated(): void {}
  failed(_p: number, _r: number, _c: number, _ref: number, failure: number): void {
    throw new Error(`failed: ${failure}`);
  }
}

try {
  const reporter = new Reporter();
  const store = SqliteStore.open({
    folder,
    limits: { ...DEFAULT_STORE_LIMITS, inboxCountMax: 1e9, inboxBytesMax: 1e12 },
    events: new BufferedEvents(reporter),
    now: Date.now(),
    youngBytesMax: 64 * 1024,
    inboxYoungMax: 200,
    walBytesMax: 256 * 1024,
  });
  say({ type: 'open', epoch: store.epoch });
  if (process.argv[3] === 'append') run(store, reporter, Number(process.argv[4]));
  else setInterval(() => {}, 1000);
} catch (error) {
  if (!(error instanceof StoreOpenError)) throw error;
  say({ type: 'refused', reason: error.reason, message: error.message });
}

function run(store: SqliteStore, reporter: Reporter, firstRef: number): void {
  let ref = firstRef;
  const body = Buffer.alloc(3000, 'b');
  const turn = (): void => {
    const count = 1 + (ref % 20);
    store.begin();
    for (let n = 0; n < count; n++, ref++) {
      store.append(2, 1, 1, EntryKind.message, ref, Date.now(), body, 0, (ref * 37) % body.length, 0, 0);
    }
    // User 2 takes all but the last hundred, every now and then.
    if (ref % 7 === 0) store.wipe(2, 1, reporter.lastSeq - 100, Date.now(), 0);
    if (store.commit() !== null) throw new Error('commit');
    store.housekeep(Date.now(), ref % 3 === 0);
    say({ type: 'stored', refs: reporter.stored, seq: reporter.lastSeq });
    reporter.stored = [];
    setImmediate(turn);
  };
  turn();
}
