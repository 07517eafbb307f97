import type { ClientSocketFactory } from '../../src/client/client-socket.js';
import type { UserId } from '../../src/storage/stores.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import type { Chat, ChatWorld, Ended } from './chat.js';
import type { Ledger } from './ledger.js';
import { LibraryClient } from './library-client.js';
import { ModelClient } from './model-client.js';
import { ScopedClock } from './scoped-clock.js';
import type { SimulatedMachine } from './simulated-machine.js';
import type { SimulatedConnection } from './simulated-network.js';
import type { Habit } from './swarm.js';
import type { Trace } from './trace.js';
import { Vandal } from './vandal.js';
import type { World } from './world.js';

const FIRST_NUMBER = 491_520_000_001;

export interface Person {
  readonly user: UserId;
  chat: Chat;
  /** Devices that were replaced and do not know it yet. */
  readonly zombies: Chat[];
}

/** Everybody who uses the server, with their devices and habits, and those who want to harm it. */
export class People implements ChatWorld {
  readonly people: Person[] = [];
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly ledger: Ledger;
  readonly #world: World;
  readonly #machine: SimulatedMachine;
  readonly #verifiedAt = new Map<UserId, number>();
  readonly #registeredAt = new Map<number, number>();
  readonly #connections = new Map<Chat, Set<SimulatedConnection>>();
  readonly #users = new WeakMap<SimulatedConnection, UserId>();
  #instances = 0;

  constructor(world: World, machine: SimulatedMachine) {
    this.#world = world;
    this.#machine = machine;
    this.random = world.random;
    this.trace = world.trace;
    this.ledger = world.ledger;
    world.network.refused = (connection, id) => {
      const user = this.#users.get(connection);
      if (user !== undefined) this.ledger.refusedForNow(user, id);
    };
  }

  /** They come, and go after their habits until the trouble is over. */
  begin(): void {
    const { people, actMs, vandalMs } = this.#world.swarm;
    for (let n = 0; n < people; n++) {
      const user = FIRST_NUMBER + n * 7919;
      const person: Person = { user, chat: this.#makeChat(user), zombies: [] };
      this.people.push(person);
      person.chat.connect();
      this.#world.often(actMs, () => this.#act(person));
    }
    if (vandalMs !== Number.POSITIVE_INFINITY) this.#world.often(vandalMs, () => this.#vandal());
  }

  #vandal(): void {
    this.#world.count('vandal');
    new Vandal(
      this.random,
      this.ledger,
      this.somebody().user,
      this.#world.network.from('0b000001', () => {}),
    );
  }

  #act(person: Person): void {
    const { random } = this;
    const { habits } = this.#world.swarm;
    let total = 2;
    for (const weight of habits.values()) total += weight;
    let pick = random.next() * total;
    for (const [habit, weight] of habits) {
      pick -= weight;
      if (pick < 0) {
        this.#world.count(habit);
        this.#habit(person, habit);
        return;
      }
    }
    this.#world.count('send');
    const zombie = person.zombies.find((each) => !each.isGone);
    const chat = zombie !== undefined && random.next() < 0.3 ? zombie : person.chat;
    const { user } = this.somebody();
    for (let n = 1 + random.below(this.#world.swarm.burstMax); n > 0; n--) chat.send(user, this.#body(chat));
  }

  #habit(person: Person, habit: Habit): void {
    const { random } = this;
    const { chat } = person;
    switch (habit) {
      case 'read':
        chat.markRead();
        break;
      case 'stopReading':
        this.#slow(chat, 0);
        break;
      case 'readSlowly':
        this.#slow(chat, 20 + random.below(500));
        break;
      case 'leave':
        if (random.next() < 0.5) chat.disconnect();
        else this.#cutAll(chat);
        this.#comesBack(person, random.next() * 6000);
        break;
      case 'crash':
        this.#cutAll(chat);
        chat.crash();
        this.#comesBack(person, random.next() * 3000);
        break;
      case 'connectAgain':
        chat.connectAgain();
        break;
      case 'loseCursor':
        this.#cutAll(chat);
        chat.loseCursor();
        this.#comesBack(person, random.next() * 1000);
        break;
      case 'replace':
        this.#replace(person, random.next() < 0.5);
        break;
      case 'block':
        chat.block(this.somebody().user, random.next() < 0.5);
        break;
      case 'unknownNumber':
        chat.send(FIRST_NUMBER - 1 - random.below(3), this.#body(chat));
        break;
      case 'flood':
        chat.flood(50 + random.below(300));
        break;
      case 'presence':
        chat.watch(this.somebody().user, random.next() < 0.7);
        break;
      case 'typing':
        chat.typing(this.somebody().user);
        break;
      case 'activity':
        chat.setActive(random.next() < 0.5);
        break;
      case 'ask':
        chat.ask();
        break;
      case 'badSend':
        if (random.next() < 0.5) chat.send(12, this.#body(chat));
        else
          chat.send(
            this.somebody().user,
            new Uint8Array(this.#world.swarm.bodyBytesMax + 1 + random.below(100)),
          );
        break;
    }
  }

  #slow(chat: Chat, bytesPerSecond: number): void {
    const connections = this.#connectionsOf(chat);
    for (const connection of connections) connection.read(bytesPerSecond);
    this.#world.clock.setTimer(() => {
      for (const connection of connections) connection.read(Number.POSITIVE_INFINITY);
    }, this.random.next() * 10_000);
  }

