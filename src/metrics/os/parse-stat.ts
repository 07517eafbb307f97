import type { Figure } from '../reading.js';
import { behindLineStart, wholeNumbers } from './kernel-text.js';
import { parseWords } from './parse-lines.js';

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

/** The first word of each of these lines; those of interrupts are long, and only their sums are wanted. */
const NAMES = ['intr', 'softirq', 'ctxt', 'processes', 'procs_running', 'procs_blocked'] as const;

/** `/proc/stat`. null for a text that has no CPU in it. */
export function parseStat(text: string): KernelStat | null {
  const total = behindLineStart(text, 'cpu ');
  let cpus = 0;
  for (let at = text.indexOf('cpu'); at >= 0; at = text.indexOf('\ncpu', at + 1)) {
    const digit = text.charCodeAt(at + (text[at] === '\n' ? 4 : 3));
    if (digit >= 0x30 && digit <= 0x39) cpus++;
  }
  if (total < 0 || cpus === 0) return null;
  const ticks = wholeNumbers(text, total);
  const [interrupts, softInterrupts, contextSwitches, forks, running, blocked] = parseWords(text, NAMES);
  return {
    cpuTicks: CPU_STATES.map((_, index) => ticks[index] ?? null),
    cpus,
    interrupts: interrupts ?? null,
    softInterrupts: softInterrupts ?? null,
    contextSwitches: contextSwitches ?? null,
    forks: forks ?? null,
    running: running ?? null,
    blocked: blocked ?? null,
  };
}
