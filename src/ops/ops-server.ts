import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../structures/clock.js';
import { FailedLogins, type FailedLoginsReport } from './failed-logins.js';
import { hostAllowed } from './host-allowed.js';
import type { OperatorToken } from './operator-token.js';
import { json, type Page, type PostPage, type Reply, text } from './page.js';
import { askerOf, BadBody, readBody } from './posted.js';

export interface OpsServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly token: OperatorToken;
  readonly clock: Clock;
  readonly pages: readonly (Page | PostPage)[];
  /** A page threw; the client got 500. */
  readonly onError: (path: string, error: unknown) => void;
  /** Somebody presented a wrong token; not for each one of somebody who does so all the time. */
  readonly onFailedLogin?: (report: FailedLoginsReport) => void;
}

/** Connections at a time: the operator's browsers and a few collectors. */
const CONNECTIONS_MAX = 64;

const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * The operator's port: plain HTTP on a listener of its own, loopback unless configured otherwise, on the main
 * thread. It is small on purpose: GET and HEAD, POST where a page says so, bodies only there and only as JSON of a megabyte at most, no
 * cookies (so no request forgery), a token in the Authorization header.
 */
export class OpsServer {
  readonly port: number;
  readonly #server: Server;
  readonly #options: OpsServerOptions;
  readonly #pages: ReadonlyMap<string, Page | PostPage>;
  readonly #failedLogins: FailedLogins;

  private constructor(options: OpsServerOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.#pages = new Map(options.pages.map((page) => [page.path, page]));
    this.#failedLogins = new FailedLogins(options.clock, options.onFailedLogin ?? (() => {}));
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => void this.#handle(request, response));
  }

  /** @throws the error of `listen` (EADDRINUSE, EACCES, …), its message naming address and port. */
  static start(options: OpsServerOptions): Promise<OpsServer> {
    const server = createServer({
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 8 * 1024,
    });
    server.maxConnections = CONNECTIONS_MAX;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: options.host, port: options.port, exclusive: true }, () => {
        server.off('error', reject);
        resolve(new OpsServer(options, server));
      });
    });
  }

  /** Cuts open connections too. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Requests that came with a wrong token. */
  get failedLogins(): number {
    return this.#failedLogins.count;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The client may go in the middle; nobody is left to be told.
    response.on('error', () => {});
    const url = URL.canParse(request.url ?? '', 'http://operator')
      ? new URL(request.url ?? '', 'http://operator')
      : null;
    const reply = await this.#reply(request, response, url);
    if (!request.complete) {
      // A body that nobody wants: it is thrown away, and the connection with it.
      const hasBody =
        request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
      if (hasBody) response.shouldKeepAlive = false;
      request.resume();
    }
    if (reply.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="rookery operator"');
    if (reply.status === 405) {
      const page = url === null ? undefined : this.#pages.get(url.pathname);
      response.setHeader('Allow', methodOf(page) === 'POST' ? 'POST' : 'GET, HEAD');
    }
    response.writeHead(reply.status, {
      ...HEADERS,
      'Content-Type': reply.contentType,
      'Content-Length': Buffer.byteLength(reply.body),
    });
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }

  async #reply(request: IncomingMessage, response: ServerResponse, url: URL | null): Promise<Reply> {
    const page = url === null ? undefined : this.#pages.get(url.pathname);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== methodOf(page)) return text('Not by this method.\n', 405);
    const anyHost = page !== undefined && 'anyHost' in page && page.anyHost === true;
    if (!anyHost && !hostAllowed(request.headers.host, this.#options.host)) {
      return text('Not a host name of this server.\n', 421);
    }
    if (page === undefined || url === null) return text('Nothing here.\n', 404);
    if (page.access === 'token' && !this.#options.token.authorizes(request.headers.authorization)) {
      return this.#unauthorized(request, response);
    }
    try {
      if ('reply' in page) return await page.reply(url.searchParams);
      return await page.post(await readBody(request), askerOf(request));
    } catch (error) {
      if (error instanceof BadBody) return json({ error: error.message }, error.status);
      this.#options.onError(page.path, error);
      return json({ error: 'this page failed; the log says why' }, 500);
    }
  }

  #unauthorized(request: IncomingMessage, response: ServerResponse): Reply {
    // Nobody has tried anything who has no token yet: so begins every page in a browser.
    const { authorization } = request.headers;
    const waitSeconds =
      authorization === undefined ? 0 : this.#failedLogins.failed(request.socket.remoteAddress ?? '');
    if (waitSeconds === 0) {
      return json({ error: "the operator's token is wanted: Authorization: Bearer …" }, 401);
    }
    response.setHeader('Retry-After', String(waitSeconds));
    response.shouldKeepAlive = false;
    return json({ error: 'too many wrong tokens from this address' }, 429);
  }
}

function methodOf(page: Page | PostPage | undefined): 'GET' | 'POST' {
  if (page === undefined) return 'GET';
  return 'post' in page ? 'POST' : (page.method ?? 'GET');
}
