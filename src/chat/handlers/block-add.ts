import { ErrorCode, isPhone } from '../../protocol/index.js';
import type { ControlResult } from '../../storage/stores.js';
import type { Request } from '../request-handler.js';

/** `block.add` {user} → {}: messages, typing and presence of `user` do not reach me any more. */
export const method = 'block.add';

export function handle(request: Request): void {
  const { user } = request.body;
  if (typeof user !== 'number' || !isPhone(user)) {
    request.fail(ErrorCode.badRequest, `user must be a phone number, not ${JSON.stringify(user)}`);
    return;
  }
  request.store({ op: 'block', user: request.user, peer: user, on: true, now: request.node.clock.wall() });
}

export function stored(request: Request, result: ControlResult): void {
  if (result.op !== 'block') throw new Error(`unexpected answer ${result.op}`);
  if (!result.ok) {
    request.fail(ErrorCode.badRequest, 'too many numbers are blocked: remove one first');
    return;
  }
  request.blocking(request.body['user'] as number, true);
  request.reply({});
}
