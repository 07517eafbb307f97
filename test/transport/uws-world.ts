import WebSocket from 'ws';
import { SystemClock } from '../../src/structures/system-clock.js';
import { tokenRate } from '../../src/structures/token-bucket.js';
import type { Listener, ListenerOptions } from '../../src/transport/listener.js';
import type { ConnectionHandler, Socket } from '../../src/transport/socket.js';
import { listen } from '../../src/transport/uws/uws-listener.js';
import type { ContractClient, ContractWorld } from './socket-contract.js';

export const testOptions: ListenerOptions = {
  host: '127.0.0.1',
  port: 0,
  sharing: 'none',
  homePort: null,
  maxPayloadBytes: 128 * 1024,
  idleTimeoutSeconds: 120,
  maxBackpressureBytes: 1024 * 1024,
  origins: ['same'],
  connectionsMax: 10_000,
  connectionsPerAddressMax: 10_000,
  addressRate: tokenRate(100_000, 100_000),
  nodeRate: tokenRate(100_000, 100_000),
  assets: new Map(),
  tls: null,
  onHandlerError: (error) => {
    throw error;
  },
};

export function wsUrl(listener: Listener): string {
  return `ws://127.0.0.1:${listener.port}/ws`;
}

/** Polls at every turn of the event loop; the runner's timeout is the only clock. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export class UwsWorld implements ContractWorld {
  readonly listener: Listener;
  readonly maxPayloadBytes: number;
  readonly maxBackpressureBytes: number;
  readonly handlerErrors: unknown[] = [];
  readonly #clients: WebSocket[] = [];
  accept: (socket: Socket) => ConnectionHandler | null = () => null;

  constructor(options: Partial<ListenerOptions> = {}) {
    const all = {
      ...testOptions,
      onHandlerError: (error: unknown) => this.handlerErrors.push(error),
      ...options,
    };
    this.maxPayloadBytes = all.maxPayloadBytes;
    this.maxBackpressureBytes = all.maxBackpressureBytes;
    this.listener = listen(all, { opened: (socket) => this.accept(socket) }, new SystemClock());
  }

  async connect(): Promise<ContractClient | null> {
    const ws = new WebSocket(wsUrl(this.listener), 'rookery.v1', { perMessageDeflate: false });
    const received: Uint8Array[] = [];
    let ended: ContractClient['ended'] = null;
    ws.on('message', (data: Buffer) => received.push(new Uint8Array(data)));
    ws.on('close', (code, reason) => {
      ended = { code, reason: reason.toString() };
    });
    ws.on('error', () => {});
    this.#clients.push(ws);
    await new Promise((resolve) => {
      ws.once('open', resolve);
      ws.once('close', resolve);
    });
    // Refused before it was a WebSocket: what an accepted and then closed one gets is told by `ended`.
    if (ws.protocol === '') return null;
    return {
      received,
      get ended() {
        return ended;
      },
      send: (bytes, isBinary = true) => ws.send(bytes, { binary: isBinary }),
      close: (code, reason) => ws.close(code, reason),
      terminate: () => ws.terminate(),
      pause: () => ws.pause(),
      resume: () => ws.resume(),
    };
  }

  until(condition: () => boolean): Promise<void> {
    return until(condition);
  }

  async pass(): Promise<void> {
    // Real time passes by itself.
  }

  dispose(): void {
    for (const client of this.#clients) client.terminate();
    this.listener.close();
  }
}
