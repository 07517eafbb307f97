import { guardMissing, NativeGuard } from '../schedulers/index.js';
import type { FromScheduler } from './thread-messages.js';

/**
 * Makes a scheduler thread one in which a process that never returns can be cut off, and tells the main thread, whose
 * watchdog does it. Null where there is no native guard: the main thread has said so.
 */
export function schedulerGuard(name: string, post: (message: FromScheduler) => void): NativeGuard | null {
  if (guardMissing() !== null) return null;
  const guard = NativeGuard.attach({
    onEnd: (stack) => {
      post({
        type: 'event',
        level: 'error',
        message: `${name} does not come back to its loop and ends`,
        fields: { stack: stack.join('\n') },
      });
      // Within whatever it is doing: its exit hooks close its sockets. Should one of them throw, the second call ends
      // the thread without them.
      try {
        process.exit(1);
      } catch {
        process.exit(1);
      }
    },
  });
  post({ type: 'guarded', guard: guard.handle });
  return guard;
}
