/** The client against a model of the server, over a simulated clock and simulated sockets. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientError } from '../../src/client/client-error.js';
import type { ClientOptions } from '../../src/client/client-options.js';
import type { ClientStore, StoreChange, StoredState } from '../../src/client/client-store.js';
import { type IncomingMessage, messageText } from '../../src/client/incoming.js';
import { MemoryClientStore } from '../../src/client/memory-store.js';
import type { Outcome } from '../../src/client/pending-requests.js';
import { RookeryClient } from '../../src/client/rookery-client.js';
import { CloseCode } from '../../src/protocol/close-code.js';
import { ErrorCode } from '../../src/protocol/error-code.js';
import { EphemeralKind } from '../../src/protocol/frames/ephemeral.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { ModelNetwork } from './model-network.js';
import { MODEL_PIN, ModelServer } from './model-server.js';

const ALICE = 491_700_000_001;
const BOB = 491_700_000_002;
const URL_1 = 'ws://server:4000/ws';

const HOME = 'ws://server:4100/ws';

class World {
  readonly clock = new SimulatedClock();
  readonly server = new ModelServer(this.clock);
  readonly network = new ModelNetwork(this.clock, this.server);

  client(store: ClientStore = new MemoryClientStore(), options: Partial<ClientOptions> = {}): Peer {
    return new Peer(this, store, options);
  }

  /** A registered client, online. */
  online(user: number, options: Partial<ClientOptions> = {}): Peer {
    const peer = this.client(new MemoryClientStore(), options);
    peer.register(user);
    assert.equal(peer.client.state.kind, 'online');
    return peer;
  }
}

class Peer {
  readonly client: RookeryClient;
  readonly messages: IncomingMessage[] = [];
  readonly log: string[] = [];

  constructor(
    readonly world: World,
    readonly store: ClientStore,
    options: Partial<ClientOptions> = {},
  ) {
    let opened: Outcome<RookeryClient> | null = null;
    RookeryClient.openWith(
      {
        url: URL_1,
        store,
        clock: world.clock,
        random: new SeededRandom(1),
        sockets: world.network,
        onMessage: (message) => {
          this.messages.push(message);
        },
        ...options,
      },
      (outcome) => {
        opened = outcome;
      },
    );
    const outcome = opened as Outcome<RookeryClient> | null;
    assert.ok(outcome?.ok, 'a memory store answers at once');
    this.client = outcome.value;
    this.client.on('state', (state) => this.log.push(state.kind));
    this.client.on('listenerFailed', ({ error }) => {
      throw error;
    });
  }

  get texts(): string[] {
    return this.messages.map(messageText);
  }

  register(user: number, name = ''): void {
    let outcome: Outcome<unknown> | null = null;
    this.client.registerWith(user, () => {
      this.client.verifyWith(user, MODEL_PIN, name, (result) => {
        outcome = result;
      });
    });
    this.world.clock.advance(100);
    assert.deepEqual(outcome, { ok: true, value: { user } });
  }
}

