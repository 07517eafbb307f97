import type { ExitReason } from './exit-reason.js';
import { linksOf } from './links.js';
import type { Pid } from './pid.js';
import { Process } from './process.js';
import type { RuntimeEvent } from './runtime-event.js';

const MESSAGES_MAX = 10;
const LINKS_MAX = 100;
const ANCESTORS_MAX = 100;

/** What OTP's proc_lib tells of a process that crashes, taken before it is gone. Bounded, whatever the process is like. */
export function crashReport(
  process: Process<never>,
  reason: ExitReason,
): Extract<RuntimeEvent, { readonly type: 'crash' }> {
  const { runtime } = process;
  return {
    type: 'crash',
    pid: process,
    label: process.label,
    name: process.name,
    path: runtime.pathOf(process),
    ancestors: ancestorsOf(process),
    reason,
    mailboxLength: process.messageQueueLength,
    messages: process.peek(MESSAGES_MAX),
    links: linksOf(process).slice(0, LINKS_MAX),
    trapExit: process.trapExit,
  };
}

function ancestorsOf(process: Process<never>): Pid[] {
  const ancestors: Pid[] = [];
  for (
    let above = process.parent;
    above instanceof Process && ancestors.length < ANCESTORS_MAX;
    above = above.parent
  ) {
    ancestors.push(above);
  }
  return ancestors;
}
