import { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { Receiver } from '../actors/receiver.js';
import type { Runtime } from '../actors/runtime.js';
import type { ChatNode } from '../chat/chat-node.js';
import type { PartitionMessage } from '../chat/messages.js';
import { PartitionState } from '../chat/partition-state.js';
import { HotProcess } from '../hot-code/index.js';
import type { ChildSpec, SupervisorSpec } from '../supervisors/index.js';

const NEVER = Number.POSITIVE_INFINITY;
/** Of a process that only asks. */
const IDLE: Receiver<never> = { receive() {} };

/**
 * The partitions that this scheduler runs, under a supervisor of their own: which ones is told from outside, and may
 * change at any time. A supervisor that is started again starts those that are to run then.
 */
export class OwnPartitions {
  readonly #runtime: Runtime;
  readonly #supervisor: string;
  readonly #indexes = new Set<number>();
  readonly #onStarted: (index: number, pid: Pid<PartitionMessage>) => void;
  #node: ChatNode | null = null;

  /** @param onStarted a partition's process has begun, for the first time or again. */
  constructor(
    runtime: Runtime,
    place: number,
    onStarted: (index: number, pid: Pid<PartitionMessage>) => void,
  ) {
    this.#runtime = runtime;
    this.#supervisor = `partitions-${place}`;
    this.#onStarted = onStarted;
  }

  /** The supervisor, as it is to be started now. */
  specification(node: ChatNode): SupervisorSpec {
    this.#node = node;
    return {
      name: this.#supervisor,
      label: 'partitions',
      strategy: 'one_for_one',
      intensity: 20,
      periodMs: 10_000,
      children: [...this.#indexes].map((index) => this.#child(index)),
    };
  }

  get size(): number {
    return this.#indexes.size;
  }

  has(index: number): boolean {
    return this.#indexes.has(index);
  }

  /** Starts partitions that ran elsewhere, or nowhere. */
  start(indexes: readonly number[]): void {
    for (const index of indexes) {
      if (this.#indexes.has(index)) continue;
      this.#indexes.add(index);
      // A supervisor on its way down is followed by one that takes it from the set.
      const spec = this.#child(index);
      this.#runtime.spawn((self) => {
        self.request(
          this.#supervisor,
          { op: 'start_child', spec },
          () => self.exit(ExitReason.normal),
          NEVER,
        );
        return IDLE;
      });
    }
  }

  /** Ends partitions that will run elsewhere; `done` when they do not run any more. */
  stop(indexes: readonly number[], done: () => void): void {
    let left = 1;
    const ended = () => {
      if (--left === 0) done();
    };
    for (const index of indexes) {
      if (!this.#indexes.delete(index)) continue;
      left++;
      const id = String(index);
      this.#runtime.spawn((self) => {
        // If the supervisor has ended they have, too, and the next one does not start them: any outcome will do.
        self.request(
          this.#supervisor,
          { op: 'terminate_child', child: id },
          () => {
            const forgotten = () => {
              ended();
              self.exit(ExitReason.normal);
            };
            self.request(this.#supervisor, { op: 'delete_child', id }, forgotten, NEVER);
          },
          NEVER,
        );
        return IDLE;
      });
    }
    ended();
  }

  #child(index: number): ChildSpec {
    return {
      id: String(index),
      start: (supervisor: Process<never>) => {
        const node = this.#node as ChatNode;
        const pid = supervisor.spawnLink<PartitionMessage>(
          (self) => new HotProcess(node.modules.partition, self, new PartitionState(node, self, index)),
        );
        this.#onStarted(index, pid);
        return pid;
      },
    };
  }
}