describe('registration', () => {
  test('register, verify, and online on the same connection', () => {
    const world = new World();
    const alice = world.client();
    alice.register(ALICE, 'Alice');
    assert.deepEqual(alice.log, ['connecting', 'registering', 'connecting', 'online']);
    assert.equal(world.network.opened, 1);
    assert.equal(alice.client.user, ALICE);
    assert.equal((alice.store as MemoryClientStore).state.credentials?.user, ALICE);
    assert.equal((alice.store as MemoryClientStore).state.nextMessageId, 1000);
  });

  test('a wrong PIN is refused with the tries left, and another try works', () => {
    const world = new World();
    const alice = world.client();
    const seen: unknown[] = [];
    alice.client.registerWith(ALICE, () => {
      alice.client.verifyWith(ALICE, '000000', '', (outcome) => {
        seen.push(
          outcome.ok
            ? 'ok'
            : [outcome.error.code, outcome.error.refusal?.serverCode, outcome.error.refusal?.detail],
        );
      });
    });
    world.clock.advance(100);
    assert.deepEqual(seen, [['refused', ErrorCode.pinWrong, 4]]);
    alice.register(ALICE);
    assert.equal(alice.client.state.kind, 'online');
  });

  test('the connection may die between the challenge and the PIN', () => {
    const world = new World();
    const alice = world.client();
    let challenged = false;
    alice.client.registerWith(ALICE, ({ ok }) => {
      challenged = ok;
    });
    world.clock.advance(50);
    assert.ok(challenged);
    world.network.cut();
    assert.equal(alice.client.state.kind, 'idle');
    let verified = false;
    alice.client.verifyWith(ALICE, MODEL_PIN, '', ({ ok }) => {
      verified = ok;
    });
    world.clock.advance(50);
    assert.ok(verified);
    assert.equal(alice.client.state.kind, 'online');
  });

  test('a registration that loses its connection is told so', () => {
    const world = new World();
    world.server.isUp = false;
    const alice = world.client();
    let error: ClientError | null = null;
    alice.client.registerWith(ALICE, (outcome) => {
      if (!outcome.ok) error = outcome.error;
    });
    world.clock.advance(50);
    assert.equal((error as ClientError | null)?.code, 'disconnected');
  });

  test('without credentials there is nothing to connect with', () => {
    const world = new World();
    const alice = world.client();
    alice.client.connect();
    assert.deepEqual(alice.client.state, { kind: 'closed', reason: 'notRegistered', ending: null });
    assert.throws(() => alice.client.send(BOB, 'x'), { code: 'notRegistered' });
  });

  test('credentials that the store does not take are not used', () => {
    const world = new World();
    const store = new BrittleStore();
    const alice = world.client(store);
    store.failures = 2;
    let done = false;
    alice.client.registerWith(ALICE, () => {
      alice.client.verifyWith(ALICE, MODEL_PIN, '', () => {
        done = true;
      });
    });
    world.clock.advance(100);
    assert.equal(done, false);
    assert.equal(alice.client.user, null);
    world.clock.advance(5_000);
    assert.equal(done, true);
    assert.equal(alice.client.state.kind, 'online');
  });
});

