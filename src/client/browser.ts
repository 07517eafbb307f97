import type { Clock, ClockTimer } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import { browserSockets } from './browser-socket.js';
import { BrowserClientStore } from './browser-store.js';
import type { ClientOptions } from './client-options.js';
import type { Connectivity, ConnectivityHint } from './connectivity.js';
import { RookeryClient } from './rookery-client.js';

/** The client in a browser. The only file here that touches the page's clock, chance and events. */
export * from './index.js';
export { BrowserClientStore, browserSockets };

type Surroundings = 'clock' | 'random' | 'sockets' | 'store' | 'connectivity' | 'url';

export type BrowserClientOptions = Omit<ClientOptions, Surroundings> &
  Partial<Pick<ClientOptions, Surroundings>>;

/**
 * Opens a client over the browser's WebSocket, IndexedDB and clock. Without a `url` it speaks to the server
 * that the page came from.
 */
export function openBrowserClient(options: BrowserClientOptions): Promise<RookeryClient> {
  return RookeryClient.open({
    clock: new BrowserClock(),
    random: browserRandom,
    sockets: browserSockets,
    connectivity: browserConnectivity,
    ...options,
    url: options.url ?? pageUrl(),
    store: options.store ?? new BrowserClientStore(),
  });
}

const DELAY_MS_MAX = 2 ** 31 - 1;

/** Turns go over a MessageChannel: unlike timers it is not slowed down in pages that nobody sees. */
export class BrowserClock implements Clock {
  readonly #channel = new MessageChannel();
  #deferred: (() => void)[] = [];

  constructor() {
    // Node's types have no `onmessage`; in browsers it starts the port, which `addEventListener` does not.
    (this.#channel.port1 as unknown as { onmessage: () => void }).onmessage = () => {
      const callbacks = this.#deferred;
      this.#deferred = [];
      for (const callback of callbacks) callback();
    };
  }

  now(): number {
    // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayMs: number): ClockTimer {
    const timer: LongTimer = { handle: 0 };
    this.#continue(timer, callback, this.now() + delayMs);
    return timer;
  }

  clearTimer(timer: ClockTimer): void {
    clearTimeout((timer as LongTimer).handle as number);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
    if (this.#deferred.length === 1) this.#channel.port2.postMessage(null);
  }

  #continue(timer: LongTimer, callback: () => void, deadline: number): void {
    const left = Math.ceil(deadline - this.now());
    const isLast = left <= DELAY_MS_MAX;
    const next = isLast ? callback : () => this.#continue(timer, callback, deadline);
    // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
    timer.handle = setTimeout(next, isLast ? Math.max(0, left) : DELAY_MS_MAX);
  }
}

interface LongTimer {
  handle: unknown;
}

export const browserRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/** The network came or went; the page became visible (its timers slept, its connection may have died). */
export const browserConnectivity: Connectivity = {
  watch(listener: (hint: ConnectivityHint) => void): () => void {
    const page = globalThis as unknown as EventSource & {
      readonly document: EventSource & { hidden: boolean };
    };
    const better = (): void => listener('better');
    const worse = (): void => listener('worse');
    const visible = (): void => {
      if (!page.document.hidden) listener('better');
    };
    page.addEventListener('online', better);
    page.addEventListener('offline', worse);
    page.document.addEventListener('visibilitychange', visible);
    return () => {
      page.removeEventListener('online', better);
      page.removeEventListener('offline', worse);
      page.document.removeEventListener('visibilitychange', visible);
    };
  },
};

interface EventSource {
  addEventListener(name: string, listener: () => void): void;
  removeEventListener(name: string, listener: () => void): void;
}

function pageUrl(): string {
  const { location } = globalThis as unknown as { location: { readonly href: string } };
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
}
