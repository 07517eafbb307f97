import { SUBPROTOCOL } from '../protocol/limits.js';

/** What is wrong with a WebSocket handshake, in HTTP. */
export interface HandshakeRefusal {
  readonly status: string;
  readonly text: string;
}

export const ORIGIN_REFUSED: HandshakeRefusal = {
  status: '403 Forbidden',
  text: 'This origin is not on the allow-list of the server (setting origins).\n',
};

export const SUBPROTOCOL_REFUSED: HandshakeRefusal = {
  status: '400 Bad Request',
  text: `This server speaks the WebSocket subprotocol ${SUBPROTOCOL}; offer it in Sec-WebSocket-Protocol.\n`,
};

export const NOT_A_HANDSHAKE: HandshakeRefusal = {
  status: '426 Upgrade Required',
  text: `Here is a WebSocket (version 13) with the subprotocol ${SUBPROTOCOL}.\n`,
};

export const ADDRESS_FULL: HandshakeRefusal = {
  status: '429 Too Many Requests',
  text: 'Too many connections from this address.\n',
};

export const CROWDED: HandshakeRefusal = {
  status: '503 Service Unavailable',
  text: 'Too many connections: try again.\n',
};

export const DRAINING: HandshakeRefusal = {
  status: '503 Service Unavailable',
  text: 'The server is shutting down.\n',
};

/**
 * Is `origin` (the header's value) welcome? An empty one is: only browsers send the header, and a program
 * that is not a browser could send anything.
 *
 * @param ports of this server: pages from one of them may connect to another.
 */
export function originAllowed(
  allowed: readonly string[],
  origin: string,
  host: string,
  ports: readonly number[] = [],
): boolean {
  if (origin === '') return true;
  for (const candidate of allowed) {
    if (candidate === '*') return true;
    if (
      candidate === 'same' ? isSame(origin.toLowerCase(), host.toLowerCase(), ports) : candidate === origin
    ) {
      return true;
    }
  }
  return false;
}

function isSame(origin: string, host: string, ports: readonly number[]): boolean {
  if (host === '') return false;
  if (hostOf(origin) === host) return true;
  const scheme = origin.startsWith('https:') ? 443 : 80;
  const from = splitHost(hostOf(origin), scheme);
  const to = splitHost(host, scheme);
  return (
    from !== null &&
    to !== null &&
    from.name === to.name &&
    ports.includes(from.port) &&
    ports.includes(to.port)
  );
}

/** `name:port`, the name perhaps an IPv6 address in brackets. Null: it is not of this form. */
export function splitHost(
  host: string,
  defaultPort: number,
): { readonly name: string; readonly port: number } | null {
  const match = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(host);
  if (match === null) return null;
  return { name: match[1]!, port: match[2] === undefined ? defaultPort : Number(match[2]) };
}

/** Does the list of offered subprotocols (the header's value) hold ours? */
export function offersSubprotocol(offered: string): boolean {
  if (offered === SUBPROTOCOL) return true;
  return offered.split(',').some((name) => name.trim() === SUBPROTOCOL);
}

function hostOf(origin: string): string {
  const at = origin.indexOf('://');
  return at < 0 ? '' : origin.slice(at + 3).toLowerCase();
}
