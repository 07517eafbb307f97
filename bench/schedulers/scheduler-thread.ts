/** A scheduler thread of the benchmarks: does what it is told and says how it went. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { type Pid, Runtime } from '../../src/actors/index.js';
import { RingRouter, type SchedulerLinks } from '../../src/schedulers/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { BODY_BYTES, benchCodecs, makeLetter, makePostcard } from './letter.js';

export type Kind = 'letter' | 'postcard' | 'bytes' | 'text' | 'object';

export type Order =
  | { readonly op: 'take'; readonly count: number }
  | { readonly op: 'send'; readonly count: number; readonly kind: Kind; readonly to: string }
  | { readonly op: 'echo' }
  | { readonly op: 'ping'; readonly count: number; readonly to: string }
  | { readonly op: 'populate'; readonly count: number }
  | { readonly op: 'visit'; readonly scheduler: number; readonly first: number; readonly count: number }
  | { readonly op: 'visited' };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const { links } = workerData as { links: SchedulerLinks };
const port = parentPort!;
const clock = new SystemClock();
const router = new RingRouter({ links, codecs: benchCodecs });
const runtime = new Runtime({
  clock,
  random: new SystemRandom(),
  scheduler: links.number,
  router,
  names: router.names,
});
router.start(runtime);

/** Messages that may be under way, and how often the receiver says how far it is. */
const WINDOW = 100_000;
const CREDIT = 10_000;

let serial = 0;
/** Of the processes of `populate`. */
let visited = 0;
let longestPauseMs = 0;
let longestCollectionMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestCollectionMs = Math.max(longestCollectionMs, duration);
}).observe({ entryTypes: ['gc'] });

/** Watches how long the event loop does not turn, until `done`. */
function watchPauses(done: () => boolean): void {
  longestPauseMs = 0;
  longestCollectionMs = 0;
  let before = clock.now();
  const look = () => {
    const now = clock.now();
    longestPauseMs = Math.max(longestPauseMs, now - before);
    before = now;
    if (!done()) clock.defer(look);
  };
  look();
}

function message(kind: Kind, seq: number, body: Uint8Array, card: ReturnType<typeof makePostcard>): unknown {
  switch (kind) {
    case 'letter':
      return makeLetter(seq, body);
    case 'postcard':
      card.seq = seq;
      return card;
    case 'bytes':
      return body;
    case 'text':
      return 'sixty-eight characters of text, as people write them to one another';
    case 'object':
      return { from: 15550001, to: 15550002, seq, time: 1.7e12 + seq, ref: seq, kind: 1, body };
  }
}

const actions: { [O in Order as O['op']]: (order: O) => void } = {
  take({ count }) {
    const name = `sink-${links.number}-${serial++}`;
    runtime.spawn<unknown>(
      (self) => {
        let sender: Pid<number> | null = null;
        let taken = 0;
        let start = 0;
        return {
          receive(what) {
            if (sender === null) {
              sender = what as Pid<number>;
              start = clock.now();
              return;
            }
            taken++;
            if (taken % CREDIT === 0) self.send(sender, taken);
            if (taken === count) {
              port.postMessage({ ms: clock.now() - start });
              self.exit({ type: 'normal' });
            }
          },
        };
      },
      { name },
    );
    port.postMessage(name);
  },

  send({ count, kind, to }) {
    const target = runtime.whereis<unknown>(to)!;
    const body = new Uint8Array(kind === 'bytes' ? 76 : BODY_BYTES).fill(7);
    const card = makePostcard(body);
    runtime.spawn<number>((self) => {
      let sent = 0;
      let taken = 0;
      let asleep = false;
      self.send(target, self);
      const go = () => {
        for (let n = 0; n < 64 && sent < count && sent - taken < WINDOW; n++)
          self.send(target, message(kind, sent++, body, card));
        asleep = sent === count || sent - taken >= WINDOW;
        if (!asleep) self.send(self, -1);
      };
      go();
      return {
        receive(credit) {
          if ((credit as number) >= 0) {
            taken = credit as number;
            if (!asleep || sent === count) return;
          }
          go();
        },
      };
    });
  },

  echo() {
    const name = `echo-${links.number}-${serial++}`;
    runtime.spawn<readonly [Pid<number>, number]>(
      (self) => {
        let peer: Pid<number> | null = null;
        return {
          receive(what) {
            if (peer === null) peer = what as unknown as Pid<number>;
            else self.send(peer, what as unknown as number);
          },
        };
      },
      { name },
    );
    port.postMessage(name);
  },

  ping({ count, to }) {
    const target = runtime.whereis<unknown>(to)!;
    runtime.spawn<number>((self) => {
      const times = new Float64Array(count);
      let at = 0;
      let sentAt = 0;
      const go = () => {
        sentAt = clock.now();
        self.send(target, at);
      };
      self.send(target, self);
      go();
      return {
        receive() {
          times[at++] = clock.now() - sentAt;
          if (at < count) {
            go();
            return;
          }
          port.postMessage(times);
          self.exit({ type: 'normal' });
        },
      };
    });
  },

  populate({ count }) {
    const pids: Pid<number>[] = [];
    collect();
    const heapBefore = process.memoryUsage().heapUsed;
    const start = clock.now();
    let left = count;
    watchPauses(() => left === 0);
    const receiver = {
      receive() {
        visited++;
      },
    };
    const batch = () => {
      for (let n = 0; n < 2000 && left > 0; n++, left--) pids.push(runtime.spawn<number>(() => receiver));
      if (left > 0) {
        clock.defer(batch);
        return;
      }
      const ms = clock.now() - start;
      const first = pids[0]!.id;
      // Their numbers follow one another, so nobody needs to hold or to send a million pids.
      if (pids[count - 1]!.id !== first + count - 1) throw new Error('the ids do not follow one another');
      pids.length = 0;
      clock.defer(() => {
        const pauseMs = longestPauseMs;
        const collectionMs = longestCollectionMs;
        collect();
        const bytes = (process.memoryUsage().heapUsed - heapBefore) / count;
        port.postMessage({ ms, first, bytes, pauseMs, collectionMs });
      });
    };
    batch();
  },

  visit({ scheduler, first, count }) {
    const start = clock.now();
    visited = 0;
    watchPauses(() => visited === count);
    let at = 0;
    const batch = () => {
      for (let n = 0; n < 2000 && at < count; n++, at++) runtime.send(runtime.pid(scheduler, first + at), at);
      if (at < count) clock.defer(batch);
    };
    batch();
    const wait = () => {
      if (visited < count) clock.defer(wait);
      else
        port.postMessage({
          ms: clock.now() - start,
          pauseMs: longestPauseMs,
          collectionMs: longestCollectionMs,
        });
    };
    wait();
  },

  visited() {
    port.postMessage(visited);
  },
};

port.on('message', (order: Order | 'end') => {
  if (order === 'end') process.exit(0);
  (actions[order.op] as (order: Order) => void)(order);
});
port.postMessage('ready');