describe('messages', () => {
  test('queued, sent, delivered, read', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const bob = world.online(BOB);
    const message = alice.client.send(BOB, 'hello');
    const steps: string[] = [message.status];
    message.onStatus(({ status }) => steps.push(status));
    world.clock.advance(100);
    assert.deepEqual(bob.texts, ['hello']);
    assert.deepEqual(steps, ['queued', 'sent', 'delivered']);
    assert.equal(message.messageId, bob.messages[0]!.messageId);
    bob.client.markRead(ALICE, [bob.messages[0]!.id]);
    world.clock.advance(100);
    assert.deepEqual(steps, ['queued', 'sent', 'delivered', 'read']);
    assert.equal(alice.client.unacknowledgedCount, 0);
    assert.equal(bob.client.unacknowledgedCount, 0);
    assert.deepEqual((alice.store as MemoryClientStore).state.outbox, []);
  });

  test('acknowledgements and receipts of one turn are one frame', () => {
    const world = new World();
    world.online(ALICE);
    const bob = world.online(BOB);
    world.network.cut();
    for (let id = 1; id <= 50; id++) world.server.deliver(BOB, ALICE, id, `m${id}`);
    world.server.sessions.clear();
    const before = world.server.ackCount;
    world.server.accounts.delete(ALICE);
    world.clock.advance(1_000);
    assert.equal(bob.messages.length, 50);
    assert.equal(world.server.ackCount - before, 1);
    world.server.register(ALICE, '');
    const sends = world.server.received.length;
    for (const { id } of bob.messages) bob.client.markRead(ALICE, [id]);
    world.clock.advance(100);
    assert.equal(world.server.received.length - sends, 1);
  });

  test('an unknown recipient fails, and nothing behind it', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.online(BOB);
    const lost = alice.client.send(BOB + 1, 'x');
    const kept = alice.client.send(BOB, 'y');
    world.clock.advance(100);
    assert.equal(lost.status, 'failed');
    assert.equal(lost.failure?.error.refusal?.serverCode, ErrorCode.unknownRecipient);
    assert.equal(lost.failure?.uncertain, false);
    assert.equal(kept.status, 'delivered');
  });

  test('at most 256 ids between the oldest unanswered and the newest', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.online(BOB);
    world.server.muteAcks = 1;
    for (let i = 0; i < 400; i++) alice.client.send(BOB, `${i}`);
    world.clock.advance(1_000);
    const ids = world.server.received;
    assert.equal(ids.length, 256);
    assert.equal(Math.max(...ids) - Math.min(...ids), 255);
    // The oldest is repeated after the time-out, is a duplicate, and the rest follows.
    world.clock.advance(16_000);
    assert.equal(alice.client.unacknowledgedCount, 0);
    assert.deepEqual(new Set(ids).size, 400);
  });

  test('the outbox has bounds of count and bytes', () => {
    const world = new World();
    const alice = world.online(ALICE, { limits: { outboxCountMax: 3, outboxBytesMax: 10_000 } });
    world.network.cut();
    alice.client.send(BOB, 'a');
    assert.throws(() => alice.client.send(BOB, 'b'.repeat(10_000)), { code: 'outboxFull' });
    alice.client.send(BOB, 'b');
    alice.client.send(BOB, 'c');
    assert.throws(() => alice.client.send(BOB, 'd'), { code: 'outboxFull' });
    assert.throws(() => alice.client.send(BOB, 'x'.repeat(65_537)), { code: 'bodyTooLarge' });
  });

  test('a full inbox is tried again, then fails; other recipients go on', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.online(BOB);
    world.server.register(BOB + 1, 'Carol');
    world.server.refusalRetryAfterMs = 1_000;
    world.server.full.add(BOB);
    const full = alice.client.send(BOB, 'x');
    world.clock.advance(10);
    const behind = alice.client.send(BOB, 'behind');
    const other = alice.client.send(BOB + 1, 'other');
    world.clock.advance(100);
    assert.equal(other.status, 'sent');
    assert.equal(full.status, 'queued');
    assert.equal(behind.status, 'queued');
    assert.ok(!world.server.received.includes(behind.id), 'held back behind the refused one');
    while (full.status === 'queued') assert.ok(world.clock.step());
    assert.equal(full.failure?.error.refusal?.serverCode, ErrorCode.inboxFull);
    assert.equal(world.server.received.filter((id) => id === full.id).length, 5);
    world.server.full.clear();
    world.clock.advance(120_000);
    assert.equal(behind.status, 'delivered');
  });

  test('an overloaded server is given a rest and gets everything in order', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const bob = world.online(BOB);
    world.server.refusalRetryAfterMs = 2_000;
    world.server.refusals.push(ErrorCode.overloaded, ErrorCode.overloaded, ErrorCode.overloaded);
    for (let i = 0; i < 3; i++) alice.client.send(BOB, `${i}`);
    world.clock.advance(1_000);
    const tried = world.server.received.length;
    alice.client.send(BOB, '3');
    world.clock.advance(500);
    assert.equal(world.server.received.length, tried);
    world.clock.advance(60_000);
    assert.deepEqual(bob.texts, ['0', '1', '2', '3']);
  });

  test('an id that is too old says whether the message may have arrived, and the next ones work', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.online(BOB);
    world.server.refusals.push(ErrorCode.messageIdTooOld);
    world.server.refusalDetail = 5_000;
    const old = alice.client.send(BOB, 'x');
    world.clock.advance(100);
    assert.equal(old.status, 'failed');
    assert.equal(old.failure?.uncertain, false);
    const next = alice.client.send(BOB, 'y');
    assert.equal(next.id, 5_001);
    world.clock.advance(100);
    assert.equal(next.status, 'delivered');
    assert.equal((alice.store as MemoryClientStore).state.nextMessageId, 5_002);
  });
});

