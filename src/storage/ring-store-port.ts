import type { Clock } from '../structures/clock.js';
import { Doorbell, DoorbellButton } from '../structures/doorbell.js';
import { RingOutlet } from '../structures/ring-outlet.js';
import { RingConsumer } from '../structures/spsc-ring.js';
import { encodeAppend, encodeControl, encodeLookup, encodeRead, encodeWipe } from './codec/command-codec.js';
import { deliverEvent } from './codec/event-codec.js';
import { SCHEDULER_BELL, type StoreRings, WRITER_BELL } from './store-rings.js';
import type { Control, DeviceId, EntryKind, Seq, StoreEvents, StorePort, UserId } from './stores.js';

export interface RingStorePortOptions {
  readonly rings: StoreRings;
  readonly clock: Clock;
  /** Bytes of commands that wait behind a full ring before commands are refused. Default 4 MiB. */
  readonly overflowBytesMax?: number;
  /** Events handled in one turn. Default 4096. */
  readonly drainCountMax?: number;
  /** Milliseconds for handling events before sockets and processes have their turn. Default 2. */
  readonly drainMs?: number;
}

/** What watches of a port. */
export interface RingStorePortCounters {
  /** Commands taken, refused because ring and queue were full, and that went through the queue. */
  readonly submitted: number;
  readonly refused: number;
  readonly overflowed: number;
  readonly events: number;
  /** Times that the writer had to be woken. */
  readonly wakes: number;
}

/** So many bytes of commands are shown to the writer at once instead of at the end of the turn. */
const PUBLISH_BYTES = 64 * 1024;
/** Events between two looks at the clock: each may run a session, and make it write. */
const LOOK_EVENTS = 16;

/**
 * A {@link StorePort} to a writer thread: commands are written straight into the ring and shown to the writer
 * once a turn (`flush`, or the end of the turn by itself), so that what one turn sends is one batch. Events
 * are handed out in turns of their own, woken by the writer's bell.
 */
export class RingStorePort implements StorePort {
  readonly #clock: Clock;
  readonly #commands: RingOutlet;
  readonly #events: RingConsumer;
  readonly #writer: DoorbellButton;
  readonly #bell: Doorbell;
  readonly #drainCountMax: number;
  readonly #drainMs: number;
  readonly #onTurn = (): void => this.#turn();
  readonly #onDrain = (): void => this.#drain();
  #listener: StoreEvents | null = null;
  #turnAhead = false;
  #drainAhead = false;
  #closed = false;
  #submitted = 0;
  #refused = 0;
  #eventCount = 0;
  #settling: (() => void)[] = [];

  constructor(options: RingStorePortOptions) {
    const { rings } = options;
    this.#clock = options.clock;
    this.#commands = new RingOutlet(rings.commands, options.overflowBytesMax ?? 4 * 1024 * 1024);
    this.#events = new RingConsumer(rings.events);
    this.#writer = new DoorbellButton(rings.bells, WRITER_BELL);
    this.#bell = new Doorbell(rings.bells, SCHEDULER_BELL, () => {
      if (!this.#drainAhead) this.#drain();
    });
    this.#drainCountMax = options.drainCountMax ?? 4096;
    this.#drainMs = options.drainMs ?? 2;
    if (!(this.#drainMs > 0)) throw new RangeError(`bad drainMs: ${this.#drainMs}`);
    this.#drainLater();
  }

  get counters(): RingStorePortCounters {
    return {
      submitted: this.#submitted,
      refused: this.#refused,
      overflowed: this.#commands.overflowed,
      events: this.#eventCount,
      wakes: this.#writer.rings,
    };
  }

  /** Bytes of commands waiting behind the full ring. */
  get overflowBytes(): number {
    return this.#commands.overflowBytes;
  }

  /** From now on hands events to `events`, in turns of its own, until {@link close}. Until then they wait. */
  listen(events: StoreEvents): void {
    this.#listener = events;
    this.#drainLater();
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
    heard: number,
  ): boolean {
    return this.#taken(
      !this.#closed &&
        encodeAppend(
          this.#commands,
          requester,
          inbox,
          from,
          device,
          kind,
          ref,
          time,
          source,
          bodyStart,
          bodyEnd,
          heard,
        ),
    );
  }

