import {
  PARTITIONS,
  type Store,
  type StoreEvents,
  type StorePort,
  type UserId,
} from '../../src/storage/stores.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import type { HeldEvent } from './held-events.js';
import type { ScopedClock } from './scoped-clock.js';
import type { Trace } from './trace.js';

export interface WriterProfile {
  /** From a command until the writer looks, and from a commit until the scheduler does. */
  readonly ringMsMax: number;
  /** How long a commit takes. */
  readonly commitMsMin: number;
  readonly commitMsMax: number;
  /** Commands of one scheduler that wait; more are refused. */
  readonly commandsMax: number;
  /** How often a batch takes only a part of what has gathered. */
  readonly partial: number;
}

/** What the writer needs of the machine that it runs on. */
export interface WriterOwner {
  /** The open store: asked for at each batch. */
  store(): Store;
  /** The next command comes from the scheduler at `place`. */
  from(place: number): void;
  /** What of a batch's events really goes on its way. */
  passed(events: readonly HeldEvent[]): readonly HeldEvent[];
  /** A batch is applied and not yet committed. */
  applied(): void;
  /** Between a commit and the arrival of its events. */
  committed(): void;
  /** An append was not taken. */
  overloaded(from: UserId, ref: number): void;
}

type Command = (store: Store) => void;

/** One scheduler's rings to the writer and back. */
export class SimulatedInlet {
  readonly commands: Command[] = [];
  /** Those of them that the open batch has taken. */
  applied = 0;
  /** Who hears the events; null: not yet. */
  target: StoreEvents | null = null;
  /** When the last events arrive: none overtakes another. */
  arriveAt = 0;

  /** The scheduler's end. */
  constructor(readonly port: StorePort) {}

  listen(events: StoreEvents): void {
    this.target = events;
  }
}

/**
 * The writer's thread and the rings that join it with the schedulers': commands gather while the last commit runs, are
 * applied and committed together, and their events arrive a little later, in order: results where the command came
 * from, what concerns an inbox where its partition is.
 */
export class SimulatedWriter {
  readonly #clock: ScopedClock;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #profile: WriterProfile;
  readonly #owner: WriterOwner;
  #inlets = new Map<number, SimulatedInlet>();
  readonly #routes = new Int32Array(PARTITIONS);
  /** What changes between batches only. */
  #between: (() => void)[] = [];
  /** Whose session a requester is. */
  readonly #users = new Map<number, UserId>();
  #isBusy = false;
  /** Of the writer; what an earlier one had planned does not happen. */
  #life = 0;
  #idleAhead = false;

  constructor(
    clock: ScopedClock,
    random: SeededRandom,
    trace: Trace,
    profile: WriterProfile,
    owner: WriterOwner,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#trace = trace;
    this.#profile = profile;
    this.#owner = owner;
    this.#housekeepLater();
  }

  /** On whose behalf a requester has appended. */
  userOf(requester: number): UserId {
    return this.#users.get(requester) ?? 0;
  }

  get waiting(): number {
    let waiting = 0;
    for (const { commands } of this.#inlets.values()) waiting += commands.length;
    return waiting;
  }

  /** Rings for a scheduler's thread that begins. */
  inlet(): SimulatedInlet {
    const inlet: SimulatedInlet = new SimulatedInlet({
      append: (requester, inbox, from, device, kind, ref, time, source, bodyStart, bodyEnd, heard) => {
        const body = source.slice(bodyStart, bodyEnd);
        this.#users.set(requester, from);
        const isTaken = this.#take(inlet, (store) =>
          store.append(inbox, from, device, kind, ref, time, body, 0, body.length, requester, heard),
        );
        if (!isTaken) this.#owner.overloaded(from, ref);
        return isTaken;
      },
      wipe: (requester, inbox, device, upTo, time) => {
        this.#trace.note('wipe', requester, upTo, () => `${inbox}/${device} up to ${upTo}`);
        return this.#take(inlet, (store) => store.wipe(inbox, device, upTo, time, requester));
      },
      read: (requester, inbox, after, countMax, bytesMax) =>
        this.#take(inlet, (store) => store.read(inbox, after, countMax, bytesMax, requester)),
      lookup: (requester, user) => this.#take(inlet, (store) => store.lookup(user, requester)),
      control: (requester, ref, control) =>
        this.#take(inlet, (store) => store.control(control, requester, ref)),
    });
    return inlet;
  }

  /** From now on it is listened to, in the place of an earlier one. */
  attach(place: number, inlet: SimulatedInlet): void {
    this.#inlets.set(place, inlet);
    this.#wake();
  }

  /** A scheduler's thread has ended: what it asked for and what it was to hear goes with it. */
  detach(place: number): void {
    // A batch that is being applied goes on; nobody hears what came of it.
    this.#inlets.delete(place);
  }

