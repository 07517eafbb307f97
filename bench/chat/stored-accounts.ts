import { createHash } from 'node:crypto';
import { BufferedEvents } from '../../src/storage/buffered-events.js';
import { DEFAULT_STORE_LIMITS } from '../../src/storage/limits.js';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import type { ControlResult, StoreEvents } from '../../src/storage/stores.js';

/** Registrations in one commit. */
const BATCH = 1000;

/** What {@link storeAccounts} has registered a number with: whoever knows the number can say it again. */
export function storedCredentials(phone: number): {
  readonly user: number;
  readonly device: number;
  readonly key: Uint8Array;
  firstMessageId: number;
} {
  return { user: phone, device: 1, key: digest('key', phone), firstMessageId: 1 };
}

/**
 * Registers `count` numbers from `firstPhone` on in the database of a server that does not run yet: the store's own code, one commit for
 * each thousand. Over connections every one of them costs two commits and two round trips.
 */
export function storeAccounts(folder: string, firstPhone: number, count: number): void {
  let registered = 0;
  const events: Partial<StoreEvents> = {
    controlled(phone: number, _ref: number, result: ControlResult) {
      if (result.op !== 'pin-verify') return;
      if (!result.ok || result.device !== 1 || result.firstMessageId !== 1)
        throw new Error(`${phone} could not be registered: ${JSON.stringify(result)}`);
      registered++;
    },
    failed(_partition, phone) {
      throw new Error(`${phone} could not be registered: the store cannot commit`);
    },
  };
  const store = SqliteStore.open({
    folder,
    limits: DEFAULT_STORE_LIMITS,
    events: new BufferedEvents(events as StoreEvents),
    now: Date.now(),
  });
  try {
    for (let from = 0; from < count; from += BATCH) {
      store.begin();
      for (let at = from; at < Math.min(count, from + BATCH); at++) {
        const user = firstPhone + at;
        const { key } = storedCredentials(user);
        const [pinHash, salt, now] = [digest('pin', user), digest('salt', user), Date.now()];
        const keySalt = salt.subarray(0, 16);
        const keyHash = createHash('sha256').update(keySalt).update(key).digest();
        store.control({ op: 'pin-request', user, pinHash, now }, user, 0);
        store.control({ op: 'pin-verify', user, pinHash, keySalt, keyHash, now }, user, 0);
      }
      const failure = store.commit();
      if (failure !== null) throw new Error(`accounts could not be stored: failure ${failure}`);
    }
  } finally {
    store.close();
  }
  if (registered !== count) throw new Error(`${registered} of ${count} accounts were made`);
}

function digest(what: string, phone: number): Uint8Array {
  return createHash('sha256').update(`bench ${what} of ${phone}`).digest();
}
