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
    const read = <T>(path: string, parse: (text: string) => T): T | null =>
      this.#files.parsed(`proc/${path}`, parse);
    const stat = read('stat', parseStat);
    const [loads, memory, virtual] = [
      read('loadavg', parseLoad) ?? NO_LOADS,
      read('meminfo', memoryOf) ?? NO_MEMORY,
      read('vmstat', virtualOf) ?? NO_VIRTUAL,
    ];
    const figures = [
      ...this.#cpu.after(stat),
      stat?.cpus ?? null,
      stat?.interrupts ?? null,
      stat?.softInterrupts ?? null,
      stat?.contextSwitches ?? null,
      stat?.forks ?? null,
      stat?.running ?? null,
      stat?.blocked ?? null,
      ...loads,
      ...memory,
      ...virtual,
      read('pressure/cpu', parsePressure),
      read('pressure/memory', parsePressure),
      read('pressure/io', parsePressure),
    ];
    return [{ instance: '', figures }];
  }
}

/** MemAvailable: since 3.14. */
const MEMORY = ['MemTotal', 'MemFree', 'MemAvailable', 'Cached', 'Buffers', 'Dirty', 'SwapTotal', 'SwapFree'];
const VIRTUAL = ['pswpin', 'pswpout', 'pgfault', 'pgmajfault'];

/** Of a file that is not there. */
const NO_LOADS: readonly Figure[] = [null, null, null];
const NO_MEMORY: readonly Figure[] = [null, null, null, null, null, null];
const NO_VIRTUAL: readonly Figure[] = [null, null, null, null];

/** In the order of the columns. */
function memoryOf(text: string): readonly Figure[] {
  const [total = null, free = null, available = null, ...others] = parseColons(text, MEMORY);
  const [cached = null, buffers = null, dirty = null, swap = null, swapFree = null] = others;
  return [total, free, available, plus(cached, buffers), dirty, minus(swap, swapFree)];
}

function virtualOf(text: string): readonly Figure[] {
  return parseWords(text, VIRTUAL);
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
