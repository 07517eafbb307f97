import type { ClientError } from '../../src/client/client-error.js';
import type { ClientSocketFactory, ClientSocketHandler } from '../../src/client/client-socket.js';
import type { ClientState } from '../../src/client/client-state.js';
import { OutboxKind, type StoreChange, type StoredState } from '../../src/client/client-store.js';
import type { IncomingMessage, IncomingReceipt } from '../../src/client/incoming.js';
import { RookeryClient } from '../../src/client/rookery-client.js';
import type { MessageStatusChange } from '../../src/client/sent-message.js';
import {
  decodeRanges,
  ErrorCode,
  errorName,
  parseMessageId,
  type StructuredMap,
} from '../../src/protocol/index.js';
import type { UserId } from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import type { Chat, ChatWorld } from './chat.js';
import { type DeviceView, Outgoing } from './ledger.js';
import type { ScopedClock } from './scoped-clock.js';
import { SimulatedFlash } from './simulated-flash.js';

const ENDLESS = Number.MAX_SAFE_INTEGER;
/**
 * Longer than any slow reader takes: the library repeats on the same connection, where a refusal of the first may then
 * come before the acknowledgement of the second.
 */
const ANSWER_MS_MAX = 120_000;

/** A device that runs the client library, over simulated flash, sockets and time. */
export class LibraryClient implements Chat {
  readonly user: UserId;
  readonly instance: number;
  readonly #world: ChatWorld;
  readonly #sockets: ClientSocketFactory;
  readonly #flash: SimulatedFlash;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #unread = new Map<UserId, number[]>();
  /** Of the running program; null between its lives. */
  #client: RookeryClient | null = null;
  #clock: ScopedClock | null = null;
  /** Counts the lives and the lost cursors: what was taken in an earlier one may come again. */
  #life = 0;
  #helloAt = -1;
  #helloEpoch = 0;
  #isGone = false;
  #isBusyRegistering = false;

