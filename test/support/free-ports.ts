import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

async function listen(port: number): Promise<Server | null> {
  const server = createServer();
  const failed = once(server, 'error');
  server.listen(port, '127.0.0.1');
  const outcome = await Promise.race([once(server, 'listening').then(() => null), failed]);
  return outcome === null ? server : null;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** The first of so many ports in a row that were free a moment ago. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const open: Server[] = [];
    const any = await listen(0);
    if (any === null) continue;
    const { port: first } = any.address() as AddressInfo;
    open.push(any);
    for (let port = first + 1; port < first + count && port < 65_536; port++) {
      const server = await listen(port);
      if (server === null) break;
      open.push(server);
    }
    await Promise.all(open.map(close));
    if (open.length === count) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}
