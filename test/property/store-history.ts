import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BufferedEvents } from '../../src/storage/buffered-events.js';
import type { EventSink } from '../../src/storage/event-sink.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { AppendStatus, EntryKind, type Store, type StoreLimits } from '../../src/storage/stores.js';
import { type RecordedEvent, RecordedEvents } from '../storage/recorded-events.js';
import { LIMITS } from '../storage/store-contract.js';
import { idsOf, StoreModel } from './store-model.js';

const USERS = [11, 4915112345678, 4915112345679, 999_999_999_999_999];
const DAY_MS = 86_400_000;

export const HISTORY_LIMITS: StoreLimits = {
  ...LIMITS,
  inboxCountMax: 30,
  inboxBytesMax: 2000,
  inboxAgeMsMax: 1e15,
};

type Command =
  | { readonly do: 'register'; readonly user: number }
  | {
      readonly do: 'append';
      readonly to: number;
      readonly from: number;
      /** Relative to the sender's highest id. */
      readonly step: number;
      readonly stale: boolean;
      readonly bytes: number;
      readonly receipt: boolean;
    }
  | { readonly do: 'wipe'; readonly user: number; readonly share: number; readonly stale: boolean }
  | {
      readonly do: 'read';
      readonly user: number;
      readonly share: number;
      readonly count: number;
      readonly bytes: number;
    }
  | { readonly do: 'block'; readonly user: number; readonly peer: number; readonly on: boolean }
  | { readonly do: 'name'; readonly user: number; readonly name: string }
  | { readonly do: 'seen'; readonly user: number; readonly ms: number };

/** What happens to a store, batch by batch. */
export type Step =
  | { readonly do: 'batch'; readonly commands: readonly Command[] }
  | { readonly do: 'housekeep'; readonly idle: boolean; readonly ms: number }
  | { readonly do: 'reopen' }
  /** Dies in the middle of a batch of these commands, without a word. */
  | { readonly do: 'crash'; readonly commands: readonly Command[] };

const user = fc.constantFrom(...USERS);
const step = fc.oneof(
  { weight: 12, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: -300, max: 300 }) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('register' as const), user }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      to: user,
      from: user,
      step,
      stale: fc.integer({ max: 15, min: 0 }).map((n) => n === 0),
      bytes: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 400 })),
      receipt: fc.integer({ max: 7, min: 0 }).map((n) => n === 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wipe' as const),
      user,
      share: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
      stale: fc.integer({ max: 15, min: 0 }).map((n) => n === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      user,
      share: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
      count: fc.integer({ min: 1, max: 40 }),
      bytes: fc.integer({ min: 1, max: 1000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('block' as const), user, peer: user, on: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('name' as const), user, name: fc.string({ unit: 'grapheme' }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('seen' as const), user, ms: fc.integer({ min: 0, max: 1000 }) }),
  },
);
const commands = fc.array(command, { minLength: 1, maxLength: 12, size: 'max' });

export const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('batch' as const), commands }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('housekeep' as const),
        idle: fc.boolean(),
        ms: fc.integer({ min: 0, max: 100_000 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), commands }) },
  ),
  { minLength: 1, maxLength: 30, size: 'max' },
);

/** A store that can die: `crash` leaves what a machine or a process that went down would leave. */
export interface MortalStore {
  open(events: EventSink): Store;
  /** Kills `store`, which must not be touched again. */
  crash(store: Store): void;
  /** How many entries the store says wait in it; undefined: it does not count. */
  count?(store: Store): number;
}

/** Plays a history on a store and on the model, and compares every event, and in the end all there is. */
export class HistoryPlayer {
  readonly #under: MortalStore;
  readonly #recorded = new RecordedEvents();
  #store: Store;
  model = new StoreModel(HISTORY_LIMITS);
  #appends = 0;
  #last = 0;
  #now = 1_000_000;
  #key = 0;

  constructor(under: MortalStore) {
    this.#under = under;
    this.#store = under.open(new BufferedEvents(this.#recorded));
  }

