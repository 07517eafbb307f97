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
 */
export function originAllowed(allowed: readonly string[], origin: string, host: string): boolean {
  if (origin === '') return true;
  for (const candidate of allowed) {
    if (candidate === '*') return true;
    if (candidate === 'same' ? hostOf(origin) === host.toLowerCase() && host !== '' : candidate === origin) {
      return true;
    }
  }
  return false;
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
