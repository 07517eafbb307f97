/** A partition and sessions of another scheduler, over a way that may be full. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ExitReason } from '../../src/actors/exit-reason.js';
import type { Pid } from '../../src/actors/pid.js';
import type { RemoteSignal } from '../../src/actors/router.js';
import { Runtime } from '../../src/actors/runtime.js';
import type { ChatNode } from '../../src/chat/chat-node.js';
import { ChatStats } from '../../src/chat/chat-stats.js';
import * as code from '../../src/chat/handlers/partition.js';
import { MessageMarks } from '../../src/chat/message-marks.js';
import type { Attach, PartitionMessage, SessionMessage } from '../../src/chat/messages.js';
import { Occupancy } from '../../src/chat/occupancy.js';
import { PartitionState } from '../../src/chat/partition-state.js';
import { RequestNumbers } from '../../src/chat/requesters.js';
import type { Account, StorePort } from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

const BOB = 15_550_002;
const DEVICE = 1;

let clock: SimulatedClock;
let runtime: Runtime;
let node: ChatNode;
let partition: Pid<PartitionMessage>;
/** What arrived at the other scheduler, and the kinds of what was refused there. */
let arrived: { readonly to: number; readonly message: SessionMessage }[];
let signals: RemoteSignal[];
let isFull: boolean;
/** Numbers of the look-ups and reads that the store was asked for. */
let lookups: number[];
let reads: number[];

beforeEach(() => {
  clock = new SimulatedClock();
  arrived = [];
  signals = [];
  lookups = [];
  reads = [];
  isFull = false;
  runtime = new Runtime({
    clock,
    random: new SeededRandom(1),
    scheduler: 1,
    router: {
      message: (target, message) => {
        if (!isFull) arrived.push({ to: target.id, message: { ...(message as SessionMessage) } });
        return !isFull;
      },
      signal: (_target, signal) => {
        if (isFull) return false;
        signals.push(signal);
        return true;
      },
    },
  });
  const store = {
    lookup: (requester: number) => lookups.push(requester) > 0,
    read: (requester: number) => reads.push(requester) > 0,
    control: () => true,
    wipe: () => true,
  } as unknown as StorePort;
  node = {
    runtime,
    clock,
    store,
    epoch: 7,
    limits: { attachesMax: 10 },
    stats: new ChatStats(),
    occupancy: new Occupancy(),
    marks: new MessageMarks(clock),
    requests: new RequestNumbers(1),
  } as unknown as ChatNode;
  partition = runtime.spawn<PartitionMessage>((self) => {
    const state = new PartitionState(node, self, 3);
    return { receive: (message) => code.receive(state, message) };
  });
});

function remote(id: number): Pid<SessionMessage> {
  return runtime.pid(2, id) as Pid<SessionMessage>;
}

function tell(message: PartitionMessage): void {
  runtime.send(partition, message);
  runtime.flush();
}

/** What has come to the other scheduler since the last call. */
function take(): string[] {
  runtime.flush();
  return arrived.splice(0).map(({ to, message }) => `${to} ${message.type}`);
}

/** Time for what was refused to be tried again. */
function wait(): void {
  clock.advance(150);
  runtime.flush();
}

const account: Account = {
  user: BOB,
  device: DEVICE,
  keySalt: new Uint8Array(16),
  keyHash: new Uint8Array(32),
  head: 40,
  acked: 40,
  truncated: 0,
  pendingCount: 0,
  pendingBytes: 0,
  lastSeen: 0,
  name: '',
  blocked: [],
};

function attach(id: number, key: Uint8Array | null = null): void {
  const message: Attach = {
    type: 'attach',
    session: remote(id),
    requester: 100 + id,
    user: BOB,
    device: DEVICE,
    key,
    epoch: 7,
    seq: 40,
    active: true,
  };
  tell(message);
}

function attached(id: number): void {
  attach(id);
  tell({ type: 'account', requester: lookups.at(-1) as number, account });
}

function entry(seq: number): void {
  const source = Buffer.from('hello');
  tell({
    type: 'entry',
    inbox: BOB,
    seq,
    time: 1,
    kind: 1,
    from: 5,
    ref: seq,
    partition: 3,
    source,
    bodyStart: 0,
    bodyEnd: source.length,
  });
}

function pull(id: number, ref: number): number {
  tell({ type: 'pull', session: remote(id), ref, user: BOB, after: 40, countMax: 10, bytesMax: 1000 });
  return reads.at(-1) as number;
}

function page(requester: number, hasMore = false): void {
  tell({ type: 'page', requester, ref: 0, inbox: BOB, entries: [], hasMore });
}

