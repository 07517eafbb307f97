import type { Request } from '../request-handler.js';

/** `server.info` {} → {name, version, time, epoch}. Times are wall-clock ms. */
export const method = 'server.info';

export function handle(request: Request): void {
  const { node } = request;
  request.reply({ name: node.name, version: node.version, time: node.clock.wall(), epoch: node.epoch });
}
