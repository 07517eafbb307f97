import type { Asker } from './action.js';

/** What a page answers. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** One path of the operator's port. Pages are plug-ins: a list of them is handed to the server. */
export interface Page {
  readonly path: string;
  /** `token`: only with the operator's token. `public`: for everybody who reaches the port. */
  readonly access: 'public' | 'token';
  /** Handled whatever the Host header: for probes. Otherwise a foreign host is refused. */
  readonly anyHost?: boolean;
  /** POST: it changes something; GET (and HEAD) is refused then. Default GET. */
  readonly method?: 'GET' | 'POST';
  reply(query: URLSearchParams): Reply | Promise<Reply>;
}

/** A path that takes a JSON object in the body of a POST, of up to {@link BODY_BYTES_MAX}. Nobody without the token. */
export interface PostPage {
  readonly path: string;
  readonly access: 'token';
  post(body: Readonly<Record<string, unknown>>, asker: Asker): Reply | Promise<Reply>;
}

export const BODY_BYTES_MAX = 1024 * 1024;

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, status = 200): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
