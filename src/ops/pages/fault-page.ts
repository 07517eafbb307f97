import { json, type Page } from '../page.js';

/** A fault that can be injected into a thread of a development server. */
export type Fault =
  | { readonly kind: 'crash-session'; readonly user: number }
  | { readonly kind: 'crash-partition'; readonly partition: number }
  | { readonly kind: 'crash-thread' }
  | { readonly kind: 'loop-session'; readonly user: number }
  | { readonly kind: 'loop-partition'; readonly partition: number }
  | { readonly kind: 'stall-partition'; readonly partition: number; readonly rate: number }
  | { readonly kind: 'cure-partition'; readonly partition: number }
  | { readonly kind: 'loop-thread' }
  | { readonly kind: 'crash-commit' };

/**
 * `POST /api/fault?kind=crash-session&user=N`, `kind=crash-partition&partition=N`, `kind=crash-thread&thread=NAME`,
 * `kind=crash-commit&thread=writer-1` (between the next commit and its events), and `loop-session`, `loop-partition`,
 * `loop-thread` likewise, `kind=stall-partition&partition=N&rate=R` (it handles R messages a second from then on, 0: none;
 * nothing else is held up) and `kind=cure-partition&partition=N`:
 * makes something fail, to see what becomes of it. Development only: the composition root adds this page in
 * development mode, never else.
 */
export function faultPage(inject: (thread: string | null, fault: Fault) => boolean): Page {
  return {
    path: '/api/fault',
    access: 'token',
    method: 'POST',
    reply: (query) => {
      const fault = faultOf(query);
      if (typeof fault === 'string') return json({ error: fault }, 400);
      const thread = query.get('thread');
      if (thread === null && ['crash-thread', 'crash-commit', 'loop-thread'].includes(fault.kind)) {
        return json({ error: `${fault.kind} wants a thread` }, 400);
      }
      if (!inject(thread, fault)) return json({ error: `there is no thread ${thread}` }, 404);
      return json({ injected: fault, thread });
    },
  };
}

/** Messages a second. */
const RATE_MAX = 1_000_000;

function faultOf(query: URLSearchParams): Fault | string {
  const number = (name: string) => {
    const text = query.get(name) ?? '';
    return /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
  };
  const kind = query.get('kind');
  switch (kind) {
    case 'crash-session':
    case 'loop-session': {
      const user = number('user');
      return user === null ? `user must be a number, not "${query.get('user')}"` : { kind, user };
    }
    case 'crash-partition':
    case 'loop-partition':
    case 'cure-partition':
    case 'stall-partition': {
      const partition = number('partition');
      if (partition === null || partition > 63)
        return `partition must be 0 to 63, not "${query.get('partition')}"`;
      if (kind !== 'stall-partition') return { kind, partition };
      const rate = number('rate');
      return rate === null || rate > RATE_MAX
        ? `rate must be 0 to ${RATE_MAX} messages a second, not "${query.get('rate')}"`
        : { kind, partition, rate };
    }
    case 'crash-thread':
    case 'crash-commit':
    case 'loop-thread':
      return { kind };
    default:
      return `kind must be crash- or loop- with session, partition or thread, stall-partition, cure-partition or crash-commit, not "${kind}"`;
  }
}
