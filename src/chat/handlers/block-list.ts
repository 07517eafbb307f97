import type { RequestHandler } from '../handler-table.js';

/** `block.list` {} → {users: […]}: whom I block. */
export const blockList: RequestHandler = {
  method: 'block.list',
  handle(request) {
    request.store({ op: 'blocked', user: request.user });
  },
  stored(request, result) {
    if (result.op !== 'blocked') throw new Error(`unexpected answer ${result.op}`);
    request.reply({ users: result.users });
  },
};
