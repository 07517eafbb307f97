import { ErrorCode, NAME_BYTES_MAX } from '../../protocol/index.js';
import type { Request } from '../request-handler.js';

/** `profile.set` {name} → {}: the name that others see, at most 64 bytes of UTF-8; empty for none. */
export const method = 'profile.set';

export function handle(request: Request): void {
  const { name } = request.body;
  if (typeof name !== 'string' || Buffer.byteLength(name) > NAME_BYTES_MAX) {
    request.fail(ErrorCode.badRequest, `name must be a text of at most ${NAME_BYTES_MAX} bytes`);
    return;
  }
  request.store({ op: 'set-name', user: request.user, name: name.trim() });
}

export function stored(request: Request): void {
  request.reply({});
}
