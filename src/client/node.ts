import { SystemClock } from '../structures/system-clock.js';
import { SystemRandom } from '../structures/system-random.js';
import type { ClientOptions } from './client-options.js';
import { NodeFileStore } from './node-file-store.js';
import { nodeSockets } from './node-socket.js';
import { RookeryClient } from './rookery-client.js';

/** The client in Node. */
export * from './index.js';
export { NodeFileStore, nodeSockets };

type Surroundings = 'clock' | 'random' | 'sockets';

export type NodeClientOptions = Omit<ClientOptions, Surroundings> &
  Partial<Pick<ClientOptions, Surroundings>>;

const LONG_MS = 2 ** 30;

/**
 * Opens a client over `ws` and the operating system's clock. The process stays alive as long as the client is
 * connected or means to be, also while it waits for the next try.
 */
export async function openNodeClient(options: NodeClientOptions): Promise<RookeryClient> {
  const client = await RookeryClient.open({
    clock: new SystemClock(),
    random: new SystemRandom(),
    sockets: nodeSockets,
    ...options,
  });
  let alive: NodeJS.Timeout | null = null;
  client.on('state', ({ kind }) => {
    const isWanted = kind !== 'idle' && kind !== 'closed';
    // biome-ignore lint/style/noRestrictedGlobals: a handle that keeps the process, no time is measured
    if (isWanted) alive ??= setInterval(() => {}, LONG_MS);
    else if (alive !== null) {
      clearInterval(alive);
      alive = null;
    }
  });
  return client;
}
