import { ErrorCode, isPhone } from '../../protocol/index.js';
import type { Request } from '../request-handler.js';

/** `block.remove` {user} → {}: undoes `block.add`; fine also when `user` was not blocked. */
export const method = 'block.remove';

export function handle(request: Request): void {
  const { user } = request.body;
  if (typeof user !== 'number' || !isPhone(user)) {
    request.fail(ErrorCode.badRequest, `user must be a phone number, not ${JSON.stringify(user)}`);
    return;
  }
  request.store({ op: 'block', user: request.user, peer: user, on: false, now: request.node.clock.wall() });
}

export function stored(request: Request): void {
  request.blocking(request.body['user'] as number, false);
  request.reply({});
}
