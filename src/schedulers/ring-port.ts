import type { Pid, RemoteSignal, Runtime } from '../actors/index.js';
import { DoorbellButton } from '../structures/doorbell.js';
import { RingOutlet } from '../structures/ring-outlet.js';
import type { RecordEncoder } from './record-encoder.js';
import { type PeerLink, RING_STATS } from './scheduler-links.js';
import { StatsBlock } from './stats-block.js';

/** What may wait behind the ring is bounded by the router; this is what the memory for it may never exceed. */
const OVERFLOW_BYTES_MAX = 2 ** 30;
/** How often the same trouble is told. */
const EVENT_MS = 1000;
/** A ring that is full for a moment is nothing to tell. When this share of what may wait does, it is. */
const BUSY_SHARE = 16;

const RECORDS = RING_STATS.indexOf('records');
const BYTES = RING_STATS.indexOf('bytes');
const PUBLISHES = RING_STATS.indexOf('publishes');
const RINGS = RING_STATS.indexOf('rings');
const OVERFLOWED = RING_STATS.indexOf('overflowed');
const OVERFLOW_BYTES = RING_STATS.indexOf('overflowBytes');
const OVERFLOW_MAX = RING_STATS.indexOf('overflowBytesMax');
const STALLED_MS = RING_STATS.indexOf('stalledMs');
const DROPPED = RING_STATS.indexOf('dropped');

export interface RingPortOptions {
  readonly overflowBytesMax: number;
  readonly publishBytes: number;
}

/**
 * The way to one other scheduler: its ring, and behind it a queue for the time when the ring is full. What goes in
 * first comes out first. Once `overflowBytesMax` wait, messages, calls and exit signals that somebody sends are
 * dropped and links and monitors refused; what must not be lost (the ends of links and monitors, of which there are
 * never more than there were links and monitors) is taken all the same.
 */
export class RingPort {
  /** Number of the scheduler at the other end. */
  readonly number: number;
  /** Has something to be published. */
  dirty = false;
  readonly #runtime: Runtime;
  readonly #encoder: RecordEncoder;
  readonly #options: RingPortOptions;
  readonly #outlet: RingOutlet;
  readonly #button: DoorbellButton;
  readonly #stats: Float64Array;
  /** Bytes sent since the last publish, whether into the ring or behind it. */
  #unshown = 0;
  #stalledSince = -1;
  #toldBusyAt = Number.NEGATIVE_INFINITY;
  #toldOverflowAt = Number.NEGATIVE_INFINITY;

  constructor(link: PeerLink, runtime: Runtime, encoder: RecordEncoder, options: RingPortOptions) {
    this.number = link.number;
    this.#runtime = runtime;
    this.#encoder = encoder;
    this.#options = options;
    this.#outlet = new RingOutlet(link.to.ring, OVERFLOW_BYTES_MAX);
    this.#button = new DoorbellButton(link.bell, 0);
    this.#stats = new StatsBlock(link.to.stats).values;
  }

  /** Something waits behind the ring. */
  get isStalled(): boolean {
    return this.#outlet.overflowBytes !== 0;
  }

  /** False: it was dropped. Throws a NotEncodable. */
  message(target: Pid, message: unknown): boolean {
    if (this.#isFull()) return this.#drop();
    this.#sent(this.#encoder.message(this.#outlet, target.id, message));
    return true;
  }

  /** Likewise. */
  signal(target: Pid, signal: RemoteSignal): boolean {
    if (this.#isFull()) {
      const { type } = signal;
      const mayBeLost = type === 'alias' || (type === 'exit' && !signal.link);
      if (mayBeLost) return this.#drop();
      if (type === 'link' || type === 'monitor') return false;
    }
    this.#sent(this.#encoder.signal(this.#outlet, target.id, signal));
    return true;
  }

  /** Shows the other end what was sent. */
  publish(): void {
    this.dirty = false;
    this.#show();
  }

  /** Moves what waits behind the ring into it, as much as fits now. Returns whether anything moved. */
  flush(): boolean {
    this.#encoder.recover();
    const moved = this.#outlet.flush();
    this.#shown(moved);
    this.#watchStall();
    return moved;
  }

  /** Wakes the other end: there is room in its ring. */
  ring(): void {
    this.#button.ring();
    this.#stats[RINGS] = this.#button.rings;
  }

  #isFull(): boolean {
    return this.#outlet.overflowBytes >= this.#options.overflowBytesMax;
  }

  #sent(bytes: number): void {
    const stats = this.#stats;
    stats[RECORDS]!++;
    stats[BYTES]! += bytes;
    this.#unshown += bytes;
    if (this.#unshown >= this.#options.publishBytes) this.#show();
  }

  #show(): void {
    this.#unshown = 0;
    this.#encoder.recover();
    this.#shown(this.#outlet.publish());
    if (this.isStalled || this.#stalledSince >= 0) this.#watchStall();
  }

  #shown(anything: boolean): void {
    if (!anything) return;
    this.#stats[PUBLISHES]!++;
    this.ring();
  }

  #watchStall(): void {
    const waitingBytes = this.#outlet.overflowBytes;
    const stats = this.#stats;
    const now = this.#runtime.clock.now();
    if (this.#stalledSince >= 0) stats[STALLED_MS]! += now - this.#stalledSince;
    this.#stalledSince = waitingBytes === 0 ? -1 : now;
    stats[OVERFLOW_BYTES] = waitingBytes;
    if (waitingBytes === 0) return;
    stats[OVERFLOWED] = this.#outlet.overflowed;
    if (waitingBytes > stats[OVERFLOW_MAX]!) stats[OVERFLOW_MAX] = waitingBytes;
    if (waitingBytes * BUSY_SHARE < this.#options.overflowBytesMax || now - this.#toldBusyAt < EVENT_MS)
      return;
    this.#toldBusyAt = now;
    this.#runtime.emit({ type: 'busy_port', scheduler: this.number, waitingBytes });
  }

  #drop(): false {
    const dropped = ++this.#stats[DROPPED]!;
    this.#watchStall();
    const now = this.#runtime.clock.now();
    if (now - this.#toldOverflowAt >= EVENT_MS) {
      this.#toldOverflowAt = now;
      const waitingBytes = this.#outlet.overflowBytes;
      this.#runtime.emit({ type: 'port_overflow', scheduler: this.number, waitingBytes, dropped });
    }
    return false;
  }
}
