import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import {
  BadArgument,
  type Pid,
  type RemoteSignal,
  type Router,
  type Runtime,
  type SchedulerWatcher,
} from '../actors/index.js';
import { Doorbell } from '../structures/doorbell.js';
import { MessageCodecs } from './message-codec.js';
import { RecordDecoder } from './record-decoder.js';
import { PortBroken, RecordEncoder } from './record-encoder.js';
import { RingInlet } from './ring-inlet.js';
import { RingPort } from './ring-port.js';
import { type LinkNews, type PeerLink, ROUTER_STATS, type SchedulerLinks } from './scheduler-links.js';
import { placeOf } from './scheduler-number.js';
import { SharedNameTable } from './shared-name-table.js';
import { startServer } from './start-server.js';
import { StartTable } from './start-table.js';
import { StatsBlock } from './stats-block.js';
import { TermCodec } from './term-codec.js';

const WAKES = ROUTER_STATS.indexOf('wakes');
const LOOKS = ROUTER_STATS.indexOf('looks');
const RECORDS = ROUTER_STATS.indexOf('records');
const UNDECODABLE = ROUTER_STATS.indexOf('undecodable');

export interface RingRouterOptions {
  readonly links: SchedulerLinks;
  /** Compact forms of the messages that are sent most. The same list on all schedulers. */
  readonly codecs?: MessageCodecs;
  /** What others may have started here, by name. The same table on all schedulers. */
  readonly starts?: StartTable;
  /** Bytes after which the other end is told at once and not only at the end of the turn. Default 16 KiB. */
  readonly publishBytes?: number;
  /** Bytes that may wait behind each full ring. Default 64 MiB. */
  readonly overflowBytesMax?: number;
  /** Milliseconds for taking in what others sent before sockets and processes have their turn. Default 2. */
  readonly drainMs?: number;
}

/**
 * Joins the runtime of one thread with those of the others over rings in shared memory: see this folder's README.
 *
 *     const router = new RingRouter({ links, codecs });
 *     const runtime = new Runtime({ …, scheduler: links.number, router, names: router.names });
 *     router.start(runtime);
 */
export class RingRouter implements Router {
  readonly links: SchedulerLinks;
  /** The names of the node, for the runtime's option `names`. */
  readonly names: SharedNameTable;
  readonly #codecs: MessageCodecs;
  readonly #starts: StartTable;
  /** Of all ports: what is changed here holds for those that are there. */
  readonly #portOptions: { overflowBytesMax: number; readonly publishBytes: number };
  readonly #drainMs: number;
  readonly #stats: Float64Array;
  readonly #news: MessagePort;
  readonly #watchers = new Set<SchedulerWatcher>();
  /** By place. */
  readonly #ports: (RingPort | undefined)[] = [];
  /**
   * To schedulers that are gone, but of which not everything has been delivered yet. What is sent there is lost; but
   * nobody is told of their end, by a refused link or monitor, before their last message has come.
   */
  readonly #leaving = new Map<number, RingPort>();
  /** The highest number known of each place: whoever had a lower one is gone. */
  readonly #latest: number[] = [];
  #inlets: RingInlet[] = [];
  #firstInlet = 0;
  readonly #dirty: RingPort[] = [];
  #publishAhead = false;
  #runtime: Runtime | null = null;
  #terms: TermCodec | null = null;
  #encoder: RecordEncoder | null = null;
  #bell: Doorbell | null = null;
  #asleep = false;
  readonly #onLook = () => this.#run();
  readonly #onPublish = () => this.#publish();

  /** As the option; what waits already stays. Throws a {@link BadArgument} for a bad one. */
  set overflowBytesMax(bytes: number) {
    checkOverflow(bytes);
    this.#portOptions.overflowBytesMax = bytes;
  }

  get overflowBytesMax(): number {
    return this.#portOptions.overflowBytesMax;
  }

  /** Throws a {@link BadArgument} for a bad option. */
  constructor(options: RingRouterOptions) {
    const { publishBytes = 16 * 1024, overflowBytesMax = 64 * 1024 * 1024, drainMs = 2 } = options;
    if (!(publishBytes >= 0)) throw new BadArgument(`bad publishBytes: ${publishBytes}`);
    checkOverflow(overflowBytesMax);
    if (!(drainMs > 0)) throw new BadArgument(`bad drainMs: ${drainMs}`);
    this.links = options.links;
    this.names = new SharedNameTable(options.links.names, options.links.number);
    this.#codecs = options.codecs ?? new MessageCodecs();
    this.#starts = options.starts ?? new StartTable();
    this.#portOptions = { overflowBytesMax, publishBytes };
    this.#drainMs = drainMs;
    this.#stats = new StatsBlock(options.links.stats).values;
    this.#news = options.links.news;
  }

