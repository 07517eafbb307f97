import type { Operation } from './operation.js';
import { type CodeNode, ReleaseRefused } from './release.js';

export interface PreparedByAll {
  readonly tried: number;
  readonly notTried: number;
  /** Who did not answer. */
  readonly late: readonly CodeNode[];
}

const STEPS = {
  compile: 'compiling it',
  run: 'running it',
  contract: 'its exports',
  state: 'a dry run of its codeChange',
  table: 'the table',
} as const;

/**
 * The first phase, in all threads.
 *
 * @param canWait whether it is done without threads that do not answer: a way back must not wait for what it is the cure of
 * @throws ReleaseRefused It is given up everywhere.
 */
export async function prepareAll(
  nodes: readonly CodeNode[],
  operation: Operation,
  canWait: boolean,
): Promise<PreparedByAll> {
  const answers = await Promise.allSettled(nodes.map((node) => node.prepare(operation)));
  const late: CodeNode[] = [];
  let tried = 0;
  let notTried = 0;
  const refuse = (why: string): never => {
    abortAll(nodes, operation.number);
    throw new ReleaseRefused(why);
  };
  for (const [index, answer] of answers.entries()) {
    const node = nodes[index]!;
    if (answer.status === 'rejected') return refuse(`${node.name}: ${(answer.reason as Error).message}`);
    const prepared = answer.value;
    if (prepared === null) {
      late.push(node);
      continue;
    }
    if (prepared.failure !== null) {
      const { module, step, message } = prepared.failure;
      return refuse(`${module} on ${node.name}, ${STEPS[step]}: ${message}`);
    }
    tried += prepared.tried;
    notTried += prepared.notTried;
  }
  if (late.length > 0 && !canWait) return refuse(`${late[0]!.name} does not answer`);
  return { tried, notTried, late };
}

export function abortAll(nodes: readonly CodeNode[], number: number): void {
  for (const node of nodes) node.abort(number);
}
