import { ErrorCode, isPhone } from '../../protocol/index.js';
import type { RequestHandler } from '../handler-table.js';

/** `block.remove` {user} → {}: undoes `block.add`; fine also when `user` was not blocked. */
export const blockRemove: RequestHandler = {
  method: 'block.remove',
  handle(request) {
    const { user } = request.body;
    if (typeof user !== 'number' || !isPhone(user)) {
      request.fail(ErrorCode.badRequest, `user must be a phone number, not ${JSON.stringify(user)}`);
      return;
    }
    request.store({ op: 'block', user: request.user, peer: user, on: false, now: request.node.clock.wall() });
  },
  stored(request) {
    request.blocking(request.body['user'] as number, false);
    request.reply({});
  },
};
