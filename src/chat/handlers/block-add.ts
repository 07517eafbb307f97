import { ErrorCode, isPhone } from '../../protocol/index.js';
import type { RequestHandler } from '../handler-table.js';

/** `block.add` {user} → {}: messages, typing and presence of `user` do not reach me any more. */
export const blockAdd: RequestHandler = {
  method: 'block.add',
  handle(request) {
    const { user } = request.body;
    if (typeof user !== 'number' || !isPhone(user)) {
      request.fail(ErrorCode.badRequest, `user must be a phone number, not ${JSON.stringify(user)}`);
      return;
    }
    request.store({ op: 'block', user: request.user, peer: user, on: true, now: request.node.clock.wall() });
  },
  stored(request, result) {
    if (result.op !== 'block') throw new Error(`unexpected answer ${result.op}`);
    if (!result.ok) {
      request.fail(ErrorCode.badRequest, 'too many numbers are blocked: remove one first');
      return;
    }
    request.blocking(request.body['user'] as number, true);
    request.reply({});
  },
};
