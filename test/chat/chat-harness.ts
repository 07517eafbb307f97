/**
 * One scheduler's chat in one thread: the real sessions, partitions and supervisors, the real SQLite store in a
 * temporary folder, a simulated clock, and sockets that record what they are sent.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from '../../src/actors/runtime.js';
import type { RuntimeEvent } from '../../src/actors/runtime-event.js';
import { ChatScheduler } from '../../src/app/chat-scheduler.js';
import { loadConfig } from '../../src/app/config.js';
import { chatLimitsOf, storeLimitsOf } from '../../src/app/limits-of.js';
import {
  Batch,
  BatchReader,
  Deliver,
  decodeBatch,
  decodeChallenge,
  decodeDeliver,
  decodeEphemeral,
  decodeError,
  decodeGoAway,
  decodeHome,
  decodeMore,
  decodePong,
  decodeRanges,
  decodeReceipt,
  decodeRegistered,
  decodeResponse,
  decodeSendAck,
  decodeWelcome,
  Ephemeral,
  encodeAck,
  encodeHello,
  encodeRegister,
  encodeVerify,
  FrameReader,
  FrameType,
  FrameWriter,
  frameName,
  Receipt,
  SendAck,
} from '../../src/protocol/index.js';
import { BufferedEvents } from '../../src/storage/buffered-events.js';
import { DirectStorePort } from '../../src/storage/direct-store-port.js';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import { PARTITIONS, type StoreEvents } from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { type ConnectionHandler, SendResult, type Socket } from '../../src/transport/socket.js';
import { roomyRegistrations } from '../support/roomy-registrations.js';

/** A frame as a test sees it. */
export type Seen = { readonly frame: string } & Record<string, unknown>;

export class TestSocket implements Socket {
  readonly remoteAddress: string;
  readonly seen: Seen[] = [];
  closedWith: number | null = null;
  handler: ConnectionHandler | null = null;
  /** What `bufferedBytes` says. */
  buffered = 0;
  messages = 0;

  constructor(remoteAddress = '7f000001') {
    this.remoteAddress = remoteAddress;
  }

  send(bytes: Uint8Array): SendResult {
    if (this.closedWith !== null) return SendResult.dropped;
    this.messages++;
    const reader = new FrameReader().reset(bytes.slice());
    while (reader.next()) this.seen.push(see(reader));
    return SendResult.sent;
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  close(code: number, reason: string): void {
    if (this.closedWith !== null) return;
    this.closedWith = code;
    this.handler?.closed(code, reason);
  }

  terminate(): void {
    this.close(1006, '');
  }

  /** The frames seen since the last call. */
  take(): Seen[] {
    return this.seen.splice(0);
  }
}

function see(reader: FrameReader): Seen {
  const frame = frameName(reader.type);
  switch (reader.type) {
    case FrameType.welcome:
      return { frame, ...decodeWelcome(reader) };
    case FrameType.challenge:
      return { frame, ...decodeChallenge(reader) };
    case FrameType.registered:
      return { frame, ...decodeRegistered(reader) };
    case FrameType.sendAck: {
      const ack = new SendAck();
      decodeSendAck(reader, ack);
      return { frame, ...ack };
    }
    case FrameType.deliver: {
      const deliver = new Deliver();
      decodeDeliver(reader, deliver);
      const { seq, from, messageId } = deliver;
      return { frame, seq, from, messageId, body: text(deliver.source, deliver.bodyStart, deliver.bodyEnd) };
    }
    case FrameType.receipt: {
      const receipt = new Receipt();
      decodeReceipt(reader, receipt);
      const { seq, from, read, source, rangesStart, rangesEnd } = receipt;
      return { frame, seq, from, read, ranges: decodeRanges(source, rangesStart, rangesEnd) };
    }
    case FrameType.more:
      return { frame, ...decodeMore(reader) };
    case FrameType.batch: {
      const batch = new Batch();
      decodeBatch(reader, batch);
      const items: Seen[] = [];
      const inner = new BatchReader().open(batch);
      while (inner.next()) items.push(see(inner));
      return { frame, hasMore: batch.hasMore, items };
    }
    case FrameType.ephemeral: {
      const ephemeral = new Ephemeral();
      decodeEphemeral(reader, ephemeral);
      return { frame, ...ephemeral };
    }
    case FrameType.error:
      return { frame, ...decodeError(reader) };
    case FrameType.response:
      return { frame, ...decodeResponse(reader) };
    case FrameType.home:
      return { frame, ...decodeHome(reader) };
    case FrameType.goAway:
      return { frame, ...decodeGoAway(reader) };
    case FrameType.pong:
      return { frame, token: decodePong(reader) };
    default:
      return { frame };
  }
}

function text(source: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(source.subarray(start, end));
}

export class ChatHarness {
  readonly clock = new SimulatedClock();
  readonly random = new SeededRandom(1);
  readonly events: RuntimeEvent[] = [];
  readonly pins = new Map<number, string>();
  readonly folder: string;
  readonly runtime: Runtime;
  chat!: ChatScheduler;
  store!: SqliteStore;
  port!: DirectStorePort;
  ended: string | null = null;
  readonly #flags: Record<string, unknown>;

