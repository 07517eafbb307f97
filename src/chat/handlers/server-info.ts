import type { RequestHandler } from '../handler-table.js';

/** `server.info` {} → {name, version, time, epoch}. Times are wall-clock ms. */
export const serverInfo: RequestHandler = {
  method: 'server.info',
  handle(request) {
    const { node } = request;
    request.reply({ name: node.name, version: node.version, time: node.clock.wall(), epoch: node.epoch });
  },
};
