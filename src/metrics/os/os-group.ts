import { counter, gauge } from '../columns.js';
import type { Figure, GroupDescription, GroupSource, Row } from '../reading.js';
import { parseColons, parseLoad, parsePressure, parseWords } from './parse-lines.js';
import { CPU_STATES, type KernelStat, parseStat } from './parse-stat.js';
import type { ProcFiles } from './proc-files.js';

/** USER_HZ: the kernel shows its ticks in hundredths of a second everywhere. */
const TICK_MS = 10;

const CPU_WORDS: Readonly<Record<(typeof CPU_STATES)[number], string>> = {
  user: 'in programs',
  nice: 'in programs of low priority',
  system: 'in the kernel',
  idle: 'idle',
  iowait: 'idle while a disk was waited for',
  irq: 'in hard interrupts',
  softirq: 'in soft interrupts',
  steal: 'taken by other virtual machines',
};

export const OS_DESCRIPTION: GroupDescription = {
  name: 'os',
  version: 1,
  title: 'Operating system: CPU, interrupts, memory, load',
  instance: null,
  columns: [
    ...CPU_STATES.map((state) =>
      counter(state, 'ms', `Time of a CPU ${CPU_WORDS[state]}, mean of all CPUs.`),
    ),
    gauge('cpus', '{cpu}', 'CPUs that are on.'),
    counter('intr', '{interrupt}', 'Interrupts served.'),
    counter('softintr', '{interrupt}', 'Soft interrupts served.'),
    counter('cswch', '{switch}', 'Context switches of all CPUs.'),
    counter('forks', '{task}', 'Processes and threads begun.'),
    gauge('runnable', '{task}', 'Tasks that run or could.'),
    gauge('blocked', '{task}', 'Tasks that wait for a disk.'),
    gauge('load1', '{task}', 'Load average of 1 minute.'),
    gauge('load5', '{task}', 'Load average of 5 minutes.'),
    gauge('load15', '{task}', 'Load average of 15 minutes.'),
    gauge('mem_total', 'By', 'Memory of the machine.'),
    gauge('mem_free', 'By', 'Memory that nobody uses.'),
    gauge('mem_avail', 'By', 'Memory that programs could have without swapping.'),
    gauge('mem_cached', 'By', 'Page cache and buffers.'),
    gauge('mem_dirty', 'By', 'Page cache that is not on disk yet.'),
    gauge('swap_used', 'By', 'Swap in use.'),
    counter('swap_in', '{page}', 'Pages swapped in.'),
    counter('swap_out', '{page}', 'Pages swapped out.'),
    counter('faults', '{fault}', 'Page faults.'),
    counter('majfaults', '{fault}', 'Page faults that waited for a disk.'),
    counter('psi_cpu', 'us', 'Time in which some task waited for a CPU (PSI).'),
    counter('psi_mem', 'us', 'Time in which some task waited for memory (PSI).'),
    counter('psi_io', 'us', 'Time in which some task waited for a disk (PSI).'),
  ],
};

/** Group `os`: `/proc/stat`, `meminfo`, `vmstat`, `loadavg`, `pressure`. */
export class OsGroup implements GroupSource {
  readonly description = OS_DESCRIPTION;
  readonly #files: ProcFiles;
  readonly #cpu = new MeanCpuTimes();

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  read(): readonly Row[] {
    const read = <T>(path: string, parse: (text: string) => T): T | null => {
      const text = this.#files.text(path);
      return text === null ? null : parse(text);
    };
    const stat = read('proc/stat', parseStat);
    const memory = read('proc/meminfo', parseColons);
    const vm = read('proc/vmstat', parseWords);
    const load = read('proc/loadavg', parseLoad) ?? [null, null, null];
    const size = (name: string): Figure => memory?.get(name) ?? null;
    const pressure = (name: string) => read(`proc/pressure/${name}`, parsePressure);
    return [
      {
        instance: '',
        figures: [
          ...this.#cpu.after(stat),
          stat?.cpus ?? null,
          stat?.interrupts ?? null,
          stat?.softInterrupts ?? null,
          stat?.contextSwitches ?? null,
          stat?.forks ?? null,
          stat?.running ?? null,
          stat?.blocked ?? null,
          ...load,
          size('MemTotal'),
          size('MemFree'),
          // Since 3.14.
          size('MemAvailable'),
          plus(size('Cached'), size('Buffers')),
          size('Dirty'),
          minus(size('SwapTotal'), size('SwapFree')),
          vm?.get('pswpin') ?? null,
          vm?.get('pswpout') ?? null,
          vm?.get('pgfault') ?? null,
          vm?.get('pgmajfault') ?? null,
          pressure('cpu'),
          pressure('memory'),
          pressure('io'),
        ],
      },
    ];
  }
}

/**
 * Times of the mean CPU: counted on from look to look, so that a CPU that is switched on or off makes no jump, and never
 * backwards, which the kernel's own idle and iowait do at times.
 */
class MeanCpuTimes {
  readonly #ms = CPU_STATES.map(() => 0);
  #before: KernelStat | null = null;

  after(stat: KernelStat | null): readonly Figure[] {
    if (stat === null) return CPU_STATES.map(() => null);
    const before = this.#before;
    this.#before = stat;
    return stat.cpuTicks.map((ticks, state) => {
      if (ticks === null) return null;
      const grown = ticks - (before?.cpuTicks[state] ?? 0);
      if (grown > 0) this.#ms[state]! += (grown * TICK_MS) / stat.cpus;
      return Math.round(this.#ms[state]! * 100) / 100;
    });
  }
}

function plus(a: Figure, b: Figure): Figure {
  return a === null || b === null ? null : a + b;
}

function minus(a: Figure, b: Figure): Figure {
  return a === null || b === null ? null : a - b;
}