describe('trouble on the way', () => {
  test('a cut connection comes back, and what was in flight arrives once', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const bob = world.online(BOB);
    for (let i = 0; i < 20; i++) alice.client.send(BOB, `${i}`);
    // The sends are on the wire, no ack has come back yet.
    world.clock.advance(1);
    world.network.cut();
    assert.equal(alice.client.state.kind, 'waiting');
    world.clock.advance(5_000);
    assert.equal(alice.client.state.kind, 'online');
    assert.deepEqual(
      bob.texts,
      [...new Array(20).keys()].map((i) => `${i}`),
    );
    assert.equal(alice.client.unacknowledgedCount, 0);
  });

  test('the back-off grows, stays below its cap, tells the time of the next try, and is reset', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.clock.advance(11_000);
    world.server.isUp = false;
    const waits: number[] = [];
    alice.client.on('state', (state) => {
      if (state.kind !== 'waiting') return;
      assert.ok(Math.abs(state.retryAt - world.clock.wall() - state.delayMs) <= 2);
      waits.push(state.delayMs);
    });
    world.network.cut();
    world.clock.advance(600_000);
    assert.ok(waits.length > 20, `${waits.length} tries`);
    assert.ok(waits[0]! <= 250);
    assert.ok(Math.max(...waits) <= 30_000);
    assert.ok(Math.max(...waits.slice(8)) > 10_000);
    world.server.isUp = true;
    world.clock.advance(60_000);
    assert.equal(alice.client.state.kind, 'online');
    waits.length = 0;
    world.network.cut();
    assert.ok(waits[0]! <= 250, `${waits[0]}`);
  });

  test('a dead peer is noticed by its silence', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.network.silence();
    const message = alice.client.send(ALICE, 'to myself');
    world.clock.advance(30_000);
    assert.equal(alice.client.state.kind, 'online');
    world.clock.advance(15_000);
    assert.equal(alice.client.state.kind, 'online');
    assert.ok(alice.log.includes('waiting'));
    assert.equal(message.status, 'delivered');
  });

  test('a silent connection is pinged once a heartbeat', () => {
    const world = new World();
    world.online(ALICE);
    world.clock.advance(300_000);
    assert.ok(world.server.pingCount >= 9 && world.server.pingCount <= 11, `${world.server.pingCount} pings`);
  });

  test('GOAWAY: comes back after its delay, not sooner, where it says', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.server.goAway(5_000, 'other:4001');
    world.clock.advance(10);
    assert.equal(alice.client.state.kind, 'waiting');
    alice.client.retryNow();
    world.clock.advance(4_980);
    assert.equal(alice.client.state.kind, 'waiting');
    world.clock.advance(50);
    assert.equal(alice.client.state.kind, 'online');
    assert.equal(world.network.tried.at(-1), 'ws://other:4001/ws');
  });

  test('retryNow does not wait', () => {
    const world = new World();
    const alice = world.online(ALICE);
    world.server.isUp = false;
    world.network.cut();
    world.clock.advance(120_000);
    world.server.isUp = true;
    while (alice.client.state.kind !== 'waiting') world.clock.step();
    alice.client.retryNow();
    world.clock.advance(5);
    assert.equal(alice.client.state.kind, 'online');
  });

  for (const [code, reason] of [
    [CloseCode.deviceReplaced, 'deviceReplaced'],
    [CloseCode.connectionReplaced, 'connectionReplaced'],
    [CloseCode.badCredentials, 'badCredentials'],
    [CloseCode.unsupportedVersion, 'unsupported'],
    [CloseCode.protocolViolation, 'protocol'],
  ] as const) {
    test(`close ${code} is not tried again: ${reason}`, () => {
      const world = new World();
      const alice = world.online(ALICE);
      const tries = world.network.opened;
      world.server.session(ALICE).close(code);
      world.clock.advance(600_000);
      const { state } = alice.client;
      assert.equal(state.kind === 'closed' ? state.reason : state.kind, reason);
      assert.equal(world.network.opened, tries);
    });
  }

  test('two clients of one device do not cut each other off for ever', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const twin = world.client(new MemoryClientStore((alice.store as MemoryClientStore).state));
    twin.client.connect();
    world.clock.advance(60_000);
    assert.equal(twin.client.state.kind, 'online');
    assert.equal(alice.client.state.kind, 'closed');
  });

  test('follows the home port at a quiet moment, and comes back to it', () => {
    const world = new World();
    world.server.homePort = 4100;
    const alice = world.online(ALICE);
    assert.equal(world.network.tried.at(-1), 'ws://server:4100/ws');
    assert.equal(world.network.liveCount, 1);
    assert.equal(alice.client.state.kind, 'online');
    assert.ok(!alice.log.includes('waiting'));
    const message = alice.client.send(ALICE, 'x');
    world.clock.advance(100);
    assert.equal(message.status, 'delivered');
    world.network.cut();
    world.clock.advance(1_000);
    assert.equal(world.network.tried.at(-1), 'ws://server:4100/ws');
  });

  test('a home port that is gone is left for the common one, at once, and found again', () => {
    const world = new World();
    world.server.homePort = 4100;
    const alice = world.online(ALICE);
    const tries = world.network.tried.length;
    world.server.closedPorts.add(4100);
    world.network.cut();
    world.clock.advance(600);
    assert.deepEqual(world.network.tried.slice(tries, tries + 2), [HOME, URL_1]);
    assert.equal(alice.client.state.kind, 'online');
    // It is tried again, from the connection that works.
    world.clock.advance(10_000);
    const scouts = world.network.tried.slice(tries + 2);
    assert.ok(scouts.length > 0 && scouts.every((url) => url === HOME), String(scouts));
    assert.equal(alice.client.state.kind, 'online');
    world.server.closedPorts.clear();
    world.network.cut();
    world.clock.advance(60_000);
    assert.equal(world.network.tried.at(-1), HOME);
    assert.equal(world.network.liveCount, 1);
    assert.equal(alice.client.state.kind, 'online');
  });

  test('a home port that never can be reached costs a try now and then', () => {
    const world = new World();
    world.server.homePort = 4100;
    world.server.closedPorts.add(4100);
    const alice = world.online(ALICE);
    for (let hour = 0; hour < 24; hour++) {
      world.clock.advance(3_600_000);
      world.network.cut();
    }
    world.clock.advance(10_000);
    assert.equal(alice.client.state.kind, 'online');
    const tries = world.network.tried.filter((url) => url === HOME).length;
    assert.ok(tries >= 10 && tries <= 50, `${tries} tries in a day`);
  });

  test('moves when the server says that the inbox has, after the delay, and without a gap', () => {
    const world = new World();
    world.server.homePort = 4100;
    const alice = world.online(ALICE);
    const tries = world.network.tried.length;
    world.server.homePort = 4200;
    world.server.home(ALICE, 4200, 5_000);
    world.clock.advance(4_900);
    assert.equal(world.network.tried.length, tries, 'not before its time');
    const message = alice.client.send(ALICE, 'x');
    world.clock.advance(1_000);
    assert.deepEqual(world.network.tried.slice(tries), ['ws://server:4200/ws']);
    assert.equal(message.status, 'delivered');
    assert.equal(world.network.liveCount, 1);
    assert.ok(!alice.log.includes('waiting'));
    // It came back before the client had left.
    world.server.home(ALICE, 4300, 5_000);
    world.clock.advance(1_000);
    world.server.home(ALICE, 0, 0);
    world.clock.advance(60_000);
    assert.equal(world.network.tried.length, tries + 1);
    world.network.cut();
    world.clock.advance(1_000);
    assert.equal(world.network.tried.at(-1), 'ws://server:4200/ws');
  });

  test('stays where it is if it is told to', () => {
    const world = new World();
    world.server.homePort = 4100;
    world.online(ALICE, { followHomePort: false });
    world.server.home(ALICE, 4200, 0);
    world.clock.advance(60_000);
    assert.ok(world.network.tried.every((url) => url === URL_1));
  });

  test('garbage from the server ends the connection, not the client', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const session = world.server.session(ALICE);
    session.writer.reserve(8);
    session.writer.bytes.set([0xff, 0xff, 0xff, 0xff]);
    session.writer.length = 4;
    session.flush();
    world.clock.advance(1);
    assert.equal(alice.client.state.kind, 'waiting');
    world.clock.advance(1_000);
    assert.equal(alice.client.state.kind, 'online');
  });
});

