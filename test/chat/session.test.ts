import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ExitReason } from '../../src/actors/exit-reason.js';
import {
  CloseCode,
  EphemeralKind,
  ErrorCode,
  encodeAck,
  encodeClientState,
  encodeEphemeral,
  encodePing,
  encodePull,
  encodeReadReceipt,
  encodeRegister,
  encodeRequest,
  encodeSend,
  encodeVerify,
  WelcomeState,
} from '../../src/protocol/index.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { CommandKind, StoreFailure } from '../../src/storage/stores.js';
import { ChatHarness, type Client, type Seen } from './chat-harness.js';

const ALICE = 15550001;
const BOB = 15550002;
const bytes = (text: string) => new TextEncoder().encode(text);

let chat: ChatHarness;
let alice: Client;
let bob: Client;

function say(from: Client, to: number, body: string): number {
  const id = from.nextId++;
  from.write((writer) => encodeSend(writer, id, to, bytes(body)));
  return id;
}
const kinds = (frames: readonly Seen[]) => frames.map(({ frame }) => frame);
const bodies = (frames: readonly Seen[]) =>
  frames.flatMap((frame) =>
    frame.frame === 'batch'
      ? (frame['items'] as Seen[]).map((item) => item['body'] ?? item.frame)
      : frame.frame === 'deliver'
        ? [frame['body']]
        : [],
  );
const lastSeq = (frames: readonly Seen[]) =>
  Math.max(
    0,
    ...frames.flatMap((frame) =>
      frame.frame === 'batch'
        ? (frame['items'] as Seen[]).map((item) => item['seq'] as number)
        : 'seq' in frame
          ? [frame['seq'] as number]
          : [],
    ),
  );

afterEach(() => chat.close());