  play(steps: readonly Step[]): void {
    // All but one, so that there is somebody to be unknown.
    this.#batch(USERS.slice(1).map((user) => ({ do: 'register', user })));
    for (const step of steps) {
      this.#now += 10;
      switch (step.do) {
        case 'batch':
          this.#batch(step.commands);
          break;
        case 'housekeep':
          this.#now += step.ms;
          for (let n = 0; n < 100 && this.#store.housekeep(this.#now, step.idle); n++);
          assert.deepEqual(this.#recorded.take(), []);
          break;
        case 'reopen':
          this.#store.close();
          this.#store = this.#under.open(new BufferedEvents(this.#recorded));
          this.#compareCount();
          this.compare();
          break;
        case 'crash': {
          const before = this.model.clone();
          this.#store.begin();
          for (const command of step.commands) this.#submit(command);
          assert.deepEqual(this.#recorded.take(), [], 'published before the commit');
          this.#under.crash(this.#store);
          this.model = before;
          this.#store = this.#under.open(new BufferedEvents(this.#recorded));
          this.#compareCount();
          this.compare();
          break;
        }
      }
      this.#compareCount();
    }
    this.compare();
  }

  close(): void {
    this.#store.close();
  }

  /** All there is in the store, against the model. */
  compare(): void {
    for (const user of USERS) {
      const expected = this.model.users.get(user);
      if (expected !== undefined) this.#compareIds(user, expected.device, expected.highest);
      this.#store.begin();
      this.#store.lookup(user, 0);
      this.#store.read(user, 0, 1_000_000, 2 ** 30, 0);
      assert.equal(this.#store.commit(), null);
      const [account, page] = this.#recorded.take();
      assert.ok(account?.type === 'account' && page?.type === 'page');
      assert.deepEqual(page.entries, expected?.inbox ?? []);
      assert.deepEqual(
        {
          device: account.account.device,
          key: account.account.keyHash[0] ?? 0,
          acked: account.account.acked,
          pendingCount: account.account.pendingCount,
          pendingBytes: account.account.pendingBytes,
          name: account.account.name,
          lastSeen: account.account.lastSeen,
          truncated: account.account.truncated,
          blocked: account.account.blocked,
        },
        {
          device: expected?.device ?? 0,
          key: expected?.key ?? 0,
          acked: expected?.acked ?? 0,
          pendingCount: expected?.inbox.length ?? 0,
          pendingBytes: expected?.inbox.reduce((sum, { body }) => sum + body.length, 0) ?? 0,
          name: expected?.name ?? '',
          lastSeen: expected?.lastSeen ?? 0,
          truncated: expected?.truncated ?? 0,
          blocked: [...(expected?.blocked ?? [])].sort((a, b) => a - b),
        },
      );
    }
  }

  /** What the store knows of the last ids of a device: repeats are told from new ones without storing any. */
  #compareIds(user: number, device: number, highest: number): void {
    const refs: number[] = [];
    for (let ref = Math.max(1, highest - 300); ref <= highest; ref++) {
      if (this.model.judge(user, user, device, ref, 0) !== AppendStatus.stored) refs.push(ref);
    }
    if (refs.length === 0) return;
    this.#store.begin();
    for (const ref of refs) {
      this.#store.append(user, user, device, EntryKind.message, ref, 0, new Uint8Array(0), 0, 0, ref, 0);
    }
    assert.equal(this.#store.commit(), null);
    for (const event of this.#recorded.take()) {
      assert.ok(event.type === 'appended');
      const status = this.model.judge(user, user, device, event.ref, 0);
      assert.deepEqual([event.ref, event.status, event.highest], [refs.shift(), status, highest]);
    }
    assert.deepEqual(refs, []);
  }

  #compareCount(): void {
    const counted = this.#under.count?.(this.#store);
    if (counted === undefined) return;
    let expected = 0;
    for (const { inbox } of this.model.users.values()) expected += inbox.length;
    assert.equal(counted, expected);
  }

  #batch(commands: readonly Command[]): void {
    this.#store.begin();
    const checks = commands.map((command) => this.#submit(command));
    assert.deepEqual(this.#recorded.log, []);
    assert.equal(this.#store.commit(), null);
    for (const check of checks) check(this.#recorded.log);
    assert.deepEqual(this.#recorded.take(), []);
  }

  /** Gives the command to the store and returns what compares its events with the model, which follows then. */
  #submit(command: Command): (events: RecordedEvent[]) => void {
    const store = this.#store;
    const now = ++this.#now;
    switch (command.do) {
      case 'register': {
        const key = (++this.#key % 255) + 1;
        // A day apart, so that no limit of PINs is met: those have tests of their own.
        this.#now += DAY_MS;
        const at = this.#now;
        const pinHash = new Uint8Array([key]);
        const { user } = command;
        store.control({ op: 'pin-request', user, pinHash, now: at }, 1, 0);
        const keys = { keySalt: new Uint8Array([key]), keyHash: new Uint8Array([key, this.#key]) };
        store.control({ op: 'pin-verify', user, pinHash, ...keys, now: at }, 2, key);
        return (events) => {
          assert.equal(events.shift()?.type, 'controlled');
          const replaced = this.model.users.get(user)?.device ?? 0;
          const { device, first } = this.model.register(user, key, at);
          assert.deepEqual(events.shift(), {
            type: 'controlled',
            requester: 2,
            ref: key,
            result: { op: 'pin-verify', ok: true, device, replaced, firstMessageId: first },
          });
          if (replaced > 0) {
            assert.deepEqual(events.shift(), {
              type: 'deviceReplaced',
              partition: partitionOf(user),
              user,
              device,
            });
          }
        };
      }
      case 'append':
        return this.#append(command, now);
      case 'wipe':
        return this.#wipe(command, now);
      case 'read': {
        const after = Math.floor(this.#last * command.share);
        store.read(command.user, after, command.count, command.bytes, 3);
        return (events) => {
          const inbox = (this.model.users.get(command.user)?.inbox ?? []).filter(({ seq }) => seq > after);
          let count = 0;
          let bytes = 0;
          for (const { body } of inbox) {
            bytes += body.length;
            if (count > 0 && (count >= command.count || bytes > command.bytes)) break;
            count++;
          }
          assert.deepEqual(events.shift(), {
            type: 'page',
            partition: partitionOf(command.user),
            requester: 3,
            inbox: command.user,
            entries: inbox.slice(0, count),
            hasMore: count < inbox.length,
          });
        };
      }
      case 'block': {
        store.control({ op: 'block', user: command.user, peer: command.peer, on: command.on, now }, 4, 9);
        return (events) => {
          const blocked = this.model.users.get(command.user)?.blocked;
          const full =
            command.on && blocked?.size === HISTORY_LIMITS.blockedMax && !blocked.has(command.peer);
          assert.deepEqual(events.shift(), {
            type: 'controlled',
            requester: 4,
            ref: 9,
            result: full ? { op: 'block', ok: false, reason: 'too-many' } : { op: 'block', ok: true },
          });
          if (command.on && !full) blocked?.add(command.peer);
          if (!command.on) blocked?.delete(command.peer);
        };
      }
      case 'name':
        store.control({ op: 'set-name', user: command.user, name: command.name }, 5, 0);
        return (events) => {
          assert.equal(events.shift()?.type, 'controlled');
          const state = this.model.users.get(command.user);
          if (state !== undefined) state.name = command.name;
        };
      case 'seen': {
        const time = now + command.ms;
        store.control({ op: 'last-seen', user: command.user, time }, 6, 0);
        return (events) => {
          assert.equal(events.shift()?.type, 'controlled');
          const state = this.model.users.get(command.user);
          if (state !== undefined) state.lastSeen = Math.max(state.lastSeen, time);
        };
      }
    }
  }

  #append(command: Command & { do: 'append' }, time: number): (events: RecordedEvent[]) => void {
    const { to, from } = command;
    // The model may lag behind by the commands of this batch: what it says of ids is only a guess at a good one.
    const known = this.model.users.get(from);
    const ref = Math.max(1, (known?.highest ?? 0) + command.step);
    const device = (known?.device ?? 1) - (command.stale ? 1 : 0);
    const kind = command.receipt ? EntryKind.receiptRead : EntryKind.message;
    const body = String.fromCharCode(33 + (ref % 90)).repeat(command.bytes);
    const bytes = Buffer.from(`??${body}?`, 'latin1');
    // Each for itself: what holds back what one connection has under way is tested elsewhere.
    const requester = 1000 + this.#appends++;
    this.#store.append(to, from, device, kind, ref, time, bytes, 2, 2 + body.length, requester, 0);
    return (events) => {
      const status = this.model.judge(to, from, device, ref, body.length);
      if (status === AppendStatus.stored) {
        const entry = events.shift();
        assert.ok(entry?.type === 'entry', JSON.stringify(entry));
        this.#seqFollows(entry.seq);
        const expected = { seq: entry.seq, time, kind, from, ref, body };
        assert.deepEqual(entry, { type: 'entry', partition: partitionOf(to), inbox: to, ...expected });
        this.model.store(to, expected);
      }
      const appended = events.shift();
      assert.ok(appended?.type === 'appended', JSON.stringify(appended));
      assert.equal(appended.status, status);
      assert.equal(appended.ref, ref);
      assert.equal(
        appended.highest,
        status === AppendStatus.deviceRevoked ? 0 : this.model.users.get(from)!.highest,
      );
      assert.equal(appended.seq, status === AppendStatus.stored ? this.#last : 0);
    };
  }

  #wipe(command: Command & { do: 'wipe' }, time: number): (events: RecordedEvent[]) => void {
    const { user } = command;
    const device = (this.model.users.get(user)?.device ?? 1) - (command.stale ? 1 : 0);
    const upTo = Math.floor(this.#last * command.share);
    this.#store.wipe(user, device, upTo, time, 8);
    return (events) => {
      const taken = this.model.wipe(user, device, upTo);
      assert.deepEqual(events.shift(), {
        type: 'wiped',
        requester: 8,
        inbox: user,
        upTo,
        count: taken.length,
      });
      for (const [sender, ids] of StoreModel.receipts(taken)) {
        const got: number[] = [];
        while (got.length < ids.length) {
          const entry = events.shift();
          assert.ok(entry?.type === 'entry' && entry.inbox === sender, JSON.stringify(entry));
          assert.equal(entry.kind, EntryKind.receiptDelivered);
          assert.equal(entry.from, user);
          this.#seqFollows(entry.seq);
          got.push(...idsOf(entry.body));
          const { seq, kind, from, ref, body } = entry;
          this.model.users.get(sender)!.inbox.push({ seq, time: entry.time, kind, from, ref, body });
        }
        assert.deepEqual(got, ids);
      }
    };
  }

  #seqFollows(seq: number): void {
    assert.ok(seq > this.#last, `seq ${seq} after ${this.#last}`);
    this.#last = seq;
  }
}
