import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BufferedEvents } from '../../src/storage/buffered-events.js';
import type { EventSink } from '../../src/storage/event-sink.js';
import { DEFAULT_STORE_LIMITS } from '../../src/storage/limits.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import {
  AppendStatus,
  CommandKind,
  EntryKind,
  MESSAGE_ID_WINDOW,
  type Store,
  type StoreLimits,
} from '../../src/storage/stores.js';
import { latin1, RecordedEvents } from './recorded-events.js';

export const ALICE = 4915112345678;
export const BOB = 4915112345679;
export const CAROL = 14155550123;

export const LIMITS: StoreLimits = {
  ...DEFAULT_STORE_LIMITS,
  inboxCountMax: 10,
  inboxBytesMax: 1000,
  blockedMax: 3,
};

/** What the suite needs to know of an implementation. */
export interface StoreUnderTest {
  open(events: EventSink, limits: StoreLimits): Store;
  /** Removes what `open` left behind; called after each test, when the store is closed. */
  dispose(): void;
}

/** A store with its events, and short ways to command it: each call is one batch of one command. */
export class StoreBench {
  readonly events = new RecordedEvents();
  store: Store;
  readonly #under: StoreUnderTest;
  readonly #limits: StoreLimits;
  now = 1_000_000;

  constructor(under: StoreUnderTest, limits: StoreLimits = LIMITS) {
    this.#under = under;
    this.#limits = limits;
    this.store = under.open(new BufferedEvents(this.events), limits);
  }

  /** Closes the store and opens it again from what it left. */
  reopen(): void {
    this.store.close();
    this.store = this.#under.open(new BufferedEvents(this.events), this.#limits);
  }

  batch(commands: (store: Store) => void): void {
    this.store.begin();
    commands(this.store);
    assert.equal(this.store.commit(), null);
  }

  register(user: number, key = 1): { device: number; firstMessageId: number } {
    const pinHash = new Uint8Array([key, 2, 3]);
    this.batch((store) => {
      store.control({ op: 'pin-request', user, pinHash, now: this.now }, 1, 0);
      store.control(
        {
          op: 'pin-verify',
          user,
          pinHash,
          keySalt: new Uint8Array(16).fill(key),
          keyHash: new Uint8Array(32).fill(key),
          now: this.now,
        },
        2,
        0,
      );
    });
    this.now += 3_600_000;
    const results = this.events.takeOf('controlled').map((event) => event.result);
    const verified = results[1];
    assert.ok(verified?.op === 'pin-verify' && verified.ok, JSON.stringify(results));
    return verified;
  }

  append(
    inbox: number,
    from: number,
    ref: number,
    body = `m${ref}`,
    device = 1,
    kind: EntryKind = EntryKind.message,
  ): void {
    const bytes = Buffer.from(body, 'latin1');
    this.batch((store) =>
      store.append(inbox, from, device, kind, ref, this.now++, bytes, 0, bytes.length, 7, 0),
    );
  }

  /** Appends and returns the status. */
  status(inbox: number, from: number, ref: number, body?: string, device?: number): AppendStatus {
    this.events.take();
    this.append(inbox, from, ref, body, device);
    return this.events.takeOf('appended')[0]!.status;
  }

  wipe(inbox: number, upTo: number, device = 1): number {
    this.batch((store) => store.wipe(inbox, device, upTo, this.now, 8));
    const wiped = this.events.log.find((event) => event.type === 'wiped');
    assert.ok(wiped?.type === 'wiped');
    return wiped.count;
  }

  /** What is pending: `[kind, from, ref, body]`. */
  pending(inbox: number): [number, number, number, string][] {
    const pending: [number, number, number, string][] = [];
    let after = 0;
    for (;;) {
      const { entries, hasMore } = this.page(inbox, after, 1_000_000, 2 ** 30);
      for (const { kind, from, ref, body } of entries) pending.push([kind, from, ref, body]);
      if (!hasMore) return pending;
      after = entries[entries.length - 1]!.seq;
    }
  }

  page(inbox: number, after: number, countMax: number, bytesMax: number) {
    this.events.take();
    this.batch((store) => store.read(inbox, after, countMax, bytesMax, 9));
    const [page, ...rest] = this.events.takeOf('page');
    assert.ok(page !== undefined && rest.length === 0);
    assert.equal(page.partition, partitionOf(inbox));
    assert.equal(page.requester, 9);
    return page;
  }