describe('two people chat', () => {
  beforeEach(() => {
    chat = new ChatHarness();
    alice = chat.register(ALICE);
    bob = chat.register(BOB);
  });

  test('a message is acknowledged, delivered, accepted, wiped and receipted', () => {
    const id = say(alice, BOB, 'hello');
    assert.deepEqual(kinds(alice.take()), ['sendAck']);
    const [deliver] = bob.take();
    assert.ok(deliver);
    assert.deepEqual(
      { frame: deliver.frame, from: deliver['from'], messageId: deliver['messageId'], body: deliver['body'] },
      { frame: 'deliver', from: ALICE, messageId: id, body: 'hello' },
    );
    bob.ack(deliver['seq'] as number);
    const [receipt] = alice.take();
    assert.ok(receipt);
    assert.deepEqual(
      [receipt.frame, receipt['from'], receipt['read'], receipt['ranges']],
      ['receipt', BOB, false, [id, id]],
    );
    // Nothing is left for either of them.
    alice.ack(receipt['seq'] as number);
    assert.deepEqual(bob.again().take()[0]?.['pendingCount'], 0);
    assert.deepEqual(alice.again().take()[0]?.['pendingCount'], 0);
  });

  test('what is sent while the recipient is away is pulled when it comes back, in order', () => {
    bob.vanish();
    for (let n = 0; n < 5; n++) say(alice, BOB, `m${n}`);
    const back = bob.again();
    const frames = back.take();
    assert.deepEqual(kinds(frames), ['welcome', 'more']);
    assert.equal(frames[0]?.['state'], WelcomeState.reset);
    assert.equal(frames[0]?.['pendingCount'], 5);
    back.write((writer) => encodePull(writer, 0, 2, 0));
    const first = back.take();
    assert.deepEqual(bodies(first), ['m0', 'm1']);
    assert.equal(first[0]?.['hasMore'], true);
    say(alice, BOB, 'm5');
    assert.deepEqual(back.take(), [], 'nothing is pushed in pull mode');
    back.write((writer) => encodePull(writer, lastSeq(first), 0, 0));
    const second = back.take();
    assert.deepEqual(bodies(second), ['m2', 'm3', 'm4', 'm5']);
    assert.equal(second[0]?.['hasMore'], false);
    say(alice, BOB, 'm6');
    assert.deepEqual(bodies(back.take()), ['m6'], 'push mode is back');
    const { deliveries, deliveriesPulled, entriesOffline, entriesBehind, entriesLocal } =
      chat.chat.node.stats;
    assert.deepEqual({ deliveries, deliveriesPulled }, { deliveries: 7, deliveriesPulled: 6 });
    // m6, and Alice's receipt for what was pulled first.
    assert.deepEqual(
      { entriesOffline, entriesBehind, entriesLocal },
      { entriesOffline: 5, entriesBehind: 1, entriesLocal: 2 },
    );
  });

  test('what waits for a session that is held is bounded: its client is sent away, and comes again with it', () => {
    const id = say(alice, BOB, 'stored');
    alice.take();
    const session = chat.chat.sessionOf(ALICE);
    assert.ok(session !== undefined);
    chat.runtime.suspend(session);
    const body = 'x'.repeat(60_000);
    let sent = 0;
    for (; alice.socket.closedWith === null && sent < 1000; sent++) say(alice, BOB, body);
    assert.equal(alice.socket.closedWith, CloseCode.overloaded);
    assert.ok(sent > 50 && sent < 100, `${sent} messages of 60,000 bytes`);
    chat.runtime.resume(session);
    chat.runtime.flush();
    assert.equal(chat.chat.sessionOf(ALICE), undefined);
    const again = alice.again();
    again.take();
    again.write((writer) => encodeSend(writer, id + 1, BOB, bytes(body)));
    assert.deepEqual(kinds(again.take()), ['sendAck'], 'it was not stored before');
  });

  test('a retry is acknowledged as a duplicate and delivered once', () => {
    const id = say(alice, BOB, 'once');
    alice.take();
    const retry = alice.again();
    retry.take();
    retry.write((writer) => encodeSend(writer, id, BOB, bytes('once')));
    assert.deepEqual(
      retry.take().map((frame) => [frame.frame, frame['duplicate']]),
      [['sendAck', true]],
    );
    assert.deepEqual(bodies(bob.take()), ['once']);
  });

  test('resume by cursor gives exactly what is missing, and takes the cursor as an acknowledgement', () => {
    say(alice, BOB, 'one');
    say(alice, BOB, 'two');
    const [one, two] = bob.take();
    assert.ok(one && two);
    bob.vanish();
    const back = bob.again(chat.store.epoch, one['seq'] as number);
    const [welcome] = back.take();
    assert.equal(welcome?.['state'], WelcomeState.resumed);
    assert.equal(welcome?.['pendingCount'], 1);
    back.write((writer) => encodePull(writer, one['seq'] as number, 0, 0));
    assert.deepEqual(bodies(back.take()), ['two']);
    assert.deepEqual(
      alice.take().filter(({ frame }) => frame === 'receipt').length,
      1,
      'the cursor made the receipt of the first message',
    );
  });

  test('cursors that mean nothing here are reset; one that lies before what was accepted is truncated', () => {
    say(alice, BOB, 'one');
    const seq = lastSeq(bob.take());
    bob.ack(seq);
    const state = (epoch: number, at: number) => bob.again(epoch, at).take()[0]?.['state'];
    const { epoch } = chat.store;
    assert.equal(state(epoch, seq), WelcomeState.resumed);
    assert.equal(state(epoch - 1, seq), WelcomeState.reset);
    assert.equal(state(epoch + 1, seq), WelcomeState.reset);
    assert.equal(state(epoch, seq + 1_000_000), WelcomeState.reset);
    assert.equal(state(0, 0), WelcomeState.reset);
    assert.equal(state(epoch, seq - 1), WelcomeState.truncated);
  });

  test('read receipts are stored and forwarded like messages', () => {
    const id = say(alice, BOB, 'read me');
    bob.ack(lastSeq(bob.take()));
    alice.vanish();
    const receiptId = bob.nextId++;
    bob.write((writer) => encodeReadReceipt(writer, receiptId, ALICE, [id, id]));
    assert.deepEqual(
      bob.take().map((frame) => [frame.frame, frame['messageId']]),
      [['sendAck', receiptId]],
    );
    const back = alice.again();
    back.take();
    back.write((writer) => encodePull(writer, 0, 0, 0));
    const [batch] = back.take();
    assert.deepEqual(
      (batch!['items'] as Seen[]).map((item) => [item.frame, item['read'], item['ranges']]),
      [
        ['receipt', false, [id, id]],
        ['receipt', true, [id, id]],
      ],
    );
  });

  test('unknown recipients, oversized bodies, reserved addresses and blocked senders get typed errors', () => {
    const code = () => alice.take().find(({ frame }) => frame === 'error')?.['code'];
    say(alice, 19990009, 'nobody');
    assert.equal(code(), ErrorCode.unknownRecipient);
    say(alice, 12, 'no phone');
    assert.equal(code(), ErrorCode.badPhone);
    say(alice, BOB, 'x'.repeat(65_537));
    assert.equal(code(), ErrorCode.bodyTooLarge);
    bob.write((writer) => encodeRequest(writer, 7, 'block.add', { user: ALICE }));
    assert.deepEqual(kinds(bob.take()), ['response']);
    say(alice, BOB, 'let me in');
    assert.equal(code(), ErrorCode.blocked);
    bob.write((writer) => encodeRequest(writer, 8, 'block.remove', { user: ALICE }));
    say(alice, BOB, 'thanks');
    assert.deepEqual(bodies(bob.take()), ['thanks']);
    assert.equal(alice.socket.closedWith, null, 'none of this ends the connection');
  });

  test('a client that reads but accepts nothing is told MORE once, and costs one window', () => {
    for (let n = 0; n < 40; n++) say(alice, BOB, `${n}`.padEnd(4000, '.'));
    const frames = bob.take();
    const delivered = frames.filter(({ frame }) => frame === 'deliver');
    assert.equal(delivered.length, Math.floor(65_536 / 4032));
    assert.equal(frames.filter(({ frame }) => frame === 'more').length, 1);
    bob.write((writer) => encodePull(writer, lastSeq(delivered), 0, 0));
    const pulled = bob.take();
    assert.equal(bodies(delivered).length + bodies(pulled).length, 40);
    assert.equal(pulled.at(-1)?.['hasMore'], false);
  });

  test('a full socket buffer means pull mode; a pull waits for the socket to drain', () => {
    bob.socket.buffered = 1_000_000;
    say(alice, BOB, 'one');
    assert.deepEqual(kinds(bob.take()), ['more']);
    bob.write((writer) => encodePull(writer, 0, 0, 0));
    assert.deepEqual(bob.take(), []);
    bob.socket.buffered = 0;
    bob.socket.handler?.drained();
    chat.settle();
    assert.deepEqual(bodies(bob.take()), ['one']);
  });

  test('an acknowledgement beyond what was sent ends the connection', () => {
    bob.write((writer) => encodeAck(writer, 1_000_000));
    assert.equal(bob.socket.closedWith, CloseCode.protocolViolation);
    assert.equal(bob.take()[0]?.['code'], ErrorCode.ackBeyondSent);
  });

  test('nothing accepted for the ack timeout: the ghost is disconnected; progress keeps it', () => {
    say(alice, BOB, 'one');
    chat.clock.advance(29_000);
    bob.ack(lastSeq(bob.take()));
    say(alice, BOB, 'two');
    chat.clock.advance(29_000);
    assert.equal(bob.socket.closedWith, null);
    chat.clock.advance(31_000);
    assert.equal(bob.socket.closedWith, CloseCode.ackTimeout);
  });

  test('typing reaches who is online; presence goes to those who asked, and not to the blocked', () => {
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.typing, BOB, 1, 0));
    const [typing] = bob.take();
    assert.deepEqual(
      [typing?.['kind'], typing?.['peer'], typing?.['value']],
      [EphemeralKind.typing, ALICE, 1],
    );
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.subscribe, BOB, 0, 0));
    assert.deepEqual(
      alice.take().map((frame) => [frame['kind'], frame['peer'], frame['value']]),
      [[EphemeralKind.presence, BOB, 1]],
    );
    bob.write((writer) => encodeClientState(writer, false));
    const [away] = alice.take();
    assert.equal(away?.['value'], 0);
    assert.equal(away?.['time'], chat.clock.wall());
    bob.write((writer) => encodeClientState(writer, true));
    assert.equal(alice.take()[0]?.['value'], 1);
    bob.vanish();
    assert.equal(alice.take()[0]?.['value'], 0);
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.unsubscribe, BOB, 0, 0));
    bob = bob.again();
    assert.deepEqual(alice.take(), []);
    bob.write((writer) => encodeRequest(writer, 1, 'block.add', { user: ALICE }));
    bob.take();
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.subscribe, BOB, 0, 0));
    assert.deepEqual(
      alice.take().map((frame) => [frame['value'], frame['time']]),
      [[0, 0]],
    );
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.typing, BOB, 1, 0));
    assert.deepEqual(bob.take(), []);
  });

  test('who is blocked sees somebody leave, and neither come nor go after that', () => {
    const presence = () => alice.take().map((frame) => [frame['value'], frame['time']]);
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.subscribe, BOB, 0, 0));
    assert.deepEqual(presence(), [[1, 0]]);
    bob.write((writer) => encodeRequest(writer, 1, 'block.add', { user: ALICE }));
    assert.deepEqual(presence(), [[0, 0]]);
    bob.write((writer) => encodeClientState(writer, false));
    bob.write((writer) => encodeClientState(writer, true));
    bob.vanish();
    bob = bob.again();
    assert.deepEqual(presence(), []);
    bob.write((writer) => encodeRequest(writer, 2, 'block.remove', { user: ALICE }));
    assert.deepEqual(presence(), [[1, 0]]);
  });

  test('last seen of somebody offline comes from the store', () => {
    bob.vanish();
    const left = chat.clock.wall();
    chat.clock.advance(60_000);
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.subscribe, BOB, 0, 0));
    assert.deepEqual(
      alice.take().map((frame) => [frame['value'], frame['time']]),
      [[0, left]],
    );
  });

  test('whom somebody blocks is not told by a look-up when that somebody was there', () => {
    bob.write((writer) => encodeRequest(writer, 1, 'block.add', { user: ALICE }));
    bob.vanish();
    const seenBy = (client: Client) => {
      client.take();
      client.write((writer) => encodeRequest(writer, 2, 'users.lookup', { users: [BOB] }));
      const answer = client.take().find(({ frame }) => frame === 'response');
      return (answer!['body'] as { users: { lastSeen: number }[] }).users[0]?.lastSeen;
    };
    assert.equal(seenBy(alice), 0);
    assert.equal(seenBy(chat.register(15550003)), chat.clock.wall());
  });

  test('an answer of the store that is lost concerns its own request, which is refused in the end', () => {
    const { events } = chat.chat;
    const controlled = events.controlled.bind(events);
    const lost: Parameters<typeof controlled>[] = [];
    events.controlled = (...answer) => lost.push(answer);
    alice.write((writer) => encodeRequest(writer, 1, 'block.list', {}));
    events.controlled = controlled;
    alice.write((writer) => encodeRequest(writer, 2, 'users.lookup', { users: [BOB] }));
    alice.write((writer) => encodeRequest(writer, 3, 'block.list', {}));
    assert.deepEqual(
      alice.take().map(({ frame, id, body }) => [frame, id, Object.keys(body as object)]),
      [
        ['response', 2, ['users']],
        ['response', 3, ['users']],
      ],
    );
    chat.clock.advance(9_999);
    // One that waits later is given its whole time.
    events.controlled = () => {};
    alice.write((writer) => encodeRequest(writer, 4, 'block.list', {}));
    assert.deepEqual(alice.take(), []);
    const refused = () =>
      alice.take().map(({ frame, ref, code, retryable }) => [frame, ref, code, retryable]);
    chat.clock.advance(1);
    assert.deepEqual(refused(), [['error', 1, ErrorCode.storeUnavailable, true]]);
    chat.clock.advance(9_998);
    assert.deepEqual(refused(), []);
    chat.clock.advance(1);
    assert.deepEqual(refused(), [['error', 4, ErrorCode.storeUnavailable, true]]);
    // Too late, and twice.
    for (const answer of [...lost, ...lost]) controlled(...answer);
    chat.settle();
    assert.deepEqual(alice.take(), []);
  });

  test('a question that comes to nothing is refused, and not the one before it', () => {
    const { events } = chat.chat;
    const controlled = events.controlled.bind(events);
    const answers: Parameters<typeof controlled>[] = [];
    events.controlled = (...answer) => answers.push(answer);
    for (const id of [1, 2]) alice.write((writer) => encodeRequest(writer, id, 'block.list', {}));
    const [first, second] = answers;
    assert.ok(first !== undefined && second !== undefined);
    events.failed(-1, second[0], CommandKind.control, second[1], StoreFailure.io);
    controlled(...first);
    chat.settle();
    assert.deepEqual(
      alice.take().map(({ frame, id, ref }) => [frame, id ?? ref]),
      [
        ['error', 2],
        ['response', 1],
      ],
    );
  });

  test('pings are answered, requests too, unknown methods with an error', () => {
    alice.write((writer) => encodePing(writer, 42));
    assert.deepEqual(alice.take(), [{ frame: 'pong', token: 42 }]);
    alice.write(
      (writer) => encodeRequest(writer, 1, 'profile.set', { name: 'Alice' }),
      (writer) => encodeRequest(writer, 2, 'profile.get', {}),
      (writer) => encodeRequest(writer, 3, 'users.lookup', { users: [BOB, 19990009] }),
      (writer) => encodeRequest(writer, 4, 'no.such', {}),
      (writer) => encodeRequest(writer, 5, 'server.info', {}),
      (writer) => encodeRequest(writer, 6, 'profile.set', { name: 5 }),
    );
    const answers = alice.take();
    const answer = (id: number) => answers.find((frame) => frame['id'] === id || frame['ref'] === id);
    assert.deepEqual(answer(2)?.['body'], { user: ALICE, name: 'Alice' });
    assert.deepEqual(
      (answer(3)!['body'] as { users: { user: number }[] }).users.map(({ user }) => user),
      [BOB],
    );
    assert.equal(answer(4)?.['code'], ErrorCode.unknownMethod);
    assert.equal((answer(5)!['body'] as { epoch: number }).epoch, chat.store.epoch);
    assert.equal(answer(6)?.['code'], ErrorCode.badRequest);
  });

  test('a newer connection of the same device takes the place of the older one', () => {
    const newer = bob.again();
    assert.equal(bob.socket.closedWith, CloseCode.connectionReplaced);
    newer.take();
    say(alice, BOB, 'to the newer');
    assert.deepEqual(bodies(newer.take()), ['to the newer']);
  });

  test('a new device: the old socket is closed with a reason, and its key is dead', () => {
    say(bob, ALICE, 'from the old device');
    alice.ack(lastSeq(alice.take()));
    bob.take();
    chat.clock.advance(120_000);
    bob = bob.again();
    const next = chat.register(BOB);
    assert.equal(next.device, bob.device + 1);
    assert.equal(bob.socket.closedWith, CloseCode.deviceReplaced);
    const old = bob.again();
    assert.equal(old.socket.closedWith, CloseCode.deviceReplaced);
    assert.ok(next.nextId >= bob.nextId, 'the new device numbers above the old one');
    say(alice, BOB, 'hi');
    next.write((writer) => encodePull(writer, 0, 0, 0));
    assert.deepEqual(bodies(next.take()).at(-1), 'hi');
  });

  test('a crash inside a session ends that session alone', () => {
    const session = chat.chat.sessionOf(BOB);
    assert.ok(session);
    chat.runtime.exit(session, { type: 'error', error: new Error('boom') });
    chat.settle();
    assert.equal(bob.socket.closedWith, CloseCode.internalError);
    assert.equal(alice.socket.closedWith, null);
    const back = bob.again();
    back.take();
    say(alice, BOB, 'still here');
    assert.deepEqual(bodies(back.take()), ['still here']);
  });

  test('a partition that crashes is restarted; its sessions attach anew and miss nothing', () => {
    const partition = partitionOf(BOB);
    const crash = () => {
      const pid = chat.chat.node.partition(partition);
      assert.ok(pid);
      chat.runtime.exit(pid, ExitReason.kill);
    };
    crash();
    // Sent before anybody has noticed.
    say(alice, BOB, 'in between');
    const frames = bob.take();
    const got = bodies(frames);
    if (frames.some(({ frame }) => frame === 'more')) {
      bob.write((writer) => encodePull(writer, 0, 0, 0));
      got.push(...bodies(bob.take()));
    }
    assert.deepEqual(got, ['in between']);
    say(alice, BOB, 'after');
    assert.deepEqual(bodies(bob.take()), ['after']);
    assert.equal(bob.socket.closedWith, null);
  });

  test('a session whose client had forgotten its cursor stays when its partition is started anew', () => {
    say(alice, BOB, 'before');
    bob.ack(lastSeq(bob.take()));
    for (const [epoch, state] of [
      [0, WelcomeState.reset],
      [chat.store.epoch, WelcomeState.truncated],
    ] as const) {
      const back = bob.again(epoch, 0);
      assert.equal(back.take()[0]?.['state'], state);
      const pid = chat.chat.node.partition(partitionOf(BOB));
      assert.ok(pid);
      chat.runtime.exit(pid, ExitReason.kill);
      const text = `state ${state}`;
      say(alice, BOB, text);
      const frames = back.take();
      const got = bodies(frames);
      if (frames.some(({ frame }) => frame === 'more')) {
        back.write((writer) => encodePull(writer, 0, 0, 0));
        frames.push(...back.take());
        got.push(...bodies(frames));
      }
      assert.deepEqual(got, [text]);
      back.ack(lastSeq(frames));
      assert.equal(back.socket.closedWith, null);
    }
  });

  test('too many crashes of partitions escalate: all sessions go, then the scheduler gives up', () => {
    for (let n = 0; n < 21; n++) {
      const pid = chat.chat.node.partition(n % 8);
      assert.ok(pid);
      chat.runtime.exit(pid, ExitReason.kill);
      chat.settle();
    }
    assert.equal(alice.socket.closedWith, CloseCode.goingAway);
    assert.equal(chat.ended, null, 'the scheduler goes on with new partitions');
    const back = alice.again();
    assert.equal(back.take()[0]?.frame, 'welcome');
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 21; n++) {
        const pid = chat.chat.node.partition(n % 8);
        if (pid !== undefined) chat.runtime.exit(pid, ExitReason.kill);
        chat.settle();
      }
    }
    assert.equal(chat.ended, 'shutdown');
  });

  test('the server sends everybody away with a reason and a spread delay', () => {
    chat.chat.leave(1000, 5000);
    chat.settle();
    const delays = [alice, bob].map((client) => {
      const [goAway] = client.take();
      assert.equal(goAway?.frame, 'goAway');
      return goAway?.['delayMs'] as number;
    });
    assert.notEqual(delays[0], delays[1]);
    chat.clock.advance(1001);
    assert.equal(alice.socket.closedWith, CloseCode.goingAway);
    assert.equal(bob.socket.closedWith, CloseCode.goingAway);
  });

  test('when everybody has gone nothing is left that nobody owns', () => {
    const before = chat.runtime.processCount;
    alice.write((writer) => encodeEphemeral(writer, EphemeralKind.subscribe, BOB, 0, 0));
    say(alice, BOB, 'bye');
    alice.vanish();
    bob.vanish();
    assert.equal(chat.runtime.processCount, before - 2);
    assert.equal(chat.chat.node.sessions.size, 0);
    assert.equal(chat.chat.node.corks.dirty, 0);
    assert.deepEqual([chat.chat.node.stats.sessions, chat.chat.node.stats.online], [0, 0]);
  });
});