describe('the inbox', () => {
  test('is pulled after a start, in batches, in order, and pushed afterwards', () => {
    const world = new World();
    const bob = world.online(BOB);
    world.network.cut();
    for (let id = 1; id <= 100; id++) world.server.deliver(BOB, ALICE, id, `${id} ${'x'.repeat(1_000)}`);
    world.clock.advance(10_000);
    assert.equal(bob.messages.length, 100);
    assert.deepEqual(
      bob.messages.map(({ id }) => id),
      [...new Array(100).keys()].map((i) => i + 1),
    );
    assert.ok(world.server.pullCount >= 4, `${world.server.pullCount} pulls`);
    const pulls = world.server.pullCount;
    world.server.deliver(BOB, ALICE, 101, 'pushed');
    world.clock.advance(100);
    assert.equal(bob.texts.at(-1), 'pushed');
    assert.equal(world.server.pullCount, pulls);
    assert.equal(world.server.accounts.get(BOB)!.inbox.length, 0);
  });

  test('nothing is acknowledged before the handler has accepted', async () => {
    const world = new World();
    const decisions: { resolve: () => void; reject: (error: Error) => void }[] = [];
    const handed: number[] = [];
    const bob = world.online(BOB, {
      onMessage: ({ id }) => {
        handed.push(id);
        return new Promise<void>((resolve, reject) => decisions.push({ resolve, reject }));
      },
    });
    for (let id = 1; id <= 3; id++) world.server.deliver(BOB, ALICE, id, `${id}`);
    world.clock.advance(100);
    assert.deepEqual(handed, [1]);
    assert.equal(world.server.accounts.get(BOB)!.inbox.length, 3);
    decisions[0]!.resolve();
    await turnOfPromises();
    world.clock.advance(100);
    assert.deepEqual(handed, [1, 2]);
    assert.equal(world.server.accounts.get(BOB)!.inbox.length, 2);
    let failure: unknown = null;
    bob.client.on('handlerFailed', ({ error }) => {
      failure = error;
    });
    decisions[1]!.reject(new Error('no room'));
    await turnOfPromises();
    world.clock.advance(100);
    assert.equal((failure as Error).message, 'no room');
    assert.deepEqual(handed, [1, 2]);
    world.clock.advance(2_000);
    assert.deepEqual(handed, [1, 2, 2]);
    assert.equal(world.server.accounts.get(BOB)!.inbox.length, 2);
  });

  test('a failed handler is asked again after a resume', () => {
    const world = new World();
    let isBroken = true;
    const accepted: number[] = [];
    world.online(BOB, {
      onMessage: ({ id }) => {
        if (isBroken) throw new Error('broken');
        accepted.push(id);
      },
    });
    world.server.deliver(BOB, ALICE, 1, 'x');
    world.server.deliver(BOB, ALICE, 2, 'y');
    world.clock.advance(100);
    isBroken = false;
    world.network.cut();
    world.clock.advance(1_000);
    assert.deepEqual(accepted, [1, 2]);
    assert.equal(world.server.accounts.get(BOB)!.inbox.length, 0);
  });

  test('what a handler is still deciding on is not handed over twice', async () => {
    const world = new World();
    const handed: number[] = [];
    let resolve = (): void => {};
    world.online(BOB, {
      onMessage: ({ id }) => {
        handed.push(id);
        return new Promise<void>((done) => {
          resolve = done;
        });
      },
    });
    world.server.deliver(BOB, ALICE, 1, 'x');
    world.clock.advance(100);
    world.network.cut();
    world.clock.advance(5_000);
    resolve();
    await turnOfPromises();
    world.clock.advance(1_000);
    assert.deepEqual(handed, [1]);
    assert.equal(world.server.accounts.get(BOB)!.inbox.length, 0);
  });

  test('another epoch resets the cursor, and says so', () => {
    const world = new World();
    const bob = world.online(BOB);
    world.server.deliver(BOB, ALICE, 1, 'before');
    world.clock.advance(100);
    const resets: unknown[] = [];
    bob.client.on('reset', (event) => resets.push(event));
    const { cursor } = bob.client;
    world.server.epoch = 8;
    world.server.accounts.get(BOB)!.acked = 0;
    world.network.cut();
    world.server.deliver(BOB, ALICE, 2, 'after');
    world.clock.advance(2_000);
    assert.deepEqual(resets, [{ previous: cursor, epoch: 8 }]);
    assert.deepEqual(bob.texts, ['before', 'after']);
    assert.equal((bob.store as MemoryClientStore).state.cursor.epoch, 8);
  });
});

