import type { IncomingMessage } from 'node:http';
import type { Asker } from './action.js';
import { BODY_BYTES_MAX } from './page.js';

/** Characters of an author's name. */
const AUTHOR_CHARS_MAX = 64;

/** A request whose body or headers make no sense. */
export class BadBody extends Error {
  override readonly name = 'BadBody';
  constructor(
    readonly status: 400 | 413,
    message: string,
  ) {
    super(message);
  }
}

/** Who asks, as he says, and from where. The author is what he claims: whoever has the token is believed. @throws BadBody */
export function askerOf(request: IncomingMessage): Asker {
  const address = request.socket.remoteAddress ?? '';
  const header = request.headers['x-rookery-author'];
  if (header === undefined) return { author: 'operator', address };
  let author: string;
  try {
    // Percent-encoded, since a header has no other way to write most people's names.
    author = decodeURIComponent(String(header)).trim();
  } catch {
    throw new BadBody(400, `X-Rookery-Author is not percent-encoded UTF-8: ${JSON.stringify(header)}`);
  }
  if (author === '' || author.length > AUTHOR_CHARS_MAX || /\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}/u.test(author)) {
    throw new BadBody(
      400,
      `X-Rookery-Author must have 1 to ${AUTHOR_CHARS_MAX} characters, none of them control characters, not ${JSON.stringify(author.slice(0, AUTHOR_CHARS_MAX))}`,
    );
  }
  return { author, address };
}

/** The JSON object in the body; an empty body is an empty object. @throws BadBody */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // Left early, the loop would destroy the request, and with it the answer.
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      bytes += (part as Buffer).length;
      if (bytes > BODY_BYTES_MAX) throw tooLarge();
      parts.push(part as Buffer);
    }
  } catch (error) {
    if (error instanceof BadBody) throw error;
    throw new BadBody(400, `the body did not come: ${(error as Error).message}`);
  }
  if (bytes === 0) return {};
  const text = Buffer.concat(parts).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadBody(400, `the body is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadBody(400, `the body must be a JSON object, not ${text.slice(0, 40)}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function tooLarge(): BadBody {
  return new BadBody(413, `the body has more than ${BODY_BYTES_MAX} bytes`);
}
