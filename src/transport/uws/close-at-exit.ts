/** What must be closed before this thread ends. */
const open = new Set<() => void>();

function closeAll(): void {
  for (const close of [...open]) close();
}

/**
 * Calls `close` when this thread ends, however it ends: a worker thread that ends while its uWebSockets.js
 * app is open aborts the whole process, for libuv finds open handles when the thread's loop is torn down.
 * `exit` is emitted after an uncaught error, after `process.exit` in the worker and after a normal end; not
 * after `worker.terminate()` from outside and not at the heap limit, so a thread that owns sockets must
 * never be terminated.
 *
 * @returns forgets `close` again.
 */
export function closeAtExit(close: () => void): () => void {
  if (open.size === 0) process.on('exit', closeAll);
  open.add(close);
  return () => {
    if (open.delete(close) && open.size === 0) process.off('exit', closeAll);
  };
}