describe('sessions of another scheduler', () => {
  test('are attached, pushed to, and counted as not at home', () => {
    attached(4);
    entry(41);
    assert.deepEqual(take(), ['4 attached', '4 entry']);
    assert.deepEqual([node.stats.online, node.stats.atHome], [1, 0]);
    assert.deepEqual([node.occupancy.users[3], node.occupancy.atHome[3]], [1, 0]);
    assert.deepEqual([node.stats.entriesLocal, node.stats.entriesRemote], [0, 1]);
    assert.deepEqual(
      signals.map(({ type }) => type),
      ['monitor'],
    );
  });

  test('behind an entry that had no room nothing is pushed: the session attaches anew and pulls', () => {
    attached(4);
    take();
    isFull = true;
    entry(41);
    isFull = false;
    entry(42);
    assert.deepEqual(take(), [], 'not behind the hole');
    const { entriesRemote, entriesBehind, entriesOffline } = node.stats;
    assert.deepEqual([entriesRemote, entriesBehind, entriesOffline], [1, 1, 0]);
    wait();
    assert.deepEqual(take(), ['4 resync']);
    attached(4);
    page(pull(4, 1));
    entry(43);
    assert.deepEqual(take(), ['4 attached', '4 page', '4 entry']);
  });

  test('it is tried again as long as there is no room, and once only', () => {
    attached(4);
    take();
    isFull = true;
    entry(41);
    for (let n = 0; n < 5; n++) wait();
    isFull = false;
    wait();
    wait();
    assert.deepEqual(take(), ['4 resync']);
  });

  test('a page that had no room begins no pushing', () => {
    attached(4);
    const read = pull(4, 1);
    take();
    isFull = true;
    page(read);
    isFull = false;
    entry(41);
    assert.deepEqual(take(), []);
    wait();
    assert.deepEqual(take(), ['4 resync']);
  });

  test('a page of an earlier pull, or of an earlier session, is nobody’s', () => {
    attached(4);
    const first = pull(4, 1);
    const second = pull(4, 2);
    take();
    page(first);
    assert.deepEqual(take(), []);
    page(second);
    assert.deepEqual(
      arrived.map(({ message }) => message.type === 'page' && message.ref),
      [2],
    );
    take();
    const third = pull(4, 3);
    tell({ type: 'device-replaced', user: BOB, device: 2 });
    take();
    page(third);
    assert.deepEqual(take(), []);
  });

  test('who could not be told that it is attached is not', () => {
    attach(4);
    isFull = true;
    tell({ type: 'account', requester: lookups.at(-1) as number, account });
    isFull = false;
    assert.equal(node.stats.online, 0);
    entry(41);
    wait();
    assert.deepEqual(take(), ['4 attach-refused']);
  });

  test('a newer connection takes the place of an older one, which hears so when there is room', () => {
    attached(4);
    take();
    attach(5, new Uint8Array(32));
    isFull = true;
    const keyed = { ...account, device: DEVICE };
    tell({ type: 'account', requester: lookups.at(-1) as number, account: keyed });
    isFull = false;
    wait();
    // The key was wrong: the older one stays.
    assert.deepEqual(take(), ['5 attach-refused']);
    tell({ type: 'device-replaced', user: BOB, device: 2 });
    assert.deepEqual(take(), ['4 superseded']);
    assert.equal(node.stats.online, 0);
  });

  test('a device that was replaced while there was no room hears so later', () => {
    attached(4);
    take();
    isFull = true;
    entry(41);
    tell({ type: 'device-replaced', user: BOB, device: 2 });
    isFull = false;
    wait();
    assert.deepEqual(take(), ['4 superseded']);
  });

  test('a monitor that had no room: the session may live, and attaches anew', () => {
    attach(4);
    // The answer fits, the monitor before it did not.
    const message = lookups.at(-1) as number;
    isFull = true;
    tell({ type: 'account', requester: message, account });
    isFull = false;
    wait();
    take();
    attached(4);
    take();
    runtime.schedulerDown(2);
    runtime.flush();
    assert.equal(node.stats.online, 0);
    wait();
    assert.deepEqual(take(), ['4 resync']);
  });

  test('of a scheduler that is lost nobody is tried for ever', () => {
    attached(4);
    isFull = true;
    runtime.schedulerDown(2);
    runtime.flush();
    for (let n = 0; n < 60; n++) wait();
    isFull = false;
    take();
    wait();
    assert.deepEqual(take(), []);
    assert.equal(runtime.timers.size, 0);
  });

  test('the end of a session is the end of what it was to hear', () => {
    attached(4);
    isFull = true;
    entry(41);
    isFull = false;
    const monitor = signals.find((signal) => signal.type === 'monitor');
    assert.ok(monitor?.type === 'monitor');
    runtime.deliverSignal(partition.id, {
      type: 'down',
      from: remote(4),
      ref: monitor.ref,
      reason: ExitReason.normal,
    });
    take();
    wait();
    assert.deepEqual(take(), []);
    assert.equal(node.stats.online, 0);
  });
});
