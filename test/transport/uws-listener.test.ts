import { socketContract } from './socket-contract.js';
import { UwsWorld } from './uws-world.js';

socketContract('uWebSockets.js', () => new UwsWorld());