  account(user: number) {
    this.events.take();
    this.batch((store) => store.lookup(user, 3));
    const event = this.events.takeOf('account')[0]!;
    assert.equal(event.partition, partitionOf(user));
    return event.account;
  }

  control(control: Parameters<Store['control']>[0]) {
    this.events.take();
    this.batch((store) => store.control(control, 5, 0));
    return this.events.takeOf('controlled')[0]!.result;
  }
}

/** The promises of stores.ts, run against one implementation. */
export function storeContract(name: string, create: () => StoreUnderTest): void {
  describe(`${name}: the store contract`, () => {
    let under: StoreUnderTest;
    let bench: StoreBench;

    beforeEach(() => {
      under = create();
      bench = new StoreBench(under);
    });
    afterEach(() => {
      bench.store.close();
      under.dispose();
    });

    describe('append', () => {
      beforeEach(() => {
        bench.register(ALICE);
        bench.register(BOB);
        bench.events.take();
      });

      it('answers the requester and tells the inbox, in this order', () => {
        bench.append(BOB, ALICE, 1, 'hello');
        const [appended, entry, ...rest] = bench.events.take();
        assert.ok(entry?.type === 'appended' && appended?.type === 'entry', 'entry first, then the answer');
        assert.equal(rest.length, 0);
        assert.equal(entry.status, AppendStatus.stored);
        assert.equal(entry.requester, 7);
        assert.equal(entry.partition, partitionOf(BOB));
        assert.equal(entry.seq, appended.seq);
        assert.deepEqual(appended, {
          type: 'entry',
          partition: partitionOf(BOB),
          inbox: BOB,
          seq: entry.seq,
          time: entry.time,
          kind: EntryKind.message,
          from: ALICE,
          ref: 1,
          body: 'hello',
        });
      });

      it('publishes nothing before the commit', () => {
        bench.store.begin();
        bench.store.append(BOB, ALICE, 1, EntryKind.message, 1, 5, Buffer.from('x'), 0, 1, 1, 0);
        bench.store.lookup(BOB, 1);
        assert.deepEqual(bench.events.take(), []);
        bench.store.commit();
        assert.equal(bench.events.take().length, 3);
      });

      it('gives out increasing seqs, over a restart too', () => {
        const seqs: number[] = [];
        for (let ref = 1; ref <= 5; ref++) {
          bench.append(BOB, ALICE, ref);
          seqs.push(bench.events.takeOf('entry')[0]!.seq);
          if (ref % 2 === 0) bench.reopen();
        }
        assert.deepEqual(
          seqs,
          [...seqs].sort((a, b) => a - b),
        );
        assert.equal(new Set(seqs).size, 5);
      });

      it('tells a repeat from a new one, also after the wipe and a restart', () => {
        assert.equal(bench.status(BOB, ALICE, 1), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 1), AppendStatus.duplicate);
        assert.equal(bench.wipe(BOB, bench.account(BOB).head), 1);
        assert.equal(bench.status(BOB, ALICE, 1), AppendStatus.duplicate);
        bench.reopen();
        assert.equal(bench.status(BOB, ALICE, 1), AppendStatus.duplicate);
        assert.equal(bench.status(BOB, ALICE, 2), AppendStatus.stored);
      });

      it('takes ids out of order inside the window and refuses those below it', () => {
        assert.equal(bench.status(BOB, ALICE, MESSAGE_ID_WINDOW + 5), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 6), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 6), AppendStatus.duplicate);
        bench.events.take();
        bench.append(BOB, ALICE, 5);
        const [event] = bench.events.takeOf('appended');
        assert.equal(event?.status, AppendStatus.messageIdTooOld);
        assert.equal(event?.highest, MESSAGE_ID_WINDOW + 5);
      });

      it('leaves nothing behind when it refuses', () => {
        assert.equal(bench.status(CAROL, ALICE, 1), AppendStatus.unknownRecipient);
        bench.register(CAROL);
        assert.equal(bench.status(CAROL, ALICE, 1), AppendStatus.stored, 'the id was not used up');
        bench.control({ op: 'block', user: CAROL, peer: ALICE, on: true, now: 0 });
        assert.equal(bench.status(CAROL, ALICE, 2), AppendStatus.blocked);
        bench.control({ op: 'block', user: CAROL, peer: ALICE, on: false, now: 0 });
        assert.equal(bench.status(CAROL, ALICE, 2), AppendStatus.stored);
      });

      it('fences devices', () => {
        assert.equal(bench.status(BOB, ALICE, 1, 'x', 2), AppendStatus.deviceRevoked);
        assert.equal(bench.status(BOB, CAROL, 1, 'x', 1), AppendStatus.deviceRevoked, 'nobody');
        assert.equal(bench.status(BOB, CAROL, 1, 'x', 0), AppendStatus.deviceRevoked, 'nobody, device 0');
        bench.register(ALICE, 2);
        assert.equal(bench.status(BOB, ALICE, 1, 'x', 1), AppendStatus.deviceRevoked);
        assert.equal(bench.status(BOB, ALICE, 1, 'x', 2), AppendStatus.stored);
      });

      it('keeps the limits of an inbox, and takes again when there is room', () => {
        for (let ref = 1; ref <= 10; ref++) assert.equal(bench.status(BOB, ALICE, ref), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 11), AppendStatus.inboxFull);
        bench.reopen();
        assert.equal(bench.status(BOB, ALICE, 11), AppendStatus.inboxFull);
        const { entries } = bench.page(BOB, 0, 1, 1);
        bench.wipe(BOB, entries[0]!.seq);
        assert.equal(bench.status(BOB, ALICE, 11), AppendStatus.stored);
      });

      it('lets nothing overtake what found no room', () => {
        for (let ref = 1; ref <= 10; ref++) bench.append(BOB, ALICE, ref);
        assert.equal(bench.status(BOB, ALICE, 11), AppendStatus.inboxFull);
        bench.wipe(BOB, bench.page(BOB, 0, 5, 1000).entries[4]!.seq);
        assert.equal(bench.status(BOB, ALICE, 12), AppendStatus.inboxFull, 'it was on its way with 11');
        assert.equal(bench.status(ALICE, ALICE, 13), AppendStatus.stored, 'another inbox');
        assert.equal(bench.status(BOB, ALICE, 11), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 14), AppendStatus.inboxFull, '12 comes first');
        assert.equal(bench.status(BOB, ALICE, 12), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 14), AppendStatus.stored);
        assert.deepEqual(
          bench.pending(BOB).map(([, , ref]) => ref),
          [6, 7, 8, 9, 10, 11, 12, 14],
        );
      });

      it('counts bytes as well as entries', () => {
        assert.equal(bench.status(BOB, ALICE, 1, 'x'.repeat(900)), AppendStatus.stored);
        assert.equal(bench.status(BOB, ALICE, 2, 'x'.repeat(101)), AppendStatus.inboxFull);
        assert.equal(bench.status(BOB, ALICE, 2, 'x'.repeat(100)), AppendStatus.stored);
        const account = bench.account(BOB);
        assert.equal(account.pendingCount, 2);
        assert.equal(account.pendingBytes, 1000);
      });

      it('takes a message to oneself', () => {
        assert.equal(bench.status(ALICE, ALICE, 1, 'note'), AppendStatus.stored);
        assert.equal(bench.status(ALICE, ALICE, 1, 'note'), AppendStatus.duplicate);
        assert.deepEqual(bench.pending(ALICE), [[EntryKind.message, ALICE, 1, 'note']]);
      });

      it('keeps every byte of a body', () => {
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
        for (const [n, length] of [0, 1, 7, 8, 9, 47, 48, 49, 255].entries()) {
          bench.append(BOB, ALICE, n + 1, latin1(bytes.subarray(0, length)));
        }
        bench.reopen();
        assert.deepEqual(
          bench.pending(BOB).map(([, , , body]) => body),
          [0, 1, 7, 8, 9, 47, 48, 49, 255].map((length) => latin1(bytes.subarray(0, length))),
        );
      });
    });

    describe('wipe', () => {
      beforeEach(() => {
        bench.register(ALICE);
        bench.register(BOB);
        bench.register(CAROL);
        bench.events.take();
      });

      it('removes up to the seq and makes one receipt for each sender, as ranges', () => {
        for (const ref of [1, 2, 3, 5, 6, 9]) bench.append(BOB, ALICE, ref);
        bench.append(BOB, CAROL, 4);
        bench.events.take();
        assert.equal(bench.wipe(BOB, bench.account(BOB).head), 7);
        assert.deepEqual(bench.pending(BOB), []);
        // count 3 · first 1, length−1 2 · gap 2, length−1 1 · gap 3, length−1 0
        assert.deepEqual(bench.pending(ALICE), [
          [EntryKind.receiptDelivered, BOB, 0, latin1(new Uint8Array([3, 1, 2, 2, 1, 3, 0]))],
        ]);
        assert.deepEqual(bench.pending(CAROL), [
          [EntryKind.receiptDelivered, BOB, 0, latin1(new Uint8Array([1, 4, 0]))],
        ]);
      });

      it('publishes the answer, then the receipts', () => {
        bench.append(BOB, ALICE, 300);
        const head = bench.account(BOB).head;
        bench.events.take();
        bench.wipe(BOB, head);
        const events = bench.events.take();
        assert.deepEqual(
          events.map((event) => event.type),
          ['wiped', 'entry'],
        );
        assert.deepEqual(events[0], { type: 'wiped', requester: 8, inbox: BOB, upTo: head, count: 1 });
        const entry = events[1]!;
        assert.ok(entry.type === 'entry');
        assert.equal(entry.inbox, ALICE);
        assert.equal(entry.partition, partitionOf(ALICE));
        assert.equal(entry.body, latin1(new Uint8Array([1, 0xac, 0x02, 0])));
      });

      it('leaves what is newer', () => {
        for (const ref of [1, 2, 3]) bench.append(BOB, ALICE, ref);
        const { entries } = bench.page(BOB, 0, 2, 1000);
        assert.equal(bench.wipe(BOB, entries[1]!.seq), 2);
        assert.deepEqual(
          bench.pending(BOB).map(([, , ref]) => ref),
          [3],
        );
        assert.equal(bench.account(BOB).acked, entries[1]!.seq);
      });

      it('does nothing for a stale device, a repeat, an unknown user', () => {
        bench.append(BOB, ALICE, 1);
        const { head } = bench.account(BOB);
        bench.events.take();
        assert.equal(bench.wipe(BOB, head, 2), 0);
        bench.events.take();
        assert.equal(bench.pending(BOB).length, 1);
        assert.equal(bench.wipe(BOB, head), 1);
        bench.events.take();
        assert.equal(bench.wipe(BOB, head), 0);
        bench.events.take();
        assert.equal(bench.wipe(999, head), 0);
        assert.equal(bench.pending(ALICE).length, 1, 'one receipt, not two');
      });

      it('accepts nothing that has not come yet', () => {
        bench.wipe(BOB, Number.MAX_SAFE_INTEGER);
        bench.append(BOB, ALICE, 1);
        assert.equal(bench.pending(BOB).length, 1);
      });

      it('makes no receipt of a receipt', () => {
        bench.append(BOB, ALICE, 1);
        bench.append(BOB, ALICE, 2, latin1(new Uint8Array([1, 1, 0])), 1, EntryKind.receiptRead);
        bench.wipe(BOB, bench.account(BOB).head);
        bench.wipe(ALICE, bench.account(ALICE).head);
        assert.deepEqual(bench.pending(BOB), []);
        assert.deepEqual(bench.pending(ALICE), []);
      });

      it('splits more ranges than one receipt holds', () => {
        const wide = new StoreBench(create(), { ...LIMITS, inboxCountMax: 1000, inboxBytesMax: 2 ** 20 });
        wide.register(ALICE);
        wide.register(BOB);
        for (let n = 0; n < 70; n++) wide.append(BOB, ALICE, 1 + 2 * n);
        wide.wipe(BOB, wide.account(BOB).head);
        const bodies = wide.pending(ALICE).map(([, , , body]) => body.charCodeAt(0));
        assert.deepEqual(bodies, [64, 6]);
        wide.store.close();
      });

      it('lets receipts into a full inbox, up to twice its limit, and says when one is lost', () => {
        const fill = (ref: number): void => {
          bench.append(BOB, ALICE, ref);
          bench.wipe(BOB, bench.account(BOB).head);
          bench.events.take();
        };
        for (let n = 1; n <= 10; n++) assert.equal(bench.status(ALICE, CAROL, n), AppendStatus.stored);
        for (let ref = 1; ref <= 10; ref++) fill(ref);
        assert.equal(bench.account(ALICE).pendingCount, 20);
        assert.equal(bench.account(ALICE).truncated, 0);
        bench.append(BOB, ALICE, 11);
        const { head } = bench.account(BOB);
        bench.events.take();
        bench.wipe(BOB, head);
        const [truncated] = bench.events.takeOf('truncated');
        assert.equal(truncated?.inbox, ALICE);
        const account = bench.account(ALICE);
        assert.equal(account.pendingCount, 20);
        assert.ok(account.truncated > head && account.truncated === truncated?.truncated);
      });
    });

    describe('read', () => {
      beforeEach(() => {
        bench.register(ALICE);
        bench.register(BOB);
        for (let ref = 1; ref <= 6; ref++) bench.append(BOB, ALICE, ref, 'x'.repeat(10));
      });

      it('pages by count', () => {
        const first = bench.page(BOB, 0, 4, 1000);
        assert.deepEqual(
          first.entries.map((entry) => entry.ref),
          [1, 2, 3, 4],
        );
        assert.equal(first.hasMore, true);
        const second = bench.page(BOB, first.entries[3]!.seq, 4, 1000);
        assert.deepEqual(
          second.entries.map((entry) => entry.ref),
          [5, 6],
        );
        assert.equal(second.hasMore, false);
      });

      it('pages by bytes, but at least one entry', () => {
        assert.equal(bench.page(BOB, 0, 100, 35).entries.length, 3);
        assert.equal(bench.page(BOB, 0, 100, 1).entries.length, 1);
        assert.equal(bench.page(BOB, 0, 100, 60).hasMore, false);
        assert.equal(bench.page(BOB, 0, 6, 60).hasMore, false);
      });

      it('answers an empty page for nobody', () => {
        const page = bench.page(999, 0, 4, 1000);
        assert.deepEqual(page.entries, []);
        assert.equal(page.hasMore, false);
      });

      it('comes between what was appended before and after it', () => {
        bench.events.take();
        bench.batch((store) => {
          store.read(BOB, 0, 100, 1000, 1);
          store.append(BOB, ALICE, 1, EntryKind.message, 7, 1, Buffer.from('z'), 0, 1, 1, 0);
          store.read(BOB, 0, 100, 1000, 2);
        });
        assert.deepEqual(
          bench.events.take().map((event) => (event.type === 'page' ? event.entries.length : event.type)),
          [6, 'entry', 'appended', 7],
        );
      });
    });

    describe('accounts', () => {
      it('knows nobody', () => {
        const account = bench.account(ALICE);
        assert.equal(account.device, 0);
        assert.equal(account.user, ALICE);
        assert.equal(account.keyHash.length, 0);
      });

      it('registers with a PIN, and keeps key and name over a restart', () => {
        assert.equal(bench.register(ALICE).device, 1);
        bench.control({ op: 'set-name', user: ALICE, name: 'Alice Ünïcode 🦜' });
        bench.control({ op: 'last-seen', user: ALICE, time: 123_456_789_012 });
        bench.reopen();
        const account = bench.account(ALICE);
        assert.equal(account.device, 1);
        assert.deepEqual(Buffer.from(account.keySalt), Buffer.alloc(16, 1));
        assert.deepEqual(Buffer.from(account.keyHash), Buffer.alloc(32, 1));
        assert.equal(account.name, 'Alice Ünïcode 🦜');
        assert.equal(account.lastSeen, 123_456_789_012);
      });

      it('replaces a device at once: key, window and cursor', () => {
        bench.register(ALICE);
        bench.register(BOB);
        bench.append(BOB, ALICE, 41);
        bench.append(ALICE, BOB, 1);
        bench.append(ALICE, BOB, 2);
        const { entries } = bench.page(ALICE, 0, 1, 1000);
        bench.wipe(ALICE, entries[0]!.seq);
        bench.events.take();
        bench.now += 86_400_000;
        const pinHash = new Uint8Array([9]);
        bench.control({ op: 'pin-request', user: ALICE, pinHash, now: bench.now });
        bench.batch((store) =>
          store.control(
            {
              op: 'pin-verify',
              user: ALICE,
              pinHash,
              keySalt: new Uint8Array([5]),
              keyHash: new Uint8Array([6]),
              now: bench.now,
            },
            1,
            2 ** 31 - 1,
          ),
        );
        assert.deepEqual(bench.events.take(), [
          {
            type: 'controlled',
            requester: 1,
            ref: 2 ** 31 - 1,
            result: { op: 'pin-verify', ok: true, device: 2, replaced: 1, firstMessageId: 42 },
          },
          { type: 'deviceReplaced', partition: partitionOf(ALICE), user: ALICE, device: 2 },
        ]);
        bench.reopen();
        const account = bench.account(ALICE);
        assert.equal(account.acked, 0);
        assert.deepEqual(Buffer.from(account.keyHash), Buffer.from([6]));
        assert.equal(bench.status(BOB, ALICE, 41, 'x', 2), AppendStatus.messageIdTooOld);
        assert.equal(bench.status(BOB, ALICE, 42, 'x', 2), AppendStatus.stored);
        assert.deepEqual(
          bench.pending(ALICE).map(([, , ref]) => ref),
          [2],
          'what was not accepted waits for the new device',
        );
      });

      it('answers the same command once more with the same device', () => {
        bench.register(ALICE);
        const pinHash = new Uint8Array([9]);
        const key = { keySalt: new Uint8Array([5]), keyHash: new Uint8Array([6]) };
        bench.control({ op: 'pin-request', user: ALICE, pinHash, now: bench.now });
        const verify = { op: 'pin-verify', user: ALICE, pinHash, ...key, now: bench.now } as const;
        const first = bench.control(verify);
        assert.deepEqual(bench.control(verify), first);
      });

      it('looks up many at once', () => {
        bench.register(ALICE);
        bench.control({ op: 'set-name', user: ALICE, name: 'A' });
        const result = bench.control({ op: 'lookup-users', asker: ALICE, users: [ALICE, BOB] });
        assert.ok(result.op === 'lookup-users');
        assert.deepEqual(
          result.users.map(({ user, name }) => [user, name]),
          [[ALICE, 'A']],
        );
      });

      it('keeps who blocks whom, up to the limit', () => {
        bench.register(ALICE);
        for (const peer of [1, 2, 3]) {
          assert.deepEqual(bench.control({ op: 'block', user: ALICE, peer, on: true, now: 0 }), {
            op: 'block',
            ok: true,
          });
        }
        assert.deepEqual(bench.control({ op: 'block', user: ALICE, peer: 4, on: true, now: 0 }), {
          op: 'block',
          ok: false,
          reason: 'too-many',
        });
        bench.control({ op: 'block', user: ALICE, peer: 2, on: true, now: 0 });
        bench.control({ op: 'block', user: ALICE, peer: 1, on: false, now: 0 });
        bench.reopen();
        assert.deepEqual(bench.control({ op: 'blocked', user: ALICE }), { op: 'blocked', users: [2, 3] });
        assert.deepEqual(bench.account(ALICE).blocked, [2, 3]);
      });
    });

    describe('PINs', () => {
      const pinHash = new Uint8Array([1, 2, 3]);
      const wrong = new Uint8Array([1, 2, 4]);
      const keySalt = new Uint8Array([5]);
      const keyHash = new Uint8Array([6]);
      const verify = (hash: Uint8Array, now: number) =>
        bench.control({ op: 'pin-verify', user: ALICE, pinHash: hash, keySalt, keyHash, now });

      it('may be tried a few times, over a restart too, and is then dead', () => {
        bench.control({ op: 'pin-request', user: ALICE, pinHash, now: 1000 });
        const left: number[] = [];
        for (let n = 0; n < LIMITS.pinTriesMax; n++) {
          const result = verify(wrong, 2000);
          assert.ok(result.op === 'pin-verify' && !result.ok);
          left.push(result.triesLeft);
          if (n === 1) bench.reopen();
        }
        assert.deepEqual(left, [4, 3, 2, 1, 0]);
        const result = verify(pinHash, 2000);
        assert.ok(result.op === 'pin-verify' && !result.ok, 'the right one comes too late');
        assert.equal(result.retryAfterMs, LIMITS.pinResendMs - 1000);
      });

      it('dies of age', () => {
        bench.control({ op: 'pin-request', user: ALICE, pinHash, now: 1000 });
        const late = verify(pinHash, 1000 + LIMITS.pinLifeMs);
        assert.ok(late.op === 'pin-verify' && !late.ok);
      });

      it('works once', () => {
        bench.control({ op: 'pin-request', user: ALICE, pinHash, now: 1000 });
        assert.ok((verify(pinHash, 1001) as { ok: boolean }).ok);
        const again = bench.control({
          op: 'pin-verify',
          user: ALICE,
          pinHash,
          keySalt,
          keyHash: new Uint8Array([7]),
          now: 1002,
        });
        assert.ok(again.op === 'pin-verify' && !again.ok);
      });

      it('answers alike for a wrong one and a number that never asked', () => {
        bench.control({ op: 'pin-request', user: ALICE, pinHash, now: 1000 });
        const asked = verify(wrong, 1001);
        const never = bench.control({
          op: 'pin-verify',
          user: BOB,
          pinHash: wrong,
          keySalt,
          keyHash,
          now: 1001,
        });
        assert.deepEqual(asked, never);
      });

      it('an empty hash matches nothing', () => {
        const result = verify(new Uint8Array(0), 1000);
        assert.ok(result.op === 'pin-verify' && !result.ok);
      });

      it('are limited by time and by day', () => {
        let now = 1000;
        const request = () =>
          bench.control({ op: 'pin-request', user: ALICE, pinHash: new Uint8Array([now % 251]), now });
        assert.deepEqual(request(), {
          op: 'pin-request',
          ok: true,
          expiresMs: LIMITS.pinLifeMs,
          resendAfterMs: LIMITS.pinResendMs,
        });
        now += 500;
        assert.deepEqual(request(), {
          op: 'pin-request',
          ok: false,
          retryAfterMs: LIMITS.pinResendMs - 500,
        });
        for (let n = 1; n < LIMITS.pinsPerDayMax; n++) {
          now += LIMITS.pinResendMs;
          assert.ok((request() as { ok: boolean }).ok);
        }
        now += LIMITS.pinResendMs;
        const refused = request();
        assert.ok(refused.op === 'pin-request' && !refused.ok);
        assert.equal(refused.retryAfterMs, 86_400_000 + 1000 - now);
        now += refused.retryAfterMs;
        assert.ok((request() as { ok: boolean }).ok);
      });
    });

    describe('age', () => {
      it('drops what is too old and says up to where', () => {
        bench.register(ALICE);
        bench.register(BOB);
        bench.append(BOB, ALICE, 1);
        bench.append(BOB, ALICE, 2);
        const { head } = bench.account(BOB);
        const later = bench.now + LIMITS.inboxAgeMsMax - 1_000;
        bench.now = later;
        bench.append(BOB, ALICE, 3);
        bench.events.take();
        let now = later + 2_000;
        while (bench.store.housekeep(now, true)) now++;
        assert.deepEqual(bench.events.takeOf('truncated'), [
          { type: 'truncated', partition: partitionOf(BOB), inbox: BOB, truncated: head },
        ]);
        bench.reopen();
        const account = bench.account(BOB);
        assert.equal(account.truncated, head);
        assert.equal(account.pendingCount, 1);
        assert.deepEqual(
          bench.pending(BOB).map(([, , ref]) => ref),
          [3],
        );
        assert.equal(bench.status(BOB, ALICE, 1), AppendStatus.duplicate, 'and is not taken twice');
      });
    });

    it('refuses everything when it is closed', () => {
      bench.store.close();
      bench.store.begin();
      bench.store.lookup(ALICE, 4);
      bench.store.control({ op: 'blocked', user: ALICE }, 5, 77);
      assert.notEqual(bench.store.commit(), null);
      assert.deepEqual(
        bench.events
          .takeOf('failed')
          .map(({ requester, partition, command, ref }) => [requester, partition, command, ref]),
        [
          [4, partitionOf(ALICE), CommandKind.lookup, 0],
          [5, -1, CommandKind.control, 77],
        ],
      );
    });

    it('keeps its epoch over restarts', () => {
      const { epoch } = bench.store;
      bench.reopen();
      assert.equal(bench.store.epoch, epoch);
      assert.ok(epoch > 0);
    });
  });
}
