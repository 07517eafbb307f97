/**
 * What is to happen when nobody reads the output any more: `| head` has seen enough, a pager was left. Without it the first
 * write after that is an error that nobody catches, and a stack where the last lines were. Called at most once; other errors
 * of the output are thrown as ever.
 */
export function onClosedOutput(closed: () => void): void {
  let isClosed = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (isClosed) return;
      isClosed = true;
      closed();
    });
  }
}
