import { ErrorCode } from '../../protocol/index.js';
import type { ControlResult } from '../../storage/stores.js';
import type { Request } from '../request-handler.js';

/** `profile.get` {} → {user, name}: what others see of me. */
export const method = 'profile.get';

export function handle(request: Request): void {
  request.store({ op: 'lookup-users', asker: request.user, users: [request.user] });
}

export function stored(request: Request, result: ControlResult): void {
  if (result.op !== 'lookup-users') throw new Error(`unexpected answer ${result.op}`);
  const me = result.users[0];
  if (me === undefined) request.fail(ErrorCode.badCredentials, 'this number is not registered any more');
  else request.reply({ user: me.user, name: me.name });
}
