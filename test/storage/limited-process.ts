/**
 * Appends to the store in `argv[2]` under whatever limits its parent gave it, tries again what failed, and says
 * `failed` each time and `done` in the end with all that was stored, in order.
 */
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import { EntryKind } from '../../src/storage/stores.js';
import { ALICE, BOB, LIMITS, StoreBench } from './store-contract.js';

const BATCHES = 60;
const BATCH = 10;
const body = Buffer.alloc(2000, 'l');

const bench = new StoreBench(
  {
    open: (events, limits) =>
      SqliteStore.open({ folder: process.argv[2]!, limits, events, now: Date.now(), youngBytesMax: 200_000 }),
    dispose: () => {},
  },
  { ...LIMITS, inboxCountMax: 1e6, inboxBytesMax: 1e9 },
);
bench.register(ALICE);
bench.register(BOB);
const refs: number[] = [];
let batch = 0;
let heard = 0;

function turn(): void {
  bench.store.begin();
  for (let n = 1; n <= BATCH; n++) {
    const ref = batch * BATCH + n;
    bench.store.append(BOB, ALICE, 1, EntryKind.message, ref, Date.now(), body, 0, body.length, 0, heard);
  }
  const failure = bench.store.commit();
  for (const event of bench.events.take()) {
    // Stored now, or in a batch that failed and was there after all.
    if (event.type === 'appended') refs.push(event.ref);
  }
  bench.store.housekeep(Date.now(), true);
  if (failure === null) batch++;
  else {
    heard += BATCH;
    process.send!({ type: 'failed', failure });
  }
  if (batch < BATCHES) {
    setTimeout(turn, failure === null ? 0 : 5);
    return;
  }
  process.send!({ type: 'done', refs }, () => {
    bench.store.close();
    process.exit(0);
  });
}
turn();