describe('the store', () => {
  test('nothing is sent before it is written, nothing acknowledged before the cursor is', () => {
    const world = new World();
    const store = new SlowStore();
    const alice = world.client(store);
    store.isSlow = false;
    alice.register(ALICE);
    store.isSlow = true;
    alice.client.send(ALICE, 'x');
    world.clock.advance(1_000);
    assert.deepEqual(world.server.received, []);
    store.finish();
    world.clock.advance(1_000);
    assert.equal(world.server.received.length, 1);
    // It came back to us and was handed over; the cursor is not written yet.
    assert.deepEqual(alice.texts, ['x']);
    assert.equal(world.server.accounts.get(ALICE)!.inbox.length, 1);
    // A second one is accepted while the first cursor is being written: only the first may be acknowledged.
    while (!store.isWritingCursor) assert.ok(store.finish());
    world.server.deliver(ALICE, BOB, 77, 'y');
    world.clock.advance(10);
    assert.deepEqual(alice.texts, ['x', 'y']);
    store.finish();
    world.clock.advance(10);
    assert.deepEqual(
      world.server.accounts
        .get(ALICE)!
        .inbox.filter(({ kind }) => kind === 'message')
        .map(({ ref }) => ref),
      [77],
    );
    while (store.finish()) world.clock.advance(10);
    assert.equal(world.server.accounts.get(ALICE)!.inbox.length, 0);
  });

  test('a store that fails is tried again, and nothing is lost', () => {
    const world = new World();
    const store = new BrittleStore();
    const alice = world.client(store);
    alice.register(ALICE);
    const failures: number[] = [];
    alice.client.on('storeFailed', ({ retryInMs }) => failures.push(retryInMs));
    store.failures = 3;
    const message = alice.client.send(ALICE, 'x');
    world.clock.advance(400);
    assert.deepEqual(world.server.received, []);
    world.clock.advance(10_000);
    assert.deepEqual(failures, [250, 500, 1000]);
    assert.equal(message.status, 'delivered');
  });

  test('a client that dies at any moment leaves a store from which the next one goes on', () => {
    // One history, cut off after every number of steps: what was written is all that the successor knows.
    for (let steps = 1; steps <= 60; steps++) {
      const world = new World();
      const bob = world.online(BOB);
      const alice = world.online(ALICE);
      for (let i = 0; i < 5; i++) alice.client.send(BOB, `${i}`);
      for (let i = 1; i <= 5; i++) world.server.deliver(ALICE, BOB, 100 + i, `in ${i}`);
      for (let step = 0; step < steps; step++) world.clock.step();
      const state = (alice.store as MemoryClientStore).state;
      const accepted = alice.texts;
      // A crash: no more writes of the old client reach its store.
      const successor = world.client(new MemoryClientStore(state));
      alice.client.close();
      successor.client.connect();
      world.clock.advance(60_000);
      assert.equal(successor.client.unacknowledgedCount, 0, `after ${steps} steps`);
      const expected = [...new Array(5).keys()].map((i) => `${i}`);
      const late = successor.client.send(BOB, 'last');
      assert.ok(late.id >= 2_000 - 1_000, 'ids go on');
      world.clock.advance(1_000);
      // Unwritten messages may be missing at the end, never in the middle, never twice.
      const arrived = bob.texts;
      assert.equal(arrived.at(-1), 'last', `after ${steps} steps: ${arrived.join()}`);
      assert.deepEqual(arrived.slice(0, -1), expected.slice(0, arrived.length - 1), `after ${steps} steps`);
      const both = [...accepted, ...successor.texts];
      assert.deepEqual([...new Set(both)], ['in 1', 'in 2', 'in 3', 'in 4', 'in 5'], `after ${steps} steps`);
    }
  });
});

