import { parsePid } from '../actors/pid.js';
import { ActionRefused } from '../ops/action.js';
import type { TracePart, TraceQuery, TraceStarted, Traces } from '../ops/traces.js';
import type { OperatorProcesses } from './operator-processes.js';
import type { TraceBegun } from './process-trace-answers.js';

/** Traces of processes, wherever they run. A trace is named by its scheduler and its number there. */
export class OperatorTraces implements Traces {
  readonly #processes: OperatorProcesses;

  constructor(processes: OperatorProcesses) {
    this.#processes = processes;
  }

  async begin(pid: string, query: TraceQuery): Promise<TraceStarted> {
    const { number, label } = await this.#processes.askOwner<TraceBegun>(pid, 'trace', (id) => ({
      id,
      query,
    }));
    return { trace: `${parsePid(pid)!.scheduler}:${number}`, pid, label };
  }

  read(trace: string): Promise<TracePart> {
    return this.#ask(trace, 'trace-read');
  }

  stop(trace: string): Promise<TracePart> {
    return this.#ask(trace, 'trace-stop');
  }

  #ask(trace: string, topic: string): Promise<TracePart> {
    const match = /^(\d{1,9}):(\d{1,9})$/.exec(trace);
    if (match === null)
      throw new ActionRefused(400, `trace must be what trace answered, not ${JSON.stringify(trace)}`);
    return this.#processes.askScheduler<TracePart>(Number(match[1]), topic, Number(match[2]));
  }
}
