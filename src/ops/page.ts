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

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, status = 200): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
