import type { Clock, ClockTimer } from '../structures/clock.js';
import { Doorbell, DoorbellButton } from '../structures/doorbell.js';
import { RingConsumer } from '../structures/spsc-ring.js';
import { applyCommand } from './codec/command-codec.js';
import { CommitDelay } from './commit-delay.js';
import type { EventSink } from './event-sink.js';
import { RingEvents } from './ring-events.js';
import { SCHEDULER_BELL, type StoreRings, WRITER_BELL } from './store-rings.js';
import { STORE_FIGURES, type StoreFigures, StoreWriterCell } from './store-writer-stats.js';
import { PARTITIONS, type Store, type StoreFailure } from './stores.js';

export interface StoreWriterOptions {
  /** Opens the store; its events must go to `events`. */
  readonly open: (events: EventSink) => Store;
  readonly clock: Clock;
  /** Where the figures of {@link STORE_WRITER_STATS} are written after each batch: memory that other threads may read. */
  readonly stats?: Float64Array;
  /** Those of them that only the store knows. */
  readonly figures?: () => StoreFigures;
  /** Ceilings of one batch: commands, their bytes, and the bytes of events that they made. */
  readonly batchCountMax?: number;
  readonly batchBytesMax?: number;
  readonly batchEventBytesMax?: number;
  /** Longest pause in ms before a batch that is small while several schedulers are at it; default 0: none. */
  readonly commitDelayMs?: number;
  /** Stops the thread for so many ms. */
  readonly pause?: (ms: number) => void;
  /** Bytes of events behind the full ring of one scheduler at which nothing more is applied. Default 16 MiB. */
  readonly overflowBytesMax?: number;
  /** How long the others wait for such a scheduler before it is left. Default 3000 ms; for ever if there are no others. */
  readonly stallMsMax?: number;
  /** Called with each scheduler that was left so. Its thread has to end: nobody will answer it. */
  readonly onLeft?: (scheduler: number) => void;
  /** Called for each batch that could not be committed. */
  readonly onFailure?: (failure: StoreFailure, commands: number) => void;
  /** Called for the first batch that is committed after one that could not be. */
  readonly onRecovery?: () => void;
}

/** What watches of a writer. All count up from the start. */
export interface StoreWriterCounters {
  readonly commits: number;
  readonly commands: number;
  /** Batches that came to nothing. */
  readonly failures: number;
  /** Times that nothing could be applied because a scheduler did not take its events. */
  readonly stalls: number;
}

/** The scheduler's end, as the writer sees it. */
interface Inlet {
  readonly scheduler: number;
  readonly commands: RingConsumer;
  readonly schedulerBell: DoorbellButton;
  readonly bell: Doorbell;
  /** When its last commands were applied; −∞: never. */
  appliedAt: number;
}

/** Housekeeping of an idle writer; a busy one does one step of it in this time. */
const HOUSEKEEPING_MS = 1000;
const CLOSING_BATCHES_MAX = 256;

/**
 * The writer thread's loop. It takes whatever has gathered in the rings while the last commit ran, applies it
 * as one transaction, commits, shows the events, and only then gives the commands' room back:
 *
 *     turn:  (pause) ─ begin ─ apply … apply ─ commit ─ publish ─ release ─ housekeep ─▶ next turn, or sleep
 *
 * No timer, no fixed batch: an idle store commits at once, a busy one in large batches; the ceilings bound the
 * latency. Only where several schedulers bring little each is there a short pause between two batches
 * ({@link CommitDelay}). One commit is one turn of the event loop, so the thread's port is heard under load. The room in the
 * ring is given back last: a writer that dies before is replaced by one that applies the same commands again,
 * which de-duplication makes harmless.
 */
export class StoreWriter {
  readonly store: Store;
  readonly #clock: Clock;
  readonly #events = new RingEvents();
  readonly #inlets: Inlet[] = [];
  /** Commands that are committed together at most; it may be changed at any time. */
  batchCountMax: number;
  /** Its `delayMs` may be changed at any time. */
  readonly commitDelay: CommitDelay;
  readonly #bytesMax: number;
  readonly #eventBytesMax: number;
  readonly #overflowBytesMax: number;
  readonly #stallMsMax: number;
  readonly #onLeft: StoreWriterOptions['onLeft'];
  readonly #onFailure: StoreWriterOptions['onFailure'];
  readonly #onRecovery: StoreWriterOptions['onRecovery'];
  readonly #onTurn = (): void => this.#turn();
  readonly #onBell = (): void => this.#wake();
  readonly #onTimer = (): void => this.#timer();
  #timerHandle: ClockTimer;
  #turnAhead = false;
  /** The last turn had a batch. */
  #hadBatch = false;
  #next = 0;
  #closed = false;
  #commits = 0;
  #commands = 0;
  #failures = 0;
  #failing = false;
  #stalls = 0;
  /** Since when somebody does not take its events. */
  #stalledAt: number | null = null;
  #batchMs = 0;
  #commitMs = 0;
  readonly #stats: Float64Array | null;
  readonly #figures: StoreWriterOptions['figures'];