  /** From the next batch on, what concerns these partitions goes there. Calls back when it is so. */
  route(partitions: readonly number[], place: number, done: () => void): void {
    const change = () => {
      for (const partition of partitions) this.#routes[partition] = place;
      done();
    };
    if (this.#isBusy) this.#between.push(change);
    else change();
  }

  /** The writer's thread has ended, and another one takes its place: what was not answered is applied again. */
  restarted(inlets: Map<number, SimulatedInlet>, routes: readonly number[]): void {
    this.#life++;
    this.#isBusy = false;
    this.#between = [];
    this.#inlets = inlets;
    for (const [partition, place] of routes.entries()) this.#routes[partition] = place;
    for (const inlet of this.#inlets.values()) inlet.applied = 0;
    this.publish([RESTARTED]);
    this.#wake();
  }

  /** The store has published these. */
  publish(events: readonly HeldEvent[]): void {
    this.publishEarly(this.#owner.passed(events));
  }

  /** Sends events on their way. */
  publishEarly(events: readonly HeldEvent[]): void {
    for (const [place, inlet] of this.#inlets) {
      const own = events.filter((event) => this.#placeOf(event, place) === place);
      const delay = this.#random.next() * this.#profile.ringMsMax;
      inlet.arriveAt = Math.max(inlet.arriveAt, this.#clock.now() + delay);
      if (own.length === 0) continue;
      this.#clock.setTimer(() => {
        for (const event of own) {
          if (!this.#clock.isAlive || inlet.target === null || this.#inlets.get(place) !== inlet) return;
          event.tell(inlet.target);
        }
      }, inlet.arriveAt - this.#clock.now());
    }
  }

  #placeOf(event: HeldEvent, everybody: number): number {
    if (event.kind === 'restarted') return everybody;
    return event.partition < 0 ? event.origin : (this.#routes[event.partition] as number);
  }

  #take(inlet: SimulatedInlet, command: Command): boolean {
    if (inlet.commands.length >= this.#profile.commandsMax) return false;
    inlet.commands.push(command);
    this.#wake();
    return true;
  }

  #wake(): void {
    if (this.#isBusy || this.waiting === 0) return;
    this.#isBusy = true;
    const life = this.#life;
    this.#clock.setTimer(() => {
      if (life === this.#life) this.#apply();
    }, this.#random.next() * this.#profile.ringMsMax);
  }

  #apply(): void {
    const { partial, commitMsMin, commitMsMax } = this.#profile;
    const store = this.#owner.store();
    if (this.waiting === 0) {
      // A scheduler that ended took them with it.
      this.#isBusy = false;
      return;
    }
    store.begin();
    const places = [...this.#inlets.keys()];
    const first = places.length > 1 ? this.#random.below(places.length) : 0;
    for (let n = 0; n < places.length; n++) {
      const place = places[(first + n) % places.length] as number;
      const inlet = this.#inlets.get(place) as SimulatedInlet;
      const gathered = inlet.commands.length;
      if (gathered === 0) continue;
      const count = this.#random.next() < partial ? 1 + this.#random.below(gathered) : gathered;
      for (let at = 0; at < count; at++) {
        this.#owner.from(place);
        inlet.commands[at]!(store);
      }
      inlet.applied = count;
    }
    this.#owner.applied();
    const takes = commitMsMin + this.#random.next() * (commitMsMax - commitMsMin);
    const life = this.#life;
    this.#clock.setTimer(() => {
      if (life === this.#life) this.#commit();
    }, takes);
  }

  #commit(): void {
    const store = this.#owner.store();
    const life = this.#life;
    const failure = store.commit();
    this.#trace.note('commit', this.waiting, failure ?? 0, () =>
      failure === null ? '' : `failed ${failure}`,
    );
    this.#owner.committed();
    if (!this.#clock.isAlive || life !== this.#life) return;
    // The room of commands is given back after their commit.
    for (const inlet of this.#inlets.values()) {
      inlet.commands.splice(0, inlet.applied);
      inlet.applied = 0;
    }
    this.#isBusy = false;
    for (const change of this.#between.splice(0)) change();
    store.housekeep(this.#clock.wall(), this.waiting === 0);
    this.#wake();
  }

  #housekeepLater(): void {
    if (this.#idleAhead) return;
    this.#idleAhead = true;
    this.#clock.setTimer(() => {
      this.#idleAhead = false;
      if (!this.#isBusy) this.#owner.store().housekeep(this.#clock.wall(), true);
      this.#housekeepLater();
    }, 1000);
  }
}

const RESTARTED: HeldEvent = {
  kind: 'restarted',
  partition: -1,
  origin: 0,
  tell: (target) => target.restarted?.(),
};
