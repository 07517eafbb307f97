import { formatPid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import { receiverOf } from '../actors/receiver-of.js';
import type { Runtime } from '../actors/runtime.js';
import type { TreeBranch, TreeChild, TreeCounts, TreeProcess } from '../ops/actions/tree.js';
import type { ChildCounts, ChildInfo } from '../supervisors/index.js';
import { SupervisorProcess } from '../supervisors/supervisor-process.js';
import type { Answers } from './answers.js';
import { ProcessRefused } from './process-answers.js';

/** How long a supervisor may take: it answers in its turn, and not while it starts a child. */
const SUPERVISOR_MS = 500;
/** A supervisor makes the list of its children in one go: of more than so many that would be felt. */
export const CHILDREN_MAX = 1000;
/** Where the top supervisor is looked for. It is among the first processes that a thread starts. */
const SLOTS_LOOKED_AT = 10_000;

/** The topic `tree`: `{ id }`, a process of this thread, or null for its top supervisor (null: there is none). */
export function registerTree(answers: Answers, runtime: Runtime, thread: string): void {
  answers.on('tree', async ({ id }: { readonly id: number | null }): Promise<TreeBranch | null> => {
    const process = id === null ? topOf(runtime) : runtime.process(id);
    if (id === null && process === undefined) return null;
    if (process === undefined || process === runtime.outside || !process.alive) {
      const text = formatPid({ scheduler: runtime.scheduler, id: id ?? 0 });
      throw new ProcessRefused(404, `there is no process ${text} on ${thread}: it has ended`);
    }
    const described = await describe(runtime, process);
    const branch = { thread, process: described, children: [], isTooMany: false };
    if (id === null || described.type === 'worker') return branch;
    if (described.children === null)
      throw new ProcessRefused(503, `${process.label} does not tell its children within ${SUPERVISOR_MS} ms`);
    if (described.children.specs > CHILDREN_MAX) return { ...branch, isTooMany: true };
    const children = await ask<readonly ChildInfo[]>(runtime, process, { op: 'which_children' });
    if (children === null)
      throw new ProcessRefused(503, `${process.label} does not tell its children within ${SUPERVISOR_MS} ms`);
    // As they were started: OTP tells the last one first.
    const inOrder = [...children].reverse();
    return { ...branch, children: await Promise.all(inOrder.map((child) => childOf(runtime, child))) };
  });
}

function topOf(runtime: Runtime): Process<never> | undefined {
  for (const process of runtime.processes(1)) {
    if (process.slot > SLOTS_LOOKED_AT) return undefined;
    if (isSupervisor(process) && runtime.info(process)?.parent === null) return process;
  }
  return undefined;
}

function isSupervisor(process: Process<never>): boolean {
  return receiverOf(process).behaviour instanceof SupervisorProcess;
}

async function childOf(runtime: Runtime, { id, pid, type }: ChildInfo): Promise<TreeChild> {
  if (pid === null) return { id, type, state: 'stopped', pid: null, process: null };
  if (pid === 'restarting') return { id, type, state: 'restarting', pid: null, process: null };
  const process = runtime.local(pid);
  if (process === null) return { id, type, state: 'elsewhere', pid: formatPid(pid), process: null };
  return { id, type, state: 'running', pid: formatPid(pid), process: await describe(runtime, process) };
}

async function describe(runtime: Runtime, process: Process<never>): Promise<TreeProcess> {
  const isAbove = isSupervisor(process);
  const children = isAbove ? await ask<ChildCounts>(runtime, process, { op: 'count_children' }) : null;
  return {
    pid: formatPid(process),
    label: process.label,
    name: process.name,
    kind: receiverOf(process).kind,
    type: isAbove ? 'supervisor' : 'worker',
    mailbox: process.messageQueueLength,
    children: children satisfies TreeCounts | null,
  };
}

/** Null: it does not answer in time, or has ended meanwhile. */
function ask<R>(runtime: Runtime, process: Process<never>, request: unknown): Promise<R | null> {
  return runtime.call<R>(process, request, SUPERVISOR_MS).catch(() => null);
}