  /** @throws whatever `open` throws */
  constructor(options: StoreWriterOptions) {
    this.#clock = options.clock;
    this.#stats = options.stats ?? null;
    this.#figures = options.figures;
    this.batchCountMax = options.batchCountMax ?? 8192;
    const { clock, commitDelayMs: delayMs = 0, pause } = options;
    this.commitDelay = new CommitDelay({ clock, delayMs, ...(pause === undefined ? {} : { pause }) });
    this.#bytesMax = options.batchBytesMax ?? 1024 * 1024;
    this.#eventBytesMax = options.batchEventBytesMax ?? 4 * 1024 * 1024;
    this.#overflowBytesMax = options.overflowBytesMax ?? 16 * 1024 * 1024;
    this.#stallMsMax = options.stallMsMax ?? 3000;
    this.#onLeft = options.onLeft;
    this.#onFailure = options.onFailure;
    this.#onRecovery = options.onRecovery;
    this.store = options.open(this.#events);
    this.#publishFigures();
    this.#timerHandle = this.#clock.setTimer(this.#onTimer, HOUSEKEEPING_MS);
  }

  get counters(): StoreWriterCounters {
    return {
      commits: this.#commits,
      commands: this.#commands,
      failures: this.#failures,
      stalls: this.#stalls,
    };
  }

  /**
   * Joins a scheduler, in the place of an earlier one with the same number, and goes on where its rings stand.
   * The first one to be joined owns all partitions until {@link route} says otherwise.
   */
  attach(scheduler: number, rings: StoreRings): void {
    this.detach(scheduler);
    if (this.#inlets.length === 0) {
      for (let partition = 0; partition < PARTITIONS; partition++) this.#events.route(partition, scheduler);
    }
    this.#events.attach(scheduler, rings);
    this.#inlets.push({
      scheduler,
      commands: new RingConsumer(rings.commands),
      schedulerBell: new DoorbellButton(rings.bells, SCHEDULER_BELL),
      bell: new Doorbell(rings.bells, WRITER_BELL, this.#onBell),
      appliedAt: Number.NEGATIVE_INFINITY,
    });
    this.#turnLater();
  }

  /** Leaves a scheduler: what it still had in its ring is not applied. */
  detach(scheduler: number): void {
    const at = this.#inlets.findIndex((inlet) => inlet.scheduler === scheduler);
    if (at < 0) return;
    this.#inlets[at]!.bell.close();
    this.#inlets.splice(at, 1);
    this.#events.detach(scheduler);
  }

  /** From the next batch on, what concerns the inboxes of `partition` goes to `scheduler`. */
  route(partition: number, scheduler: number): void {
    this.#events.route(partition, scheduler);
  }

