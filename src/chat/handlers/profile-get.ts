import { ErrorCode } from '../../protocol/index.js';
import type { RequestHandler } from '../handler-table.js';

/** `profile.get` {} → {user, name}: what others see of me. */
export const profileGet: RequestHandler = {
  method: 'profile.get',
  handle(request) {
    request.store({ op: 'lookup-users', asker: request.user, users: [request.user] });
  },
  stored(request, result) {
    if (result.op !== 'lookup-users') throw new Error(`unexpected answer ${result.op}`);
    const me = result.users[0];
    if (me === undefined) request.fail(ErrorCode.badCredentials, 'this number is not registered any more');
    else request.reply({ user: me.user, name: me.name });
  },
};
