import {
  type ExitReason,
  type Pid,
  type Process,
  type Receiver,
  Runtime,
  type RuntimeEvent,
  type RuntimeOptions,
  type SpawnOptions,
  type SystemMessage,
} from '../../src/actors/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

/** A process that runs what it is sent and keeps everything else. */
export interface Puppet {
  readonly pid: Pid<unknown>;
  readonly self: Process<unknown>;
  /** What came, oldest first, in short form; see {@link brief}. */
  readonly inbox: unknown[];
  /** The same, unchanged. */
  readonly raw: unknown[];
  /** Runs `action` as the process and lets the world come to rest. */
  run(action: (self: Process<unknown>) => void): void;
}

class Action {
  constructor(readonly action: (self: Process<unknown>) => void) {}
}

/** One runtime over a simulated clock, with its events. */
export class World {
  readonly clock = new SimulatedClock();
  readonly events: RuntimeEvent[] = [];
  readonly runtime: Runtime;

  constructor(options: Partial<RuntimeOptions> = {}) {
    this.runtime = new Runtime({
      clock: this.clock,
      random: new SeededRandom(1),
      events: (event) => void this.events.push(event),
      ...options,
    });
  }

  puppet(options: SpawnOptions = {}): Puppet {
    const inbox: unknown[] = [];
    const raw: unknown[] = [];
    let self!: Process<unknown>;
    const pid = this.runtime.spawn<unknown>((process): Receiver<unknown> => {
      self = process;
      return {
        receive(message) {
          if (message instanceof Action) {
            message.action(process);
          } else {
            raw.push(message);
            inbox.push(brief(message));
          }
        },
      };
    }, options);
    const run = (action: (self: Process<unknown>) => void) => {
      this.runtime.send(pid, new Action(action));
      this.runtime.flush();
    };
    return { pid, self, inbox, raw, run };
  }

  /** Lets `ms` pass and the world come to rest. */
  advance(ms: number): void {
    this.runtime.flush();
    this.clock.advance(ms);
    this.runtime.flush();
  }

  eventsOf<T extends RuntimeEvent['type']>(type: T): Extract<RuntimeEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RuntimeEvent, { type: T }> => event.type === type);
  }
}

/** System messages as `['EXIT', pid, reason]`, `['DOWN', from, reason]`, `['timeout', message]`; reasons as strings. */
export function brief(message: unknown): unknown {
  const system = message as SystemMessage;
  switch (system?.type) {
    case 'EXIT':
      return ['EXIT', system.from, reasonOf(system.reason)];
    case 'DOWN':
      return ['DOWN', system.from, reasonOf(system.reason)];
    case 'timeout':
      return ['timeout', system.message];
    default:
      return message;
  }
}

/** `custom` reasons as their value, errors as `error: message`, calls as `[reason, 'call']`, others as their type. */
export function reasonOf(reason: ExitReason | null): unknown {
  switch (reason?.type) {
    case undefined:
      return null;
    case 'custom':
      return reason.value;
    case 'error':
      return `error: ${reason.error.message}`;
    case 'nocatch':
      return ['nocatch', reason.value];
    case 'call':
      return [reasonOf(reason.reason), 'call'];
    case 'bad_return_value':
    case 'bad_return':
    case 'bad_start_result':
      return [reason.type, reason.value];
    case 'bad_spec':
      return ['bad_spec', reason.of, reason.problem, reason.value];
    case 'failed_to_start_child':
      return ['failed_to_start_child', reason.id, reasonOf(reason.reason)];
    case 'start_crashed':
      return ['start_crashed', reasonOf(reason.reason)];
    case 'shutdown': {
      if (reason.detail === undefined) return 'shutdown';
      const detail = reason.detail as ExitReason;
      return ['shutdown', detail?.type === 'failed_to_start_child' ? reasonOf(detail) : detail];
    }
    default:
      return reason!.type;
  }
}