  /** Applies what is in the rings now, closes the store, and stops. */
  close(): void {
    if (this.#closed) return;
    // What is there now, and what comes while it is applied; whoever still sends then will not be heard.
    for (let n = 0; n < CLOSING_BATCHES_MAX && this.#batch(); n++);
    this.#closed = true;
    this.#clock.clearTimer(this.#timerHandle);
    for (const inlet of this.#inlets) inlet.bell.close();
    this.store.close();
  }

  #turnLater(): void {
    if (this.#turnAhead || this.#closed) return;
    this.#turnAhead = true;
    this.#clock.defer(this.#onTurn);
  }

  #wake(): void {
    for (const inlet of this.#inlets) inlet.bell.stayAwake();
    if (!this.#turnAhead) this.#turn();
  }

  #turn(): void {
    this.#turnAhead = false;
    if (this.#closed) return;
    this.#events.flush();
    if (this.#events.overflowBytes > this.#overflowBytesMax) {
      // Somebody does not take its events. Everybody waits: the commands' rings fill, and schedulers refuse.
      this.#stalls++;
      if (!this.#leaveStalled()) {
        this.#hadBatch = false;
        this.#sleep(true);
        return;
      }
    }
    this.#stalledAt = null;
    if (this.#hadBatch) this.commitDelay.betweenBatches(this.#inlets);
    this.#hadBatch = this.#batch();
    if (this.#hadBatch) {
      this.store.housekeep(this.#clock.wall(), false);
      this.#turnLater();
      return;
    }
    this.#sleep(false);
  }

  /** Leaves those that have taken no events for too long, or they would stop all others with them. */
  #leaveStalled(): boolean {
    const now = this.#clock.now();
    this.#stalledAt ??= now;
    if (this.#inlets.length < 2 || now - this.#stalledAt < this.#stallMsMax) return false;
    for (const { scheduler } of [...this.#inlets]) {
      if (this.#events.overflowBytesOf(scheduler) <= this.#overflowBytesMax) continue;
      this.detach(scheduler);
      this.#onLeft?.(scheduler);
    }
    return true;
  }

  /** One batch. Returns false when there was nothing to do. */
  #batch(): boolean {
    const { store } = this;
    let count = 0;
    let began = 0;
    let full = false;
    // Round robin over batches, so that a scheduler that fills every batch does not starve the others.
    for (let n = 0; n < this.#inlets.length && !full; n++) {
      const inlet = this.#inlets[(this.#next + n) % this.#inlets.length]!;
      const { commands, scheduler } = inlet;
      const before = count;
      while (!full) {
        const at = commands.next();
        if (at < 0) break;
        if (count === 0) {
          began = this.#clock.now();
          store.begin();
        }
        count++;
        this.#events.from(scheduler);
        applyCommand(commands.memory, at, store);
        full =
          count >= this.batchCountMax ||
          commands.heldBytes >= this.#bytesMax ||
          ((count & 15) === 0 && this.#events.pendingBytes >= this.#eventBytesMax);
      }
      if (count !== before) inlet.appliedAt = began;
    }
    if (count === 0) return false;
    this.#next++;
    const committing = this.#clock.now();
    const failure = store.commit();
    const committed = this.#clock.now();
    this.#commitMs += committed - committing;
    for (const inlet of this.#inlets) {
      if (inlet.commands.release()) inlet.schedulerBell.ring();
    }
    this.#commits++;
    this.#commands += count;
    const tookMs = committed - began;
    this.#batchMs += tookMs;
    if (failure !== null) this.#failures++;
    this.#publish(count, tookMs);
    if (failure !== null) {
      this.#failing = true;
      this.#onFailure?.(failure, count);
    } else if (this.#failing) {
      this.#failing = false;
      this.#onRecovery?.();
    }
    return true;
  }

  /** A batch of so many commands took so long. */
  #publish(count: number, tookMs: number): void {
    const stats = this.#stats;
    if (stats === null) return;
    stats[StoreWriterCell.commits] = this.#commits;
    stats[StoreWriterCell.commands] = this.#commands;
    stats[StoreWriterCell.batchMs] = this.#batchMs;
    stats[StoreWriterCell.commitMs] = this.#commitMs;
    stats[StoreWriterCell.failures] = this.#failures;
    stats[StoreWriterCell.stalls] = this.#stalls;
    stats[StoreWriterCell.pauses] = this.commitDelay.pauses;
    stats[StoreWriterCell.pauseMs] = this.commitDelay.pauseMs;
    const read = stats[StoreWriterCell.peaksRead]!;
    const isSeen = stats[StoreWriterCell.peaksOf] !== read;
    stats[StoreWriterCell.batchMax] = isSeen ? count : Math.max(stats[StoreWriterCell.batchMax]!, count);
    stats[StoreWriterCell.batchMsMax] = isSeen
      ? tookMs
      : Math.max(stats[StoreWriterCell.batchMsMax]!, tookMs);
    stats[StoreWriterCell.peaksOf] = read;
    this.#publishFigures();
  }

  /** What the store knows: it changes with batches, and while the store tidies up. */
  #publishFigures(): void {
    const figures = this.#figures?.();
    if (this.#stats === null || figures === undefined) return;
    for (const name of STORE_FIGURES) this.#stats[StoreWriterCell[name]] = figures[name];
  }

  /** Sleeps until a scheduler rings. `stalled`: new commands do not matter, room for events does. */
  #sleep(stalled: boolean): void {
    for (const inlet of this.#inlets) inlet.bell.prepare();
    let work = false;
    if (stalled) {
      this.#events.flush();
      work = this.#events.overflowBytes <= this.#overflowBytesMax;
    } else {
      for (const inlet of this.#inlets) work ||= !inlet.commands.isEmpty();
    }
    for (const inlet of this.#inlets) {
      if (work) inlet.bell.stayAwake();
      else inlet.bell.wait();
    }
    if (work) this.#turnLater();
  }

  /** For what waits for time to pass. */
  #timer(): void {
    if (this.#closed) return;
    this.#timerHandle = this.#clock.setTimer(this.#onTimer, HOUSEKEEPING_MS);
    if (this.#stalledAt !== null) this.#turnLater();
    this.#housekeep();
  }

  readonly #housekeep = (): void => {
    if (this.#closed) return;
    const more = this.store.housekeep(this.#clock.wall(), true);
    this.#publishFigures();
    this.#events.flush();
    // In turns of their own, so that a command that comes meanwhile waits for one step at the most.
    if (more && !this.#turnAhead) this.#clock.defer(this.#housekeep);
  };
}
