/** A thread of chaos.test.ts: processes that send to, link with and monitor those of all other threads, and keep books. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  DownMessage,
  ExitMessage,
  GenServer,
  type Pid,
  type Process,
  type Ref,
  Runtime,
} from '../../src/actors/index.js';
import { RingRouter, StartTable } from '../../src/schedulers/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { testCodecs } from './test-codecs.js';
import type { ThreadData } from './test-node.js';

const PROCESSES = 30;
const MESSAGES_A_TICK = 20;

/** What a process is told, and what it tells. */
export type ChaosMessage =
  | readonly ['peers', Pid<unknown>[]]
  | readonly ['message', Pid<unknown>, number]
  | readonly ['tick']
  | readonly ['stop']
  | readonly ['report', Pid<unknown>];

export interface ChaosReport {
  readonly errors: string[];
  readonly received: number;
  /** Schedulers of processes that it believes to monitor, or to be linked with. */
  readonly watched: number[];
}

const { links, argument, knobs } = workerData as ThreadData;
const random = new SeededRandom((argument as number) + links.number);
const port = parentPort!;

class Chaotic {
  readonly #errors: string[] = [];
  #peers: Pid<unknown>[] = [];
  #stopped = false;
  #received = 0;
  readonly #sent = new Map<Pid, number>();
  readonly #next = new Map<Pid, number>();
  readonly #monitors = new Map<Ref, Pid>();
  readonly #links = new Set<Pid>();
  readonly #exits = new Map<Pid, number>();
  /** How often it linked itself with whom. */
  readonly #linked = new Map<Pid, number>();
  readonly #gone = new Set<Pid>();

  constructor(private readonly self: Process<ChaosMessage>) {
    self.trapExit = true;
  }

  receive(message: ChaosMessage | ExitMessage | DownMessage | unknown): void {
    if (message instanceof ExitMessage) {
      const exits = (this.#exits.get(message.from) ?? 0) + 1;
      this.#exits.set(message.from, exits);
      // One for a link that the other end made, and one for each of ours: it may be made before the EXIT of the last is seen.
      if (exits > 1 + (this.#linked.get(message.from) ?? 0))
        this.#errors.push(`EXIT number ${exits} of ${String(message.from)}`);
      this.#gone.add(message.from);
      // The other end may have made the link.
      this.#links.delete(message.from);
    } else if (message instanceof DownMessage) {
      if (!this.#monitors.delete(message.ref)) this.#errors.push('a DOWN that nobody waits for');
      this.#gone.add(message.from as Pid);
    } else {
      this.#told(message as ChaosMessage);
    }
  }

  #told(message: ChaosMessage): void {
    switch (message[0]) {
      case 'peers':
        this.#peers = message[1].filter((pid) => pid !== this.self);
        break;
      case 'message': {
        const [, from, number] = message;
        this.#received++;
        if (this.#gone.has(from)) this.#errors.push(`a message of ${String(from)} after its end`);
        const next = this.#next.get(from) ?? 0;
        if (number !== next) this.#errors.push(`${number} in the place of ${next} from ${String(from)}`);
        this.#next.set(from, number + 1);
        break;
      }
      case 'tick':
        if (this.#stopped) break;
        for (let n = 0; n < MESSAGES_A_TICK && this.#peers.length > 0; n++) this.#act();
        this.self.sendAfter(1, ['tick']);
        break;
      case 'stop':
        this.#stopped = true;
        break;
      case 'report': {
        const watched = [...this.#monitors.values(), ...this.#links].map(({ scheduler }) => scheduler);
        const report: ChaosReport = {
          errors: this.#errors,
          received: this.#received,
          watched: [...new Set(watched)],
        };
        this.self.send(message[1], report);
        break;
      }
    }
  }

  #act(): void {
    const peer = this.#peers[Math.floor(random.next() * this.#peers.length)]!;
    const sent = this.#sent.get(peer) ?? 0;
    this.#sent.set(peer, sent + 1);
    this.self.send(peer, ['message', this.self, sent]);
    const chance = random.next();
    if (chance < 0.02) {
      this.#monitors.set(this.self.monitor(peer), peer);
    } else if (chance < 0.03 && !this.#gone.has(peer)) {
      this.#links.add(peer);
      this.#linked.set(peer, (this.#linked.get(peer) ?? 0) + 1);
      this.self.link(peer);
    }
  }
}

class Echo implements GenServer<null, ['place', number] | ['crash', never], never, never, never> {
  init() {
    return GenServer.ok(null);
  }

  handleCall(request: 'place' | 'crash', _from: unknown, state: null) {
    if (request === 'crash') throw new Error('crashed');
    return GenServer.reply(links.number, state);
  }
}

const router = new RingRouter({
  links,
  codecs: testCodecs,
  starts: new StartTable({ echo: (parent) => GenServer.startLink(parent, new Echo()) }),
  ...knobs,
});
const runtime = new Runtime({
  clock: new SystemClock(),
  random,
  scheduler: links.number,
  router,
  names: router.names,
  events: (event) => {
    if (event.type !== 'crash') return;
    port.postMessage({ crash: String(event.label) });
  },
});
router.start(runtime);
// Told when everybody here has been: their EXITs and DOWNs are in the mailboxes.
router.watch({ schedulerDown: (number) => port.postMessage(`down ${number}`) });
port.on('message', (message) => {
  if (message === 'end') process.exit(0);
  if (message === 'die') throw new Error('dies as it was told');
});
const workers: Pid<unknown>[] = [];
for (let n = 0; n < PROCESSES; n++) {
  workers.push(runtime.spawn<unknown>((self) => new Chaotic(self as Process<ChaosMessage>)));
}
for (const pid of workers) runtime.send(pid, ['tick']);
runtime.sendNamed('keeper', ['workers', links.number, workers]);
port.postMessage('ready');
