/** Runs in a worker thread: listens, lets one client in, and then ends in the way that it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../../src/structures/system-clock.js';
import { listen } from '../../src/transport/uws/uws-listener.js';
import { testOptions } from './uws-world.js';

const port = parentPort!;
const { ending } = workerData as { ending: string };
const acceptor = {
  opened: () => {
    port.postMessage({ opened: true });
    return { message: end, drained: () => {}, closed: () => {} };
  },
};
const listener = listen(
  {
    ...testOptions,
    onHandlerError: (error) => {
      throw error;
    },
  },
  acceptor,
  new SystemClock(),
);
port.postMessage({ port: listener.port });

function end(): void {
  if (ending === 'exit in a callback') process.exit(7);
  if (ending === 'error in a callback') throw new Error('a bug in a callback');
}

port.on('message', () => {
  switch (ending) {
    case 'exit':
      process.exit(7);
      break;
    case 'error':
      throw new Error('a bug');
    case 'rejection':
      void Promise.reject(new Error('a rejected promise'));
      break;
    case 'normal':
      listener.close();
      port.close();
      break;
    case 'close and exit':
      listener.close();
      process.exit(7);
  }
});
