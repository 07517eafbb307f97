/** What the writer thread runs: the store, and the writer's end of the rings. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { GcObserver } from '../metrics/gc/gc-observer.js';
import { StatsBlock } from '../schedulers/index.js';
import type { EventSink } from '../storage/event-sink.js';
import type { JournalFailure } from '../storage/journal/journal.js';
import { JournalWriter } from '../storage/journal/journal-writer.js';
import { walFileOf } from '../storage/sqlite/database-file.js';
import { SqliteJournal } from '../storage/sqlite/sqlite-journal.js';
import { SqliteStore } from '../storage/sqlite/sqlite-store.js';
import { StoreOpenError } from '../storage/store-open-error.js';
import { StoreWriter } from '../storage/store-writer.js';
import type { StoreFigures } from '../storage/store-writer-stats.js';
import { StoreFailure } from '../storage/stores.js';
import { SystemClock } from '../structures/system-clock.js';
import { SystemRandom } from '../structures/system-random.js';
import { registerAlerts } from './alert-answers.js';
import { Answers } from './answers.js';
import { KnobValues } from './knob-values.js';
import { storeLimitsOf } from './limits-of.js';
import { registerProfiles } from './profile-answers.js';
import { registerKnobs } from './scheduler-knobs.js';
import { serverSecret } from './server-secret.js';
import type { FromWriter, ToWriter, WriterData, WriterStats } from './thread-messages.js';
import { threadUtilization } from './thread-utilization.js';

/** The operator's ledger in the data folder. */
const LEDGER_FILE = 'operator.db';

const data = workerData as WriterData;
const parent = parentPort;
if (parent === null) throw new Error('the writer thread is started by the main thread');
const { config } = data;
const knobs = new KnobValues(config);
const limits = knobs.derive(storeLimitsOf);
const post = (message: FromWriter): void => parent.postMessage(message);
const clock = new SystemClock();
new GcObserver(new StatsBlock(data.gc));

/** The last failure that was logged; null while batches are committed. */
let failing: StoreFailure | null = null;
let store: SqliteStore | null = null;
let sink: EventSink | null = null;

const NO_FIGURES: StoreFigures = {
  youngBytes: 0,
  youngCount: 0,
  oldCount: 0,
  oldInserted: 0,
  oldDeleted: 0,
};

function open(): StoreWriter | null {
  try {
    const writer = new StoreWriter({
      clock,
      stats: new StatsBlock(data.stats).values,
      figures: () => store?.figures ?? NO_FIGURES,
      batchCountMax: config.writerBatchMax,
      commitDelayMs: config.commitDelayMs,
      open: (events) => {
        sink = events;
        store = SqliteStore.open({
          folder: config.dataFolder,
          limits,
          events,
          now: clock.wall(),
        });
        return store;
      },
      onLeft: (scheduler) => post({ type: 'left', scheduler }),
      onFailure: failed,
      onRecovery: recovered,
    });
    post({
      type: 'open',
      epoch: writer.store.epoch,
      secret: serverSecret(config.dataFolder, new SystemRandom()),
    });
    return writer;
  } catch (error) {
    if (!(error instanceof StoreOpenError) && (error as NodeJS.ErrnoException).code === undefined)
      throw error;
    post({ type: 'refused', message: (error as Error).message });
    return null;
  }
}

/** Said once for each spell of failures, not for each batch. */
function failed(failure: StoreFailure, commands: number): void {
  if (failing === failure) return;
  failing = failure;
  const [name] = Object.entries(StoreFailure).find(([, code]) => code === failure) ?? ['unknown'];
  post({
    type: 'event',
    level: 'error',
    message: `the store cannot commit (${name}): messages are refused until it can again`,
    fields: { failure: name, commands },
  });
}

function recovered(): void {
  failing = null;
  post({ type: 'event', level: 'info', message: 'the store commits again', fields: {} });
}

const writer = open();
knobs.use(['writerBatchMax', 'commitDelayMs'], ({ writerBatchMax, commitDelayMs }) => {
  if (writer === null) return;
  writer.batchCountMax = writerBatchMax;
  writer.commitDelay.delayMs = commitDelayMs;
});
if (writer === null) {
  parent.close();
} else {
  for (const { scheduler, rings } of data.rings) writer.attach(scheduler, rings);
  for (const [partition, scheduler] of data.routes.entries()) writer.route(partition, scheduler);
}

/** The operator's ledger, in a file of its own: opened when somebody wants something of it. */
const path = join(config.dataFolder, LEDGER_FILE);
let ledgerFailing: JournalFailure | null = null;
const journal = new JournalWriter({
  clock,
  journal: SqliteJournal.openLater({ path }),
  onFailure: (failure) => {
    if (ledgerFailing === failure) return;
    ledgerFailing = failure;
    const message = `${path} cannot commit (${failure}): changes by the operator are refused until it can again`;
    post({ type: 'event', level: 'error', message, fields: { failure } });
  },
  onRecovery: () => {
    ledgerFailing = null;
    post({ type: 'event', level: 'info', message: `${path} commits again`, fields: {} });
  },
});
if (writer !== null) journal.attach(data.journal);

const answers = new Answers(post).on('stats', (): WriterStats | null => {
  if (writer === null) return null;
  const { counters } = writer;
  return {
    commits: counters.commits,
    commands: counters.commands,
    failures: counters.failures,
    walBytes: statSync(walFileOf(config.dataFolder), { throwIfNoEntry: false })?.size ?? null,
    youngBytes: store?.figures.youngBytes ?? 0,
    heapUsedBytes: process.memoryUsage().heapUsed,
    utilization: threadUtilization(writer.commitDelay.pauseMs),
  };
});
registerAlerts(answers, null);

registerKnobs(answers, knobs);
registerProfiles(answers, 'writer-1', clock);

parent.on('message', (message: ToWriter) => {
  if (writer === null) return;
  switch (message.type) {
    case 'attach':
      writer.attach(message.scheduler, message.rings);
      break;
    case 'detach':
      writer.detach(message.scheduler);
      break;
    case 'route':
      for (const partition of message.partitions) writer.route(partition, message.scheduler);
      post({ type: 'routed', transfer: message.transfer });
      break;
    case 'question':
      answers.answer(message);
      break;
    case 'inject': {
      const crash = () => {
        throw new Error(`injected: ${message.fault.kind}`);
      };
      if (message.fault.kind === 'crash-commit' && sink !== null) sink.publish = crash;
      else clock.defer(crash);
      break;
    }
    case 'close':
      journal.close();
      writer.close();
      post({ type: 'closed' });
      parent.close();
      break;
  }
});
