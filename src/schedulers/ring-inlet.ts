import type { Clock } from '../structures/clock.js';
import { DoorbellButton } from '../structures/doorbell.js';
import { RingConsumer } from '../structures/spsc-ring.js';
import type { RecordDecoder } from './record-decoder.js';
import type { PeerLink } from './scheduler-links.js';

/** Records between two looks at the clock. */
const LOOK_RECORDS = 64;

/** The way from one other scheduler: takes records out of its ring and hands them to the runtime. */
export class RingInlet {
  /** Number of the scheduler at the other end. */
  readonly number: number;
  /** That scheduler is gone: what it published before is still taken. */
  closing = false;
  readonly #consumer: RingConsumer;
  readonly #decoder: RecordDecoder;
  readonly #button: DoorbellButton;
  readonly #onBadRecord: (scheduler: number, error: unknown) => void;

  constructor(
    link: PeerLink,
    decoder: RecordDecoder,
    onBadRecord: (scheduler: number, error: unknown) => void,
  ) {
    this.number = link.number;
    this.#consumer = new RingConsumer(link.from.ring);
    this.#decoder = decoder;
    this.#button = new DoorbellButton(link.bell, 0);
    this.#onBadRecord = onBadRecord;
  }

  get isEmpty(): boolean {
    return this.#consumer.isEmpty();
  }

  /** Takes records until there are none or it is `deadline`. Returns how many it took. */
  drain(clock: Clock, deadline: number): number {
    const consumer = this.#consumer;
    const { memory } = consumer;
    const releaseBytes = consumer.capacity >> 3;
    let taken = 0;
    for (let at = consumer.next(); at >= 0; at = consumer.next()) {
      taken++;
      try {
        this.#decoder.deliver(memory, at);
      } catch (error) {
        this.#onBadRecord(this.number, error);
      }
      if (consumer.heldBytes >= releaseBytes) this.#release();
      if (taken % LOOK_RECORDS === 0 && clock.now() >= deadline) break;
    }
    this.#release();
    return taken;
  }

  #release(): void {
    if (this.#consumer.release()) this.#button.ring();
  }
}