describe('strangers', () => {
  beforeEach(() => {
    chat = new ChatHarness({ authDeadlineMs: '10s', operationsPerSecond: '10', operationsBurst: '20' });
  });

  test('an authentication that never comes', () => {
    const client = chat.connect();
    chat.clock.advance(9_999);
    assert.equal(client.socket.closedWith, null);
    chat.clock.advance(2);
    assert.equal(client.socket.closedWith, CloseCode.authTimeout);
  });

  test('frames before the hello, text messages, rubbish and oversized messages', () => {
    const early = chat.connect();
    early.write((writer) => encodeSend(writer, 1, BOB, bytes('early')));
    assert.equal(early.socket.closedWith, CloseCode.protocolViolation);
    assert.equal(early.take()[0]?.['code'], ErrorCode.outOfOrder);
    const texts = chat.connect();
    texts.raw(bytes('hello'), false);
    assert.equal(texts.socket.closedWith, CloseCode.malformed);
    const rubbish = chat.connect();
    rubbish.raw(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    assert.equal(rubbish.socket.closedWith, CloseCode.malformed);
    const large = chat.connect();
    large.raw(new Uint8Array(4097));
    assert.equal(large.socket.closedWith, CloseCode.frameTooLarge);
    const anonymous = chat.connect();
    anonymous.hello();
    anonymous.write((writer) => encodeSend(writer, 1, BOB, bytes('early')));
    assert.equal(anonymous.take().at(-1)?.['code'], ErrorCode.notAuthenticated);
    chat.settle();
    assert.equal(chat.chat.node.sessions.size, 0);
  });

  test('a wrong key, and a number that does not exist, get the same answer', () => {
    const alice = chat.register(ALICE);
    alice.key = new Uint8Array(32);
    const wrong = alice.again();
    const stranger = chat.connect();
    stranger.user = 19990009;
    stranger.device = 1;
    stranger.key = new Uint8Array(32);
    stranger.hello();
    assert.deepEqual(wrong.take(), stranger.take());
    assert.equal(wrong.socket.closedWith, CloseCode.badCredentials);
    assert.equal(stranger.socket.closedWith, CloseCode.badCredentials);
  });

  test('an answer of the store that comes twice, or never, concerns one registration only', () => {
    const [first, second] = [chat.connect(), chat.connect()];
    for (const client of [first, second]) client.hello();
    // The first answer is repeated, as by a writer that died behind its commit.
    const { events } = chat.chat;
    const controlled = events.controlled.bind(events);
    const repeated: Parameters<typeof controlled>[] = [];
    events.controlled = (requester, ref, result) => {
      repeated.push([requester, ref, result]);
      controlled(requester, ref, result);
    };
    first.write((writer) => encodeRegister(writer, { ref: 1, phone: ALICE }));
    for (const answer of repeated) controlled(...answer);
    second.write((writer) => encodeRegister(writer, { ref: 2, phone: BOB }));
    assert.deepEqual(
      [first, second].map((client) => client.take().map(({ frame, ref }) => [frame, ref])),
      [
        [
          ['welcome', undefined],
          ['challenge', 1],
        ],
        [
          ['welcome', undefined],
          ['challenge', 2],
        ],
      ],
    );
    // And one that is lost: the store begins anew, and whoever waits is told.
    events.controlled = () => {};
    chat.clock.advance(120_000);
    first.write((writer) => encodeRegister(writer, { ref: 3, phone: ALICE }));
    assert.deepEqual(first.take(), []);
    events.restarted();
    chat.settle();
    assert.deepEqual(first.take(), [], 'it may still come');
    chat.clock.advance(5000);
    assert.deepEqual(
      first.take().map(({ frame, ref, code }) => [frame, ref, code]),
      [['error', 3, ErrorCode.storeUnavailable]],
    );
  });

  test('five tries for a PIN, from however many connections', () => {
    const client = chat.connect();
    client.hello();
    client.write((writer) => encodeRegister(writer, { ref: 1, phone: ALICE }));
    client.take();
    const right = chat.pins.get(ALICE);
    assert.ok(right);
    const wrong = right === '111111' ? '222222' : '111111';
    const codes: unknown[] = [];
    for (let n = 0; n < 6; n++) {
      const guess = chat.connect(`7f0000${10 + n}`);
      guess.hello();
      guess.take();
      guess.write((writer) => encodeVerify(writer, { ref: 9, phone: ALICE, pin: wrong, name: '' }));
      const [error] = guess.take();
      codes.push([error?.['code'], error?.['detail']]);
    }
    assert.deepEqual(
      codes.slice(0, 5),
      [4, 3, 2, 1, 0].map((left) => [ErrorCode.pinWrong, left]),
    );
    client.write((writer) => encodeVerify(writer, { ref: 9, phone: ALICE, pin: right, name: '' }));
    assert.equal(client.take()[0]?.frame, 'error', 'the right PIN comes too late');
  });

  test('what was on the wire behind a refused message does not overtake it', () => {
    const alice = chat.register(ALICE);
    const write = (...ids: number[]) =>
      alice.write(
        ...ids.map((id) => (writer: Parameters<typeof encodeSend>[0]) => {
          encodeSend(writer, id, ALICE, bytes(`${id}`));
        }),
      );
    const first = alice.nextId;
    write(...Array.from({ length: 25 }, (_, n) => first + n));
    alice.take();
    const refused = first + 20;
    // Tokens for two are back, but the first one that was refused has not come again.
    chat.clock.advance(250);
    write(refused + 3);
    assert.deepEqual(
      alice.take().map((frame) => [frame.frame, frame['code'], frame['retryable']]),
      [['error', ErrorCode.rateLimited, true]],
    );
    write(refused);
    assert.deepEqual(
      alice
        .take()
        .filter(({ frame }) => frame === 'sendAck')
        .map((frame) => frame['messageId']),
      [refused],
    );
  });

  test('saying hello again does not put off the end of a connection that never authenticates', () => {
    const client = chat.connect();
    client.hello();
    for (let minute = 0; minute < 10; minute++) {
      chat.clock.advance(60_000);
      client.hello();
    }
    assert.equal(client.socket.closedWith, null);
    chat.clock.advance(60_001);
    assert.equal(client.socket.closedWith, CloseCode.authTimeout);
  });

  test('a flood of frames before the authentication ends the connection', () => {
    const client = chat.connect();
    client.hello();
    client.write((writer) => {
      for (let n = 0; n < 1000; n++) encodePing(writer, 1);
    });
    assert.equal(client.socket.closedWith, null);
    client.write((writer) => {
      for (let n = 0; n < 100; n++) encodePing(writer, 1);
    });
    assert.equal(client.socket.closedWith, CloseCode.rateLimited);
  });

  test('a connection asks the registrar for one thing at a time', () => {
    const client = chat.connect();
    client.hello();
    client.take();
    client.write(
      (writer) => encodeRegister(writer, { ref: 1, phone: ALICE }),
      (writer) => encodeRegister(writer, { ref: 2, phone: BOB }),
      (writer) => encodeVerify(writer, { ref: 3, phone: BOB, pin: '000000', name: '' }),
    );
    const frames = client.take();
    const refused = frames.filter((frame) => frame['code'] === ErrorCode.rateLimited);
    assert.deepEqual(
      refused.map((frame) => [frame['ref'], frame['retryable']]),
      [
        [2, true],
        [3, true],
      ],
    );
    assert.equal(frames.filter(({ frame }) => frame === 'challenge').length, 1);
    assert.deepEqual([...chat.pins.keys()], [ALICE]);
    // And the next when that is answered.
    client.write((writer) => encodeRegister(writer, { ref: 4, phone: BOB }));
    assert.equal(client.take()[0]?.frame, 'challenge');
  });

  test('above the rate sends are refused and told when to come back; a flood ends the connection', () => {
    const alice = chat.register(ALICE);
    const burst = (count: number) =>
      alice.write(
        ...Array.from({ length: count }, () => (writer: Parameters<typeof encodeSend>[0]) => {
          encodeSend(writer, alice.nextId++, ALICE, bytes('x'));
        }),
      );
    burst(30);
    const frames = alice.take();
    const refused = frames.filter((frame) => frame['code'] === ErrorCode.rateLimited);
    assert.equal(frames.filter(({ frame }) => frame === 'sendAck').length, 20);
    assert.equal(refused.length, 10);
    assert.ok(refused.every((frame) => frame['retryable'] === true && (frame['retryAfterMs'] as number) > 0));
    burst(1100);
    assert.equal(alice.socket.closedWith, CloseCode.rateLimited);
  });
});
