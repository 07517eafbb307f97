import { performance } from 'node:perf_hooks';
import type { RuntimeStat } from '../../actors/runtime-stats.js';
import type { ModuleReport } from '../../hot-code/index.js';
import { GC_COUNTERS } from '../../metrics/gc/gc-counters.js';
import { type CollectingThread, collectorMs, gcGroup } from '../../metrics/gc/gc-group.js';
import { GcObserver } from '../../metrics/gc/gc-observer.js';
import { Groups, type GroupsOptions } from '../../metrics/groups.js';
import { osGroups } from '../../metrics/os/os-groups.js';
import { createStats, StatsBlock, type StatsMemory } from '../../schedulers/index.js';
import type { Clock } from '../../structures/clock.js';
import type { SchedulerThreads } from '../scheduler-threads.js';
import { FiguresOfThreads, progressOf } from '../server-figures.js';
import { type Progress, StillThreads } from '../still-threads.js';
import type { ThreadQuestions } from '../thread-questions.js';
import type { WriterThread } from '../writer-thread.js';
import { backlogGroup } from './backlog-group.js';
import { chatGroup } from './chat-group.js';
import { codeGroup } from './code-group.js';
import { connGroup } from './conn-group.js';
import { memGroup } from './mem-group.js';
import { msgqGroup } from './msgq-group.js';
import { resourceGroup } from './resource-group.js';
import { ringGroup } from './ring-group.js';
import { schedGroup } from './sched-group.js';
import { storeGroup } from './store-group.js';
import type { WatchedThread } from './watched-thread.js';

export interface ServerGroupsParts extends GroupsOptions {
  readonly questions: ThreadQuestions;
  readonly schedulers: SchedulerThreads;
  readonly writer: WriterThread;
  /** What the runtime of the main thread counts. */
  readonly main: StatsMemory<RuntimeStat>;
  readonly dataFolder: string;
  readonly code: () => { readonly word: Int32Array; report(): Promise<readonly ModuleReport[]> };
}

/** All figures that the server has of itself. Sources of other groups are added here, one line each. */
export function serverGroups(parts: ServerGroupsParts): Groups {
  const { schedulers, writer } = parts;
  const threads = new FiguresOfThreads(parts.questions, schedulers.all, writer, parts.clock);
  const actors = [...schedulers.all.map(schedulerOf), mainOf(parts.main)];
  const main = { name: 'main', gc: createStats(GC_COUNTERS) };
  new GcObserver(new StatsBlock(main.gc));
  const collecting: readonly CollectingThread[] = [...schedulers.all, main, writer];
  const rings = () => schedulers.rings();
  const residentBytes = residentLately(parts.clock);
  const groups = new Groups(parts)
    .add(
      schedGroup({
        threads: [...actors, writerOf(writer)],
        gcMs: (thread) => collectorMs(collecting.find(({ name }) => name === thread)!),
        wakes: (thread) => schedulers.wakesOf(thread),
      }),
    )
    .add(gcGroup(collecting))
    .add(msgqGroup(actors))
    .add(ringGroup({ reports: () => schedulers.ringReports(), stores: rings, writer: writer.name }))
    .add(memGroup(threads, residentBytes))
    .add(connGroup(threads))
    .add(storeGroup({ clock: parts.clock, writer: () => writer, rings, dataFolder: parts.dataFolder }))
    .add(chatGroup(threads))
    .add(
      resourceGroup({
        clock: parts.clock,
        dataFolder: parts.dataFolder,
        residentBytes,
        writer: () => schedulers.queued(),
      }),
    )
    .add(backlogGroup(parts.questions, schedulers.all, isBacklogged))
    .add(codeGroup(codeReports(parts)));
  for (const source of osGroups(parts.clock, process.pid)) groups.add(source);
  return groups;
}

/** What the schedulers say of their code, asked when something has happened on one of them. */
function codeReports({ clock, schedulers, code }: ServerGroupsParts): () => Promise<readonly ModuleReport[]> {
  const still = new StillThreads<readonly ModuleReport[]>(clock);
  return async () => {
    const { word } = code();
    const all = schedulers.all.filter(({ running }) => running).map(progressOf);
    const sum = (figure: (of: Progress) => number) => all.reduce((total, one) => total + figure(one), 0);
    // All of these only grow, but the stirs of one that was started anew: then the other sum is another one.
    const progress = {
      incarnation: sum(({ incarnation }) => incarnation),
      stirs: sum(({ stirs }) => stirs) + Atomics.load(word, 0),
    };
    return (await still.ask('schedulers', progress, () => code().report())) ?? [];
  };
}

function isBacklogged({ stats }: SchedulerThreads['all'][number]): boolean {
  return stats !== null && StatsBlock.of(stats).read('backlogged') > 0;
}

function schedulerOf(scheduler: SchedulerThreads['all'][number]): WatchedThread {
  return {
    name: scheduler.name,
    get incarnation() {
      return scheduler.number;
    },
    get stats() {
      return scheduler.stats;
    },
    workMs: null,
    loopTimes: () => scheduler.thread.loopTimes(),
  };
}

function mainOf(stats: StatsMemory<RuntimeStat>): WatchedThread {
  return {
    name: 'main',
    incarnation: 1,
    stats,
    workMs: null,
    loopTimes: () => {
      const { idle, active } = performance.eventLoopUtilization();
      return { idle, active };
    },
  };
}

function writerOf(writer: WriterThread): WatchedThread {
  return {
    name: writer.name,
    get incarnation() {
      return writer.incarnation;
    },
    stats: null,
    get workMs() {
      return StatsBlock.of(writer.stats).read('batchMs');
    },
    loopTimes: () => {
      const times = writer.loopTimes();
      if (times === null) return null;
      // Its event loop takes pauses for work.
      const pauseMs = Math.min(times.active, StatsBlock.of(writer.stats).read('pauseMs'));
      return { idle: times.idle + pauseMs, active: times.active - pauseMs };
    },
  };
}

/** The server's memory, looked at once for all who look at the same time. */
function residentLately(clock: Clock): () => number {
  let bytes = 0;
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now();
    if (now - at >= SAME_LOOK_MS) {
      at = now;
      bytes = process.memoryUsage.rss();
    }
    return bytes;
  };
}

/** Within one reading. */
const SAME_LOOK_MS = 100;
