import type { Process } from './process.js';
import { receiverOf } from './receiver-of.js';
import { CallMessage, CastMessage } from './request.js';

/**
 * Which of its callbacks runs, or is to run, in words: `Session.receive`, and the type of the message where it is known:
 * `Session.receive(send)`.
 */
export function handlerOf(process: Process<never>, callback: string, message: unknown): string {
  const { kind } = receiverOf(process);
  const type = typeOf(message);
  return `${kind === 'function' ? '' : `${kind}.`}${callback}${type === '' ? '' : `(${type})`}`;
}

function typeOf(message: unknown): string {
  if (message instanceof CallMessage) return `call ${typeOf(message.request)}`.trimEnd();
  if (message instanceof CastMessage) return `cast ${typeOf(message.message)}`.trimEnd();
  const type = (message as { readonly type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? type : '';
}