  #comesBack(person: Person, delayMs: number): void {
    const { chat } = person;
    this.#world.clock.setTimer(() => {
      if (person.chat === chat && this.#world.phase !== 'over') chat.connect();
    }, delayMs);
  }

  /** The number is registered on another device; the old one may go on for a while. */
  #replace(person: Person, isOldOn: boolean): void {
    const old = person.chat;
    if (!old.isRegistered) return;
    if (isOldOn) person.zombies.push(old);
    else {
      this.#cutAll(old);
      old.retire();
    }
    person.chat = this.#makeChat(person.user);
    person.chat.connect();
  }

  somebody(): Person {
    return this.people[this.random.below(this.people.length)] as Person;
  }

  #body(chat: Chat): Uint8Array {
    const { bodyBytesMax } = this.#world.swarm;
    // Long enough that no two are the same; empty ones only of first devices, which share their ids with nobody.
    if (this.random.next() < 0.02 && chat.instance <= this.#world.swarm.people) return new Uint8Array(0);
    return this.random.bytes(6 + this.random.below(bodyBytesMax - 5));
  }

  #cutAll(chat: Chat): void {
    for (const connection of this.#connectionsOf(chat)) {
      connection.cut(Number.POSITIVE_INFINITY, this.random.next() * 8000);
    }
  }

  #connectionsOf(chat: Chat): SimulatedConnection[] {
    const connections = this.#connections.get(chat);
    if (connections === undefined) return [];
    for (const connection of connections) if (connection.isOver) connections.delete(connection);
    return [...connections].filter((connection) => !connection.isGhost);
  }

  #makeChat(user: UserId): Chat {
    const instance = ++this.#instances;
    let chat: Chat | null = null;
    const sockets: ClientSocketFactory = this.#world.network.from(
      `0a0000${(instance % 256).toString(16).padStart(2, '0')}`,
      (connection) => {
        this.#users.set(connection, user);
        if (chat !== null) this.#connections.get(chat)?.add(connection);
      },
    );
    const isLibrary = this.random.next() < this.#world.swarm.library;
    chat = isLibrary
      ? new LibraryClient(this, user, instance, sockets)
      : new ModelClient(this, user, instance, sockets);
    this.#connections.set(chat, new Set());
    return chat;
  }

  isCurrent(instance: number): boolean {
    return this.people.some(({ chat }) => chat.instance === instance);
  }

  // ---- what clients ask of their world -----------------------------------------------------------------------

  machineClock(): ScopedClock {
    return new ScopedClock(this.#world.clock);
  }

  noteDelayMs(): number {
    const { noteDelayMs } = this.#world.swarm;
    return noteDelayMs === 0 ? 0 : this.random.next() * noteDelayMs;
  }

  ackDelayMs(): number {
    const { ackDelayMs } = this.#world.swarm;
    return ackDelayMs === 0 ? 0 : this.random.next() * ackDelayMs;
  }

  pinOf(user: UserId): string | undefined {
    return this.#machine.pins.get(user);
  }

  verifying(user: UserId): void {
    this.ledger.registering(user);
    this.#verifiedAt.set(user, this.#world.clock.now());
  }

  registered(chat: Chat, device: number): void {
    this.#registeredAt.set(chat.instance, this.#world.clock.now());
    this.ledger.deviceRegistered(chat.user, chat.instance, device);
  }

  online(): void {}

  mayLoseDevice(chat: Chat, ended: Ended): boolean {
    if (this.ledger.restores > 0) return true;
    const registered = this.#registeredAt.get(chat.instance) ?? 0;
    return ended === 'replaced' && (this.#verifiedAt.get(chat.user) ?? -1) > registered;
  }

  lostDevice(chat: Chat): void {
    this.#world.count('lost device');
    const person = this.people.find((each) => each.chat === chat);
    if (person === undefined) return;
    this.#world.clock.setTimer(() => {
      if (person.chat === chat && this.#world.phase !== 'over') {
        person.chat = this.#makeChat(person.user);
        person.chat.connect();
      }
    }, 100);
  }

  closed(_chat: Chat, code: number): void {
    this.#world.count(`close ${code}`);
  }
}
