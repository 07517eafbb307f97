import type { Pid } from '../../src/actors/pid.js';
import type { RemoteSignal, Router } from '../../src/actors/router.js';
import type { Runtime } from '../../src/actors/runtime.js';
import { chatCodecs } from '../../src/app/chat-codecs.js';
import { RecordDecoder } from '../../src/schedulers/record-decoder.js';
import { RecordEncoder } from '../../src/schedulers/record-encoder.js';
import { TermCodec } from '../../src/schedulers/term-codec.js';
import type { Clock } from '../../src/structures/clock.js';
import { RingOutlet } from '../../src/structures/ring-outlet.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import { createRing, RingConsumer } from '../../src/structures/spsc-ring.js';
import type { ScopedClock } from './scoped-clock.js';

const RING_BYTES = 64 * 1024;
const OVERFLOW_BYTES_MAX = 2 ** 24;

/** One direction between two schedulers. */
interface Wire {
  readonly from: number;
  readonly to: number;
  readonly outlet: RingOutlet;
  readonly consumer: RingConsumer;
  readonly decoder: RecordDecoder;
  /** When the last that was sent arrives: nothing overtakes. */
  arriveAt: number;
}

interface Member {
  readonly number: number;
  readonly runtime: Runtime;
  readonly clock: ScopedClock;
  readonly encoder: RecordEncoder;
  /** Of what it sends, how much is refused as if the way were full: 0–1. */
  refuses: number;
  /** How long what it sends takes at most. */
  delayMsMax: number;
}

/**
 * The rings between scheduler threads: the production's records in the production's rings, which take their time. What
 * a scheduler had shown before it died still arrives; then the others hear of its end.
 */
export class SimulatedRings {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #members = new Map<number, Member>();
  readonly #wires = new Map<string, Wire>();
  readonly #delayMsMax: number;

  constructor(clock: Clock, random: SeededRandom, delayMsMax: number) {
    this.#clock = clock;
    this.#random = random;
    this.#delayMsMax = delayMsMax;
  }

  /** The router of the scheduler with this number; it carries nothing until {@link join}. */
  router(number: number): Router {
    return {
      message: (target, message) => this.#message(number, target, message),
      signal: (target, signal) => this.#signal(number, target, signal),
    };
  }

  join(runtime: Runtime, clock: ScopedClock): void {
    const number = runtime.scheduler;
    const encoder = new RecordEncoder(chatCodecs, new TermCodec(runtime));
    const member: Member = { number, runtime, clock, encoder, refuses: 0, delayMsMax: this.#delayMsMax };
    for (const other of this.#members.values()) {
      this.#join(member, other);
      this.#join(other, member);
    }
    this.#members.set(number, member);
  }

  /** The way from this scheduler is full now and then. */
  refuse(number: number, share: number): void {
    const member = this.#members.get(number);
    if (member !== undefined) member.refuses = share;
  }

  /** What this scheduler sends takes so long at most; null: as ever. */
  slow(number: number, delayMsMax: number | null): void {
    const member = this.#members.get(number);
    if (member !== undefined) member.delayMsMax = delayMsMax ?? this.#delayMsMax;
  }

  /** A scheduler's thread has ended, and everybody gets to know. */
  gone(number: number): void {
    if (!this.#members.delete(number)) return;
    for (const [key, wire] of this.#wires) {
      if (wire.to === number) this.#wires.delete(key);
      if (wire.from !== number) continue;
      this.#wires.delete(key);
      const receiver = this.#members.get(wire.to);
      if (receiver === undefined) continue;
      // What it had not shown yet is lost with it.
      if (this.#random.next() < 0.5) wire.outlet.rollback();
      const behind = this.#random.next() * this.#delayMsMax;
      const delay = Math.max(0, wire.arriveAt - this.#clock.now()) + behind;
      this.#clock.setTimer(() => {
        this.#deliver(wire, receiver);
        if (receiver.clock.isAlive) receiver.runtime.schedulerDown(number);
      }, delay);
    }
  }

  #join(from: Member, to: Member): void {
    const ring = createRing(RING_BYTES);
    this.#wires.set(`${from.number} ${to.number}`, {
      from: from.number,
      to: to.number,
      outlet: new RingOutlet(ring, OVERFLOW_BYTES_MAX),
      consumer: new RingConsumer(ring),
      decoder: new RecordDecoder(to.runtime, chatCodecs, new TermCodec(to.runtime)),
      arriveAt: 0,
    });
  }

  #message(from: number, target: Pid, message: unknown): boolean {
    const wire = this.#wires.get(`${from} ${target.scheduler}`);
    const sender = this.#members.get(from);
    if (wire === undefined || sender === undefined || this.#isFull(sender)) return false;
    sender.encoder.message(wire.outlet, target.id, message);
    this.#send(wire, sender);
    return true;
  }

  #signal(from: number, target: Pid, signal: RemoteSignal): boolean {
    const wire = this.#wires.get(`${from} ${target.scheduler}`);
    const sender = this.#members.get(from);
    if (wire === undefined || sender === undefined) return false;
    const mayBeRefused =
      signal.type === 'alias' ||
      signal.type === 'link' ||
      signal.type === 'monitor' ||
      (signal.type === 'exit' && !signal.link);
    if (mayBeRefused && this.#isFull(sender)) return false;
    sender.encoder.signal(wire.outlet, target.id, signal);
    this.#send(wire, sender);
    return true;
  }

  #isFull(sender: Member): boolean {
    return sender.refuses > 0 && this.#random.next() < sender.refuses;
  }

  #send(wire: Wire, sender: Member): void {
    const now = this.#clock.now();
    wire.arriveAt = Math.max(wire.arriveAt, now + this.#random.next() * sender.delayMsMax);
    this.#clock.setTimer(() => {
      const receiver = this.#members.get(wire.to);
      if (receiver !== undefined && this.#members.has(wire.from)) this.#deliver(wire, receiver);
    }, wire.arriveAt - now);
  }

  #deliver(wire: Wire, { clock }: Member): void {
    do {
      wire.outlet.publish();
      for (let at = wire.consumer.next(); at >= 0; at = wire.consumer.next()) {
        if (!clock.isAlive) return;
        wire.decoder.deliver(wire.consumer.memory, at);
      }
      wire.consumer.release();
    } while (wire.outlet.overflowBytes > 0);
  }
}
