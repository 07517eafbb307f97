import { ErrorCode, isPhone } from '../../protocol/index.js';
import type { ControlResult } from '../../storage/stores.js';
import type { Request } from '../request-handler.js';

/** How many numbers one request may ask for. */
const USERS_MAX = 256;

/** `users.lookup` {users: […]} → {users: [{user, name, lastSeen}]}: which of these numbers are registered. */
export const method = 'users.lookup';

export function handle(request: Request): void {
  const { users } = request.body;
  if (!Array.isArray(users) || users.length > USERS_MAX) {
    request.fail(ErrorCode.badRequest, `users must be a list of at most ${USERS_MAX} phone numbers`);
    return;
  }
  for (const user of users) {
    if (typeof user !== 'number' || !isPhone(user)) {
      request.fail(ErrorCode.badRequest, `users has ${JSON.stringify(user)}, which is no phone number`);
      return;
    }
  }
  request.store({ op: 'lookup-users', asker: request.user, users });
}

export function stored(request: Request, result: ControlResult): void {
  if (result.op !== 'lookup-users') throw new Error(`unexpected answer ${result.op}`);
  request.reply({
    users: result.users.map(({ user, name, lastSeen }) => ({ user, name, lastSeen })),
  });
}
