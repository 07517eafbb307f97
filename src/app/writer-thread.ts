import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { GC_COUNTERS, type GcCounter } from '../metrics/gc/gc-counters.js';
import { createStats, type StatsMemory } from '../schedulers/index.js';
import { JournalPort } from '../storage/journal/journal-port.js';
import type { StoreRings } from '../storage/store-rings.js';
import { STORE_WRITER_STATS, type StoreWriterStat } from '../storage/store-writer-stats.js';
import type { Config } from './config.js';
import { Thread } from './thread.js';
import type { FromWriter, ToWriter, WriterData } from './thread-messages.js';
import { type LoopTimes, ThreadProcess, type ThreadProcessMessage } from './thread-process.js';
import type { MainTree } from './tree.js';

export interface WriterThreadOwner {
  /** As it is now. */
  config(): Config;
  /** The rings of each scheduler that there is, and where the partitions are, for a writer that begins now. */
  rings(): WriterData['rings'];
  routes(): readonly number[];
  /** The store is open. `again`: by a writer that took the place of one that had ended. */
  writes(epoch: number, secret: Uint8Array, again: boolean): void;
  /** Everything else that it says. */
  writerSays(message: Exclude<FromWriter, { readonly type: 'open' }>): void;
  writerEnded(code: number, error: Error | null): void;
  /** Whether the thread was told to end, or may not begin. */
  mayEnd(): boolean;
}

/** The writer's thread, seen from the main thread. */
export class WriterThread {
  readonly name = 'writer-1';
  /** It has no processes. */
  readonly runtimeStats = null;
  readonly #thread = new Thread<ToWriter>(this.name);
  readonly #owner: WriterThreadOwner;
  /** For the operator's ledger. What a writer that died has not answered is asked of the next one. */
  readonly journal = new JournalPort();
  /** What the present incarnation counts, and its number. */
  stats: StatsMemory<StoreWriterStat> = createStats(STORE_WRITER_STATS);
  gc: StatsMemory<GcCounter> = createStats(GC_COUNTERS);
  incarnation = 0;
  #opened = 0;

  constructor(owner: WriterThreadOwner) {
    this.#owner = owner;
  }

  get running(): boolean {
    return this.#thread.running;
  }

  /** Of its event loop; null: there is none at the moment. */
  loopTimes(): LoopTimes | null {
    return this.#thread.loopTimes();
  }

  start(tree: MainTree): void {
    tree.addThread<ThreadProcessMessage>(this.name, (self) => {
      if (this.#thread.dismissed) throw new Error('the server is stopping');
      const process = new ThreadProcess<ToWriter, FromWriter>(self, {
        name: this.name,
        entry: new URL('./writer-main.js', import.meta.url),
        data: () => this.#data(),
        onMessage: (message) => this.#message(message),
        mayEnd: () => this.#thread.dismissed || this.#owner.mayEnd(),
        onEnd: (code, error) => {
          this.#thread.ended();
          this.#owner.writerEnded(code, error);
        },
      });
      this.#thread.started(process);
      return process;
    });
  }

  /** What is posted while there is no writer is for nobody: the next one is started with the present state. */
  post(message: ToWriter): void {
    this.#thread.post(message);
  }

  attach(scheduler: number, rings: StoreRings): void {
    this.post({ type: 'attach', scheduler, rings });
  }

  /** Commits what the schedulers left, and resolves when the thread is gone. */
  async close(): Promise<void> {
    await this.#thread.dismiss({ type: 'close' });
    this.journal.close();
  }

  #data(): { readonly workerData: WriterData; readonly transferList: MessagePort[] } {
    const { port1, port2 } = new MessageChannel();
    this.journal.attach(port1);
    this.stats = createStats(STORE_WRITER_STATS);
    this.gc = createStats(GC_COUNTERS);
    this.incarnation++;
    const workerData: WriterData = {
      role: 'writer',
      stats: this.stats,
      gc: this.gc,
      config: this.#owner.config(),
      rings: this.#owner.rings(),
      routes: this.#owner.routes(),
      journal: port2,
    };
    return { workerData, transferList: [port2] };
  }

  #message(message: FromWriter): void {
    if (message.type !== 'open') {
      this.#owner.writerSays(message);
      return;
    }
    this.#thread.running = true;
    this.#owner.writes(message.epoch, message.secret, this.#opened++ > 0);
  }
}
