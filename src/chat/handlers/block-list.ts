import type { ControlResult } from '../../storage/stores.js';
import type { Request } from '../request-handler.js';

/** `block.list` {} → {users: […]}: whom I block. */
export const method = 'block.list';

export function handle(request: Request): void {
  request.store({ op: 'blocked', user: request.user });
}

export function stored(request: Request, result: ControlResult): void {
  if (result.op !== 'blocked') throw new Error(`unexpected answer ${result.op}`);
  request.reply({ users: result.users });
}