  constructor(flags: Record<string, unknown> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'rookery-chat-'));
    this.#flags = flags;
    this.runtime = new Runtime({
      clock: this.clock,
      random: this.random,
      events: (event) => this.events.push(event),
    });
    this.open();
  }

  open(): void {
    const config = loadConfig({ flags: this.#flags });
    let target: StoreEvents | null = null;
    // The store is there before the chat that its events go to.
    const events = new Proxy({} as StoreEvents, {
      get: (_, name) => {
        const method = (target as unknown as Record<string | symbol, (...args: unknown[]) => void>)[name];
        return (...args: unknown[]) => method?.apply(target, args);
      },
    });
    this.store = SqliteStore.open({
      folder: this.folder,
      limits: storeLimitsOf(config),
      events: new BufferedEvents(events),
      now: this.clock.wall(),
    });
    this.port = new DirectStorePort({ store: this.store, clock: this.clock });
    this.chat = new ChatScheduler({
      name: 'test',
      version: '0.0.0',
      runtime: this.runtime,
      clock: this.clock,
      store: this.port,
      epoch: this.store.epoch,
      place: 1,
      incarnation: 1,
      limits: chatLimitsOf(config),
      registrar: {
        random: this.random,
        gateway: {
          name: 'test',
          send: (user, pin, _expires, done) => {
            this.pins.set(user, pin);
            done(null);
          },
        },
        secret: new Uint8Array(32).fill(7),
        pinDigits: 6,
        pinLifeMs: config.pinLifeMs,
        limits: roomyRegistrations(this.clock),
        pendingMax: 64,
      },
      listen: null,
      onPartition: () => {},
      onEnd: (reason) => {
        this.ended = reason.type;
      },
    });
    target = this.chat.events;
    this.chat.startPartitions([...Array(PARTITIONS).keys()]);
    this.settle();
  }

  close(): void {
    this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  connect(address?: string): Client {
    const socket = new TestSocket(address);
    socket.handler = this.chat.opened(socket);
    return new Client(this, socket);
  }

  /** Until nothing moves any more; time stands still. */
  settle(): void {
    this.clock.run();
  }

  /** Registers a number and says hello with the new key. */
  register(user: number): Client {
    const client = this.connect();
    client.hello();
    client.write((writer) => encodeRegister(writer, { ref: 1, phone: user }));
    client.write((writer) =>
      encodeVerify(writer, { ref: 2, phone: user, pin: this.pins.get(user) ?? '000000', name: `u${user}` }),
    );
    const registered = client.socket.seen.find(({ frame }) => frame === 'registered');
    if (registered === undefined) throw new Error(`not registered: ${JSON.stringify(client.socket.seen)}`);
    client.user = user;
    client.device = registered['device'] as number;
    client.key = registered['key'] as Uint8Array;
    client.nextId = registered['firstMessageId'] as number;
    client.hello();
    client.take();
    return client;
  }
}

/** A client that writes frames and sees frames; it remembers nothing but its credentials. */
export class Client {
  user = 0;
  device = 0;
  key: Uint8Array = new Uint8Array(0);
  nextId = 1;
  readonly #harness: ChatHarness;
  readonly socket: TestSocket;

  constructor(harness: ChatHarness, socket: TestSocket) {
    this.#harness = harness;
    this.socket = socket;
  }

  hello(epoch = 0, seq = 0): void {
    const { user, device, key } = this;
    this.write((writer) =>
      encodeHello(writer, {
        versionMin: 1,
        versionMax: 1,
        capabilities: 0,
        user,
        device,
        key,
        epoch,
        seq,
        agent: 'test',
      }),
    );
  }

  /** A new connection with the same credentials. */
  again(epoch = 0, seq = 0): Client {
    const next = this.#harness.connect();
    next.user = this.user;
    next.device = this.device;
    next.key = this.key;
    next.nextId = this.nextId;
    next.hello(epoch, seq);
    return next;
  }

  write(...frames: ((writer: FrameWriter) => void)[]): void {
    const writer = new FrameWriter(300_000);
    for (const frame of frames) frame(writer);
    this.raw(writer.copy());
  }

  raw(bytes: Uint8Array, isBinary = true): void {
    if (this.socket.closedWith === null) this.socket.handler?.message(bytes, isBinary);
    this.#harness.settle();
  }

  ack(seq: number): void {
    this.write((writer) => encodeAck(writer, seq));
  }

  take(): Seen[] {
    return this.socket.take();
  }

  /** Cuts the connection without a word. */
  vanish(): void {
    this.socket.terminate();
    this.#harness.settle();
  }
}