  /** Begins to carry signals. To be called before the runtime has any process. */
  start(runtime: Runtime): void {
    const { links } = this;
    if (this.#runtime !== null) throw new BadArgument('the router was started already');
    if (runtime.scheduler !== links.number)
      throw new BadArgument(`bad scheduler: ${runtime.scheduler}; the links are those of ${links.number}`);
    startServer(runtime, this.#starts);
    this.#runtime = runtime;
    this.#terms = new TermCodec(runtime);
    this.#encoder = new RecordEncoder(this.#codecs, this.#terms);
    this.#bell = new Doorbell(links.bell, 0, () => {
      this.#asleep = false;
      this.#stats[WAKES]!++;
      this.#run();
    });
    for (const peer of links.peers) this.#up(peer);
    this.#news.on('message', (news: LinkNews) => {
      this.#take(news);
      this.#stir();
    });
    this.#news.on('close', () => this.#expelled());
    this.#news.unref();
    this.#readNews();
    this.#run();
  }

  /** Lets go of everything: of the other schedulers nothing is heard any more. What was not published is lost. */
  close(): void {
    this.#bell?.close();
    this.#bell = null;
    this.#news.close();
    this.#ports.length = 0;
    this.#leaving.clear();
    this.#inlets = [];
  }

  // ---- schedulers ----------------------------------------------------------------------------------------------

  /** Numbers of the other schedulers that there are. */
  get schedulers(): number[] {
    this.#readNews();
    const numbers: number[] = [];
    for (const port of this.#ports) if (port !== undefined) numbers.push(port.number);
    return numbers;
  }

  /** The number of the scheduler that is at a place now, this one's own included; undefined if there is none. */
  at(place: number): number | undefined {
    if (place === placeOf(this.links.number)) return this.links.number;
    this.#readNews();
    return this.#ports[place]?.number;
  }

  watch(watcher: SchedulerWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: SchedulerWatcher): void {
    this.#watchers.delete(watcher);
  }

  // ---- Router --------------------------------------------------------------------------------------------------

  message(target: Pid, message: unknown): boolean {
    const port = this.#portTo(target.scheduler);
    if (port === undefined) return false;
    try {
      if (!port.message(target, message)) return false;
    } catch (error) {
      return this.#failed(error);
    }
    if (!port.dirty) this.#soil(port);
    return true;
  }

  signal(target: Pid, signal: RemoteSignal): boolean {
    const port = this.#portTo(target.scheduler);
    if (port === undefined) return false;
    try {
      if (!port.signal(target, signal)) return false;
    } catch (error) {
      return this.#failed(error);
    }
    if (!port.dirty) this.#soil(port);
    return true;
  }

  /** What cannot be encoded is the sender's business. A broken port is the end of this scheduler. */
  #failed(error: unknown): false {
    if (!(error instanceof PortBroken)) throw error;
    // In a turn of its own, where nobody catches it; here it would be the crash of whoever was sending.
    this.#runtime!.clock.defer(() => {
      throw error;
    });
    return false;
  }

  #portTo(scheduler: number): RingPort | undefined {
    const place = placeOf(scheduler);
    let port = this.#ports[place];
    if (port?.number === scheduler) return port;
    if (scheduler <= (this.#latest[place] ?? -1)) return this.#leaving.get(scheduler);
    // Somebody knows of it before we do: by a name, say, or a pid from a third.
    this.#readNews();
    port = this.#ports[place];
    return port?.number === scheduler ? port : undefined;
  }

  #soil(port: RingPort): void {
    port.dirty = true;
    this.#dirty.push(port);
    if (this.#publishAhead) return;
    this.#publishAhead = true;
    this.#runtime!.afterTurn(this.#onPublish);
  }

  #publish(): void {
    this.#publishAhead = false;
    for (let port = this.#dirty.pop(); port !== undefined; port = this.#dirty.pop()) port.publish();
  }

  // ---- what comes ----------------------------------------------------------------------------------------------

  /** Looks at the rings; again in the next turn if there was anything; else sleeps until somebody rings. */
  #run(): void {
    const bell = this.#bell;
    if (bell === null) return;
    if (!this.#look()) {
      bell.prepare();
      if (!this.#look()) {
        this.#asleep = true;
        bell.wait();
        return;
      }
      bell.stayAwake();
    }
    this.#runtime!.clock.defer(this.#onLook);
  }

  /** There is something new to look at: has it looked at soon, if it sleeps. */
  #stir(): void {
    if (!this.#asleep || this.#bell === null) return;
    this.#asleep = false;
    this.#bell.stayAwake();
    this.#runtime!.clock.defer(this.#onLook);
  }

  /** @internal Looks once, without waiting for the bell; returns whether there was anything to do. For tests. */
  look(): boolean {
    this.#readNews();
    return this.#look();
  }

  /** Returns whether there was anything to do. */
  #look(): boolean {
    const runtime = this.#runtime!;
    const { clock } = runtime;
    this.#stats[LOOKS]!++;
    let found = false;
    for (const port of this.#ports) {
      if (port?.isStalled === true && port.flush()) found = true;
    }
    const inlets = this.#inlets;
    const count = inlets.length;
    if (count === 0) return found;
    const deadline = clock.now() + this.#drainMs;
    // Another one begins each time, so that a flood from one does not keep out the others.
    this.#firstInlet = (this.#firstInlet + 1) % count;
    for (let index = 0; index < count; index++) {
      const inlet = inlets[(this.#firstInlet + index) % count]!;
      runtime.arrivesFrom = inlet.number;
      const taken = inlet.drain(clock, deadline);
      runtime.arrivesFrom = null;
      if (taken > 0) {
        found = true;
        this.#stats[RECORDS]! += taken;
      }
      if (inlet.closing && inlet.isEmpty) {
        found = true;
        this.#gone(inlet);
      }
    }
    return found;
  }

  readonly #badRecord = (scheduler: number, error: unknown): void => {
    this.#stats[UNDECODABLE]!++;
    this.#runtime!.emit({ type: 'undecodable', scheduler, error });
  };

  // ---- coming and going ----------------------------------------------------------------------------------------

  #readNews(): void {
    // Before its start it knows what the links say, and asks nobody.
    if (this.#bell === null) return;
    for (;;) {
      const received = receiveMessageOnPort(this.#news) as { readonly message: LinkNews } | undefined;
      if (received === undefined) return;
      this.#take(received.message);
      this.#stir();
    }
  }

  #take(news: LinkNews): void {
    if (news.type === 'up') this.#up(news.peer);
    else this.#down(news.scheduler);
  }

  #up(peer: PeerLink): void {
    const { number } = peer;
    const place = placeOf(number);
    const runtime = this.#runtime!;
    this.#latest[place] = number;
    this.#ports[place] = new RingPort(peer, runtime, this.#encoder!, this.#portOptions);
    const decoder = new RecordDecoder(runtime, this.#codecs, this.#terms!);
    this.#inlets = [...this.#inlets, new RingInlet(peer, decoder, this.#badRecord)];
    for (const watcher of this.#watchers) watcher.schedulerUp?.(number);
  }

  /**
   * This scheduler was given up: others have its place and its names, and nobody takes anything from it. It can do
   * nothing better than to end, in a turn of its own where nobody catches it.
   */
  #expelled(): void {
    if (this.#bell === null) return;
    const { number } = this.links;
    // First: Node 20 crashes when a port is read within its own close event.
    this.close();
    this.#runtime!.clock.defer(() => {
      throw new Error(`scheduler ${number} was given up`);
    });
  }

  /** What it sent is still delivered, before its end is known. */
  #down(scheduler: number): void {
    const place = placeOf(scheduler);
    const port = this.#ports[place];
    if (port?.number === scheduler) {
      this.#ports[place] = undefined;
      this.#leaving.set(scheduler, port);
    }
    for (const inlet of this.#inlets) if (inlet.number === scheduler) inlet.closing = true;
  }

  #gone(inlet: RingInlet): void {
    this.#inlets = this.#inlets.filter((other) => other !== inlet);
    this.#leaving.delete(inlet.number);
    this.#runtime!.schedulerDown(inlet.number);
    for (const watcher of this.#watchers) watcher.schedulerDown?.(inlet.number);
  }
}

function checkOverflow(bytes: number): void {
  if (!(bytes >= 0 && bytes <= 2 ** 29))
    throw new BadArgument(`bad overflowBytesMax: ${bytes} (at most 512 MiB)`);
}
