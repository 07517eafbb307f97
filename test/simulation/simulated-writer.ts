import type {
  Control,
  DeviceId,
  EntryKind,
  Seq,
  Store,
  StoreEvents,
  StorePort,
  UserId,
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
  /** Commands that wait; more are refused. */
  readonly commandsMax: number;
  /** How often a batch takes only a part of what has gathered. */
  readonly partial: number;
}

/** What the writer needs of the machine that it runs on. */
export interface WriterOwner {
  /** The open store: asked for at each batch. */
  store(): Store;
  /** Who hears the events when they have arrived; null: nobody is there. */
  target(): StoreEvents | null;
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

/**
 * The writer's thread and the rings that join it with the scheduler's: commands gather while the last commit runs, are
 * applied and committed together, and their events arrive a little later, in order.
 */
export class SimulatedWriter implements StorePort {
  readonly #clock: ScopedClock;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #profile: WriterProfile;
  readonly #owner: WriterOwner;
  readonly #commands: Command[] = [];
  /** Whose session a requester is. */
  readonly #users = new Map<number, UserId>();
  #applied = 0;
  #isBusy = false;
  /** Of the scheduler; events for an earlier one are dropped. */
  #incarnation = 0;
  #incarnationApplied = 0;
  /** Of the writer; what an earlier one had planned does not happen. */
  #life = 0;
  /** When the last events arrive: none overtakes another. */
  #arriveAt = 0;
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
    return this.#commands.length;
  }

  append(
    requester: number,
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    kind: EntryKind,
    ref: number,
    time: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): boolean {
    const body = source.slice(bodyStart, bodyEnd);
    this.#users.set(requester, from);
    const isTaken = this.#take((store) =>
      store.append(inbox, from, device, kind, ref, time, body, 0, body.length, requester),
    );
    if (!isTaken) this.#owner.overloaded(from, ref);
    return isTaken;
  }

  wipe(requester: number, inbox: UserId, device: DeviceId, upTo: Seq, time: number): boolean {
    this.#trace.note('wipe', requester, upTo, () => `${inbox}/${device} up to ${upTo}`);
    return this.#take((store) => store.wipe(inbox, device, upTo, time, requester));
  }

  read(requester: number, inbox: UserId, after: Seq, countMax: number, bytesMax: number): boolean {
    return this.#take((store) => store.read(inbox, after, countMax, bytesMax, requester));
  }

  lookup(requester: number, user: UserId): boolean {
    return this.#take((store) => store.lookup(user, requester));
  }

  control(requester: number, control: Control): boolean {
    return this.#take((store) => store.control(control, requester));
  }

  /** The writer's thread has ended, and another one takes its place: what was not answered is applied again. */
  restarted(): void {
    this.#life++;
    this.#applied = 0;
    this.#isBusy = false;
    this.publish([RESTARTED]);
    this.#wake();
  }

  /** The store has published these. */
  publish(events: readonly HeldEvent[]): void {
    this.publishEarly(this.#owner.passed(events));
  }

  /** Sends events on their way. */
  publishEarly(events: readonly HeldEvent[]): void {
    const delay = this.#random.next() * this.#profile.ringMsMax;
    const incarnation = this.#isBusy ? this.#incarnationApplied : this.#incarnation;
    this.#arriveAt = Math.max(this.#arriveAt, this.#clock.now() + delay);
    if (events.length === 0) return;
    this.#clock.setTimer(() => {
      const target = this.#owner.target();
      if (target === null || incarnation !== this.#incarnation) return;
      for (const event of events) {
        if (!this.#clock.isAlive) return;
        event.tell(target);
      }
    }, this.#arriveAt - this.#clock.now());
  }

  /** The scheduler's thread has ended: what it asked for and what it was to hear goes with it. */
  schedulerGone(): void {
    // A batch that is being applied goes on; the new scheduler does not hear what came of it.
    this.#commands.splice(this.#applied);
    this.#incarnation++;
  }

  #take(command: Command): boolean {
    if (this.#commands.length >= this.#profile.commandsMax) return false;
    this.#commands.push(command);
    this.#wake();
    return true;
  }

  #wake(): void {
    if (this.#isBusy || this.#commands.length === 0) return;
    this.#isBusy = true;
    const life = this.#life;
    this.#clock.setTimer(() => {
      if (life === this.#life) this.#apply();
    }, this.#random.next() * this.#profile.ringMsMax);
  }

  #apply(): void {
    const { partial, commitMsMin, commitMsMax } = this.#profile;
    const store = this.#owner.store();
    const gathered = this.#commands.length;
    if (gathered === 0) {
      // A scheduler that ended took them with it.
      this.#isBusy = false;
      return;
    }
    const count = this.#random.next() < partial ? 1 + this.#random.below(gathered) : gathered;
    store.begin();
    for (let at = 0; at < count; at++) this.#commands[at]!(store);
    this.#applied = count;
    this.#incarnationApplied = this.#incarnation;
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
    this.#trace.note('commit', this.#applied, failure ?? 0, () =>
      failure === null ? '' : `failed ${failure}`,
    );
    this.#owner.committed();
    if (!this.#clock.isAlive || life !== this.#life) return;
    // The room of commands is given back after their commit.
    this.#commands.splice(0, this.#applied);
    this.#applied = 0;
    this.#isBusy = false;
    store.housekeep(this.#clock.wall(), this.#commands.length === 0);
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

const RESTARTED: HeldEvent = { kind: 'restarted', tell: (target) => target.restarted?.() };
