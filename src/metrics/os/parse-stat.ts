import type { Figure } from '../reading.js';

/** States of `/proc/stat`'s `cpu` line in their order (proc(5)). Guests are in `user` and `nice` already. */
export const CPU_STATES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;

export interface KernelStat {
  /** Ticks of 10 ms of all CPUs together, by {@link CPU_STATES}; null: this kernel does not count it. */
  readonly cpuTicks: readonly Figure[];
  readonly cpus: number;
  readonly interrupts: Figure;
  readonly softInterrupts: Figure;
  readonly contextSwitches: Figure;
  readonly forks: Figure;
  readonly running: Figure;
  readonly blocked: Figure;
}

/** `/proc/stat`. null for a text that has no CPU in it. */
export function parseStat(text: string): KernelStat | null {
  const firsts = new Map<string, Figure>();
  let total: readonly string[] | null = null;
  let cpus = 0;
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space < 0) continue;
    const name = line.slice(0, space);
    if (name === 'cpu') total = line.slice(space).trim().split(/ +/);
    else if (/^cpu\d+$/.test(name)) cpus++;
    // The line of interrupts is long, and only its sum is wanted.
    else firsts.set(name, wholeNumber(line.slice(space + 1, space + 25).split(' ')[0]));
  }
  if (total === null || cpus === 0) return null;
  return {
    cpuTicks: CPU_STATES.map((_, index) => wholeNumber(total[index])),
    cpus,
    interrupts: firsts.get('intr') ?? null,
    softInterrupts: firsts.get('softirq') ?? null,
    contextSwitches: firsts.get('ctxt') ?? null,
    forks: firsts.get('processes') ?? null,
    running: firsts.get('procs_running') ?? null,
    blocked: firsts.get('procs_blocked') ?? null,
  };
}

/** null for what is no number. */
export function wholeNumber(word: string | undefined): Figure {
  return word !== undefined && /^\d+$/.test(word) ? Number(word) : null;
}
