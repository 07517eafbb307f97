import type { Account, Store, StoreEvents } from '../../src/storage/stores.js';
import type { ConnectionAcceptor } from '../../src/transport/socket.js';
import type { HeldEvent } from './held-events.js';
import type { ObservedTables } from './observed-tables.js';

/**
 * Ways to break the server from outside. A simulation that stays green with one of them switched on has no teeth.
 *
 * | name | what is broken | where |
 * | --- | --- | --- |
 * | sync | the disk says that it has synced, and has not | simulated-disk |
 * | dedupe | the store forgets which message ids it has seen | observed-tables |
 * | resume | every cursor is taken for good, whatever database it is of | here |
 * | early | a message is acknowledged when it is applied, before it is on disk | here |
 * | receipt | what is wiped leaves no receipt | observed-tables |
 * | entry | one new entry in eight is not told to its inbox's partition | here |
 * | fence | a replaced device may go on | here |
 * | order | the entries of a page come in another order | observed-tables |
 * | leak | a session in four is not told that its socket is gone | here |
 * | block | a block is forgotten | observed-tables |
 * | silence | nobody is told that a new writer began, and events may be missing | here |
 */
export const SABOTAGES = [
  'sync',
  'dedupe',
  'resume',
  'early',
  'receipt',
  'entry',
  'fence',
  'order',
  'leak',
  'block',
  'silence',
] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export function isSabotage(name: string): name is Sabotage {
  return (SABOTAGES as readonly string[]).includes(name);
}

/** What stands between the simulation's parts, and leaves them alone unless something is to be broken. */
export class Broken {
  readonly #sabotage: Sabotage | null;
  #count = 0;

  constructor(sabotage: Sabotage | null) {
    this.#sabotage = sabotage;
  }

  /** What the scheduler hears of what is durable. */
  passed(events: readonly HeldEvent[]): readonly HeldEvent[] {
    switch (this.#sabotage) {
      case 'early':
        return events.filter(({ kind }) => kind !== 'appended');
      case 'entry':
        return events.filter(({ kind }) => kind !== 'entry' || ++this.#count % 8 !== 0);
      case 'fence':
        return events.filter(({ kind }) => kind !== 'deviceReplaced');
      case 'silence':
        return events.filter(({ kind }) => kind !== 'restarted');
      case 'resume':
        return events.map((event) => (event.kind === 'account' ? withoutPast(event) : event));
      default:
        return events;
    }
  }

  /** What the scheduler hears of a batch that is applied and not yet durable. */
  applied(events: readonly HeldEvent[]): readonly HeldEvent[] {
    return this.#sabotage === 'early' ? events.filter(({ kind }) => kind === 'appended') : NOTHING;
  }

  store(store: Store, tables: ObservedTables): Store {
    if (this.#sabotage !== 'fence') return store;
    return new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'append') return value.bind(target);
        return (...args: Parameters<Store['append']>) => {
          args[2] = tables.user(args[1])?.device ?? args[2];
          target.append(...args);
        };
      },
    });
  }

  acceptor(acceptor: ConnectionAcceptor): ConnectionAcceptor {
    if (this.#sabotage !== 'leak') return acceptor;
    return {
      opened: (socket) => {
        const handler = acceptor.opened(socket);
        if (handler === null || ++this.#count % 4 !== 0) return handler;
        return {
          message: (bytes, isBinary) => handler.message(bytes, isBinary),
          drained: () => handler.drained(),
          closed() {},
        };
      },
    };
  }

  /** By how much restored backups have raised the epoch. */
  epochs(restores: number): number {
    return this.#sabotage === 'resume' ? 0 : restores;
  }
}

const NOTHING: readonly HeldEvent[] = [];

/** The account as of somebody whose every cursor fits. */
function withoutPast(event: HeldEvent): HeldEvent {
  return {
    ...event,
    tell(target: StoreEvents) {
      event.tell({
        ...SILENCE,
        account: (partition: number, requester: number, account: Account) =>
          target.account(partition, requester, {
            ...account,
            head: Number.MAX_SAFE_INTEGER,
            acked: 0,
            truncated: 0,
          }),
      });
    },
  };
}

const SILENCE: StoreEvents = {
  appended() {},
  wiped() {},
  controlled() {},
  entry() {},
  page() {},
  account() {},
  deviceReplaced() {},
  truncated() {},
  failed() {},
};
