import { SeededRandom } from '../../src/structures/seeded-random.js';
import { memoryWorld } from './memory-world.js';
import { socketContract } from './socket-contract.js';

socketContract('memory sockets without latency', () => memoryWorld(() => 0));

const random = new SeededRandom(7);
socketContract('memory sockets with latency between 0 and 50 ms', () =>
  memoryWorld(() => random.next() * 50),
);
