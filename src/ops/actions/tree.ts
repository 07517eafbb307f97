import type { Action } from '../action.js';
import { onlyParams, optionalText } from '../params.js';

/** A process in the supervision tree. */
export interface TreeProcess {
  readonly pid: string;
  readonly label: string;
  readonly name: string | null;
  /** `GenServer`, `Supervisor`, the name of its class. */
  readonly kind: string;
  readonly type: 'worker' | 'supervisor';
  readonly mailbox: number;
  /** Of a supervisor; null: it is none, or has not answered in time. */
  readonly children: TreeCounts | null;
}

/** Children known to a supervisor, and those that live. */
export interface TreeCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

export interface TreeChild {
  /** As its supervisor knows it. */
  readonly id: string;
  readonly state: 'running' | 'restarting' | 'stopped' | 'elsewhere';
  readonly type: 'worker' | 'supervisor';
  /** Elsewhere: it runs on another scheduler, which knows more. Null: there is none now. */
  readonly pid: string | null;
  /** Null unless it runs here. */
  readonly process: TreeProcess | null;
}

/** A supervisor with its children; of a worker there are none. */
export interface TreeBranch {
  readonly thread: string;
  readonly process: TreeProcess;
  readonly children: readonly TreeChild[];
  /** It has so many that they are not told one by one: `processes` lists them. */
  readonly isTooMany: boolean;
}

/** The tops of all threads. */
export interface TreeRoots {
  readonly roots: readonly { readonly thread: string; readonly process: TreeProcess }[];
  /** Threads that did not answer. */
  readonly silent: readonly string[];
}

/** Implemented by the composition root. Whatever is refused is an `ActionRefused`. */
export interface SupervisionTree {
  roots(): Promise<TreeRoots>;
  branch(target: string): Promise<TreeBranch>;
}

/** `tree`: the supervision tree, one branch at a time. */
export function treeAction(tree: SupervisionTree): Action {
  return {
    name: 'tree',
    description:
      'The supervision tree: the children of a supervisor (pid, a name or a label); without pid the top of each thread.',
    changes: false,
    run: (params) => {
      onlyParams(params, 'pid');
      const pid = optionalText(params, 'pid');
      return pid === null ? tree.roots() : tree.branch(pid);
    },
  };
}
