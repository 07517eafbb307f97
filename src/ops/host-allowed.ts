import { isIP } from 'node:net';

/**
 * Is this the name under which the operator's port may be called? A page on the web can have its own name
 * resolve to 127.0.0.1 (DNS rebinding) and would then be of the same origin as this server, but its Host
 * header gives it away: an address or `localhost` cannot be rebound.
 *
 * @param header the Host header: a name or address, perhaps with a port.
 * @param ownHost the configured one, accepted as well.
 */
export function hostAllowed(header: string | undefined, ownHost: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/]+)(?::\d{1,5})?$/i.exec(header ?? '');
  if (match === null) return false;
  const name = match[1]!.toLowerCase();
  const bare = name.startsWith('[') ? name.slice(1, -1) : name;
  return isIP(bare) !== 0 || bare === 'localhost' || bare === ownHost.toLowerCase();
}