  wipe(requester: number, inbox: UserId, device: DeviceId, upTo: Seq, time: number): boolean {
    return this.#taken(!this.#closed && encodeWipe(this.#commands, requester, inbox, device, upTo, time));
  }

  read(requester: number, inbox: UserId, after: Seq, countMax: number, bytesMax: number): boolean {
    return this.#taken(
      !this.#closed && encodeRead(this.#commands, requester, inbox, after, countMax, bytesMax),
    );
  }

  lookup(requester: number, user: UserId): boolean {
    return this.#taken(!this.#closed && encodeLookup(this.#commands, requester, user));
  }

  control(requester: number, ref: number, control: Control): boolean {
    return this.#taken(!this.#closed && encodeControl(this.#commands, requester, ref, control));
  }

  /** Shows the commands of this turn to the writer now. The port does it by itself in the next turn. */
  flush(): void {
    if (this.#commands.publish()) this.#writer.ring();
  }

  /** Hands out at most `countMax` events, for `drainMs`. Returns whether there may be more. */
  drainEvents(events: StoreEvents, countMax: number): boolean {
    const ring = this.#events;
    const deadline = this.#clock.now() + this.#drainMs;
    let more = true;
    for (let taken = 0; taken < countMax; taken++) {
      if (taken % LOOK_EVENTS === 0 && taken !== 0 && this.#clock.now() >= deadline) break;
      const at = ring.next();
      more = at >= 0;
      if (!more) break;
      this.#eventCount++;
      deliverEvent(ring.memory, at, events);
    }
    if (ring.release()) this.#writer.ring();
    return more;
  }

  /** Resolves when every command taken so far has been applied and its events have been handed out. */
  settled(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settling.push(resolve);
      this.flush();
      this.#drainLater();
    });
  }

  /** Refuses commands and hands out no event any more. What was taken stays in the ring and is applied. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#bell.close();
    this.#settle();
  }

  #taken(encoded: boolean): boolean {
    if (!encoded) {
      this.#refused++;
      return false;
    }
    this.#submitted++;
    if (this.#commands.pendingBytes >= PUBLISH_BYTES) this.flush();
    else if (!this.#turnAhead) {
      this.#turnAhead = true;
      this.#clock.defer(this.#onTurn);
    }
    return true;
  }

  #turn(): void {
    this.#turnAhead = false;
    this.flush();
  }

  #drainLater(): void {
    if (this.#drainAhead || this.#closed) return;
    this.#drainAhead = true;
    this.#clock.defer(this.#onDrain);
  }

  /** One turn of events; then another one as long as there are any, then sleep. */
  #drain(): void {
    this.#drainAhead = false;
    if (this.#closed) return;
    const before = this.#eventCount;
    try {
      if (this.#listener !== null) this.drainEvents(this.#listener, this.#drainCountMax);
    } finally {
      // Whatever a listener throws, the events behind the one that it threw at are not lost.
      this.#afterDrain(before);
    }
  }

  #afterDrain(before: number): void {
    // Room has been made at the writer, most likely: for what waits behind the ring.
    if (this.#commands.overflowBytes > 0) this.flush();
    if (this.#eventCount !== before) {
      this.#drainLater();
      return;
    }
    this.#settle();
    this.#bell.prepare();
    // Asked before the last look, so that a release after it rings.
    if (this.#settling.length > 0) this.#commands.wantRelease();
    const nothing = this.#listener === null || this.#events.isEmpty();
    if (nothing && (this.#settling.length === 0 || !this.#commands.isSettled())) {
      this.#bell.wait();
    } else {
      this.#bell.stayAwake();
      this.#drainLater();
    }
  }

  #settle(): void {
    if (this.#settling.length === 0) return;
    if (!this.#closed && !(this.#commands.isSettled() && this.#events.isEmpty())) return;
    for (const resolve of this.#settling.splice(0)) resolve();
  }
}