  constructor(world: ChatWorld, user: UserId, instance: number, sockets: ClientSocketFactory) {
    this.#world = world;
    this.user = user;
    this.instance = instance;
    this.#sockets = sockets;
    this.#flash = new SimulatedFlash(
      () => world.noteDelayMs(),
      (change, before) => this.#written(change, before),
    );
  }

  get isRegistered(): boolean {
    return this.#flash.state.credentials !== null;
  }

  get isOnline(): boolean {
    return this.#client?.state.kind === 'online';
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isSettled(): boolean {
    return this.isOnline && this.#client?.unacknowledgedCount === 0 && this.#flash.state.outbox.length === 0;
  }

  get describe(): string {
    const { credentials, cursor, outbox } = this.#flash.state;
    return `${this.user}/${credentials?.device ?? 0} instance ${this.instance} (library): ${this.#client?.state.kind ?? 'off'}, outbox ${this.#client?.unacknowledgedCount ?? 0} (${outbox.length} written), cursor ${cursor.seq}`;
  }

  // ---- what its user does ------------------------------------------------------------------------------------

  connect(): void {
    if (this.#isGone) return;
    if (this.#client === null) this.#start();
    this.#go();
  }

  connectAgain(): void {
    if (!this.isOnline) return;
    this.#client?.disconnect();
    this.#client?.connect();
  }

  disconnect(): void {
    this.#client?.disconnect();
  }

  send(to: UserId, body: Uint8Array): boolean {
    return this.#try((client) => client.send(to, body));
  }

  markRead(): boolean {
    const first = this.#unread.entries().next();
    if (first.done === true) return false;
    const [from, ids] = first.value;
    if (!this.#try((client) => client.markRead(from, ids.slice(0, 40)))) return false;
    ids.splice(0, 40);
    if (ids.length === 0) this.#unread.delete(from);
    return true;
  }

  watch(peer: UserId, on: boolean): void {
    if (on) this.#client?.subscribePresence(peer);
    else this.#client?.unsubscribePresence(peer);
  }

  typing(peer: UserId): void {
    this.#client?.typing(peer, 'typing');
  }

  setActive(active: boolean): void {
    this.#client?.setActive(active);
  }

  block(peer: UserId, on: boolean): void {
    if (!this.isOnline) return;
    const { ledger } = this.#world;
    if (on) {
      const wish = ledger.blockAsked(this.user, peer);
      this.#request('block.add', { user: peer }, () => ledger.blockDone(this.user, peer, wish));
    } else {
      ledger.unblockAsked(this.user, peer);
      this.#request('block.remove', { user: peer }, () => {});
    }
  }

  ask(): void {
    if (this.isOnline) this.#request('users.lookup', { users: [this.user, 1_000_000] }, () => {});
  }

  flood(frames: number): void {
    for (let n = 0; n < frames; n++) this.typing(this.user);
  }

  crash(): void {
    this.#world.trace.note('client-crash', this.instance, this.#life, () => 'library');
    this.#stop();
  }

  loseCursor(): void {
    this.#stop();
    this.#flash.edit({ ...this.#flash.state, cursor: { epoch: 0, seq: 0 } });
    this.#world.trace.note('lost-cursor', this.instance, this.#life, () => 'library');
  }

  retire(): void {
    this.#isGone = true;
    this.#stop();
  }

  // ---- lives -------------------------------------------------------------------------------------------------

  #start(): void {
    const clock = this.#world.machineClock();
    const life = ++this.#life;
    this.#clock = clock;
    RookeryClient.openWith(
      {
        url: 'ws://simulated/ws',
        store: this.#flash.mount(clock),
        onMessage: (message) => this.#took(message),
        onReceipt: (receipt) => this.#heard(receipt),
        agent: 'library',
        clock,
        random: new SeededRandom(this.instance * 1000 + life),
        sockets: this.#alive(clock),
        // A test has no person who gives up.
        limits: {
          inboxFullTriesMax: ENDLESS,
          outboxCountMax: 300,
          ackTimeoutMs: ANSWER_MS_MAX,
          reconnectMaxMs: 5_000,
        },
      },
      (outcome) => {
        if (outcome.ok) this.#client = outcome.value;
      },
    );
    const client = this.#client;
    if (client === null) return;
    // What the last life left is sent again.
    for (const { id } of this.#flash.state.outbox) {
      const outgoing = this.#outgoing.get(id);
      if (outgoing !== undefined) this.#world.ledger.transmitted(outgoing);
    }
    client.on('state', (state) => this.#became(state));
    client.on('status', (change) => this.#status(change));
    client.on('reset', () => {
      this.#life++;
      this.#world.ledger.toldReset(this.#view());
    });
    client.on('truncated', ({ seq }) => this.#world.ledger.toldTruncated(this.#view(), seq));
    client.on('serverError', ({ code, message }) => {
      if (code === ErrorCode.internal || errorName(code).startsWith('error '))
        this.#wrong(`${errorName(code)}: ${message}`);
    });
    client.on('handlerFailed', ({ error }) => this.#wrong(`the handler failed: ${String(error)}`));
    client.on('listenerFailed', ({ error }) => this.#wrong(`a listener failed: ${String(error)}`));
  }

  #stop(): void {
    this.#clock?.end();
    this.#clock = null;
    this.#client = null;
    this.#isBusyRegistering = false;
    this.#unread.clear();
  }

  #go(): void {
    const client = this.#client;
    if (client === null) return;
    if (this.isRegistered) client.connect();
    else if (!this.#isBusyRegistering) this.#register(client);
  }

  /** Sockets that fall silent when the program ends. */
  #alive(clock: ScopedClock): ClientSocketFactory {
    return {
      open: (url, subprotocol, handler) => {
        const life: ClientSocketHandler = {
          opened: () => {
            if (!clock.isAlive) return;
            this.#helloAt = clock.now();
            this.#helloEpoch = this.#flash.state.cursor.epoch;
            handler.opened();
          },
          message: (bytes) => {
            if (clock.isAlive) handler.message(bytes);
          },
          closed: (code, reason) => {
            this.#world.closed(this, code, reason);
            if (clock.isAlive) handler.closed(code, reason);
          },
        };
        return this.#sockets.open(url, subprotocol, life);
      },
    };
  }

  #register(client: RookeryClient): void {
    this.#isBusyRegistering = true;
    const clock = this.#clock as ScopedClock;
    const again = (error: ClientError) => {
      if (error.code === 'refused' && error.refusal?.serverCode === ErrorCode.badPhone)
        this.#wrong(String(error));
      clock.setTimer(() => {
        this.#isBusyRegistering = false;
        if (this.#client === client && !this.isRegistered) this.#register(client);
      }, 500);
    };
    client.registerWith(this.user, (asked) => {
      if (!asked.ok) {
        again(asked.error);
        return;
      }
      clock.setTimer(() => {
        const pin = this.#world.pinOf(this.user) ?? '000000';
        this.#world.verifying(this.user);
        client.verifyWith(this.user, pin, 'library', (verified) => {
          if (verified.ok) this.#isBusyRegistering = false;
          else again(verified.error);
        });
      }, 50);
    });
  }

  #became(state: ClientState): void {
    this.#world.trace.note('library', this.instance, 0, () => state.kind);
    // Its first welcome is a RESET, which is no event of the library.
    if (state.kind === 'online' && this.#helloEpoch === 0) this.#world.ledger.toldReset(this.#view());
    if (state.kind !== 'closed') return;
    switch (state.reason) {
      case 'badCredentials':
      case 'deviceReplaced': {
        const ended = state.reason === 'badCredentials' ? 'unknown' : 'replaced';
        if (!this.#world.mayLoseDevice(this, ended)) this.#wrong(`lost its device: ${state.reason}`);
        this.#isGone = true;
        this.#stop();
        this.#world.lostDevice(this);
        break;
      }
      case 'unsupported':
      case 'originRefused':
      case 'protocol':
        this.#wrong(`was sent away for good: ${state.reason}, ${state.ending?.code} ${state.ending?.reason}`);
        break;
      default:
        break;
    }
  }

  // ---- messages ----------------------------------------------------------------------------------------------

  /** What is written down may be sent from now on; what is taken out was answered. */
  #written(change: StoreChange, before: StoredState): void {
    const { ledger } = this.#world;
    if (change.credentials !== undefined && change.credentials !== null) {
      this.#world.registered(this, change.credentials.device);
    }
    for (const id of change.remove) {
      const record = before.outbox.find((each) => each.id === id);
      const outgoing = this.#outgoing.get(id);
      if (record === undefined || outgoing === undefined || outgoing.acked || outgoing.refused !== 0)
        continue;
      if (outgoing.seq >= 0 || outgoing.lost) ledger.acknowledged(outgoing, true, 0, 0, 0);
      else if (outgoing.kind === 'read') ledger.refused(outgoing, ErrorCode.notSupported, false);
      else this.#wrong(`let go of ${outgoing}, which was neither stored nor refused`);
    }
    for (const { id, kind, to, body } of change.put) {
      const isMessage = kind === OutboxKind.message;
      const ids = isMessage ? [] : expand(decodeRanges(body));
      const outgoing = new Outgoing(
        isMessage ? 'message' : 'read',
        this.user,
        this.instance,
        to,
        id,
        body,
        ids,
      );
      this.#outgoing.set(id, outgoing);
      ledger.compose(outgoing);
      ledger.transmitted(outgoing);
    }
  }

  #status({ id, status, messageId, time, failure }: MessageStatusChange): void {
    const outgoing = this.#outgoing.get(id);
    if (outgoing === undefined) return;
    const { ledger } = this.#world;
    if (status === 'sent') {
      const parsed = messageId === null ? null : parseMessageId(messageId);
      ledger.acknowledged(outgoing, parsed === null, parsed?.high ?? 0, parsed?.low ?? 0, time ?? 0);
    } else if (status === 'failed' && failure !== null) {
      const { refusal } = failure.error;
      if (refusal !== null) ledger.refused(outgoing, refusal.serverCode, false);
    }
  }

  #took(message: IncomingMessage): void {
    const { seq, messageId, time, from, id, body } = message;
    const parsed = parseMessageId(messageId);
    if (parsed === null) {
      this.#wrong(`got a message id that is none: ${messageId}`);
      return;
    }
    const outgoing = this.#world.ledger.took(
      this.#view(),
      from,
      id,
      seq,
      time,
      parsed.high,
      parsed.low,
      body,
    );
    if (outgoing === null || outgoing.takenBy.length > 1) return;
    const unread = this.#unread.get(from);
    if (unread === undefined) this.#unread.set(from, [id]);
    else unread.push(id);
  }

  #heard({ seq, from, state, ranges }: IncomingReceipt): void {
    this.#world.ledger.receipt(this.#view(), from, state === 'read', expand(ranges), seq);
  }

  #request(method: string, body: StructuredMap, done: () => void): void {
    this.#client?.requestWith(method, body, (outcome) => {
      if (outcome.ok) done();
    });
  }

  #try(action: (client: RookeryClient) => void): boolean {
    if (this.#client === null || !this.isRegistered) return false;
    try {
      action(this.#client);
      return true;
    } catch {
      // A ClientError: not registered, full, too large. It says so before anything has happened.
      return false;
    }
  }

  #wrong(what: string): void {
    this.#world.ledger.violate('client', `${this.describe} ${what}`);
  }

  #view(): DeviceView {
    return { user: this.user, instance: this.instance, generation: this.#life, helloAt: this.#helloAt };
  }
}

function expand(ranges: readonly number[]): number[] {
  const ids: number[] = [];
  for (let at = 0; at + 1 < ranges.length; at += 2) {
    for (let id = ranges[at] as number; id <= (ranges[at + 1] as number); id++) ids.push(id);
  }
  return ids;
}