describe('the rest', () => {
  test('presence subscriptions survive a reconnect, typing does not wait', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const seen: unknown[] = [];
    alice.client.on('presence', (event) => seen.push(event));
    alice.client.on('typing', (event) => seen.push(event));
    alice.client.subscribePresence(BOB);
    alice.client.typing(BOB, 'typing');
    world.clock.advance(10);
    assert.deepEqual(
      world.server.ephemerals.map(({ kind, value }) => [kind, value]),
      [
        [EphemeralKind.subscribe, 0],
        [EphemeralKind.typing, 1],
      ],
    );
    world.network.cut();
    alice.client.typing(BOB, 'stopped');
    world.clock.advance(1_000);
    assert.deepEqual(
      world.server.ephemerals.slice(2).map(({ kind, peer }) => [kind, peer]),
      [[EphemeralKind.subscribe, BOB]],
    );
    world.server.session(ALICE).ephemeral(EphemeralKind.presence, BOB, 0, 1234);
    world.server.session(ALICE).ephemeral(EphemeralKind.typing, BOB, 2, 99);
    world.clock.advance(10);
    assert.deepEqual(seen, [
      { from: BOB, online: false, lastSeen: 1234 },
      { from: BOB, state: 'recording', time: 99 },
    ]);
  });

  test('an inactive client stays inactive after a reconnect', () => {
    const world = new World();
    const alice = world.online(ALICE);
    alice.client.setActive(false);
    world.clock.advance(10);
    world.network.cut();
    world.clock.advance(1_000);
    alice.client.setActive(true);
    world.clock.advance(10);
    assert.deepEqual(world.server.clientStates, [false, false, true]);
  });

  test('requests are answered, refused, time out, and fail without a connection', () => {
    const world = new World();
    const alice = world.online(ALICE);
    const seen: unknown[] = [];
    const ask = (method: string): void =>
      alice.client.requestWith(method, { n: 1 }, (outcome) =>
        seen.push(outcome.ok ? outcome.value : [outcome.error.code, outcome.error.refusal?.serverCode]),
      );
    ask('server.info');
    ask('no.such');
    ask('mute');
    world.clock.advance(20_000);
    ask('mute');
    world.clock.advance(10);
    world.network.cut();
    ask('server.info');
    assert.deepEqual(seen, [
      { echo: { n: 1 }, method: 'server.info' },
      ['refused', ErrorCode.unknownMethod],
      ['timeout', undefined],
      ['disconnected', undefined],
      ['notConnected', undefined],
    ]);
  });

  test('a closed client is silent, and its timers are gone', () => {
    const world = new World();
    const alice = world.online(ALICE);
    alice.client.send(ALICE, 'x');
    alice.client.close();
    world.clock.advance(10);
    const tries = world.network.opened;
    world.clock.advance(600_000);
    assert.equal(world.network.opened, tries);
    assert.equal(world.clock.nextDeadline(), Number.POSITIVE_INFINITY);
    assert.throws(() => alice.client.send(ALICE, 'y'), { code: 'closed' });
    // What was sent in the last turn is in the store.
    assert.equal((alice.store as MemoryClientStore).state.outbox.length, 1);
  });
});

