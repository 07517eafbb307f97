/** The other end of the ring in spsc-ring-threads.test.ts: echoes every record, sleeping whenever it can. */
import { parentPort, workerData } from 'node:worker_threads';
import { DOORBELL_BYTES, Doorbell, DoorbellButton } from '../../src/structures/doorbell.js';
import { RingConsumer, RingProducer } from '../../src/structures/spsc-ring.js';

export interface RingThreadData {
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
  readonly bells: SharedArrayBuffer;
}

const { there, back, bells } = workerData as RingThreadData;
const consumer = new RingConsumer(there);
const producer = new RingProducer(back);
const button = new DoorbellButton(bells, DOORBELL_BYTES);
const bell = new Doorbell(bells, 0, run);
/** Offset of a record that found no room in the way back. */
let held = -1;
let wakes = 0;

function echo(): boolean {
  for (;;) {
    const at = held >= 0 ? held : consumer.next();
    if (at < 0) return false;
    held = at;
    const length = consumer.memory.i32[at >> 2]!;
    let to = producer.reserve(length);
    if (to < 0) {
      producer.wantSpace();
      to = producer.reserve(length);
      if (to < 0) return true;
    }
    producer.memory.i32.set(consumer.memory.i32.subarray((at >> 2) + 1, (at + length) >> 2), (to >> 2) + 1);
    held = -1;
  }
}

function run(): void {
  wakes++;
  for (;;) {
    const full = echo();
    const shown = producer.publish();
    // What is held must not be given back yet.
    if (held < 0 && consumer.release()) button.ring();
    if (shown) button.ring();
    bell.prepare();
    if (full ? producer.reserve(8) < 0 : consumer.isEmpty()) {
      bell.wait();
      return;
    }
    if (full) producer.rollback();
    bell.stayAwake();
  }
}

parentPort!.on('message', () => {
  parentPort!.postMessage(wakes);
  parentPort!.close();
});
run();
parentPort!.postMessage('ready');