async function turnOfPromises(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

class BrittleStore extends MemoryClientStore {
  failures = 0;

  override save(change: StoreChange, done: (error: Error | null) => void): void {
    if (this.failures > 0) {
      this.failures -= 1;
      done(new Error('disk full'));
    } else {
      super.save(change, done);
    }
  }
}

class SlowStore implements ClientStore {
  isSlow = true;
  readonly #memory = new MemoryClientStore();
  #waiting: { change: StoreChange; write: () => void }[] = [];

  load(done: (error: Error | null, state: StoredState) => void): void {
    this.#memory.load(done);
  }

  save(change: StoreChange, done: (error: Error | null) => void): void {
    const write = (): void => this.#memory.save(change, done);
    if (this.isSlow) this.#waiting.push({ change, write });
    else write();
  }

  get isWritingCursor(): boolean {
    return this.#waiting[0]?.change.cursor !== undefined;
  }

  /** Lets one save come to its end. */
  finish(): boolean {
    const waiting = this.#waiting.shift();
    waiting?.write();
    return waiting !== undefined;
  }

  close(): void {}
}

describe('closing', () => {
  test('writes what was said last before it gives the store back, however slow the store is', () => {
    const world = new World();
    const store = new SlowStore();
    store.isSlow = false;
    const alice = world.client(store);
    alice.register(ALICE);
    store.isSlow = true;
    alice.client.send(BOB, 'being written');
    world.clock.advance(1);
    alice.client.send(BOB, 'not yet');
    let isDone = false;
    alice.client.close(() => {
      isDone = true;
    });
    assert.equal(isDone, false);
    assert.ok(store.finish());
    assert.equal(isDone, false);
    assert.ok(store.finish());
    assert.equal(isDone, true);
    store.load((_, { outbox }) => assert.equal(outbox.length, 2));
  });

  test('a write that failed has its last chance', () => {
    const world = new World();
    const store = new BrittleStore();
    const alice = world.client(store);
    alice.register(ALICE);
    store.failures = 1;
    alice.client.send(BOB, 'x');
    world.clock.advance(1);
    let isDone = false;
    alice.client.close(() => {
      isDone = true;
    });
    assert.ok(isDone);
    assert.equal(store.state.outbox.length, 1);
  });
});
